//! What is advised, and what is not for lack of evidence.

use std::sync::Arc;

use super::{Advice, advice};
use crate::oomlog::analysis::memcg_version::MemcgVersion;
use crate::oomlog::analysis::root_cause::{KernelPart, KernelShare, KernelUse, RootCause};
use crate::oomlog::analysis::share::Share;
use crate::oomlog::analysis::verdict::Verdict;
use crate::oomlog::on_paper;
use crate::oomlog::report::memcg::{MemcgUse, Usage};
use crate::oomlog::{Constraint, Kill, OomReport, Outcome, TaskRow, TaskTable, UsageKind};

#[test]
fn on_v1_the_limit_with_swap_is_raised_too_where_it_was_full() {
    let of = |both_usage_kb| {
        let usage = |kind, usage_kb, limit_kb| Usage {
            kind,
            usage_kb,
            limit_kb,
            failcnt: 1,
        };
        let report = OomReport {
            has_header: true,
            constraint: Some(Constraint::Memcg),
            oom_memcg: Some("/web".to_owned()),
            limit_kb: Some(1000),
            memcg: Some(Arc::new(MemcgUse {
                usage: vec![
                    usage(UsageKind::Memory, 1000, 1000),
                    usage(UsageKind::MemorySwap, both_usage_kb, 1500),
                ],
                ..MemcgUse::default()
            })),
            ..OomReport::default()
        };
        advice(&report, &Verdict::new(&report))
    };
    let raise = |with_swap_kb| {
        vec![Advice::RaiseLimit {
            cgroup: Some("/web".to_owned()),
            limit_kb: Some(1000),
            with_swap_kb,
            version: Some(MemcgVersion::V1),
        }]
    };
    assert_eq!(of(1000), raise(None));
    assert_eq!(of(1500), raise(Some(1500)));
}

#[test]
fn each_cause_is_fixed_at_its_root() {
    let share = Share {
        held_kb: 9,
        of_kb: 10,
    };
    let report = OomReport::default();
    let first = |root: RootCause| {
        let verdict = Verdict {
            cause: Some(root),
            ..Verdict::new(&report)
        };
        advice(&report, &verdict).into_iter().next()
    };
    assert_eq!(
        first(RootCause::HostByTmpfs(share)),
        Some(Advice::FreeTmpfs)
    );
    let kernel = RootCause::HostByKernel(KernelShare {
        share,
        parts: vec![KernelUse {
            part: KernelPart::Stacks,
            kb: 8,
            reclaimable_kb: 0,
        }],
        caches: vec![("dentry".to_owned(), 1)],
    });
    assert_eq!(
        first(kernel),
        Some(Advice::FindKernelMemory {
            part: Some(KernelPart::Stacks),
            caches: vec!["dentry".to_owned()],
            in_cgroup: false,
            version: None
        })
    );
    assert_eq!(first(RootCause::ByHand), Some(Advice::FindWhoAsked));
    assert_eq!(first(RootCause::HostByProcesses(share)), None, "no table");
}

#[test]
fn a_line_alone_and_a_host_that_may_kill_nobody() {
    let alone = OomReport {
        kills: vec![Kill::default()],
        ..OomReport::default()
    };
    let of = |report: &OomReport| advice(report, &Verdict::new(report));
    assert_eq!(of(&alone), [Advice::FindReport]);
    let nobody = OomReport {
        outcome: Outcome::NobodyKillable,
        ..OomReport::default()
    };
    let made = Advice::MakeKillable {
        largest: None,
        in_cgroup: false,
    };
    assert_eq!(of(&nobody), [made]);
}

#[test]
fn an_adj_helps_nobody_where_others_could_have_been_killed_or_none_is_left() {
    let report = |adjs: &[i16]| {
        let row = |adj: &i16| TaskRow {
            adj: Some(*adj),
            ..TaskRow::default()
        };
        OomReport {
            has_header: true,
            outcome: Outcome::Panic,
            nobody_killable: true,
            tasks: Some(Arc::new(TaskTable {
                rows: adjs.iter().map(row).collect(),
                ..TaskTable::default()
            })),
            ..OomReport::default()
        }
    };
    let tmpfs = |report: &OomReport| {
        let share = Share {
            held_kb: 9,
            of_kb: 10,
        };
        let verdict = Verdict {
            cause: Some(RootCause::HostByTmpfs(share)),
            ..Verdict::new(report)
        };
        advice(report, &verdict)
    };
    let is_made = |step: &Advice| matches!(step, Advice::MakeKillable { .. });
    let (exempt, dying, none) = (report(&[-1000]), report(&[-1000, 0]), report(&[]));
    let of = |report: &OomReport| advice(report, &Verdict::new(report));
    assert!(of(&exempt).iter().any(is_made));
    assert!(!of(&dying).iter().any(is_made), "one has adj 0");
    assert_eq!(tmpfs(&exempt)[0], Advice::FreeTmpfs);
    assert_eq!(tmpfs(&dying), [Advice::FreeTmpfs]);
    assert_eq!(tmpfs(&none), [Advice::FreeTmpfs]);
}

