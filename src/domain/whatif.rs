//! What if a process were moved into a group, or a group got a limit: what would that limit do, and whom
//! would it kill.
//!
//! A moved process leaves its memory charged where it was (v2 always, v1 since `move_charge` is gone,
//! Documentation/admin-guide/cgroup-v2.rst "Memory Ownership"): the new group counts only what comes from
//! then on. Who would die is asked of the same rules as for the present ([`assess`]).

use std::time::Duration;

use super::cgroup::{Cgroup, CgroupKey, CgroupPath, CgroupVersion, Limits};
use super::distance::group_room;
use super::kernel::KernelRules;
use super::memory::Memory;
use super::process::{Process, ProcessId};
use super::victim::{Scope, Verdict, assess};

/// What is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan<'a> {
    /// The process that moves.
    pub target: ProcessId,
    /// Into this group, which may not be there yet.
    pub to: &'a CgroupPath,
    /// Limits that are written before; `None` leaves them as they are.
    pub limits: Option<Limits>,
    /// Limit and usage of a group the table of groups does not have (no process is in it).
    pub known: (Option<u64>, Option<u64>),
    /// Which rules writes follow.
    pub version: CgroupVersion,
}

/// The machine as it is.
#[derive(Debug, Clone, Copy)]
pub struct Present<'a> {
    /// Every process.
    pub processes: &'a [Process],
    /// Every group.
    pub cgroups: &'a [Cgroup],
    /// The host's memory.
    pub memory: &'a Memory,
    /// The kernel's rules.
    pub rules: &'a KernelRules,
}

/// When a limit strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onset {
    /// At once: v2 kills until usage is below a limit that is written (mm/memcontrol.c `memory_max_write`).
    AtOnce,
    /// Never: v1 refuses a limit below usage that cannot be reclaimed (EBUSY, mm/memcontrol-v1.c).
    Refused,
    /// Once this many bytes more are charged.
    After(u64),
    /// The usage could not be read.
    Unknown,
}

/// One limit that would hold the process, after the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Prospect {
    /// Whose limit.
    pub path: CgroupPath,
    /// The limit in bytes.
    pub limit: u64,
    /// Charged to it when the plan is carried out.
    pub usage: Option<u64>,
    /// When it strikes.
    pub onset: Onset,
    /// What its members grow together, bytes a second; 0 if they do not.
    pub growth: f64,
    /// How long until it strikes at that rate; `None` if they do not grow or it is far.
    pub reached_in: Option<Duration>,
    /// Who would die of it as things stand.
    pub verdict: Option<Verdict>,
    /// The group that dies with the victim (`memory.oom.group`).
    pub group_kill: Option<CgroupPath>,
    /// v1 `oom_kill_disable`: its tasks hang instead.
    pub hangs: bool,
}

/// Beyond this a forecast from the present growth says nothing.
const FAR: f64 = 86_400.0;

/// Less growth than this is none, bytes a second.
const LEAST_GROWTH: f64 = 4096.0;

/// Every limit that would hold the target, the one of its new group first, then outwards.
#[must_use]
pub fn prospects(plan: &Plan<'_>, present: &Present<'_>) -> Vec<Prospect> {
    let mut cgroups = present.cgroups.to_vec();
    let key = destination(plan, &mut cgroups);
    let mut processes = present.processes.to_vec();
    if let Some(target) = processes.iter_mut().find(|p| p.id == plan.target) {
        target.cgroup = Some(key);
    }
    let states = assess(&processes, &cgroups, present.memory, present.rules);
    let mut found = Vec::new();
    for at in ancestry(key, &cgroups) {
        let Some(group) = cgroups.get(at.index()) else {
            continue;
        };
        let (Some(limit), true) = (group.limits.max, group.present) else {
            continue;
        };
        let state = states.iter().find(|state| state.scope == Scope::Memcg(at));
        let written = at == key && plan.limits.is_some();
        let onset = match (group.usage, group_room(group, present.memory)) {
            (Some(usage), _) if written && usage > limit && plan.version.is_v1() => Onset::Refused,
            (Some(usage), _) if written && usage > limit => Onset::AtOnce,
            (_, Some(room)) => Onset::After(room),
            (_, None) => Onset::Unknown,
        };
        let growth = growth_within(at, &processes, &cgroups);
        found.push(Prospect {
            path: group.path.clone(),
            limit,
            usage: group.usage,
            onset,
            growth,
            reached_in: match onset {
                Onset::After(room) => time_to(room, growth),
                _ => None,
            },
            verdict: state.and_then(|state| state.verdict),
            group_kill: state
                .and_then(|state| cgroups.get(state.group_kill?.index()))
                .map(|group| group.path.clone()),
            hangs: group.limits.kill_disabled,
        });
    }
    found
}

