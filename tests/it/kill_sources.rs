//! What the screen says of kills that other programs did, of the logs that tell of kills, and of what is too much to
//! keep.

use std::sync::Arc;

use crate::common::scene::{Scene, host, kill_report, moment, process, processes, snapshot};
use crate::common::shop::{group, run};
use oomtop::app::msg::Msg;
use oomtop::app::settings::Settings;
use oomtop::app::view::events::{Entry, EventLog};
use oomtop::model::cgroup::GroupPressure;
use oomtop::model::event_source::EventSource;
use oomtop::model::killers::RunningKiller;
use oomtop::model::snapshot::KillCounters;
use oomtop::oomlog::{
    Killer, OomEvent, OomReport, Outcome, Provenance, ReportKey, TaskRow, TaskTable, UserspaceKill,
};
use oomtop::output::table::Paper;

fn by_oomd(key: u64, second: u64, cgroup: &str) -> Msg {
    Msg::Oom(OomEvent::Userspace(Arc::new(UserspaceKill {
        key: ReportKey(key),
        killer: Killer::SystemdOomd,
        source: Provenance::Vouched,
        survived: false,
        at: Some(moment(second).monotonic),
        stamp: None,
        pid: None,
        comm: None,
        cgroup: Some(cgroup.to_owned()),
        processes: None,
        signal: None,
        rss_kb: None,
        reason: Some("memory pressure for /a.slice being 63.37% > 5.00%".to_owned()),
        text: format!("Killed {cgroup} due to memory pressure for /a.slice being 63.37% > 5.00%"),
    })))
}

fn reported(report: OomReport) -> Msg {
    Msg::Oom(OomEvent::Report(Arc::new(report)))
}

#[test]
fn a_kill_by_a_program_is_a_row_in_its_place_a_notice_and_no_kill_of_the_kernel() {
    let mut scene = Scene::new(200, 50);
    scene.tell(reported(kill_report(8, 1, 801, "first", None)));
    scene.tell(reported(kill_report(9, 5, 805, "second", None)));
    let kernel = scene.state.events.kills();
    // The journal comes later than the ring, and its kill lies between the two.
    scene.tell(by_oomd(1000, 3, "/a.slice/b.service"));
    let text = scene.text();
    let row = "systemd-oomd killed /a.slice/b.service  memory pressure for /a.slice being 63.37%";
    let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what}: {text}"));
    let pane = at("OOM events");
    let (second, between, first) = (at("805 second "), at(row), at("801 first "));
    assert!(
        pane < second && second < between && between < first,
        "{text}"
    );
    assert!(
        text.contains("systemd-oomd killed /a.slice/b.service"),
        "{text}"
    );
    assert_eq!(scene.state.events.kills(), kernel);
    // More about the same kill is the same row.
    let rows = scene.state.events.len();
    scene.tell(by_oomd(1000, 3, "/a.slice/b.service"));
    assert_eq!(scene.state.events.len(), rows);
}

#[test]
fn the_title_names_the_live_logs_and_a_killer_that_is_not_heard() {
    let mut scene = Scene::new(160, 36);
    let source = |name: &str, unheard: &str| {
        Msg::Source(EventSource {
            name: name.to_owned(),
            unheard: unheard.to_owned(),
            caught_up: true,
            ..EventSource::default()
        })
    };
    scene.tell(source("/dev/kmsg + journal", ""));
    assert!(
        scene.text().contains("live from /dev/kmsg + journal"),
        "{}",
        scene.text()
    );
    scene.tell(source("/dev/kmsg", "journal: it shows no record"));
    let text = scene.text();
    assert!(
        text.contains("live from /dev/kmsg ") && !text.contains("not seen"),
        "nobody who could kill runs: {text}"
    );
    let mut sample = snapshot(3, processes());
    let id = sample.processes[0].id;
    sample.killers = Arc::new(vec![RunningKiller::unread(Killer::Earlyoom, id, "n")]);
    scene.tell(Msg::Sampled(Arc::new(sample)));
    let text = scene.text();
    assert!(
        text.contains("kills by earlyoom are not seen: journal: it shows no record"),
        "{text}"
    );
}

