//! The sampler on a fake tree: everything a `/proc` or a cgroup tree can do to a reader.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

#[path = "common/fake_root.rs"]
mod fake_root;

use std::fs;
use std::sync::Arc;

use fake_root::{FakeProcess, FakeRoot, Layout};
use oomtop::domain::cgroup::{Cgroup, CgroupVersion};
use oomtop::domain::kernel::{RssSource, ScoreFormula, TieBreak};
use oomtop::domain::process::Process;
use oomtop::domain::score::OomScoreAdj;
use oomtop::domain::snapshot::{Needs, Snapshot};
use oomtop::domain::time::{Monotonic, Now};
use oomtop::domain::victim::Scope;
use oomtop::linux::sampler::Sampler;

const MIB: u64 = 1 << 20;

fn at(seconds: u64) -> Now {
    Now {
        monotonic: Monotonic(seconds * 1_000_000),
        ..Now::default()
    }
}

fn sampler(root: &FakeRoot) -> Sampler {
    Sampler::new(root.sys_root()).expect("a sampler")
}

fn sample(root: &FakeRoot) -> Arc<Snapshot> {
    sampler(root)
        .sample(&Needs::default(), at(1))
        .expect("a sample")
}

fn row(snapshot: &Snapshot, pid: u32) -> &Process {
    snapshot
        .processes
        .iter()
        .find(|p| p.id.pid == pid)
        .unwrap_or_else(|| panic!("no row of {pid}"))
}

fn group<'s>(snapshot: &'s Snapshot, path: &str) -> &'s Cgroup {
    snapshot
        .cgroups
        .iter()
        .find(|g| g.path.as_str() == path)
        .unwrap_or_else(|| panic!("no group {path}"))
}

fn group_of(snapshot: &Snapshot, pid: u32) -> Option<&str> {
    let key = row(snapshot, pid).cgroup?;
    snapshot.cgroup(key).map(|g| g.path.as_str())
}

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
    // 7.x reads exactly what status shows; 6.18 what stat shows, off by 32 pages a CPU.
    let new = FakeRoot::new()
        .file("proc/sys/kernel/osrelease", "7.3.4\n")
        .process(10, |p| p.rss_mib(8).stat_rss_pages(1));
    assert_eq!(sampler(&new).host().rules.rss, RssSource::Status);
    assert_eq!(sampler(&new).host().rules.rss_error, 0);
    let memory = row(&sample(&new), 10).memory.expect("memory");
    assert_eq!(memory.rss, 8 * MIB / rustix::param::page_size() as u64);
    let new = new.file("proc/sys/kernel/osrelease", "6.18.2\n");
    assert_eq!(sampler(&new).host().rules.rss_error, 64);
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
fn v2_limits_usage_events_and_pressure() {
    let root = FakeRoot::new()
        .v2_group("web.slice", |g| {
            g.max("1073741824")
                .current(900 * MIB)
                .file("memory.high", "max")
                .file("memory.low", "0")
                .file("memory.min", "4096")
                .file("memory.swap.max", "268435456")
                .file("memory.swap.current", "1048576")
                .file("memory.oom.group", "1")
                .file("memory.events", "low 0\nhigh 4\nmax 9\noom 2\noom_kill 1")
                .file(
                    "memory.pressure",
                    "some avg10=9.00 avg60=0.00 avg300=0.00 total=1\n\
                     full avg10=3.21 avg60=0.00 avg300=0.00 total=1",
                )
        })
        .v2_group("web.slice/db", |g| g.current(5))
        .v2_group("huge", |g| g.max("9999999999999999"))
        .process(10, |p| p.cgroup("/web.slice/db").rss_mib(500))
        .process(11, |p| p.cgroup("/huge"))
        .process(12, |p| p.cgroup("/removed (deleted)"));
    let snapshot = sample(&root);
    let web = group(&snapshot, "/web.slice");
    assert_eq!(web.limits.max, Some(1 << 30));
    assert_eq!((web.limits.high, web.limits.low), (None, None));
    assert_eq!(web.limits.min, Some(4096));
    assert_eq!(web.limits.swap_max, Some(256 * MIB));
    assert!(web.limits.oom_group);
    assert_eq!((web.usage, web.swap_usage), (Some(900 * MIB), Some(MIB)));
    assert_eq!((web.events.max, web.events.oom_kill), (Some(9), Some(1)));
    assert_eq!(web.pressure.map(|p| p.0), Some(321));
    assert_eq!(group(&snapshot, "/web.slice/db").limits.max, None);
    assert_eq!(
        group(&snapshot, "/huge").limits.max,
        Some(9_999_999_999_999_999)
    );
    assert!(!group(&snapshot, "/removed").present);
    // The domain's total: the limit and the swap it may use.
    let key = row(&snapshot, 10).cgroup.expect("a group");
    let web_key = snapshot.cgroup(key).and_then(|g| g.parent).expect("parent");
    let domain = snapshot.domain(Scope::Memcg(web_key)).expect("a domain");
    let page = rustix::param::page_size() as u64;
    assert_eq!(domain.total_pages, (1280 * MIB) / page);
    assert_eq!(domain.verdict.map(|v| v.victim.id.pid), Some(10));
}

