//! [`Blast`]: everybody who ends once the kernel has killed one process, and why.

use std::collections::{HashMap, VecDeque};

use crate::model::cgroup::CgroupKey;
use crate::model::killers::oom_policy::OomPolicy;
use crate::model::process::score::OomScoreAdj;
use crate::model::process::{Pid, Process, ProcessId};
use crate::model::snapshot::Snapshot;

/// Why a process ends with another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Along {
    /// It has the same address space (mm/oom_kill.c `__oom_kill_process`).
    SharedMemory,
    /// It is in a group that is killed as a whole (`memory.oom.group`).
    Group,
    /// It is in a PID namespace whose first process is killed (pid_namespaces(7)).
    Namespace,
    /// It is in a unit that systemd stops after a kill in it (`OOMPolicy=`).
    Unit,
    /// It is in a service whose main process is killed.
    Main,
}

impl Along {
    /// All, from the first to die to the last.
    pub const ALL: [Self; 5] = [
        Self::SharedMemory,
        Self::Group,
        Self::Namespace,
        Self::Unit,
        Self::Main,
    ];
}

/// Who ends with a victim.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Blast {
    /// Everybody but the victim, in the order of the table, with the first reason that holds.
    pub along: Vec<(ProcessId, Along)>,
    /// Children of those that end, which live on with another parent.
    pub orphans: usize,
}

impl Blast {
    /// Who ends if the kernel kills this process, and all of `group` with it (`memory.oom.group`).
    #[must_use]
    pub fn new(victim: ProcessId, group: Option<CgroupKey>, snapshot: &Snapshot) -> Self {
        let mut spread = Spread::new(snapshot);
        let Some(first) = spread.place(victim) else {
            return Self::default();
        };
        spread.ends(first, Fate::Victim);
        if let Some(group) = group {
            // mm/oom_kill.c `oom_kill_memcg_member` spares these.
            let immune = OomScoreAdj::new(-1000);
            spread.group(group, Along::Group, |process| process.adj != immune);
        }
        while let Some(at) = spread.queue.pop_front() {
            spread.follow(at);
        }
        spread.found()
    }

    /// Those that end for this reason.
    pub fn by(&self, reason: Along) -> impl Iterator<Item = ProcessId> {
        let such = self.along.iter().filter(move |(_, why)| *why == reason);
        such.map(|(id, _)| *id)
    }
}

/// How a process fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Lives,
    Victim,
    Ends(Along),
}

/// What is known while one end leads to the next.
struct Spread<'a> {
    snapshot: &'a Snapshot,
    places: HashMap<ProcessId, usize>,
    children: HashMap<Pid, Vec<usize>>,
    fates: Vec<Fate>,
    queue: VecDeque<usize>,
    stopped: Vec<CgroupKey>,
}

impl<'a> Spread<'a> {
    fn new(snapshot: &'a Snapshot) -> Self {
        let mut children: HashMap<Pid, Vec<usize>> = HashMap::new();
        let mut places = HashMap::new();
        for (at, process) in snapshot.processes.iter().enumerate() {
            places.insert(process.id, at);
            children.entry(process.ppid).or_default().push(at);
        }
        Self {
            snapshot,
            places,
            children,
            fates: vec![Fate::Lives; snapshot.processes.len()],
            queue: VecDeque::new(),
            stopped: Vec::new(),
        }
    }

    fn place(&self, id: ProcessId) -> Option<usize> {
        self.places.get(&id).copied()
    }

    fn ends(&mut self, at: usize, how: Fate) {
        let (Some(process), Some(fate)) = (self.snapshot.processes.get(at), self.fates.get_mut(at))
        else {
            return;
        };
        let is_spared = process.kernel_thread || process.global_init || process.state.is_dead();
        if *fate == Fate::Lives && !is_spared {
            *fate = how;
            self.queue.push_back(at);
        }
    }

