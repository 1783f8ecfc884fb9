//! [`Killed`]: processes that the kernel has killed and that samples may still show: none of them dies next.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::app::State;
use crate::model::cgroup::CgroupKey;
use crate::model::kernel::KernelRules;
use crate::model::oom_domain::foresee::foresee;
use crate::model::oom_domain::victim::{note_dying, pass_over};
use crate::model::process::{Process, ProcessId};
use crate::model::recall::recall;
use crate::model::snapshot::Snapshot;
use crate::model::time::Monotonic;
use crate::model::traced::TracedKill;
use crate::oomlog::Kill;

/// Most that are kept: a group can be killed as a whole.
const KEPT: usize = 1024;
/// After this time the sampler's own look at `oom_score` decides: the kernel shows 0 for who was killed.
const LINGERS: Duration = Duration::from_mins(1);

/// How old a sample can count as: of an older one nothing can be foreseen.
const OLD: Duration = Duration::from_secs(5);

/// From this time after a kill on the OOM reaper is done, or has given up: it starts after 2 s and tries ten times within a
/// second (mm/oom_kill.c `OOM_REAPER_DELAY`, `MAX_OOM_REAP_RETRIES`), and the kernel passes the victim over then.
const REAPED: Duration = Duration::from_secs(4);

/// The last victims, when the dashboard heard of each, and the group that each was in.
#[derive(Debug, Clone, Default)]
pub struct Killed(HashMap<ProcessId, (Monotonic, Option<CgroupKey>)>);

impl Killed {
    fn note(
        &mut self,
        victims: impl IntoIterator<Item = (ProcessId, Option<CgroupKey>)>,
        at: Monotonic,
    ) {
        for (victim, group) in victims {
            if self.0.len() < KEPT {
                self.0.insert(victim, (at, group));
            }
        }
    }

    /// Forgets who is missing from the sample, and who lingers.
    fn forget(&mut self, sample: &Snapshot, now: Monotonic) {
        if self.0.is_empty() {
            return;
        }
        let there: HashSet<ProcessId> = sample.processes.iter().map(|p| p.id).collect();
        self.0
            .retain(|id, (heard, _)| there.contains(id) && now.since(*heard) <= LINGERS);
    }

    /// The log told of these kills at `at`; `samples`: the newest and the one before.
    pub(in crate::app) fn note_log(
        &mut self,
        kills: &[Kill],
        samples: [&Snapshot; 2],
        at: Monotonic,
    ) {
        let [newest, before] = samples;
        for known in kills.iter().filter_map(|kill| recall(kill, &samples)) {
            match newest.process(known.id) {
                Some(process) => self.note(with_sharers(process, [newest, before]), at),
                None => self.note([(known.id, None)], at),
            }
        }
    }

    /// A tracepoint told of this kill at `at`.
    pub(in crate::app) fn note_traced(
        &mut self,
        kill: &TracedKill,
        samples: [&Snapshot; 2],
        at: Monotonic,
    ) {
        let mut processes = samples[0].processes.iter();
        if let Some(found) = processes.find(|process| kill.is(process.id)) {
            self.note(with_sharers(found, samples), at);
        }
    }

    /// Takes those who were killed out of the ranking of the newest sample; true if one of them was in it. The next sample
    /// comes within a period of the news, if the machine is not held up.
    pub(in crate::app) fn pass_over(
        &mut self,
        newest: &mut Arc<Snapshot>,
        rules: &KernelRules,
        (now, period): (Monotonic, Duration),
    ) -> bool {
        self.forget(newest, now);
        let is_ranked = |p: &Process| !p.skipped_by_kernel && self.0.contains_key(&p.id);
        if self.0.is_empty() || !newest.processes.iter().any(is_ranked) {
            return false;
        }
        let killed: HashSet<ProcessId> = self.0.keys().copied().collect();
        let fresh = self
            .0
            .iter()
            .filter(|(_, (heard, _))| now.since(*heard) < REAPED);
        let fresh: HashMap<_, _> = fresh.map(|(id, (_, group))| (*id, *group)).collect();
        let sample = Arc::make_mut(newest);
        let (processes, domains) = (&mut sample.processes, &mut sample.domains);
        let (groups, memory) = (&sample.cgroups, &sample.memory);
        note_dying(&fresh, processes, domains, groups);
        pass_over(&killed, processes, domains, groups, rules);
        // The memory of the dead goes to the others: their order may change while they take it.
        let age = (now.since(sample.taken.monotonic) + period).min(OLD);
        foresee(domains, processes, groups, memory, rules.page_size, age);
        true
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True without any.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The processes of the newest sample with the memory of this one, which die together, and the group of each: that of the
/// sample before where there is one, because the newest may have been taken while they exited.
fn with_sharers(
    found: &Process,
    [newest, before]: [&Snapshot; 2],
) -> Vec<(ProcessId, Option<CgroupKey>)> {
    let all = std::iter::once(found).chain(newest.sharers(found));
    let group = |process: &Process| before.process(process.id).unwrap_or(process).cgroup;
    all.map(|process| (process.id, group(process))).collect()
}

impl State {
    /// The log told of these kills: their victims die next nowhere.
    pub(in crate::app) fn note_killed(&mut self, kills: &[Kill]) {
        let samples = [&*self.snapshot, &*self.previous];
        self.killed.note_log(kills, samples, self.now.monotonic);
        self.show_killed();
    }

    /// A tracepoint told of this kill.
    pub(in crate::app) fn note_traced_kill(&mut self, kill: &TracedKill) {
        let now = self.now.monotonic;
        let samples = [&*self.snapshot, &*self.previous];
        self.killed.note_traced(kill, samples, now);
        self.show_killed();
    }

    fn show_killed(&mut self) {
        if self.pass_over_killed() {
            self.note_alarms();
            self.arrange_sample();
        }
    }

    /// Takes those who were killed out of the ranking of the newest sample; true if one of them was in it.
    pub(in crate::app) fn pass_over_killed(&mut self) -> bool {
        let rules = &self.host.rules;
        let times = (self.now.monotonic, self.period());
        self.killed.pass_over(&mut self.snapshot, rules, times)
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, Killed};
    use crate::model::on_paper::process;
    use crate::model::snapshot::Snapshot;
    use crate::model::time::Monotonic;

    #[test]
    fn the_dead_are_forgotten_with_their_rows_and_never_too_many() {
        let mut killed = Killed::default();
        let all: Vec<_> = (0..3000).map(|pid| process(pid, 10, 0)).collect();
        killed.note(all.iter().map(|p| (p.id, None)), Monotonic(5));
        assert_eq!(killed.len(), KEPT);
        let sample = Snapshot {
            processes: all.into_iter().take(2).collect(),
            ..Snapshot::default()
        };
        killed.forget(&sample, Monotonic(1_000_000));
        assert_eq!(killed.len(), 2);
        killed.forget(&sample, Monotonic(61_000_006));
        assert!(killed.is_empty());
    }
}
