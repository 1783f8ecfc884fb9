//! The sampler on a fake tree: everything a `/proc` can do to a reader.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::fs;

use crate::common::fake_root::{FakeProcess, FakeRoot};
use crate::common::sampling::{MIB, at, group_of, row, sample, sampler};
use oomtop::linux::SysRoot;
use oomtop::linux::sampler::Sampler;
use oomtop::model::kernel::{RssSource, ScoreFormula, TieBreak};
use oomtop::model::process::score::OomScoreAdj;
use oomtop::model::snapshot::{Needs, Snapshot};
use oomtop::model::time::{Monotonic, Now};

#[test]
fn a_process_is_read_whole() {
    let root = FakeRoot::new().process(100, |p| {
        p.comm("java")
            .uid(0)
            .rss_mib(812)
            .swap_mib(100)
            .adj(-300)
            .cgroup("/web.slice")
    });
    let snapshot = sample(&root);
    let java = row(&snapshot, 100);
    let page = rustix::param::page_size() as u64;
    let memory = java.memory.expect("memory");
    assert_eq!(memory.rss, 812 * MIB / page);
    assert_eq!(memory.anon, memory.rss);
    assert_eq!(memory.swap, 100 * MIB / page);
    assert_eq!(memory.page_tables, 65536 / page);
    assert_eq!(java.adj.map(OomScoreAdj::get), Some(-300));
    assert_eq!((java.threads, java.ppid, java.id.start_ticks), (3, 1, 1000));
    assert_eq!(group_of(&snapshot, 100), Some("/web.slice"));
    assert_eq!(snapshot.user(0), Some("root"));
    assert_eq!((snapshot.seq, snapshot.backend), (1, "/proc"));
    assert_eq!(snapshot.kills.host, Some(3));
    assert_eq!(java.command, None, "nobody asked for the command line");
}

#[test]
fn names_that_try_to_confuse_the_reader() {
    let names: [&[u8]; 5] = [
        b"a) (b",
        b"new\nline",
        b"\xff\xfe\x1b[2J",
        b") R 1 1 1",
        b"",
    ];
    let mut root = FakeRoot::new();
    for (pid, name) in (10..).zip(names) {
        root = root.process(pid, |p| p.comm(name).adj(7));
    }
    let snapshot = sample(&root);
    assert_eq!(snapshot.skipped, 0);
    for (pid, name) in (10..).zip(names) {
        let row = row(&snapshot, pid);
        assert_eq!(row.comm.as_bytes(), name);
        assert_eq!(row.adj.map(OomScoreAdj::get), Some(7));
        assert!(row.memory.is_some());
    }
}

#[test]
fn what_has_no_memory_and_what_cannot_be_read_differ() {
    let root = FakeRoot::new()
        .process(10, |p| p.comm("gone").zombie())
        .process(11, |p| p.comm("kthread").kernel_thread())
        .process(12, |p| p.comm("secret"))
        .without("proc/12/status")
        // A directory gives EISDIR, to root as well.
        .file("proc/12/status/x", "");
    let snapshot = sample(&root);
    let (zombie, thread, secret) = (row(&snapshot, 10), row(&snapshot, 11), row(&snapshot, 12));
    assert!(zombie.memory.is_none() && !zombie.unreadable && zombie.state.is_dead());
    assert!(thread.kernel_thread && thread.memory.is_none() && thread.adj.is_none());
    assert!(secret.memory.is_none() && secret.unreadable);
    assert_eq!(secret.adj.map(OomScoreAdj::get), Some(0));
}

#[test]
fn vanished_and_damaged_processes_are_skips() {
    let root = FakeRoot::new()
        .process(10, |p| p)
        .process(11, |p| p)
        .without("proc/11/stat")
        .process(12, |p| p)
        .without("proc/12/status")
        .file("proc/13/stat", "13 (cut) S 1")
        .file("proc/14/stat", b"\xff\xff\xff")
        .file("proc/99999999999/stat", "not a pid")
        .file("proc/self2/stat", "not a pid");
    let snapshot = sample(&root);
    assert_eq!(snapshot.processes.len(), 1);
    assert_eq!(snapshot.skipped, 4);
}

#[test]
fn an_adj_that_cannot_be_read_is_not_zero() {
    let root = FakeRoot::new()
        .process(10, |p| p)
        .without("proc/10/oom_score_adj")
        .process(11, |p| p)
        .file("proc/11/oom_score_adj", "5000\n");
    let snapshot = sample(&root);
    assert_eq!(row(&snapshot, 10).adj, None);
    assert_eq!(row(&snapshot, 11).adj, None);
}