    /// Everybody in a group and below it.
    fn group(&mut self, group: CgroupKey, why: Along, also: impl Fn(&Process) -> bool) {
        let snapshot = self.snapshot;
        for (at, process) in snapshot.processes.iter().enumerate() {
            let around = process.member_of().into_iter();
            let mut around = around.flat_map(|home| snapshot.ancestry(home));
            if around.any(|(key, _)| key == group) && also(process) {
                self.ends(at, Fate::Ends(why));
            }
        }
    }

    fn unit(&mut self, group: CgroupKey, why: Along) {
        if !self.stopped.contains(&group) {
            self.stopped.push(group);
            self.group(group, why, |_| true);
        }
    }

    /// What follows from the end of one process.
    fn follow(&mut self, at: usize) {
        let snapshot = self.snapshot;
        let (Some(process), Some(fate)) = (snapshot.processes.get(at), self.fates.get(at).copied())
        else {
            return;
        };
        // The kernel counts these kills in `memory.events`, where systemd sees them.
        if matches!(fate, Fate::Victim | Fate::Ends(Along::Group)) {
            let sharers: Vec<ProcessId> = snapshot.sharers(process).map(|other| other.id).collect();
            for other in sharers {
                if let Some(at) = self.place(other) {
                    self.ends(at, Fate::Ends(Along::SharedMemory));
                }
            }
            let stopped: Vec<CgroupKey> = snapshot
                .units_around(process)
                .filter(|unit| unit.policy != OomPolicy::Continue)
                .map(|unit| unit.group)
                .collect();
            for group in stopped {
                self.unit(group, Along::Unit);
            }
        }
        if let Some(init) = snapshot.init(process.id) {
            for other in &init.others {
                if let Some(at) = self.place(*other) {
                    self.ends(at, Fate::Ends(Along::Namespace));
                }
            }
        }
        let is_inside = fate == Fate::Ends(Along::Namespace) || snapshot.init(process.id).is_some();
        if is_inside && let Some(children) = self.children.get(&process.id.pid).cloned() {
            for child in children {
                self.ends(child, Fate::Ends(Along::Namespace));
            }
        }
        if let Some(unit) = snapshot.led_by(process.id) {
            self.unit(unit.group, Along::Main);
        }
    }

    fn lives_on(&self, at: usize) -> bool {
        let process = self.snapshot.processes.get(at);
        let is_alive = process.is_some_and(|process| !process.state.is_dead());
        is_alive && self.fates.get(at) == Some(&Fate::Lives)
    }

