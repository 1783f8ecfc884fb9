//! [`Early`]: samples that do not wait for the clock, because the kernel told of trouble; and of which groups it shall
//! tell.

use std::time::Duration;

use crate::app::State;
use crate::app::msg::Effect;
use crate::app::view::domains::watch::Watch;
use crate::model::cgroup::{Cgroup, CgroupPath};
use crate::model::memory::band::Band;
use crate::model::oom_domain::urgency::Urgency;
use crate::model::time::Monotonic;

/// Least time between two early samples: a storm of events makes at most four more samples a second.
const APART: Duration = Duration::from_millis(250);

/// Early samples cost no more than this part of a processor.
const SHARE: u32 = 4;

/// Most groups that the kernel shall tell of.
const MOST: usize = 16;

/// Whether a sample is wanted before its time, and when the last such was taken.
#[derive(Debug, Clone, Default)]
pub struct Early {
    wanted: bool,
    last: Option<Monotonic>,
    /// The groups that the kernel was last asked to tell of.
    attended: Vec<Attended>,
}

/// A group, and which of those that had its path: a service that starts again has a new group, whose events must be
/// asked for again.
type Attended = (CgroupPath, Option<u64>);

impl Early {
    /// A sample was asked for; it serves whoever waits.
    pub(super) fn asked(&mut self, now: Monotonic) {
        if std::mem::take(&mut self.wanted) {
            self.last = Some(now);
        }
    }
}

impl State {
    /// The kernel told of trouble. A sample that is running may have begun too early to show it.
    pub(super) fn on_woken(&mut self) -> Vec<Effect> {
        if self.paused {
            return Vec::new();
        }
        self.early.wanted = true;
        match self.until_sample() {
            Some(Duration::ZERO) => self.request_sample(),
            _ => Vec::new(),
        }
    }

    /// Time until an early sample may begin; `None` if none is wanted.
    pub(super) fn until_early(&self) -> Option<Duration> {
        if !self.early.wanted {
            return None;
        }
        let Some(last) = self.early.last else {
            return Some(Duration::ZERO);
        };
        let cost = Duration::from_micros(self.snapshot.spent_micros).saturating_mul(SHARE);
        let since = self.now.monotonic.since(last);
        Some(APART.max(cost).saturating_sub(since))
    }

    /// Asks the kernel to tell of the groups that matter now, if they are others than before.
    pub(super) fn attend(&mut self) -> Vec<Effect> {
        let mut groups = self.worth_attention();
        groups.sort_unstable_by(|(a, _), (b, _)| a.as_str().cmp(b.as_str()));
        if groups == self.early.attended {
            return Vec::new();
        }
        let paths = groups.iter().map(|(path, _)| path.clone()).collect();
        self.early.attended = groups;
        vec![Effect::Attend(paths)]
    }