#[test]
fn the_events_are_bounded_in_bytes_and_no_kill_is_forgotten() {
    let mut log = EventLog::default();
    let tasks = Arc::new(TaskTable {
        rows: vec![TaskRow::default(); 500],
        ..TaskTable::default()
    });
    let big = |key: u64| {
        let mut report = kill_report(
            key,
            1,
            u32::try_from(key).expect("small"),
            "hog",
            Some("/a"),
        );
        report.tasks = Some(Arc::clone(&tasks));
        report
    };
    let weight = |log: &EventLog| -> usize {
        let reports = log.entries().filter_map(|entry| match entry {
            Entry::Report { report, .. } => Some(report.weight()),
            _ => None,
        });
        reports.sum()
    };
    let mut most = 0;
    for key in 1..=2500 {
        log.accept(OomEvent::Report(Arc::new(big(key))), &[]);
        if key % 100 == 0 {
            most = most.max(weight(&log));
        }
    }
    assert!(most < 5 << 20, "{most} bytes");
    assert!(log.entries().count() <= 2000);
    assert_eq!(log.kills(), 2500, "those of dropped rows count too");
    let mut reports = log.entries().filter_map(|entry| match entry {
        Entry::Report { report, .. } => Some(report),
        _ => None,
    });
    let oldest = reports.next().expect("one");
    assert!(oldest.shed && oldest.kills.len() == 1, "who died stays");
    assert!(!reports.last().expect("one").shed, "the newest is whole");
}

#[test]
fn a_flood_without_kills_pushes_no_kill_out() {
    let mut log = EventLog::default();
    log.accept(
        OomEvent::Report(Arc::new(kill_report(1, 1, 77, "hog", None))),
        &[],
    );
    for key in 2..2500 {
        let nobody = OomReport {
            outcome: Outcome::NobodyKillable,
            kills: Vec::new(),
            ..kill_report(key, 2, 0, "", Some("/full"))
        };
        log.accept(OomEvent::Report(Arc::new(nobody)), &[]);
    }
    assert!(log.entries().count() <= 2000);
    assert_eq!(log.last_kill().map(|kill| kill.pid), Some(77));
    // Gaps in a row are one.
    let rows = log.len();
    for lost in [5, 7, 9] {
        log.accept(OomEvent::Gap { at: None, lost }, &[]);
    }
    assert!(log.len() <= rows + 1);
    let last = log.entries().last();
    assert!(
        matches!(last, Some(Entry::Gap { lost: 21, .. })),
        "{last:?}"
    );
}

#[test]
fn a_full_group_in_which_nobody_can_be_killed_is_not_said_to_have_killed() {
    let mut scene = Scene::new(200, 50);
    let of = |_| {
        let groups = vec![group("/", None, 0, 0), group("/full", Some(0), 100, 100)];
        (groups, vec![process(10, "immune", 100, -1000, 1)])
    };
    run(&mut scene, 100, 3, of);
    scene.keys("d");
    let nobody = OomReport {
        outcome: Outcome::NobodyKillable,
        nobody_killable: true,
        kills: Vec::new(),
        ..kill_report(9, 102, 0, "", Some("/full"))
    };
    scene.tell(reported(nobody));
    run(&mut scene, 103, 2, of);
    let text = scene.text();
    let row = text
        .lines()
        .find(|line| line.starts_with("/full"))
        .expect("its row");
    assert!(row.contains(" OOM ") && !row.contains("KILLED"), "{row}");
}

#[test]
fn a_past_kill_does_not_hide_that_the_next_is_near() {
    let mut scene = Scene::new(200, 50);
    let of = |usage| {
        move |_| {
            let mut full = group("/full", Some(0), 100, usage);
            full.limits.swap_max = Some(0);
            let groups = vec![group("/", None, 0, 0), full];
            (groups, vec![process(10, "leak", usage, 0, 1)])
        }
    };
    run(&mut scene, 100, 3, of(30));
    scene.keys("d");
    scene.tell(reported(kill_report(9, 102, 11, "leak", Some("/full"))));
    run(&mut scene, 103, 2, of(30));
    let row = |scene: &Scene| {
        let text = scene.text();
        let row = text.lines().find(|line| line.starts_with("/full"));
        row.unwrap_or_else(|| panic!("{text}")).to_owned()
    };
    assert!(row(&scene).contains("KILLED"), "{}", row(&scene));
    assert!(row(&scene).contains("s)"), "{}", row(&scene));
    for (second, usage, band) in [(105, 75, "WARNING"), (109, 97, "CRITICAL")] {
        run(&mut scene, second, 4, of(usage));
        let near = row(&scene);
        assert!(near.contains(band) && near.contains("s)"), "{near}");
        assert!(!near.contains("KILLED"), "{near}");
    }
    // Who is named is alive.
    let text = scene.text();
    let header = text
        .lines()
        .find(|line| line.contains("Next victim"))
        .expect("it");
    assert!(!header.contains("killed in the last minute"), "{header}");
    assert!(header.contains("last kill there"), "{header}");
}