#[test]
fn host_memory_without_psi_or_memavailable() {
    let root = FakeRoot::new().meminfo(8192, None);
    let snapshot = sample(&root);
    assert_eq!(snapshot.memory.total, 8192 * MIB);
    assert_eq!(snapshot.memory.available, None);
    assert_eq!(snapshot.memory.cache, 200 * MIB);
    assert_eq!(snapshot.pressure, None);
    let root = root.pressure(1.5, 0.7).without("proc/vmstat");
    let snapshot = sample(&root);
    assert!((snapshot.pressure.expect("PSI").full.avg10 - 0.7).abs() < 1e-6);
    assert_eq!(snapshot.kills.host, None);
}

#[test]
fn a_proc_that_is_none_is_an_error_that_helps() {
    let root = FakeRoot::new().without("proc/meminfo");
    let error = Sampler::new(root.sys_root()).expect_err("no meminfo");
    assert!(error.to_string().contains("meminfo"), "{error}");
    assert!(error.to_string().contains("--proc"), "{error}");
    let root = root.without("proc");
    let error = Sampler::new(root.sys_root()).expect_err("no proc");
    assert!(error.to_string().contains("--proc"), "{error}");
}

#[test]
fn rules_by_kernel_and_by_what_scores_show() {
    let old = FakeRoot::new()
        .file("proc/sys/kernel/osrelease", "5.4.300-vendor\n")
        .process(10, |p| p.score(666));
    // A vendor backport: the version says old, the score says new.
    let rules = sampler(&old).host().rules;
    assert_eq!(
        (rules.score, rules.tie),
        (ScoreFormula::Scaled, TieBreak::Later)
    );
    let old = old.process(10, |p| p.score(1));
    let rules = sampler(&old).host().rules;
    assert_eq!(
        (rules.score, rules.tie),
        (ScoreFormula::Permille, TieBreak::Earlier)
    );
    assert_eq!(rules.rss_error, 64);
    // 7.x badness reads the exact sum in status; 6.18 the value in stat, which moves in steps of 32 pages.
    // Swapped-out memory is exact in status but not in badness: 32 pages off for each of the two CPUs.
    let new = FakeRoot::new()
        .file("proc/sys/kernel/osrelease", "7.3.4\n")
        .process(10, |p| p.rss_mib(8).stat_rss_pages(1));
    assert_eq!(sampler(&new).host().rules.rss, RssSource::Status);
    assert_eq!(sampler(&new).host().rules.rss_error, 0);
    let memory = row(&sample(&new), 10).memory.expect("memory");
    assert_eq!(memory.rss, 8 * MIB / rustix::param::page_size() as u64);
    let new = new.file("proc/sys/kernel/osrelease", "6.18.2\n");
    let rules = sampler(&new).host().rules;
    assert_eq!((rules.rss_error, rules.swap_error), (32, 64));
    assert_eq!(row(&sample(&new), 10).memory.map(|m| m.rss), Some(1));
}

#[test]
fn only_the_hosts_pid_1_is_the_global_init() {
    let container = FakeRoot::new()
        .process(1, |p| p.comm("sh"))
        .process(2, |p| p.comm("app"));
    assert!(!row(&sample(&container), 1).global_init);
    let host = container.process(2, |p| p.comm("kthreadd").kernel_thread());
    assert!(row(&sample(&host), 1).global_init);
    assert!(!row(&sample(&host), 2).global_init);
}

#[test]
fn hidepid_is_noticed_only_where_it_hides() {
    let root = FakeRoot::new().process(500, |p| p).own(500);
    let proc = root.path("proc").display().to_string();
    let line = format!("22 27 0:21 / {proc} rw,relatime - proc proc rw,hidepid=invisible\n");
    let root = root.file("proc/500/mountinfo", line);
    assert!(sampler(&root).host().hidepid);
    let root = root.process(1, |p| p);
    assert!(!sampler(&root).host().hidepid, "pid 1 is visible: root");
}

#[test]
fn growth_is_smoothed_and_bound_to_the_process_not_the_pid() {
    let root = FakeRoot::new().process(10, |p| p.rss_mib(100));
    let mut sampler = sampler(&root);
    let mut take = |second| {
        let snapshot = sampler
            .sample(&Needs::default(), at(second))
            .expect("a sample");
        row(&snapshot, 10).growth
    };
    assert_eq!(take(1), None);
    root.set_process(10, |p| p.rss_mib(110));
    let first = take(2).expect("a rate") / MIB as f32;
    assert!((first - 10.0).abs() < 0.01, "{first}");
    // The process stops growing: its rate fades and does not drop to zero at once.
    let next = take(3).expect("a rate") / MIB as f32;
    assert!(next > 5.0 && next < 9.0, "{next}");
    let later = (4..30).filter_map(&mut take).last().expect("a rate");
    assert!(later < 0.1 * MIB as f32, "{later}");
    root.set_process(10, |p| p.start(777).rss_mib(500));
    assert_eq!(take(31), None, "another process with that pid");
}

