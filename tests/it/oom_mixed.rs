//! Lines of several reports mixed without a caller: each "Killed process" line stays a kill of its own.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;

use oomtop::model::time::Monotonic;
use oomtop::oomlog::{LogRecord, OomAssembler, OomEvent, OomReport, TextLog};

const INVOKED: &str =
    "hog invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0";
const TABLE: &str = "[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name";

fn row(pid: u32, name: &str) -> String {
    format!(
        "[{pid:>7}]     0 {pid:>5}     5041     3640     2272     1368         0    81920        0             0 {name}"
    )
}

fn chosen(memcg: &str, name: &str, pid: u32) -> String {
    format!(
        "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg={memcg},task_memcg={memcg},task={name},pid={pid},uid=0"
    )
}

fn killed(pid: u32, name: &str) -> String {
    sized(pid, name, 8)
}

fn sized(pid: u32, name: &str, kb: u32) -> String {
    format!(
        "Memory cgroup out of memory: Killed process {pid} ({name}) total-vm:{kb}kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:4kB oom_score_adj:0"
    )
}

fn group(path: &str) -> String {
    format!("Tasks in {path} are going to be killed due to memory.oom.group set")
}

fn latest(events: Vec<OomEvent>) -> Vec<Arc<OomReport>> {
    let mut reports = BTreeMap::new();
    for event in events {
        if let OomEvent::Report(report) = event {
            reports.insert(report.key, report);
        }
    }
    reports.into_values().collect()
}

fn records(records: impl IntoIterator<Item = LogRecord>) -> Vec<Arc<OomReport>> {
    let mut assembler = OomAssembler::new();
    let mut events = Vec::new();
    for (at, record) in (1..).zip(records) {
        let at = Some(Monotonic(at * 100));
        assembler.feed(LogRecord { at, ..record }, &mut events);
    }
    assembler.finish(&mut events);
    latest(events)
}

fn lines(lines: &[&str]) -> Vec<Arc<OomReport>> {
    records(lines.iter().map(|line| LogRecord::bare(*line)))
}

/// Who died in each report, with the thread that the kernel named instead.
fn deaths(reports: &[Arc<OomReport>]) -> Vec<Vec<(u32, Option<u32>)>> {
    let of = |report: &Arc<OomReport>| {
        let kills = report.kills.iter();
        kills.map(|kill| (kill.pid, kill.thread)).collect()
    };
    reports.iter().map(of).collect()
}

#[test]
fn a_member_of_a_group_is_no_thread_of_a_process_that_another_report_has_just_chosen() {
    // All rows of both tables are in the second report, which is open when they come.
    let mixed = lines(&[
        INVOKED,
        INVOKED,
        TABLE,
        &row(230, "big"),
        TABLE,
        &row(236, "big"),
        &row(237, "spared"),
        &chosen("/group", "big", 236),
        &killed(236, "big"),
        &group("/group"),
        &chosen("/one", "big", 230),
        &killed(237, "spared"),
        &killed(230, "big"),
        &killed(238, "leaker"),
    ]);
    assert_eq!(
        deaths(&mixed),
        [
            vec![(230, None)],
            vec![(236, None), (237, None)],
            vec![(238, None)]
        ]
    );
}

#[test]
fn what_was_taken_for_a_thread_is_a_kill_of_its_own_once_the_process_is_killed() {
    // A kill whose report the log has lost comes between a choice and its kill.
    let stranger = killed(237, "spared");
    let mixed = lines(&[
        INVOKED,
        &chosen("/one", "big", 230),
        &stranger,
        &killed(230, "big"),
    ]);
    assert_eq!(deaths(&mixed), [vec![(230, None)], vec![(237, None)]]);
    let raw: Vec<_> = mixed
        .iter()
        .map(|report| report.raw.lines().count())
        .collect();
    assert_eq!(raw, [3, 1], "its line is in its own report");
    assert_eq!(mixed[1].raw.lines().next(), Some(stranger.as_str()));
    assert_eq!(mixed[1].at, Some(Monotonic(300)));

    // The same when a group kill without a table goes on.
    let mixed = lines(&[
        INVOKED,
        &chosen("/group", "big", 236),
        &killed(236, "big"),
        &group("/group"),
        INVOKED,
        &chosen("/one", "big", 230),
        &stranger,
        &killed(230, "big"),
        &killed(238, "leaker"),
    ]);
    assert_eq!(
        deaths(&mixed),
        [
            vec![(236, None), (237, None), (238, None)],
            vec![(230, None)]
        ]
    );

    // Two choices wait, and each takes the other's kill for that of a thread.
    let mixed = lines(&[
        INVOKED,
        &chosen("/a", "big", 1),
        INVOKED,
        &chosen("/b", "big", 2),
        &killed(3, "big"),
        &killed(4, "big"),
        &killed(2, "big"),
        &killed(1, "big"),
    ]);
    let mut all: Vec<_> = deaths(&mixed).concat();
    all.sort_unstable();
    assert_eq!(all, [1, 2, 3, 4].map(|pid| (pid, None)));
}

