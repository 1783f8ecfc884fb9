//! Who may overtake the victim before the domain is full.
//!
//! A verdict is about the moment of the sample. The kernel decides later: when the domain is full, and after the
//! sample has grown old. Until then a process that grows can pass the first one, and the first one can shrink.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::model::cgroup::{Cgroup, ancestry};
use crate::model::memory::Memory;
use crate::model::memory::nodes::NodeSet;
use crate::model::oom_domain::headroom::Room;
use crate::model::oom_domain::victim::{Candidate, DomainState, Scope};
use crate::model::process::Process;
use crate::model::process::badness::badness;

/// Bursts can fill a domain that has less than this long.
const SOON: f64 = 10.0;

/// A domain that is full later than this, in seconds, is not foreseen.
const FAR: f64 = 600.0;

/// Sets [`Verdict::rival`](super::victim::Verdict::rival) in every domain whose victim may be overtaken before the domain is
/// full: lead against growth × (age of the sample + time to full). `age` is how old the sample will be before there
/// is another.
pub fn foresee(
    domains: &mut [DomainState],
    processes: &[Process],
    cgroups: &[Cgroup],
    memory: &Memory,
    page_size: u64,
    age: Duration,
) {
    let slots = Slots::new(domains, cgroups);
    let freed = freed(processes, &slots, cgroups, page_size);
    let mut rates = vec![(0.0_f64, 0.0_f64); domains.len()];
    let grows = |p: &&Process| p.pace.high > 0.0 && !p.skipped_by_kernel;
    for process in processes.iter().filter(grows) {
        slots.each(process, cgroups, |slot| {
            if let Some((fast, usual)) = rates.get_mut(slot) {
                *fast += f64::from(process.pace.high);
                *usual += f64::from(process.pace.growth.max(0.0));
            }
        });
    }
    let mut contests: Vec<Option<Foreseen<'_>>> = domains
        .iter()
        .zip(&rates)
        .enumerate()
        .map(|(slot, (domain, rates))| {
            // Most domains rest, and the room of a group takes a walk up to the root.
            let left = (rates.0 > 0.0).then(|| left(domain, cgroups, memory))??;
            let left = left.saturating_add(freed.get(&slot).copied().unwrap_or(0));
            let times = times(left, *rates, age);
            let id = domain.verdict?.victim.id;
            let victim = processes.iter().find(|p| p.id == id)?;
            times.iter().any(Option::is_some).then_some(Foreseen {
                victim,
                left,
                times,
                rival: None,
            })
        })
        .collect();
    if contests.iter().all(Option::is_none) {
        return;
    }
    for process in processes {
        slots.each(process, cgroups, |slot| {
            if let (Some(Some(race)), Some(domain)) = (contests.get_mut(slot), domains.get(slot)) {
                race.enter(process, domain, page_size.max(1) as f64);
            }
        });
    }
    for (domain, race) in domains.iter_mut().zip(contests) {
        if let (Some(verdict), Some(race)) = (&mut domain.verdict, race) {
            // Who was about to overtake one that has been killed since may overtake the next.
            verdict.rival = race.rival.map(|(_, rival)| rival).or(verdict.rival);
        }
    }
}

/// Which domains a process is in.
struct Slots {
    /// By index of the group.
    of_group: Vec<Option<usize>>,
    of_nodes: Vec<(usize, NodeSet)>,
}

impl Slots {
    fn new(domains: &[DomainState], cgroups: &[Cgroup]) -> Self {
        let mut slots = Self {
            of_group: vec![None; cgroups.len()],
            of_nodes: Vec::new(),
        };
        for (at, domain) in domains.iter().enumerate() {
            match domain.scope {
                Scope::Host => {}
                Scope::Memcg(key) => {
                    if let Some(slot) = slots.of_group.get_mut(key.index()) {
                        *slot = Some(at);
                    }
                }
                Scope::Nodes(set) => slots.of_nodes.push((at, set)),
            }
        }
        slots
    }