/// The limit that strikes first.
#[must_use]
pub fn nearest(prospects: &[Prospect]) -> Option<&Prospect> {
    let distance = |prospect: &&Prospect| match prospect.onset {
        Onset::AtOnce => (0, 0),
        Onset::After(room) => (1, room),
        Onset::Unknown => (2, 0),
        Onset::Refused => (3, 0),
    };
    prospects.iter().min_by_key(distance)
}

/// The group of the plan, with its limits as they would be.
fn destination(plan: &Plan<'_>, cgroups: &mut Vec<Cgroup>) -> CgroupKey {
    let find = |cgroups: &[Cgroup], path: &CgroupPath| {
        cgroups.iter().position(|g| g.present && g.path == *path)
    };
    let key_of = |at: usize| CgroupKey(u32::try_from(at).unwrap_or(u32::MAX));
    let at = find(cgroups, plan.to).unwrap_or_else(|| {
        let mut above = std::iter::successors(plan.to.parent(), CgroupPath::parent);
        let parent = above.find_map(|path| find(cgroups, &path)).map(key_of);
        let mut group = Cgroup::unread(plan.to.clone(), parent);
        (group.limits.max, group.usage) = plan.known;
        cgroups.push(group);
        cgroups.len() - 1
    });
    if let (Some(group), Some(limits)) = (cgroups.get_mut(at), plan.limits) {
        group.limits = limits;
    }
    key_of(at)
}

fn ancestry(key: CgroupKey, cgroups: &[Cgroup]) -> impl Iterator<Item = CgroupKey> {
    let parent = |at: &CgroupKey| cgroups.get(at.index())?.parent;
    // Bounded: a damaged table must not loop.
    std::iter::successors(Some(key), parent).take(256)
}

/// What the processes in a group and below grow together; those that shrink do not make up for others.
fn growth_within(key: CgroupKey, processes: &[Process], cgroups: &[Cgroup]) -> f64 {
    let inside = |process: &&Process| {
        process
            .cgroup
            .is_some_and(|own| ancestry(own, cgroups).any(|at| at == key))
    };
    processes
        .iter()
        .filter(inside)
        .filter_map(|process| process.growth)
        .map(|growth| f64::from(growth).max(0.0))
        .filter(|growth| growth.is_finite())
        .sum()
}

fn time_to(room: u64, growth: f64) -> Option<Duration> {
    if growth < LEAST_GROWTH {
        return None;
    }
    let seconds = room as f64 / growth;
    (seconds <= FAR).then(|| Duration::try_from_secs_f64(seconds).ok())?
}

#[cfg(test)]
mod tests {
    use super::{Onset, Plan, Present, Prospect, nearest, prospects};
    use crate::domain::cgroup::{Cgroup, CgroupKey, CgroupPath, CgroupVersion, Limits};
    use crate::domain::kernel::KernelRules;
    use crate::domain::memory::Memory;
    use crate::domain::process::{MemoryUse, Process, ProcessId, TaskState};
    use crate::domain::score::OomScoreAdj;

    const MIB: u64 = 1 << 20;

    fn process(pid: u32, mib: u64, adj: i64, cgroup: u32, growth: f32) -> Process {
        Process {
            id: ProcessId {
                pid,
                start_ticks: u64::from(pid),
            },
            state: TaskState('S'),
            memory: Some(MemoryUse {
                rss: mib * 256,
                ..MemoryUse::default()
            }),
            adj: OomScoreAdj::new(adj),
            cgroup: Some(CgroupKey(cgroup)),
            growth: Some(growth),
            ..Process::default()
        }
    }

    fn group(path: &str, parent: Option<u32>, max: Option<u64>, usage: u64) -> Cgroup {
        let mut group = Cgroup::unread(CgroupPath::new(path), parent.map(CgroupKey));
        (group.limits.max, group.usage) = (max, Some(usage));
        group
    }