#[test]
fn one_pid_on_two_machines_is_two_kills() {
    for (one, two) in [
        (killed(9, "hog"), killed(9, "pig")),
        (sized(9, "hog", 8), sized(9, "hog", 9)),
    ] {
        assert_eq!(lines(&[&one, &two]).len(), 2, "{two}");
        // Neither does a group kill take it for its own victim.
        let mixed = lines(&[
            INVOKED,
            &chosen("/g", "hog", 9),
            &one,
            &group("/g"),
            &killed(9, "other"),
            &killed(10, "hog"),
        ]);
        assert_eq!(
            deaths(&mixed),
            [vec![(9, None), (10, None)], vec![(9, None)]]
        );
        // A log that was pasted twice has the kill once.
        let pasted = lines(&[&one, &two, &one, &two]);
        assert_eq!(deaths(&pasted), [vec![(9, None)], vec![(9, None)]]);
    }
    // The first victim of a group is printed again, while it may still map memory.
    let again = lines(&[
        INVOKED,
        &chosen("/g", "hog", 9),
        &sized(9, "hog", 8),
        &group("/g"),
        &sized(9, "hog", 12),
    ]);
    assert_eq!(deaths(&again), [vec![(9, None)]]);
    assert_eq!(again[0].kills[0].lines, 2);
}

#[test]
fn a_group_is_not_another_one_whose_name_begins_alike() {
    let mixed = lines(&[
        &chosen("/a", "hog", 1),
        &killed(1, "hog"),
        &chosen("/ab", "hog", 2),
        &killed(2, "hog"),
        &group("/a"),
        &killed(3, "hog"),
    ]);
    let groups: Vec<_> = mixed.iter().map(|r| r.oom_group.as_deref()).collect();
    assert_eq!(groups, [Some("/a"), None]);
    assert_eq!(
        deaths(&mixed),
        [vec![(1, None), (3, None)], vec![(2, None)]]
    );
}

#[test]
fn a_caller_does_not_join_the_group_kill_of_another() {
    let by = |caller: &str, text: &str| LogRecord {
        caller: Some(caller.to_owned()),
        ..LogRecord::bare(text)
    };
    let mixed = records([
        by("T1", INVOKED),
        by("T1", &chosen("/g", "hog", 1)),
        by("T1", &killed(1, "hog")),
        by("T1", &group("/g")),
        by("T2", &killed(2, "hog")),
        by("T1", &killed(3, "hog")),
    ]);
    assert_eq!(
        deaths(&mixed),
        [vec![(1, None), (3, None)], vec![(2, None)]]
    );
}

#[test]
fn who_shares_the_memory_of_a_victim_that_the_log_has_lost_is_a_kill() {
    let shares = "Kill process 4223 (child) sharing same memory";
    let alone = lines(&[shares]);
    assert_eq!(deaths(&alone), [vec![(4223, None)]]);
    assert_eq!(alone[0].kills[0].comm, "child");
    // With the victim it is no kill of its own; a report that began in between takes nothing of it.
    let both = lines(&[&killed(4222, "parent"), INVOKED, shares]);
    assert_eq!(deaths(&both), [vec![(4222, None)], vec![]]);
    assert_eq!(both[0].shared_memory, [4223]);
}

#[test]
fn a_kill_is_no_continuation_of_another_line() {
    for before in ["usb 1-1: new device".to_owned(), killed(1, "hog")] {
        let last = LogRecord {
            continues: true,
            ..LogRecord::bare(killed(2, "hog"))
        };
        let mixed = records([LogRecord::bare(before.as_str()), last]);
        let all = deaths(&mixed).concat();
        assert_eq!(all.last(), Some(&(2, None)), "after {before}");
    }
}

#[test]
fn kills_without_a_newline_between_them_are_all_read() {
    let old = "Killed process 3 (a (b)) total-vm:1kB, anon-rss:2kB, file-rss:3kB";
    let whole = killed(1, "hog");
    for text in [
        format!("{whole}{}", killed(2, "Out of memory")),
        format!("{whole}\n{}", killed(2, "pig")),
        format!("{whole}[   12.345678] {}", killed(2, "pig")),
        format!("{}{old}", killed(2, "hog")).replace("process 3", "process 1"),
        format!("{old}{}", killed(2, "hog")).replace("process 3", "process 1"),
        format!(
            "{whole}[    1.000000] pig invoked oom-killer: gfp_mask=0x0(), order=0, oom_score_adj=0{}",
            killed(2, "pig")
        ),
    ] {
        let mut all = deaths(&lines(&[&text])).concat();
        all.sort_unstable();
        assert_eq!(all, [(1, None), (2, None)], "{text}");
        let mut log = TextLog::new();
        let mut events = Vec::new();
        log.chunk(format!("[    1.000000] {text}\n").as_bytes(), &mut events);
        log.finish(&mut events);
        let mut all = deaths(&latest(events)).concat();
        all.sort_unstable();
        assert_eq!(all, [(1, None), (2, None)], "as text: {text}");
    }
    // No process name is long enough to hold such a line, but the name of a device is.
    assert!(lines(&[&format!("usb 1-1: Product: {whole}")]).is_empty());
    // As many as there are.
    let many = (1..=3000).map(|pid| killed(pid, "hog")).collect::<String>();
    assert_eq!(lines(&[&many]).len(), 3000);
    let odd = lines(&[&killed(1, "Killed process ")]);
    assert_eq!(odd[0].kills[0].comm, "Killed process ");
}
