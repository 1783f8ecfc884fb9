//! [`Killed`]: processes that the kernel has killed and that samples may still show: none of them dies next.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::app::State;
use crate::model::kernel::KernelRules;
use crate::model::oom_domain::foresee::foresee;
use crate::model::oom_domain::victim::pass_over;
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

/// The last victims, and when the dashboard heard of each.
#[derive(Debug, Clone, Default)]
pub struct Killed(HashMap<ProcessId, Monotonic>);

impl Killed {
    fn note(&mut self, victims: impl IntoIterator<Item = ProcessId>, at: Monotonic) {
        for victim in victims {
            if self.0.len() < KEPT {
                self.0.insert(victim, at);
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
            .retain(|id, heard| there.contains(id) && now.since(*heard) <= LINGERS);
    }

    /// The log told of these kills at `at`; `samples`: the newest and the one before.
    pub(in crate::app) fn note_log(
        &mut self,
        kills: &[Kill],
        samples: [&Snapshot; 2],
        at: Monotonic,
    ) {
        let [newest, _] = samples;
        for known in kills.iter().filter_map(|kill| recall(kill, &samples)) {
            match newest.process(known.id) {
                Some(process) => self.note(with_sharers(process, newest), at),
                None => self.note([known.id], at),
            }
        }
    }

    /// A tracepoint told of this kill at `at`.
    pub(in crate::app) fn note_traced(
        &mut self,
        kill: &TracedKill,
        newest: &Snapshot,
        at: Monotonic,
    ) {
        let mut processes = newest.processes.iter();
        if let Some(found) = processes.find(|process| kill.is(process.id)) {
            self.note(with_sharers(found, newest), at);
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
        let sample = Arc::make_mut(newest);
        let (processes, domains) = (&mut sample.processes, &mut sample.domains);
        let (groups, memory) = (&sample.cgroups, &sample.memory);
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

/// The processes of a sample with the memory of this one: they die together.
fn with_sharers(found: &Process, sample: &Snapshot) -> Vec<ProcessId> {
    let sharers = sample.sharers(found).map(|sharer| sharer.id);
    std::iter::once(found.id).chain(sharers).collect()
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
        self.killed.note_traced(kill, &self.snapshot, now);
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
        killed.note(all.iter().map(|p| p.id), Monotonic(5));
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
