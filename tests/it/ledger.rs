//! The page of the ledger, and what stands above the table: stuck domains and memory that no kill frees.

use std::sync::Arc;

use crate::common::scene::{GIB, MIB, Scene, moment, process, processes, snapshot};
use crate::common::shop::{group, run};
use crate::common::whole;
use oomtop::app::msg::{Effect, Msg};
use oomtop::model::cgroup::{Cgroup, CgroupVersion, GroupPressure, GroupStat};
use oomtop::model::ledger::{Account, Kind, Ledger, Place};
use oomtop::model::memory::{Pressure, Stall};
use oomtop::model::process::{Process, TaskState};
use oomtop::model::snapshot::{ReclaimCounters, Waiter};

fn group_stat(anon: u64, shmem: u64) -> GroupStat {
    GroupStat {
        anon: Some(anon * MIB),
        shmem: Some(shmem * MIB),
        scanned: Some(0),
        stolen: Some(0),
        refaults: Some(0),
        ..GroupStat::default()
    }
}

/// Over its `memory.high` without swap: all of its tasks wait nearly all the time.
fn throttled(second: u64) -> (Vec<Cgroup>, Vec<Process>) {
    let mut slow = group("/slow", Some(0), 0, 64);
    slow.limits.high = Some(60 * MIB);
    slow.events.high = Some(second * 40);
    slow.pressure = Some(GroupPressure {
        some: 9_800,
        full: 9_700,
        full_total: second * 970_000,
    });
    slow.stat = Some(group_stat(64, 0));
    let mut hog = process(10, "slowed", 60, 0, 1);
    hog.state = TaskState('D');
    let groups = vec![group("/", None, 0, 0), slow];
    (groups, vec![hog, process(11, "helper", 1, 0, 1)])
}

/// Selects the domain with this path in the view.
fn select(scene: &mut Scene, path: &str) {
    scene.keys("Home");
    for _ in 0..scene.state.domains.rows().len() {
        let selected = scene.state.domains.selected_path();
        if selected.is_some_and(|own| own.as_str() == path) {
            return;
        }
        scene.keys("Down");
    }
    panic!("{path} is not in the view\n{}", scene.text());
}

/// [`throttled`] by page cache that reclaim gets back.
fn cache_load(second: u64) -> (Vec<Cgroup>, Vec<Process>) {
    let (mut groups, processes) = throttled(second);
    groups[1].stat = Some(GroupStat {
        inactive_file: 58 * MIB,
        scanned: Some(second * 20_000),
        stolen: Some(second * 19_900),
        ..group_stat(4, 0)
    });
    (groups, processes)
}

#[test]
fn a_group_stuck_at_memory_high_is_said_above_the_table_in_its_row_and_in_its_details() {
    for size in [(80, 24), (120, 36), (200, 50)] {
        let mut scene = Scene::new(size.0, size.1);
        run(&mut scene, 100, 10, throttled);
        let text = scene.text();
        let line = text.lines().find(|line| line.contains("STUCK"));
        let line = line.unwrap_or_else(|| panic!("{text}"));
        assert!(
            line.starts_with("STUCK 9s  /slow over memory.high, nothing to reclaim: 1 of 2 waits"),
            "{line}"
        );
        scene.keys("d");
        assert!(scene.text().contains("STUCK"), "{}", scene.text());
        let row = scene.text();
        let row = row.lines().find(|line| line.starts_with("/slow"));
        assert!(row.is_some_and(|row| row.contains(" STUCK ")), "{row:?}");
        scene.keys("Home");
        select(&mut scene, "/slow");
        scene.keys("Enter");
        let text = scene.text();
        for words in [
            "STUCK for 9s",
            "Who waits: 1 of 2 waits",
            "10 slowed",
            "What frees it",
        ] {
            assert!(text.contains(words), "{words}\n{text}");
        }
    }
}

#[test]
fn a_cache_load_at_memory_high_is_not_stuck() {
    let mut scene = Scene::new(120, 36);
    run(&mut scene, 100, 30, cache_load);
    assert!(!scene.text().contains("STUCK"), "{}", scene.text());
}