#[test]
fn v1_and_hybrid_trees() {
    for layout in [Layout::V1, Layout::Hybrid] {
        let root = FakeRoot::with_layout(layout)
            .v1_group("docker", |g| g)
            .v1_group("docker/abc", |g| {
                g.max("209715200")
                    .current(100 * MIB)
                    .file("memory.memsw.limit_in_bytes", "314572800")
                    .file("memory.memsw.usage_in_bytes", "115343360")
                    .file("memory.failcnt", "12")
                    .file(
                        "memory.oom_control",
                        "oom_kill_disable 1\nunder_oom 0\noom_kill 3",
                    )
            })
            .process(10, |p| p.cgroup("/docker/abc"));
        let sampler = &mut sampler(&root);
        let wanted = match layout {
            Layout::V1 => CgroupVersion::V1,
            _ => CgroupVersion::Hybrid,
        };
        assert_eq!(sampler.host().cgroups, wanted);
        let snapshot = sampler.sample(&Needs::default(), at(1)).expect("a sample");
        let abc = group(&snapshot, "/docker/abc");
        assert_eq!(abc.limits.max, Some(200 * MIB));
        assert_eq!(abc.limits.memsw_max, Some(300 * MIB));
        assert!(abc.limits.kill_disabled);
        assert_eq!(abc.swap_usage, Some(10 * MIB));
        assert_eq!((abc.events.max, abc.events.oom_kill), (Some(12), Some(3)));
        assert_eq!(group(&snapshot, "/docker").limits.max, None);
        assert_eq!(snapshot.domains.len(), 2);
    }
}

#[test]
fn a_host_without_memory_cgroups_has_one_domain() {
    let root = FakeRoot::with_layout(Layout::None).process(10, |p| p);
    let sampler = &mut sampler(&root);
    assert_eq!(sampler.host().cgroups, CgroupVersion::None);
    let snapshot = sampler.sample(&Needs::default(), at(1)).expect("a sample");
    assert_eq!(row(&snapshot, 10).cgroup, None);
    assert_eq!(snapshot.domains.len(), 1);
}

#[test]
fn groups_outside_the_namespace_are_named_and_belong_to_nobody() {
    let root = FakeRoot::new()
        .file("sys/fs/cgroup/memory.max", "104857600\n")
        .file("sys/fs/cgroup/memory.current", "52428800\n")
        .process(10, |p| p.cgroup("/"))
        .process(11, |p| p.cgroup("/../other"))
        .own(10);
    let sampler = &mut sampler(&root);
    assert!(sampler.host().in_container);
    let snapshot = sampler.sample(&Needs::default(), at(1)).expect("a sample");
    assert_eq!(group_of(&snapshot, 11), Some("/../other"));
    // The root seen from a container has a limit: a domain, and the one that binds oomtop.
    let own = snapshot.own_limit.expect("a limit of its own");
    let domain = snapshot.domain(own).expect("its state");
    assert_eq!(domain.limit, 100 * MIB);
    assert_eq!(domain.members, 1);
    assert_eq!(snapshot.main_domain().map(|d| d.scope), Some(own));
}

