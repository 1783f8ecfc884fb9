//! Predicts what happens if a process is moved into a group, or a group gets another limit: what the limit
//! does and which processes it kills.
//!
//! The memory of a moved process stays charged to its old group: the new group is charged only for new
//! memory. This is always so on v2 (Documentation/admin-guide/cgroup-v2.rst "Memory Ownership"), and on v1
//! unless `memory.move_charge_at_immigrate` of the new group is set (cgroup-v1/memory.rst "Move charges").
//! Its default is 0, and 6.18 refuses to set it (EINVAL). The victims come from the same rules as for the
//! present ([`assess`]).

use std::collections::HashSet;
use std::time::Duration;

use crate::model::cgroup::{Cgroup, CgroupKey, CgroupPath, CgroupVersion, Limits, ancestry};
use crate::model::kernel::KernelRules;
use crate::model::memory::Memory;
use crate::model::oom_domain::headroom::Room;
use crate::model::oom_domain::victim::{Scope, Verdict, assess};
use crate::model::process::{Process, ProcessId};

/// A planned change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan<'a> {
    /// The processes that move; none if only limits are written.
    pub targets: &'a [ProcessId],
    /// The group that they move into, which may not exist yet, or whose limits are written.
    pub to: &'a CgroupPath,
    /// All limits of the group after the plan; `None` if the plan writes none.
    pub limits: Option<Limits>,
    /// Limit and usage of a group that is not in the table of groups (no process is in it).
    pub known: (Option<u64>, Option<u64>),
    /// The cgroup version, which decides how writes behave.
    pub version: CgroupVersion,
}

/// The present state of the machine.
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

/// When a limit causes a kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onset {
    /// At once: on v2 the kernel kills until the usage is below the written limit, if it cannot reclaim
    /// enough (mm/memcontrol.c `memory_max_write`; seen in a VM, where the write succeeded and two of two
    /// processes died).
    AtOnce,
    /// Never: v1 refuses a limit below the usage if it cannot reclaim enough (EBUSY and nobody dies, seen on
    /// 6.18; mm/memcontrol-v1.c `mem_cgroup_resize_max`). For the limit on memory + swap it does not swap
    /// out.
    Refused,
    /// After this many more bytes are charged.
    After(u64),
    /// The usage could not be read.
    Unknown,
}

/// One limit that applies to the process after the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Prospect {
    /// The group with the limit.
    pub path: CgroupPath,
    /// The limit in bytes.
    pub limit: u64,
    /// The room below it right after the plan; `None` if the usage could not be read.
    pub room: Option<Room>,
    /// When the limit causes a kill.
    pub onset: Onset,
    /// Total growth of its members in bytes per second; 0 if they do not grow.
    pub growth: f64,
    /// Time until the limit causes a kill at this rate; `None` if the members do not grow or the time is very
    /// long.
    pub reached_in: Option<Duration>,
    /// The victim, computed for the time when the limit causes a kill if the members grow, otherwise for now.
    pub verdict: Option<Verdict>,
    /// For [`Onset::AtOnce`] the estimated number of processes that die until the rest fits, from the memory
    /// of each; counting stops at [`MOST_DEATHS`]. 0 for every other onset.
    pub toll: u32,
    /// The group that is killed together with the victim (`memory.oom.group`).
    pub group_kill: Option<CgroupPath>,
    /// True if nobody is killed and the tasks hang (v1 `oom_kill_disable`).
    pub hangs: bool,
}

/// Seconds: a forecast from the present growth is meaningless beyond this.
const FAR: f64 = 86_400.0;

/// Less growth than this counts as none, in bytes per second.
const LEAST_GROWTH: f64 = 4096.0;

/// Largest toll that is counted.
pub const MOST_DEATHS: u32 = 20;

/// Every limit that applies to the target after the plan, from its new group outwards.
#[must_use]
pub fn prospects(plan: &Plan<'_>, present: &Present<'_>) -> Vec<Prospect> {
    let mut cgroups = present.cgroups.to_vec();
    let (key, before) = destination(plan, &mut cgroups);
    let mut processes = present.processes.to_vec();
    let moved: HashSet<_> = plan.targets.iter().copied().collect();
    for target in processes.iter_mut().filter(|p| moved.contains(&p.id)) {
        target.cgroup = Some(key);
    }
    let mut found = Vec::new();
    for (at, group) in ancestry(key, &cgroups) {
        let (Some(limit), true) = (group.limits.max, group.present) else {
            continue;
        };
        // Only a changed limit kills at once; writing other limits such as `memory.high` does not.
        let written = at == key && before.max != Some(limit);
        let both = at == key && before.memsw_max != group.limits.memsw_max;
        let room = Room::from_group(at, &cgroups, present.memory);
        let v1 = plan.version.is_v1();
        let onset = match room {
            Some(room) if v1 && written && room.is_exceeded() => Onset::Refused,
            Some(room) if v1 && both && room.exceeds_both() => Onset::Refused,
            Some(room) if !v1 && written && room.is_exceeded() => Onset::AtOnce,
            Some(room) => Onset::After(room.left()),
            None => Onset::Unknown,
        };
        let mut members = members(at, &processes, &cgroups);
        let growth = members.iter().map(growth_of).sum();
        let reached_in = match onset {
            Onset::After(room) => time_to(room, growth),
            _ => None,
        };
        // Growing processes are larger by then.
        if let Some(time) = reached_in {
            for process in &mut members {
                grow(process, time, present.rules.page_size);
            }
        }
        let toll = match onset {
            Onset::AtOnce => toll(at, members.clone(), cgroups.clone(), present),
            _ => 0,
        };
        let states = assess(&members, &cgroups, present.memory, present.rules);
        let state = states.iter().find(|state| state.scope == Scope::Memcg(at));
        found.push(Prospect {
            path: group.path.clone(),
            limit,
            room,
            onset,
            growth,
            reached_in,
            verdict: state.and_then(|state| state.verdict),
            toll,
            group_kill: state
                .and_then(|state| cgroups.get(state.group_kill?.index()))
                .map(|group| group.path.clone()),
            hangs: group.limits.kill_disabled,
        });
    }
    found
}