#[test]
fn a_group_that_is_slowed_down_at_memory_high_is_shown_and_nobody_in_it_is_a_victim() {
    let mut scene = Scene::new(200, 50);
    run(&mut scene, 100, 20, |second| {
        let mut slow = group("/slow", Some(0), 0, 100);
        slow.limits.high = Some(100 << 20);
        slow.events.high = Some(second * 30);
        slow.pressure = Some(GroupPressure {
            some: 2_000,
            full: 1_350,
            full_total: 0,
        });
        let mut calm = group("/calm", Some(0), 0, 10);
        calm.limits.high = Some(100 << 20);
        let groups = vec![group("/", None, 0, 0), slow, calm];
        (groups, vec![process(10, "slowed", 100, 0, 1)])
    });
    scene.keys("d");
    let text = scene.text();
    let row = |name: &str| {
        text.lines()
            .find(|line| line.starts_with(name))
            .expect("its row")
            .to_owned()
    };
    let slow = row("/slow");
    assert!(slow.contains("THROTTLED"), "{slow}");
    assert!(
        slow.contains("13.5%") && slow.contains("slowed down, not killed"),
        "{slow}"
    );
    assert!(!row("/calm").contains("THROTTLED"), "{text}");
    assert!(text.contains("2 with memory.high"), "{text}");
    scene.keys("Down Enter");
    assert!(
        scene.text().contains("memory.high is its only limit"),
        "{}",
        scene.text()
    );
}

#[test]
fn two_counts_of_kills_say_what_each_counts() {
    let mut scene = Scene::new(200, 50);
    let mut sample = snapshot(3, processes());
    sample.kills = KillCounters { host: Some(281) };
    // Older kills than the log's were counted before oomtop came.
    let mut log = EventLog::default();
    log.reconcile(&sample, &sample);
    log.accept(
        OomEvent::Report(Arc::new(kill_report(1, 1, 77, "hog", None))),
        &[],
    );
    scene.state.events = log;
    scene.tell(Msg::Sampled(Arc::new(sample.clone())));
    let text = scene.text();
    let both = text.matches("1 logged of 281 since boot").count();
    assert_eq!(both, 2, "header and pane: {text}");
    // The kernel's threads are not in the table.
    let mut kthread = process(2, "kthreadd", 0, 0, 0);
    kthread.kernel_thread = true;
    let user = sample.processes.iter().filter(|p| !p.kernel_thread).count();
    sample.processes.push(kthread);
    let all = sample.processes.len();
    scene.tell(Msg::Sampled(Arc::new(sample)));
    let procs = format!("{user} procs, {} kthr", all - user);
    assert!(scene.text().contains(&procs), "{procs}: {}", scene.text());
}

#[test]
fn who_cannot_see_all_processes_says_so_beside_the_victim() {
    let host = oomtop::model::snapshot::Host {
        hidepid: true,
        ..host()
    };
    let mut scene = Scene::with(160, 36, Settings::default(), host.clone());
    scene.sample(processes());
    assert!(
        scene.text().contains("Next victim among those visible: "),
        "{}",
        scene.text()
    );
    let sample = snapshot(1, processes());
    let marks = oomtop::app::view::processes::marks::Marks::new(&sample);
    let plain = |host: &oomtop::model::snapshot::Host| {
        oomtop::output::table::plain(
            &sample,
            host,
            &marks,
            &EventLog::default(),
            &Settings::default(),
            (moment(1), Paper::WHOLE),
        )
    };
    assert!(
        plain(&host).contains("Only this user's processes are visible"),
        "{}",
        plain(&host)
    );
    let all = oomtop::model::snapshot::Host {
        hidepid: false,
        ..host
    };
    assert!(!plain(&all).contains("visible"));
}
