//! Who may overtake the victim before the domain is full.
//!
//! A verdict is about the moment of the sample. The kernel decides later: when the domain is full, and after the
//! sample has grown old. Until then a process that grows can pass the first one, and the first one can shrink.

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
    let mut rates = vec![(0.0_f64, 0.0_f64); domains.len()];
    for process in processes.iter().filter(|p| p.pace.high > 0.0) {
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
        .map(|(domain, rates)| {
            // Most domains rest, and the room of a group takes a walk up to the root.
            let left = (rates.0 > 0.0).then(|| left(domain, cgroups, memory))??;
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
            verdict.rival = race.rival.map(|(_, rival)| rival);
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
mod tests {
    use std::time::Duration;

    use super::foresee;
    use crate::model::cgroup::Cgroup;
    use crate::model::kernel::KernelRules;
    use crate::model::memory::Memory;
    use crate::model::on_paper::{MIB, group, member};
    use crate::model::oom_domain::victim::{Verdict, assess};
    use crate::model::process::Process;
    use crate::model::process::pace::Pace;

    const AGE: Duration = Duration::from_secs(1);

    /// A process of a group with a limit of 300 MiB, with its rates in MiB a second.
    fn process(pid: u32, mib: u64, growth: f32, low: f32, high: f32) -> Process {
        let unit = MIB as f32;
        Process {
            pace: Pace {
                growth: growth * unit,
                steady: growth * unit,
                low: low * unit,
                high: high * unit,
                last: high * unit,
            },
            ..member(pid, mib, 0, 1)
        }
    }

    fn leaks(pid: u32, mib: u64, rate: f32) -> Process {
        process(pid, mib, rate, rate, rate)
    }

    /// What is said of the group, used by so many MiB.
    fn verdict(table: &[Process], used: u64) -> Verdict {
        let groups: [Cgroup; 2] = [
            group("/", None, None, 0),
            group("/web", Some(0), Some(300 * MIB), used * MIB),
        ];
        let memory = Memory {
            total: 640_000 * MIB,
            available: Some(600_000 * MIB),
            ..Memory::default()
        };
        let mut states = assess(table, &groups, &memory, &KernelRules::default());
        foresee(&mut states, table, &groups, &memory, 4096, AGE);
        assert_eq!(
            states[0].verdict.and_then(|v| v.rival),
            None,
            "the host has room"
        );
        states[1].verdict.expect("a victim")
    }

    fn or(table: &[Process], used: u64) -> Option<u32> {
        verdict(table, used).or().map(|other| other.id.pid)
    }

    #[test]
    fn who_grows_past_the_first_before_the_group_is_full_is_named() {
        // 100 left, 20 a second: six seconds for 80 MiB of lead. The first one is static.
        assert_eq!(
            or(&[leaks(10, 140, 0.0), leaks(11, 60, 20.0)], 200),
            Some(11)
        );
        // 20 left: the group is full before.
        assert_eq!(or(&[leaks(10, 140, 0.0), leaks(11, 60, 20.0)], 280), None);
        // The first one grows as well.
        assert_eq!(or(&[leaks(10, 140, 20.0), leaks(11, 60, 20.0)], 200), None);
        // However fast it grows, there is not that much left.
        assert_eq!(or(&[leaks(10, 200, 0.0), leaks(11, 60, 900.0)], 260), None);
        // Of two, the one that gets further.
        let three = [
            leaks(10, 100, 0.0),
            leaks(11, 60, 10.0),
            leaks(12, 50, 30.0),
        ];
        assert_eq!(or(&three, 210), Some(12));
    }

    #[test]
    fn a_first_one_that_shrinks_at_times_may_be_passed_by_one_that_rests() {
        let saw = process(10, 120, 0.0, -60.0, 60.0);
        assert_eq!(or(&[saw.clone(), leaks(11, 90, 0.0)], 250), Some(11));
        // Far behind.
        assert_eq!(or(&[saw, leaks(11, 4, 0.0)], 250), None);
    }

    #[test]
    fn of_two_that_grow_alike_the_first_may_be_held_up_when_the_end_is_near() {
        // 20 left at 40 a second: the kill comes before the next sample. Stress-ng's workers on 6.12 did this.
        let alike = |lead: u64| [leaks(10, 130 + lead, 20.0), leaks(11, 130, 20.0)];
        assert_eq!(or(&alike(10), 280), Some(11));
        // A second and a half of growth does not make up for that.
        assert_eq!(or(&alike(60), 280), None);
    }

    #[test]
    fn where_nothing_grows_or_the_end_is_far_nothing_is_added() {
        assert_eq!(or(&[leaks(10, 100, 0.0), leaks(11, 99, 0.0)], 250), None);
        assert_eq!(or(&[leaks(10, 100, 0.0), leaks(11, 99, 0.001)], 199), None);
        let clear = verdict(&[leaks(10, 200, 5.0), leaks(11, 20, 0.0)], 250);
        assert_eq!(clear.rival, None);
    }

    #[test]
    fn a_newcomer_counts_by_what_it_took_in_its_first_moments() {
        let newcomer = Process {
            pace: Pace::newcomer(40 * MIB, 1.0),
            ..member(11, 40, 0, 1)
        };
        assert_eq!(or(&[leaks(10, 90, 0.0), newcomer], 200), Some(11));
    }
}