/// The limit that causes a kill first.
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

/// Counts the processes that die until the rest fits. Each victim takes its group with it if
/// `memory.oom.group` says so; the rest is ranked again after each kill.
fn toll(
    key: CgroupKey,
    mut members: Vec<Process>,
    mut cgroups: Vec<Cgroup>,
    present: &Present<'_>,
) -> u32 {
    let mut deaths = 0;
    while deaths < MOST_DEATHS
        && Room::from_group(key, &cgroups, present.memory).is_some_and(|room| room.is_exceeded())
    {
        let states = assess(&members, &cgroups, present.memory, present.rules);
        let state = states.iter().find(|state| state.scope == Scope::Memcg(key));
        let Some((state, verdict)) = state.and_then(|state| Some((state, state.verdict?))) else {
            break;
        };
        let whole = state.group_kill;
        let dies = |process: &Process| {
            let inside = |own| ancestry(own, &cgroups).any(|(at, _)| Some(at) == whole);
            process.id == verdict.victim.id || whole.is_some() && process.cgroup.is_some_and(inside)
        };
        let (dead, alive): (Vec<_>, Vec<_>) = members.into_iter().partition(dies);
        members = alive;
        let held: u64 = dead.iter().map(Process::charged_pages).sum();
        let held = held.saturating_mul(present.rules.page_size);
        if let Some(usage) = cgroups
            .get_mut(key.index())
            .and_then(|group| group.usage.as_mut())
        {
            *usage = usage.saturating_sub(held);
        }
        deaths += u32::try_from(dead.len()).unwrap_or(MOST_DEATHS);
    }
    deaths.min(MOST_DEATHS)
}

/// The group of the plan with its new limits, and its present limits.
fn destination(plan: &Plan<'_>, cgroups: &mut Vec<Cgroup>) -> (CgroupKey, Limits) {
    let around = present_around(plan.to, cgroups);
    let own = around.filter(|key| {
        let group = cgroups.get(key.index());
        group.is_some_and(|group| group.path == *plan.to)
    });
    let key = own.unwrap_or_else(|| {
        let mut group = Cgroup::unread(plan.to.clone(), around);
        // A new group inherits the swappiness of its parent (mm/memcontrol.c `mem_cgroup_css_alloc`).
        let outer = around.and_then(|key| cgroups.get(key.index()));
        group.limits.swappiness = outer.and_then(|outer| outer.limits.swappiness);
        (group.limits.max, group.usage) = plan.known;
        cgroups.push(group);
        key_of(cgroups.len() - 1)
    });
    let Some(group) = cgroups.get_mut(key.index()) else {
        return (key, Limits::default());
    };
    let before = group.limits;
    if let Some(limits) = plan.limits {
        group.limits = Limits {
            swappiness: limits.swappiness.or(before.swappiness),
            ..limits
        };
    }
    (key, before)
}

/// The group of this path, or its innermost ancestor that exists and is known.
#[must_use]
pub fn present_around(path: &CgroupPath, cgroups: &[Cgroup]) -> Option<CgroupKey> {
    std::iter::successors(Some(path.clone()), CgroupPath::parent).find_map(|path| {
        let at = cgroups.iter().position(|g| g.present && g.path == path)?;
        Some(key_of(at))
    })
}

fn key_of(at: usize) -> CgroupKey {
    CgroupKey(u32::try_from(at).unwrap_or(u32::MAX))
}

/// The processes of a group and its descendants.
fn members(key: CgroupKey, processes: &[Process], cgroups: &[Cgroup]) -> Vec<Process> {
    let inside = |process: &&Process| {
        process
            .cgroup
            .is_some_and(|own| ancestry(own, cgroups).any(|(at, _)| at == key))
    };
    processes.iter().filter(inside).cloned().collect()
}

/// Growth in bytes per second; 0 for a shrinking process, so that it does not offset others.
fn growth_of(process: &Process) -> f64 {
    let growth = process.growth.map_or(0.0, f64::from);
    if growth.is_finite() {
        growth.max(0.0)
    } else {
        0.0
    }
}

/// Adds the growth of `time` at the present rate to the process.
fn grow(process: &mut Process, time: Duration, page_size: u64) {
    let bytes = growth_of(process) * time.as_secs_f64();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative; `as` saturates"
    )]
    let pages = bytes as u64 / page_size.max(1);
    if let Some(memory) = &mut process.memory {
        // No process can have more: 2^52 pages are a whole 64-bit address space.
        memory.rss = memory.rss.saturating_add(pages).min(1 << 52);
    }
}

fn time_to(room: u64, growth: f64) -> Option<Duration> {
    if growth < LEAST_GROWTH {
        return None;
    }
    let seconds = room as f64 / growth;
    (seconds <= FAR).then(|| Duration::try_from_secs_f64(seconds).ok())?
}

#[cfg(test)]
mod tests;
