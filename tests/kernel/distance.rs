//! The distance from death and the outlook of a limit against the real kernel: in cgroups that the test makes,
//! until the kernel kills.
#![expect(clippy::expect_used, reason = "helpers of tests fail the test")]

use std::sync::Arc;
use std::time::Duration;

use crate::common::hog::Hog;
use crate::common::memcg::{Memcg, Version};
use crate::common::skipped;
use oomtop::linux::SysRoot;
use oomtop::linux::sampler::Sampler;
use oomtop::linux::scan::backend::BackendChoice;
use oomtop::model::cgroup::{CgroupPath, CgroupVersion};
use oomtop::model::oom_domain::distance::{Lead, lead};
use oomtop::model::oom_domain::headroom::Room;
use oomtop::model::oom_domain::victim::{DomainState, Scope};
use oomtop::model::oom_domain::whatif::{Onset, Plan, Present, nearest, prospects};
use oomtop::model::snapshot::{Needs, Snapshot};
use oomtop::model::time::{Monotonic, Now};

const MIB: u64 = 1 << 20;

/// Samples the real machine.
struct Eyes {
    sampler: Sampler,
    seconds: u64,
}

impl Eyes {
    /// `None`, with a loud message, where readings are too inexact for these tests.
    fn open(test: &str) -> Option<Self> {
        // Every process is read in every sample.
        let sampler = Sampler::with_backend(SysRoot::default(), BackendChoice::ProcAll);
        let sampler = sampler.expect("a sampler");
        let rules = sampler.host().rules;
        if rules.rss_error * rules.page_size * 2 > 2 * MIB {
            skipped(
                test,
                "this kernel's counters are too coarse on so many CPUs",
            );
            return None;
        }
        Some(Self {
            sampler,
            seconds: 0,
        })
    }

    fn look(&mut self) -> Arc<Snapshot> {
        self.seconds += 1;
        let now = Now {
            monotonic: Monotonic(self.seconds * 1_000_000),
            ..Now::default()
        };
        self.sampler
            .sample(&Needs::default(), now)
            .expect("a sample")
    }

    /// How far `hog` is from being the victim of `group`, and what the group has left.
    fn distance(&mut self, hog: &Hog, group: &Memcg) -> (Lead, u64) {
        let snapshot = self.look();
        let domain = domain_of(&snapshot, group);
        let process = snapshot.processes.iter().find(|p| p.id.pid == hog.pid());
        let page = self.sampler.host().rules.page_size;
        let room = Room::from_domain(domain, &snapshot).expect("its usage");
        (lead(process.expect("the hog"), domain, page), room.left())
    }
}

fn domain_of<'s>(snapshot: &'s Snapshot, group: &Memcg) -> &'s DomainState {
    let is_it = |domain: &&DomainState| match domain.scope {
        Scope::Host | Scope::Nodes(_) => false,
        Scope::Memcg(key) => snapshot
            .cgroup(key)
            .is_some_and(|g| g.path.as_str() == group.path()),
    };
    snapshot.domains.iter().find(is_it).expect("its domain")
}

/// True if the group cannot escape its limit by swapping.
fn holds_swap(test: &str, group: &Memcg) -> bool {
    let limits_swap = match group.version() {
        Version::V1 => group.dir().join("memory.memsw.limit_in_bytes").exists(),
        Version::V2 => group.dir().join("memory.swap.max").exists(),
    };
    if !limits_swap && std::fs::read_to_string("/proc/swaps").is_ok_and(|s| s.lines().count() > 1) {
        skipped(test, "there is swap here that a group cannot be kept from");
        return false;
    }
    true
}

#[test]
fn grown_by_the_distance_a_process_is_the_one_that_dies() {
    let test = "grown_by_the_distance_a_process_is_the_one_that_dies";
    let Some(group) = Memcg::create("distance") else {
        return;
    };
    let Some(mut eyes) = Eyes::open(test) else {
        return;
    };
    if !holds_swap(test, &group) {
        return;
    }
    group.limit(160 * MIB);
    let big = Hog::start("dist-big").in_group(&group).grow(60);
    let small = Hog::start("dist-small").in_group(&group).grow(30);
    let (Lead::Behind { bytes, leader }, room) = eyes.distance(&small, &group) else {
        unreachable!("30 MiB are less than 60")
    };
    assert_eq!(leader.pid, big.pid());
    assert!(bytes.abs_diff(30 * MIB) < 3 * MIB, "{bytes}");
    assert!((50 * MIB..=70 * MIB).contains(&room), "{room}");
    // Not quite as far.
    let small = small.grow(27);
    let (now, _) = eyes.distance(&small, &group);
    assert!(
        matches!(now, Lead::Behind { bytes, .. } if bytes < 6 * MIB),
        "{now:?}"
    );
    // A little further than it is.
    let mut small = small.grow(7);
    let (now, room) = eyes.distance(&small, &group);
    assert!(matches!(now, Lead::First { ahead: Some(_) }), "{now:?}");
    small.leak(
        usize::try_from(room / MIB).expect("small") + 40,
        Duration::ZERO,
    );
    assert!(small.is_killed(), "the kernel agrees");
    let mut big = big;
    assert_eq!(big.ended(), None, "the other one lives");
}

#[test]
fn a_limits_outlook_comes_true_though_the_moved_memory_stays_behind() {
    let test = "a_limits_outlook_comes_true_though_the_moved_memory_stays_behind";
    let Some(group) = Memcg::create("outlook") else {
        return;
    };
    let Some(mut eyes) = Eyes::open(test) else {
        return;
    };
    if !holds_swap(test, &group) {
        return;
    }
    group.limit(100 * MIB);
    let mut inside = Hog::start("out-inside").in_group(&group).grow(50);
    // Its memory stays charged outside but counts as badness in the group: more than the other process can
    // hold within the limit.
    let mut moved = Hog::start("out-moved").grow(120);
    let snapshot = eyes.look();
    let target = snapshot.processes.iter().find(|p| p.id.pid == moved.pid());
    let path = CgroupPath::new(group.path());
    let plan = Plan {
        targets: &[target.expect("the hog").id],
        to: &path,
        limits: None,
        known: (None, None),
        version: match group.version() {
            Version::V1 => CgroupVersion::V1,
            Version::V2 => CgroupVersion::V2,
        },
    };
    let present = Present {
        processes: &snapshot.processes,
        cgroups: &snapshot.cgroups,
        memory: &snapshot.memory,
        rules: &eyes.sampler.host().rules,
    };
    let found = prospects(&plan, &present);
    let first = nearest(&found).expect("a limit");
    let Onset::After(room) = first.onset else {
        unreachable!("the group is half empty: {first:?}")
    };
    assert!((35 * MIB..=50 * MIB).contains(&room), "{room}");
    let victim = first.verdict.expect("a victim").victim.id.pid;
    assert_eq!(victim, moved.pid(), "the larger one, whoever is charged");
    group.add(moved.pid());
    assert_eq!(moved.ended(), None, "moving kills nobody");
    // The other one fills the group: the moved one dies for it.
    inside.leak(70, Duration::from_millis(1));
    assert!(moved.is_killed(), "as the outlook said");
}