    fn ask(to: &str, limit: Option<u64>, version: CgroupVersion) -> Vec<Prospect> {
        let cgroups = [
            group("/", None, None, 0),
            group("/web", Some(0), Some(500 * MIB), 450 * MIB),
            group("/web/a", Some(1), None, 400 * MIB),
            group("/db", Some(0), None, 300 * MIB),
        ];
        let processes = [
            process(1, 300, 0, 3, 10.0 * 1_048_576.0),
            process(2, 400, 0, 2, 2.0 * 1_048_576.0),
            process(3, 20, 0, 2, -5.0),
        ];
        let memory = Memory {
            total: 8192 * MIB,
            available: Some(4096 * MIB),
            ..Memory::default()
        };
        let plan = Plan {
            target: processes[0].id,
            to: &CgroupPath::new(to),
            limits: limit.map(|max| Limits {
                max: Some(max),
                ..Limits::default()
            }),
            known: (None, Some(0)),
            version,
        };
        let present = Present {
            processes: &processes,
            cgroups: &cgroups,
            memory: &memory,
            rules: &KernelRules::default(),
        };
        prospects(&plan, &present)
    }

    fn victim(prospect: &Prospect) -> Option<u32> {
        prospect.verdict.map(|verdict| verdict.victim.id.pid)
    }

    #[test]
    fn a_new_group_starts_empty_and_kills_the_one_inside() {
        let found = ask("/new", Some(100 * MIB), CgroupVersion::V2);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].onset, Onset::After(100 * MIB));
        assert_eq!(found[0].reached_in.map(|t| t.as_secs()), Some(10));
        assert_eq!(victim(&found[0]), Some(1));
    }

    #[test]
    fn the_limits_around_a_new_group_hold_too() {
        let found = ask("/web/new/deep", Some(100 * MIB), CgroupVersion::V2);
        assert_eq!(found.len(), 2);
        let near = nearest(&found).expect("one");
        assert_eq!(
            (near.path.as_str(), near.onset),
            ("/web", Onset::After(50 * MIB))
        );
        assert_eq!(victim(near), Some(2));
        assert_eq!(near.reached_in.map(|t| t.as_secs()), Some(4));
    }

    #[test]
    fn an_existing_group_ranks_its_members_and_the_moved_one() {
        let found = ask("/web/a", None, CgroupVersion::V2);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].onset, victim(&found[0])),
            (Onset::After(50 * MIB), Some(2))
        );
        assert!(ask("/db", None, CgroupVersion::V2).is_empty());
    }

    #[test]
    fn a_limit_below_usage_kills_on_v2_and_is_refused_on_v1() {
        let v2 = ask("/web", Some(100 * MIB), CgroupVersion::V2);
        assert_eq!((v2[0].onset, victim(&v2[0])), (Onset::AtOnce, Some(2)));
        let v1 = ask("/web", Some(100 * MIB), CgroupVersion::V1);
        assert_eq!(v1[0].onset, Onset::Refused);
    }

    proptest::proptest! {
        #[test]
        fn whatever_the_table_the_victim_is_inside_and_nothing_panics(
            parents in proptest::collection::vec(0..6_u32, 6),
            limits in proptest::collection::vec(proptest::option::of(0..u64::MAX), 6),
            usage: u64, growth: f32, to in 0..8_usize, limit: u64,
        ) {
            // A tree, as the kernel's: parents come first.
            let cgroups: Vec<_> = (0..6_u32)
                .zip(&limits)
                .map(|(at, max)| {
                    let parent = at.checked_sub(1).map(|last| parents[at as usize].min(last));
                    group(&format!("/g{at}"), parent, *max, usage)
                })
                .collect();
            let processes: Vec<_> = (1..6)
                .map(|pid| process(pid, u64::from(pid) * 7, 0, pid, growth))
                .collect();
            let path = CgroupPath::new(&format!("/g{to}"));
            let plan = Plan {
                target: processes[0].id,
                to: &path,
                limits: Some(Limits { max: Some(limit), ..Limits::default() }),
                known: (None, None),
                version: CgroupVersion::V2,
            };
            let present = Present {
                processes: &processes,
                cgroups: &cgroups,
                memory: &Memory::default(),
                rules: &KernelRules::default(),
            };
            let found = prospects(&plan, &present);
            proptest::prop_assert_eq!(&found[0].path, &path);
            // The target is inside, so somebody can always be killed.
            proptest::prop_assert!(found.iter().all(|p| p.verdict.is_some()));
        }
    }
}