#[test]
fn a_mount_that_shows_only_the_containers_part_of_the_tree() {
    // v1 without a cgroup namespace: paths are the host's, the files of the own group are at the
    // mount point.
    let root = FakeRoot::with_layout(Layout::V1)
        .file("sys/fs/cgroup/memory/memory.limit_in_bytes", "104857600\n")
        .file("sys/fs/cgroup/memory/memory.usage_in_bytes", "4096\n")
        .v1_group("inner", |g| g.max("52428800"))
        .process(10, |p| p.cgroup("/docker/abc/inner"))
        .own(10);
    let mount = root.path("sys/fs/cgroup/memory").display().to_string();
    let line = format!("35 31 0:32 /docker/abc {mount} ro - cgroup cgroup rw,memory\n");
    let root = root.file("proc/10/mountinfo", line);
    let snapshot = sample(&root);
    let limit = |path| group(&snapshot, path).limits.max;
    assert_eq!(limit("/docker/abc"), Some(100 * MIB));
    assert_eq!(limit("/docker/abc/inner"), Some(50 * MIB));
    assert_eq!(limit("/docker"), None);
    let own = snapshot.own_limit.and_then(|scope| snapshot.domain(scope));
    assert_eq!(own.map(|d| d.limit), Some(50 * MIB));
}

#[test]
fn the_nearest_limit_binds_and_one_above_ram_does_not() {
    let tree = |outer: &str, inner: &str| {
        FakeRoot::new()
            .v2_group("a", |g| g.max(outer).current(90 * MIB))
            .v2_group("a/b", |g| g.max(inner).current(50 * MIB))
            .process(10, |p| p.cgroup("/a/b"))
            .own(10)
    };
    let limit = |root: &FakeRoot| {
        let snapshot = sample(root);
        let scope = snapshot.own_limit?;
        snapshot.domain(scope).map(|d| d.limit)
    };
    assert_eq!(limit(&tree("104857600", "104857600")), Some(100 * MIB));
    let root = tree("104857600", "104857600");
    let snapshot = sample(&root);
    let Some(Scope::Memcg(key)) = snapshot.own_limit else {
        panic!("a limit");
    };
    assert_eq!(snapshot.cgroup(key).map(|g| g.path.as_str()), Some("/a"));
    assert_eq!(limit(&tree("max", "62914560")), Some(60 * MIB));
    assert_eq!(limit(&tree("max", "99999999999999")), None);
}

#[test]
fn a_limit_that_appears_is_seen_within_ten_samples_and_a_gone_group_keeps_its_key() {
    let root = FakeRoot::new()
        .v2_group("a", |g| g)
        .process(10, |p| p.cgroup("/a"));
    let mut sampler = sampler(&root);
    let mut take = |second| {
        sampler
            .sample(&Needs::default(), at(second))
            .expect("a sample")
    };
    let key = row(&take(1), 10).cgroup.expect("a group");
    let root = root.v2_group("a", |g| g.max("104857600"));
    let seen = (2..=11).any(|s| take(s).cgroup(key).is_some_and(|g| g.limits.max.is_some()));
    assert!(seen, "within ten samples");
    let root = root
        .without("sys/fs/cgroup/a")
        .process(10, |p| p.cgroup("/b"));
    for second in 12..24 {
        take(second);
    }
    let snapshot = take(24);
    assert_eq!(group_of(&snapshot, 10), Some("/b"));
    let gone = snapshot.cgroup(key).expect("the entry stays");
    assert!(!gone.present && gone.limits.max.is_none());
    assert_eq!(gone.path.as_str(), "/a");
    drop(root);
}

#[test]
fn a_move_of_a_visible_process_is_seen_at_once() {
    let root = FakeRoot::new()
        .v2_group("a", |g| g)
        .v2_group("b", |g| g.max("104857600"))
        .process(10, |p| p.cgroup("/a"));
    let mut sampler = sampler(&root);
    let needs = Needs {
        visible: vec![FakeProcess::id(10)],
        ..Needs::default()
    };
    for second in 1..4 {
        sampler.sample(&needs, at(second)).expect("a sample");
    }
    let _root = root.process(10, |p| p.cgroup("/b"));
    let snapshot = sampler.sample(&needs, at(5)).expect("a sample");
    assert_eq!(group_of(&snapshot, 10), Some("/b"));
    assert_eq!(group(&snapshot, "/b").limits.max, Some(100 * MIB));
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
    // It stops growing: the rate fades, it does not fall to zero at once.
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