#[test]
fn command_lines_only_where_asked_for_and_again_after_exec() {
    let root = FakeRoot::new()
        .process(10, |p| p.comm("sh").cmdline(b"sh\0-c\0\xff run\0"))
        .process(11, |p| p)
        .process(12, FakeProcess::zombie);
    let mut sampler = sampler(&root);
    let visible = Needs {
        visible: vec![FakeProcess::id(10), FakeProcess::id(12)],
        ..Needs::default()
    };
    let snapshot = sampler.sample(&visible, at(1)).expect("a sample");
    let command = |s: &Snapshot, pid| row(s, pid).command.clone();
    assert_eq!(
        command(&snapshot, 10).as_deref(),
        Some("sh -c \u{fffd} run")
    );
    assert_eq!(command(&snapshot, 11), None);
    assert_eq!(row(&snapshot, 12).title(), "fake");
    root.set_process(10, |p| p.comm("java").cmdline(b"java\0Main\0"));
    let snapshot = sampler.sample(&visible, at(2)).expect("a sample");
    assert_eq!(command(&snapshot, 10).as_deref(), Some("java Main"));
    let all = Needs {
        all_commands: true,
        ..Needs::default()
    };
    let snapshot = sampler.sample(&all, at(3)).expect("a sample");
    assert_eq!(command(&snapshot, 11).as_deref(), Some("/bin/fake --flag"));
}

#[test]
fn details_of_exactly_the_asked_process() {
    let root = FakeRoot::new()
        .process(10, |p| p.score(700).rss_mib(8).stat_rss_pages(5))
        .file("proc/10/oom_adj", "-17\n");
    let mut sampler = sampler(&root);
    let mut needs = Needs {
        detail: Some(FakeProcess::id(10)),
        ..Needs::default()
    };
    let snapshot = sampler.sample(&needs, at(1)).expect("a sample");
    let detail = snapshot.detail.as_ref().expect("details");
    assert_eq!(
        (detail.kernel_score, detail.legacy_adj),
        (Some(700), Some(-17))
    );
    assert_eq!(detail.stat_rss, Some(5));
    assert_eq!(detail.cgroup_lines, ["0::/"]);
    needs.detail = needs.detail.map(|mut id| {
        id.start_ticks += 1;
        id
    });
    let snapshot = sampler.sample(&needs, at(2)).expect("a sample");
    assert_eq!(snapshot.detail, None, "the pid is another's");
}

#[test]
fn snapshots_never_change_once_handed_out() {
    let root = FakeRoot::new().process(10, |p| p.rss_mib(1));
    let mut sampler = sampler(&root);
    let mut kept = Vec::new();
    for second in 1..8_u64 {
        root.set_process(10, |p| p.rss_mib(second));
        let snapshot = sampler
            .sample(&Needs::default(), at(second))
            .expect("a sample");
        if second % 2 == 0 {
            kept.push((second, snapshot));
        }
    }
    let page = rustix::param::page_size() as u64;
    for (second, snapshot) in &kept {
        assert_eq!(snapshot.seq, *second);
        let rss = row(snapshot, 10).memory.map(|m| m.rss);
        assert_eq!(rss, Some(second * MIB / page));
    }
    root.end_process(10);
    let snapshot = sampler.sample(&Needs::default(), at(9)).expect("a sample");
    assert!(snapshot.processes.is_empty());
}

#[test]
fn a_fifo_in_the_tree_does_not_hang_a_sample() {
    let root = FakeRoot::new().process(10, |p| p).process(11, |p| p);
    fs::remove_file(root.path("proc/11/status")).expect("removed");
    let fifo = root.path("proc/11/status");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .expect("a fifo");
    assert_eq!(sample(&root).processes.len(), 2);
}

#[test]
fn its_own_cost_is_measured_over_the_time_in_which_it_was_spent() {
    let mut sampler = Sampler::new(SysRoot::default()).expect("a sampler");
    let needs = Needs {
        all_commands: true,
        ..Needs::default()
    };
    // The starts of the samples lie a millisecond apart by the caller's clock, as those of samples that follow on
    // one that took long.
    let costs = (1..=12_u64).filter_map(|ms| {
        // So long that the time between the readings of two clocks weighs little on a busy machine.
        std::thread::sleep(std::time::Duration::from_millis(100));
        let now = Now {
            monotonic: Monotonic(1_000_000 + ms * 1_000),
            ..Now::default()
        };
        let snapshot = sampler.sample(&needs, now).expect("a sample");
        Some(snapshot.own_cost?.cpu_percent)
    });
    let costs: Vec<f32> = costs.collect();
    let stat = fs::read_to_string("/proc/stat").expect("stat");
    let cpus = stat.lines().filter(|line| {
        let rest = line.strip_prefix("cpu");
        rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    });
    // Nobody can use more than all processors; the two clocks are not read at the very same moment. Over the
    // caller's millisecond it would be a hundred times more.
    let most = cpus.count() as f32 * 200.0;
    // The first share needs half a second.
    assert!((6..12).contains(&costs.len()), "{costs:?}");
    assert!(
        costs.iter().all(|cost| (0.0..=most).contains(cost)),
        "{costs:?}"
    );
}
