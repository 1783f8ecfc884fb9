//! What kills free in domains on paper.

use std::num::NonZeroU64;
use std::sync::Arc;

use super::{Held, doubtful, held, prospect};
use crate::model::cgroup::GroupStat;
use crate::model::kernel::KernelRules;
use crate::model::ledger::{Kind, Ledger, Outlook};
use crate::model::memory::Memory;
use crate::model::on_paper::{self, MIB};
use crate::model::oom_domain::victim::{Scope, assess};
use crate::model::process::Process;
use crate::model::snapshot::Snapshot;

fn member(pid: u32, mib: u64, adj: i64) -> Process {
    let mut process = on_paper::member(pid, mib, adj, 1);
    if let Some(memory) = &mut process.memory {
        memory.anon = memory.rss;
    }
    process
}

fn snapshot(processes: Vec<Process>, shmem: u64) -> Snapshot {
    let mut groups = vec![
        on_paper::group("/", None, None, 0),
        on_paper::group("/a", Some(0), Some(100 * MIB), 98 * MIB),
    ];
    groups[1].stat = Some(GroupStat {
        anon: Some((98 * MIB).saturating_sub(shmem)),
        shmem: Some(shmem),
        ..GroupStat::default()
    });
    let memory = Memory {
        total: 8000 * MIB,
        free: 1000 * MIB,
        available: Some(6000 * MIB),
        anon: Some(300 * MIB),
        shmem: Some(shmem),
        ..Memory::default()
    };
    let domains = assess(&processes, &groups, &memory, &KernelRules::default());
    Snapshot {
        processes,
        memory,
        domains,
        cgroups: Arc::new(groups),
        ..Snapshot::default()
    }
}

#[test]
fn a_group_full_of_tmpfs_is_freed_by_nobodys_death() {
    let of = |shmem: u64, processes: Vec<Process>, ledger: Option<&Ledger>| {
        let sample = snapshot(processes, shmem * MIB);
        let domain = sample
            .domains
            .iter()
            .find(|d| d.scope != Scope::Host)
            .expect("the group");
        prospect(domain, &sample, 4096, ledger).expect("its numbers")
    };
    let full = of(95, vec![member(5, 3, 0)], None);
    assert_eq!((full.by_kill, full.used), (3 * MIB, 98 * MIB));
    assert_eq!(full.outlook(), Outlook::Hopeless);
    let hog = of(0, vec![member(5, 98, 0)], None);
    assert_eq!(hog.outlook(), Outlook::Fine);
    // Whoever cannot be killed keeps what it holds.
    let immune = of(0, vec![member(5, 98, -1000)], None);
    assert_eq!((immune.by_kill, immune.killable), (0, 0));
    assert_eq!(immune.outlook(), Outlook::Hopeless);
    // A memfd that nobody maps: only the ledger knows that it has no name.
    let known = Ledger::new(98 * MIB, [(Kind::Shared, Some(95 * MIB))]);
    let memfd = of(95, vec![member(5, 3, 0)], Some(&known));
    assert_eq!(memfd.by_kill, 98 * MIB);
}

proptest::proptest! {
    #[test]
    fn all_that_is_not_fine_is_doubtful(
        shmem in 0_u64..120,
        members in proptest::collection::vec((0_u64..120, proptest::bool::ANY), 0..3),
    ) {
        let members = (5..).zip(members).map(|(pid, (mib, immune))| member(pid, mib, if immune { -1000 } else { 0 }));
        let sample = snapshot(members.collect(), shmem * MIB);
        for domain in &sample.domains {
            let known = prospect(domain, &sample, 4096, None);
            let known = known.filter(|known| known.outlook() != Outlook::Fine);
            let doubtful = doubtful(domain, &sample, 4096);
            proptest::prop_assert!(known.is_none() || doubtful == known);
        }
    }
}

#[test]
fn nothing_is_said_of_a_host_whose_processes_are_not_seen() {
    let of = |mib| {
        let sample = snapshot(vec![member(5, mib, 0)], 0);
        prospect(&sample.domains[0], &sample, 4096, None).map(|known| known.by_kill / MIB)
    };
    assert_eq!(of(290), Some(290));
    assert_eq!(of(20), None);
}

#[test]
fn shared_pages_are_no_more_than_there_are() {
    let mut twins = vec![member(5, 60, 0), member(6, 60, 0)];
    let sample = snapshot(twins.clone(), 0);
    let domain = &sample.domains[1];
    let of = |held: Held| (held.killable, held.private / MIB);
    assert_eq!(of(held(domain, &sample, 4096)), (2, 120));
    let known = prospect(domain, &sample, 4096, None).expect("its numbers");
    assert_eq!(
        known.by_kill,
        98 * MIB,
        "copied on write: the group has no more"
    );
    for twin in &mut twins {
        twin.address_space = NonZeroU64::new(1);
    }
    let sample = snapshot(twins, 0);
    assert_eq!(of(held(&sample.domains[1], &sample, 4096)), (2, 60));
    // A child that cannot be killed keeps the pages that it shares.
    let sample = snapshot(vec![member(5, 90, 0), member(6, 80, -1000)], 0);
    let known = prospect(&sample.domains[1], &sample, 4096, None).expect("its numbers");
    assert_eq!(known.by_kill, 18 * MIB);
}

#[test]
fn an_old_memory_stat_does_not_make_the_eater_smaller() {
    let eater = vec![member(5, 102, 0), member(6, 1, 0)];
    let by_kill = |processes: Vec<Process>, stat: GroupStat| {
        let mut sample = snapshot(processes, 0);
        Arc::make_mut(&mut sample.cgroups)[1].stat = Some(stat);
        let known = prospect(&sample.domains[1], &sample, 4096, None).expect("its numbers");
        known.by_kill / MIB
    };
    let old = GroupStat {
        anon: Some(25 * MIB),
        shmem: Some(0),
        ..GroupStat::default()
    };
    assert_eq!(by_kill(eater.clone(), old), 98, "it has grown since");
    let had_cache = GroupStat {
        active_file: 73 * MIB,
        ..old
    };
    assert_eq!(by_kill(eater, had_cache), 98, "its cache was dropped since");
    // Shared memory that has come since, too.
    let mut mapped = vec![member(5, 1, 0)];
    if let Some(memory) = &mut mapped[0].memory {
        memory.shmem = 70 * MIB / 4096;
    }
    assert_eq!(by_kill(mapped, old), 71);
}

#[test]
fn nothing_is_said_of_a_group_with_a_process_that_cannot_be_read() {
    let mut unread = member(6, 0, 0);
    (unread.memory, unread.unreadable) = (None, true);
    let sample = snapshot(vec![member(5, 3, -1000), unread], 95 * MIB);
    assert_eq!(prospect(&sample.domains[1], &sample, 4096, None), None);
}