    fn found(self) -> Blast {
        let processes = self.snapshot.processes.iter().zip(&self.fates);
        let along = processes
            .clone()
            .filter_map(|(process, fate)| match fate {
                Fate::Ends(why) => Some((process.id, *why)),
                Fate::Lives | Fate::Victim => None,
            })
            .collect();
        let orphans = processes
            .filter(|(_, fate)| **fate != Fate::Lives)
            .filter_map(|(process, _)| self.children.get(&process.id.pid))
            .flatten()
            .filter(|child| self.lives_on(**child))
            .count();
        Blast { along, orphans }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;
    use std::sync::Arc;

    use super::{Along, Blast};
    use crate::model::cgroup::CgroupKey;
    use crate::model::killers::oom_policy::{OomPolicy, Unit};
    use crate::model::on_paper::{group, member};
    use crate::model::process::init::Init;
    use crate::model::process::{Pid, Process, ProcessId};
    use crate::model::snapshot::Snapshot;

    /// Group 1 is a unit with the group 2 inside, group 3 another unit.
    fn snapshot(processes: Vec<Process>) -> Snapshot {
        let groups = vec![
            group("/", None, None, 0),
            group("/a.service", Some(0), None, 0),
            group("/a.service/inner", Some(1), None, 0),
            group("/b.service", Some(0), None, 0),
        ];
        Snapshot {
            processes,
            cgroups: Arc::new(groups),
            ..Snapshot::default()
        }
    }

    fn id(pid: Pid) -> ProcessId {
        member(pid, 1, 0, 0).id
    }

    fn child(pid: Pid, parent: Pid, group: u32) -> Process {
        Process {
            ppid: parent,
            ..member(pid, 1, 0, group)
        }
    }

    fn unit(group: u32, policy: OomPolicy, main: Option<Pid>) -> Unit {
        Unit {
            group: CgroupKey(group),
            policy,
            main: main.map(id),
            adj: None,
            has_old_limit: false,
        }
    }

    fn ends(blast: &Blast) -> Vec<(Pid, Along)> {
        blast.along.iter().map(|(id, why)| (id.pid, *why)).collect()
    }

    #[test]
    fn a_kill_alone_leaves_its_children_to_another_parent() {
        let all = snapshot(vec![
            child(1, 0, 0),
            child(5, 1, 1),
            child(6, 5, 1),
            child(7, 5, 3),
        ]);
        let blast = Blast::new(id(5), None, &all);
        assert_eq!(ends(&blast), []);
        assert_eq!(blast.orphans, 2);
        assert_eq!(Blast::new(id(99), None, &all), Blast::default());
    }

    #[test]
    fn a_unit_is_stopped_once_the_kernel_has_counted_a_kill_in_it() {
        let mut all = snapshot(vec![child(5, 1, 2), child(6, 5, 1), child(7, 1, 3)]);
        all.units = Arc::new(vec![
            unit(1, OomPolicy::Stop, None),
            unit(3, OomPolicy::Stop, None),
        ]);
        let shared = NonZeroU64::new(7);
        let blast = Blast::new(id(5), None, &all);
        assert_eq!(ends(&blast), [(6, Along::Unit)]);
        // Who shares the memory is killed, but neither marked nor counted: its unit is not stopped for that.
        all.processes[0].address_space = shared;
        all.processes[2].address_space = shared;
        let blast = Blast::new(id(7), None, &all);
        assert_eq!(ends(&blast), [(5, Along::SharedMemory)]);
        let blast = Blast::new(id(5), None, &all);
        assert_eq!(ends(&blast), [(6, Along::Unit), (7, Along::SharedMemory)]);
    }

    #[test]
    fn a_service_ends_with_its_main_process_and_not_with_another() {
        let mut all = snapshot(vec![child(5, 1, 1), child(6, 5, 2), child(7, 5, 3)]);
        all.units = Arc::new(vec![unit(1, OomPolicy::Continue, Some(5))]);
        assert_eq!(ends(&Blast::new(id(5), None, &all)), [(6, Along::Main)]);
        assert_eq!(Blast::new(id(5), None, &all).orphans, 1);
        assert_eq!(ends(&Blast::new(id(6), None, &all)), []);
    }

    #[test]
    fn a_group_dies_whole_but_for_the_immune() {
        let mut all = snapshot(vec![
            child(5, 1, 1),
            child(6, 5, 2),
            member(7, 1, -1000, 1),
            child(8, 1, 3),
        ]);
        let blast = Blast::new(id(5), Some(CgroupKey(1)), &all);
        assert_eq!(ends(&blast), [(6, Along::Group)]);
        // systemd spares nobody.
        all.units = Arc::new(vec![unit(1, OomPolicy::Kill, None)]);
        let blast = Blast::new(id(5), Some(CgroupKey(1)), &all);
        assert_eq!(ends(&blast), [(6, Along::Group), (7, Along::Unit)]);
    }

    #[test]
    fn a_namespace_ends_with_its_first_process() {
        let mut all = snapshot(vec![
            child(5, 1, 1),
            child(6, 5, 1),
            child(7, 6, 1),
            child(8, 1, 3),
            child(9, 8, 3),
        ]);
        all.inits = Arc::new(vec![Init {
            id: id(5),
            others: vec![id(8)],
        }]);
        let all_of = |pid| ends(&Blast::new(id(pid), None, &all));
        let inside = [6, 7, 8, 9].map(|pid| (pid, Along::Namespace));
        assert_eq!(all_of(5), inside);
        assert_eq!(all_of(6), []);
    }
}