/// A host of 100 000 pages, full of the memory of programs. `rows` are pid, resident pages and name.
fn host(rows: &[(u32, u64, &str)], killed: &str) -> Vec<Advice> {
    let rows: Vec<String> = rows
        .iter()
        .map(|(pid, rss, name)| {
            format!(
                "[{pid:7}]     0 {pid:5}    90000 {rss:8}     4096        0             0 {name}"
            )
        })
        .collect();
    let before = [
        "a invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_ZERO), order=0, oom_score_adj=0",
        "Mem-Info:",
        "active_anon:5000 inactive_anon:85000 isolated_anon:0",
        "active_file:0 inactive_file:0 isolated_file:0",
        "unevictable:0 dirty:0 writeback:0",
        "slab_reclaimable:0 slab_unreclaimable:0",
        "mapped:0 shmem:0 pagetables:0 bounce:0",
        "free:250 free_pcp:0 free_cma:0",
        "Node 0 Normal free:1000kB min:2000kB low:3000kB high:4000kB",
        "Node 0 Normal: 250*4kB (U) = 1000kB",
        "Free swap  = 0kB",
        "Total swap = 0kB",
        "100000 pages RAM",
        "0 pages reserved",
        "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
    ];
    let rows = rows.iter().map(String::as_str);
    let report = on_paper::report(before.into_iter().chain(rows).chain([killed]));
    advice(&report, &Verdict::new(&report))
}

const VICTIM: &str = "Out of memory: Killed process 8 (db) total-vm:360000kB, anon-rss:80000kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:4kB oom_score_adj:0";

#[test]
fn advice_about_a_process_needs_a_whole_table_and_a_process_that_matters() {
    let limit = |comm: &str| Advice::LimitAlone {
        comm: comm.to_owned(),
        processes: 1,
    };
    let protect = Advice::Protect {
        comm: "db".to_owned(),
        larger: "leak".to_owned(),
    };
    let whole = host(&[(7, 60_000, "leak"), (8, 20_000, "db")], VICTIM);
    assert_eq!(whole, [limit("leak"), protect, Advice::AddSwap]);
    // The rows that held most are not in the log.
    let cut = host(&[(8, 20_000, "db"), (9, 5, "sh")], VICTIM);
    assert_eq!(cut, [Advice::AddSwap]);
    let unlisted = host(&[(7, 60_000, "leak")], VICTIM);
    assert_eq!(unlisted, [Advice::AddSwap]);
    // A victim of 20 kB was unlucky, no more.
    let tiny = VICTIM.replace("anon-rss:80000kB", "anon-rss:20kB");
    let tiny = host(&[(7, 80_000, "leak"), (8, 5, "db")], &tiny);
    assert_eq!(tiny, [limit("leak"), Advice::AddSwap]);
    // Many names and none that matters.
    let rows: Vec<(u32, u64, String)> = (10..30).map(|p| (p, 4000, format!("p{p}"))).collect();
    let mut rows: Vec<_> = rows.iter().map(|(p, r, n)| (*p, *r, n.as_str())).collect();
    rows.push((8, 4000, "db"));
    assert_eq!(host(&rows, VICTIM), [Advice::AddSwap]);
}

#[test]
fn a_lower_adj_is_no_protection_from_dying_for_asking() {
    let asker = VICTIM.replace(
        "Out of memory:",
        "Out of memory (oom_kill_allocating_task):",
    );
    let steps = host(&[(7, 60_000, "leak"), (8, 20_000, "db")], &asker);
    assert_eq!(steps[0], Advice::RankAgain);
    assert!(
        !steps
            .iter()
            .any(|step| matches!(step, Advice::Protect { .. })),
        "{steps:?}"
    );
}