    /// The groups nearest to an OOM; then, where there is room, those at the top of the tree: on v2 they count what
    /// happens in all groups below.
    fn worth_attention(&self) -> Vec<Attended> {
        let snapshot = &self.snapshot;
        let domains = snapshot.domains.iter().filter_map(|domain| {
            let watch = self.domains.watch(domain.scope)?;
            let group = snapshot.cgroup(domain.scope.memcg()?)?;
            Some((watch, group))
        });
        let is_near =
            |watch: &Watch| watch.urgency > Urgency::Calm || watch.own_band > Band::Normal;
        let mut near: Vec<_> = domains
            .clone()
            .filter(|(watch, _)| is_near(watch))
            .collect();
        near.sort_by(|(a, _), (b, _)| a.place().cmp(&b.place()));
        let near = near.into_iter().map(|(_, group)| group);
        let most_top = if self.host.cgroups.is_v1() { 0 } else { MOST };
        let is_top = |group: &&Cgroup| {
            let name = group.path.as_str().strip_prefix('/');
            name.is_some_and(|name| !name.is_empty() && !name.contains('/'))
        };
        let top = snapshot.cgroups.iter().filter(is_top).take(most_top);
        let mut chosen: Vec<Attended> = Vec::with_capacity(MOST);
        for group in near.chain(top).chain(domains.map(|(_, group)| group)) {
            if chosen.len() >= MOST {
                break;
            }
            if group.present && !chosen.iter().any(|(path, _)| *path == group.path) {
                chosen.push((group.path.clone(), group.instance));
            }
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use crate::app::State;
    use crate::app::msg::{Effect, Msg};
    use crate::app::settings::Settings;
    use crate::app::update::update;
    use crate::model::cgroup::Cgroup;
    use crate::model::on_paper::group;
    use crate::model::snapshot::{Host, Snapshot};
    use crate::model::time::{Monotonic, Now};
    use crate::model::wake::Wake;

    fn at(millis: u64) -> Now {
        Now {
            monotonic: Monotonic(1_000_000 + millis * 1000),
            ..Now::default()
        }
    }

    #[test]
    fn a_group_that_was_made_again_is_attended_again() {
        let mut state = State::new(Settings::default(), Host::default(), (80, 24), at(0));
        let mut attended = Vec::new();
        for (seq, instance) in [7, 7, 8, 8].into_iter().enumerate() {
            let millis = seq as u64 * 1000;
            update(&mut state, Msg::Tick(at(millis)));
            let shop = Cgroup {
                instance: Some(instance),
                ..group("/shop", Some(0), Some(1 << 30), 0)
            };
            let snapshot = Snapshot {
                seq: seq as u64 + 1,
                taken: at(millis),
                cgroups: Arc::new(vec![group("/", None, None, 0), shop]),
                ..Snapshot::default()
            };
            let effects = update(&mut state, Msg::Sampled(snapshot.into())).effects;
            attended.push(effects.iter().any(|effect| {
                matches!(effect, Effect::Attend(groups) if groups.iter().any(|path| path.as_str() == "/shop"))
            }));
        }
        assert_eq!(attended, [true, false, true, false]);
    }

    fn samples(effects: &[Effect]) -> usize {
        let all = effects.iter();
        all.filter(|effect| matches!(effect, Effect::Sample(_)))
            .count()
    }

    /// Events every `every` ms for two seconds; each sample takes `took` ms of processor time. The times of the
    /// samples, in ms.
    fn stormy(every: u64, took: u64) -> Vec<u64> {
        let mut state = State::new(Settings::default(), Host::default(), (80, 24), at(0));
        let (mut asked, mut due, mut seq) = (Vec::new(), None, 0);
        for millis in 0..2000 {
            let mut effects = update(&mut state, Msg::Tick(at(millis))).effects;
            if due == Some(millis) {
                due = None;
                seq += 1;
                let snapshot = Snapshot {
                    seq,
                    taken: at(millis - took),
                    spent_micros: took * 1000,
                    ..Snapshot::default()
                };
                effects.extend(update(&mut state, Msg::Sampled(snapshot.into())).effects);
            }
            if every > 0 && millis % every == 7 {
                effects.extend(update(&mut state, Msg::Woken(Wake::Group)).effects);
            }
            if samples(&effects) > 0 {
                assert_eq!(samples(&effects), 1);
                asked.push(millis);
                due = Some(millis + took);
            }
        }
        asked
    }

    #[test]
    fn an_event_has_its_sample_at_once() {
        let asked = stormy(400, 3);
        // The clock begins at 0; the event at 7 waits for nothing but the sample that runs.
        assert!(asked.contains(&7) && asked.contains(&407), "{asked:?}");
    }

    #[test]
    fn a_storm_makes_at_most_four_more_samples_a_second() {
        let regular = stormy(0, 3).len();
        let stormy = stormy(10, 3);
        assert!(stormy.len() <= regular + 8, "{stormy:?}");
        assert!(stormy.len() >= 7, "but it makes some: {stormy:?}");
    }

    #[test]
    fn samples_that_cost_much_come_early_less_often() {
        let dear = stormy(10, 100);
        let apart = dear.windows(2).skip(1).map(|pair| pair[1] - pair[0]);
        assert!(apart.min().is_some_and(|least| least >= 400), "{dear:?}");
    }

    #[test]
    fn while_paused_nothing_is_sampled() {
        let mut state = State::new(Settings::default(), Host::default(), (80, 24), at(0));
        state.paused = true;
        let effects = update(&mut state, Msg::Woken(Wake::Pressure)).effects;
        assert_eq!(samples(&effects), 0);
        assert!(state.quiet_for() > Duration::from_millis(100));
    }
}