#[test]
fn the_next_sample_reads_where_the_stuck_wait() {
    let mut scene = Scene::new(120, 36);
    run(&mut scene, 100, 10, throttled);
    let asked = scene.effects.iter().rev().find_map(|effect| match effect {
        Effect::Sample(needs) => Some(needs.waiting.clone()),
        _ => None,
    });
    let pids: Vec<u32> = asked.expect("a sample").iter().map(|id| id.pid).collect();
    assert_eq!(pids, [10, 11], "who sleeps comes first");
    scene.keys("d");
    select(&mut scene, "/slow");
    scene.keys("Enter");
    let mut sample = (*scene.state.snapshot).clone();
    let hog = sample.processes[0].id;
    sample.waiting = vec![Waiter {
        id: hog,
        threads: 1,
        place: Some("mem_cgroup_handle_over_high".to_owned()),
    }];
    sample.seq += 1;
    sample.taken = moment(110);
    scene.tell(Msg::Sampled(Arc::new(sample)));
    let text = scene.text();
    assert!(
        text.contains("10 slowed in mem_cgroup_handle_over_high"),
        "{text}"
    );
}

#[test]
fn a_v1_group_with_its_killer_off_and_a_group_of_immune_processes_are_stuck() {
    let of = |change: fn(&mut Cgroup, u64), adj| {
        let mut scene = Scene::new(120, 36);
        run(&mut scene, 100, 8, |second| {
            let mut full = group("/full", Some(0), 100, 100);
            full.stat = Some(group_stat(100, 0));
            full.limits.swap_max = Some(0);
            change(&mut full, second);
            let groups = vec![group("/", None, 0, 0), full];
            (groups, vec![process(10, "leak", 100, adj, 1)])
        });
        scene.text()
    };
    let off = of(
        |group, _| {
            group.limits.kill_disabled = true;
            group.under_oom = true;
        },
        0,
    );
    assert!(
        off.contains("/full is full and its OOM killer is off"),
        "{off}"
    );
    let immune = of(
        |group, second| {
            group.events.oom = Some(second * 50);
            group.events.own_oom = group.events.oom;
        },
        -1000,
    );
    assert!(
        immune.contains("/full is full and nobody in it can be killed"),
        "{immune}"
    );
    assert!(
        immune.contains("Kills free at most 0B of 100M: no kill can end this"),
        "{immune}"
    );
    let rests = of(|group, _| group.events.oom = Some(7), -1000);
    assert!(!rests.contains("STUCK"), "{rests}");
}

#[test]
fn a_host_that_thrashes_is_said() {
    let mut scene = Scene::new(120, 36);
    for second in 100..110 {
        let mut sample = snapshot(second, processes());
        let full = Stall {
            avg10: 62.0,
            total: second * 600_000,
            ..Stall::default()
        };
        sample.pressure = Some(Pressure { some: full, full });
        sample.reclaim = ReclaimCounters {
            swapped_in: Some(second * 900),
            refaults: Some(second * 1_500),
        };
        scene.tell(Msg::Tick(moment(second)));
        scene.tell(Msg::Sampled(Arc::new(sample)));
    }
    let text = scene.text();
    assert!(
        text.contains("the host thrashes: all tasks wait 62.0% of the time"),
        "{text}"
    );
}

#[test]
fn a_group_full_of_files_is_said_before_the_kernel_finds_out_and_a_calm_one_is_not() {
    let of = |anon: u64, shmem: u64| {
        let mut scene = Scene::new(120, 36);
        run(&mut scene, 100, 4, |_| {
            let mut full = group("/full", Some(0), 100, anon + shmem);
            full.limits.swap_max = Some(0);
            full.stat = Some(group_stat(anon, shmem));
            let groups = vec![group("/", None, 0, 0), full];
            let mut leak = process(10, "leak", anon, 0, 1);
            if let Some(memory) = &mut leak.memory {
                memory.anon = memory.rss;
            }
            (groups, vec![leak])
        });
        scene.text()
    };
    let files = of(2, 97);
    assert!(
        files.contains("/full: Kills free at most 2.0M of 99M: no kill can end this"),
        "{files}"
    );
    assert!(files.contains("m: where it is"), "{files}");
    let programs = of(97, 2);
    assert!(!programs.contains("A kill frees"), "{programs}");
}