    fn each(&self, process: &Process, cgroups: &[Cgroup], mut take: impl FnMut(usize)) {
        // The host is the first domain, and every process is in it.
        take(0);
        for (key, _) in process
            .cgroup
            .into_iter()
            .flat_map(|own| ancestry(own, cgroups))
        {
            if let Some(slot) = self.of_group.get(key.index()).copied().flatten() {
                take(slot);
            }
        }
        for (slot, set) in &self.of_nodes {
            if process.nodes.is_none_or(|own| own.common(*set).is_some()) {
                take(*slot);
            }
        }
    }
}

/// Bytes that come back to each domain from processes that the kernel has killed: it kills nobody else before it has them
/// (mm/oom_kill.c `oom_evaluate_task`), unless it gives up on them (`MMF_OOM_SKIP`): little is left of them then.
fn freed(
    processes: &[Process],
    slots: &Slots,
    cgroups: &[Cgroup],
    page_size: u64,
) -> HashMap<usize, u64> {
    let mut freed = HashMap::new();
    let mut spaces = HashSet::new();
    for process in processes.iter().filter(|p| p.skipped_by_kernel) {
        let Some(memory) = &process.memory else {
            continue;
        };
        // A child between vfork and exec shows what is its parent's.
        let lends = |other: &Process| {
            other.id.pid == process.ppid
                && !other.skipped_by_kernel
                && other.memory == process.memory
        };
        if processes.iter().any(lends) {
            continue;
        }
        // Those who share memory give it back once.
        if process.address_space.is_some_and(|own| !spaces.insert(own)) {
            continue;
        }
        // The pages of files can be dropped at any time, and shared memory may have others.
        let own = memory.rss.saturating_sub(memory.file + memory.shmem) + memory.swap;
        slots.each(process, cgroups, |slot| {
            *freed.entry(slot).or_insert(0) += own.saturating_mul(page_size);
        });
    }
    freed
}

/// Bytes that the domain can take before somebody dies.
fn left(domain: &DomainState, cgroups: &[Cgroup], memory: &Memory) -> Option<u64> {
    let room = match domain.scope {
        Scope::Host => Some(Room::from_host(memory)),
        Scope::Memcg(key) => Room::from_group(key, cgroups, memory),
        Scope::Nodes(_) => Some(Room::from_ram(domain.limit, domain.usage?, memory)),
    };
    Some(room?.left())
}

/// When the domain may be full, counted from the sample: at the fastest rates seen lately, and at the usual ones.
fn times(left: u64, (fast, usual): (f64, f64), age: Duration) -> [Option<Duration>; 2] {
    let full = |rate: f64, most: f64| {
        let seconds = left as f64 / rate;
        let within = rate > 0.0 && seconds <= most;
        within.then(|| Duration::from_secs_f64(seconds) + age)
    };
    [full(fast, SOON), full(usual, FAR)]
}

/// The first of a domain, and the strongest of those that may pass it.
struct Foreseen<'a> {
    victim: &'a Process,
    left: u64,
    times: [Option<Duration>; 2],
    /// With the pages by which it may be ahead.
    rival: Option<(f64, Candidate)>,
}

impl Foreseen<'_> {
    fn enter(&mut self, process: &Process, domain: &DomainState, page: f64) {
        let shares =
            process.address_space.is_some() && process.address_space == self.victim.address_space;
        if process.id == self.victim.id || shares {
            return;
        }
        let total = domain.total_pages;
        let points = |p: &Process| badness(p, total).points();
        let (Some(own), Some(first)) = (points(process), points(self.victim)) else {
            return;
        };
        for time in self.times.into_iter().flatten() {
            let shrinks = -self.victim.pace.least_if_held_up(time);
            let held = self.victim.charged_pages() as f64 * page;
            let falls = shrinks.clamp(-(self.left as f64), held);
            // No process grows by more than there is.
            let there = self.left as f64 + falls.max(0.0);
            let grows = process.pace.most(time).clamp(0.0, there);
            let ahead = (own as f64 - first as f64) + (grows + falls) / page;
            if ahead >= 0.0 && self.rival.is_none_or(|(before, _)| ahead > before) {
                let id = process.id;
                self.rival = Some((ahead, Candidate { id, points: own }));
            }
        }
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod worlds;
