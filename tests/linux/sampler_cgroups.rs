//! The sampler on fake cgroup trees of every version.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use crate::common::fake_root::{FakeProcess, FakeRoot, Layout};
use crate::common::sampling::{MIB, at, group, group_of, row, sample, sampler};
use oomtop::model::cgroup::CgroupVersion;
use oomtop::model::oom_domain::victim::Scope;
use oomtop::model::snapshot::{Needs, Snapshot};

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
    assert_eq!(web.pressure.map(|p| (p.some, p.full)), Some((900, 321)));
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
fn a_group_may_be_called_deleted() {
    let root = FakeRoot::new()
        .v2_group("web", |g| g.max("104857600"))
        .v2_group("web (deleted)", |g| g.max("209715200"))
        .process(10, |p| p.cgroup("/web"))
        .process(11, |p| p.cgroup("/web (deleted)"))
        .process(12, |p| p.cgroup("/gone (deleted)"));
    let snapshot = sample(&root);
    for (pid, limit) in [(10, 100 * MIB), (11, 200 * MIB)] {
        let key = row(&snapshot, pid).cgroup.expect("a group");
        let max = snapshot.cgroup(key).and_then(|group| group.limits.max);
        assert_eq!(max, Some(limit), "{pid}");
        let domain = snapshot.domain(Scope::Memcg(key)).expect("a domain");
        assert_eq!(domain.members, 1, "{pid}");
    }
    assert!(!group(&snapshot, "/gone").present);
}

#[test]
fn an_oom_is_of_the_group_whose_limit_ran_out_and_of_no_group_around_it() {
    let events = |oom: u64| format!("low 0\nhigh 0\nmax 0\noom {oom}\noom_kill {oom}");
    let tree = |root: FakeRoot, all, own| {
        root.v2_group("outer", |g| {
            g.max("209715200")
                .file("memory.events", &events(all))
                .file("memory.events.local", &events(own))
        })
        .v2_group("outer/inner", |g| {
            g.max("104857600")
                .file("memory.events", &events(all))
                .file("memory.events.local", &events(all))
        })
        .v2_group("old", |g| {
            g.max("104857600").file("memory.events", &events(all))
        })
    };
    let root = tree(FakeRoot::new(), 3, 1).process(10, |p| p.cgroup("/outer/inner"));
    let mut sampler = sampler(&root);
    let counters = |snapshot: &Snapshot| {
        ["/outer", "/outer/inner", "/old"].map(|path| {
            let events = group(snapshot, path).events;
            (events.oom, events.own_oom)
        })
    };
    let mut take = |second| {
        sampler
            .sample(&Needs::default(), at(second))
            .expect("a sample")
    };
    let all = Some(3);
    assert_eq!(counters(&take(1)), [(all, Some(1)), (all, all), (all, all)]);
    let _root = tree(root, 5, 2);
    let all = Some(5);
    let seen = (2..14).map(take).last().expect("samples");
    assert_eq!(counters(&seen), [(all, Some(2)), (all, all), (all, all)]);
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
    // The root seen from a container has a limit: it is a domain, and its limit applies to oomtop.
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
    // The cgroup of a row off the screen is read once in 30 samples.
    for second in 12..44 {
        take(second);
    }
    let snapshot = take(44);
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
fn a_group_that_nobody_is_in_is_found_and_so_is_one_made_later() {
    let root = FakeRoot::new()
        .v2_group("pods", |g| g)
        .v2_group("pods/empty", |g| g.max("104857600").current(4096))
        .process(10, |p| p.cgroup("/"));
    let mut sampler = sampler(&root);
    let mut take = |second| {
        sampler
            .sample(&Needs::default(), at(second))
            .expect("a sample")
    };
    let first = take(1);
    assert_eq!(group(&first, "/pods/empty").limits.max, Some(100 * MIB));
    assert_eq!(first.domains.len(), 2);
    let _root = root.v2_group("pods/later", |g| g.max("52428800").current(4096));
    let seen = (2..80).find(|second| take(*second).domains.len() == 3);
    assert!(seen.is_some(), "within a walk and a pause");
}

#[test]
fn memory_stat_is_read_near_the_limit_and_where_somebody_looks() {
    let stat =
        "anon 5\nfile_dirty 4096\ninactive_file 40960\nactive_file 8192\nworkingset_refault_file 7";
    let root = FakeRoot::new()
        .v2_group("near", |g| {
            g.max("104857600")
                .current(90 * MIB)
                .file("memory.stat", stat)
        })
        .v2_group("far", |g| {
            g.max("104857600").current(MIB).file("memory.stat", stat)
        })
        .process(10, |p| p.cgroup("/near"))
        .process(11, |p| p.cgroup("/far"));
    let mut sampler = sampler(&root);
    let mut take = |second, groups| {
        let needs = Needs {
            groups,
            ..Needs::default()
        };
        sampler.sample(&needs, at(second)).expect("a sample")
    };
    let first = take(1, Vec::new());
    let near = group(&first, "/near").stat.expect("its stat");
    assert_eq!((near.droppable(), near.refaults), (49_152, Some(7)));
    assert_eq!(group(&first, "/far").stat, None);
    let far = row(&first, 11).cgroup.expect("a group");
    let looked_at = take(2, vec![far]);
    assert!(looked_at.cgroup(far).is_some_and(|g| g.stat.is_some()));
}

#[test]
fn page_cache_is_told_apart_in_the_first_sample_and_in_the_second() {
    let stat = "anon 5\nfile_dirty 0\nfile_writeback 0\ninactive_file 20971520\nactive_file 4096";
    for mib in [30, 50, 79] {
        let root = FakeRoot::new()
            .v2_group("cached", |g| {
                g.max("104857600")
                    .current(mib * MIB)
                    .file("memory.stat", stat)
            })
            .process(10, |p| p.cgroup("/cached"));
        let mut sampler = sampler(&root);
        for second in [1, 2] {
            let snapshot = sampler.sample(&Needs::default(), at(second));
            let snapshot = snapshot.expect("a sample");
            let stat = group(&snapshot, "/cached").stat;
            assert_eq!(stat.map(|s| s.droppable()), Some(20_975_616), "{mib}");
        }
    }
}

#[test]
fn a_group_at_rest_is_not_read_in_every_sample_and_wakes_up() {
    let root = FakeRoot::new()
        .v2_group("calm", |g| g.max("104857600").current(10 * MIB))
        .v2_group("near", |g| g.max("104857600").current(90 * MIB))
        .process(10, |p| p.cgroup("/calm"))
        .process(11, |p| p.cgroup("/near"));
    let mut sampler = sampler(&root);
    let mut reads = [0, 0];
    let mut second = 0;
    let mut take = |count: u64| {
        let mut last = None;
        for _ in 0..count {
            second += 1;
            let snapshot = sampler
                .sample(&Needs::default(), at(second))
                .expect("a sample");
            for (reads, path) in reads.iter_mut().zip(["/calm", "/near"]) {
                *reads += u64::from(group(&snapshot, path).read_seq == snapshot.seq);
            }
            last = Some((snapshot, reads));
        }
        last.expect("at least one")
    };
    let (_, [calm, near]) = take(60);
    assert_eq!(near, 60, "what is near its limit is read each time");
    assert!(calm < 25, "{calm}");
    let _root = root.v2_group("calm", |g| g.max("104857600").current(60 * MIB));
    let (snapshot, _) = take(8);
    assert_eq!(group(&snapshot, "/calm").usage, Some(60 * MIB));
}