fn page(scene: &mut Scene, account: Account) -> String {
    scene.tell(Msg::Ledger(Arc::new(Ok(account))));
    scene.text()
}

#[test]
fn the_page_asks_for_its_numbers_only_while_it_is_open() {
    let mut scene = Scene::new(120, 50);
    scene.sample(processes());
    assert_eq!(scene.asked(), [], "never while it is closed");
    scene.keys("m");
    assert_eq!(scene.asked(), [Effect::ReadLedger(Place::Host)]);
    assert!(scene.text().contains("reading …"), "{}", scene.text());
    scene.sample(processes());
    assert_eq!(scene.asked(), [], "not with every sample");
    for _ in 0..3 {
        scene.sample(processes());
    }
    assert_eq!(scene.asked(), [Effect::ReadLedger(Place::Host)]);
    scene.keys("m");
    for _ in 0..5 {
        scene.sample(processes());
    }
    assert_eq!(scene.asked(), []);
    assert!(!scene.text().contains("Where the memory is"));
}

#[test]
fn the_page_names_what_holds_each_kind() {
    let sample = whole::snapshot(CgroupVersion::V2);
    let host = whole::accounts(&sample).remove(0);
    let mut scene = Scene::new(120, 60);
    scene.tell(Msg::Sampled(Arc::new(sample)));
    scene.keys("m");
    let text = page(&mut scene, host.clone());
    for words in [
        "Kills free at most",
        "used is 6442450944 bytes: MemTotal",
        "No kill frees",
        "tmpfs files",
        "/dev/shm of 4.0G in the mounts of 1892 java",
        "/model",
        "segment 7 of tomcat, made by 1892 java: nobody uses it: ipcrm -m 7",
        "memfd cache, open in 1892 java",
        "dentry",
        "uncounted",
        "Not known: some open memfds",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    // The next quick answer comes without files: those on the screen stay until the new ones are there.
    let quick = Account {
        looked_at_files: false,
        mounts: Vec::new(),
        ..host
    };
    assert!(page(&mut scene, quick).contains("/model"));
    let refused = Msg::Ledger(Arc::new(Err("/proc/meminfo cannot be read".to_owned())));
    scene.tell(refused);
    assert!(scene.text().contains("/proc/meminfo cannot be read"));
}

#[test]
fn a_domains_page_is_pinned_to_its_group() {
    let mut scene = Scene::new(120, 50);
    run(&mut scene, 100, 3, throttled);
    scene.keys("d");
    select(&mut scene, "/slow");
    scene.asked();
    scene.keys("m");
    let asked = scene.asked();
    let [Effect::ReadLedger(Place::Group { path, members, .. })] = &asked[..] else {
        panic!("{asked:?}");
    };
    assert_eq!((path.as_str(), &members[..]), ("/slow", &[10, 11][..]));
    let own = Account {
        group: Some(path.clone()),
        ledger: Ledger::new(64 * MIB, [(Kind::Private, Some(60 * MIB))]),
        ..Account::default()
    };
    let text = page(&mut scene, own);
    assert!(text.contains("Where the memory is: /slow"), "{text}");
    assert!(text.contains("60M  93.8%"), "{text}");
    // The answer for another place is none for this one.
    let other = Account {
        ledger: Ledger::new(9 * GIB, [(Kind::Tmpfs, Some(GIB))]),
        ..Account::default()
    };
    assert!(!page(&mut scene, other).contains("tmpfs files"));
    run(&mut scene, 103, 1, |second| {
        let (mut groups, processes) = throttled(second);
        groups[1].present = false;
        (groups, processes)
    });
    assert!(
        scene.text().contains("This group is gone."),
        "{}",
        scene.text()
    );
}

#[test]
fn the_details_of_a_domain_lead_to_its_page_and_back() {
    let mut scene = Scene::new(120, 36);
    run(&mut scene, 100, 3, throttled);
    scene.keys("d");
    select(&mut scene, "/slow");
    scene.keys("Enter m");
    assert!(scene.text().contains("Where the memory is: /slow"));
    scene.keys("Esc");
    assert!(
        scene.text().contains("OOM domain /slow"),
        "{}",
        scene.text()
    );
}
