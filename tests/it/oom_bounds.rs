//! Regressions from fuzzing and big logs: memory stays bounded, broken lines are joined again.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::fmt::Write;

use oomtop::oomlog::{OomEvent, TextLog};

/// More than a report keeps of any list.
const LINES: usize = 6000;

fn chunked(log: &str) -> Vec<OomEvent> {
    let mut events = Vec::new();
    let mut text = TextLog::new();
    text.chunk(log.as_bytes(), &mut events);
    text.finish(&mut events);
    events
}

fn by_line(log: &str) -> Vec<OomEvent> {
    let mut events = Vec::new();
    let mut text = TextLog::new();
    for line in log.split_inclusive('\n') {
        text.line(line.as_bytes(), &mut events);
    }
    text.finish(&mut events);
    events
}

fn killed(pid: usize) -> String {
    format!(
        "[    5.000000] Memory cgroup out of memory: Killed process {pid} (worker) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:4kB oom_score_adj:0\n"
    )
}

/// A group kill of many tasks: each line grows the same report. A reader that takes a megabyte at once
/// must not get a copy of the report, its table included, for every line.
#[test]
fn a_group_kill_is_not_copied_for_each_of_its_dead() {
    let dead = 3000;
    let mut log = String::from(
        "[    5.000000] worker invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n\
         [    5.000000] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name\n",
    );
    for pid in 1000..1000 + dead {
        writeln!(log, "[    5.000000] [{pid:>7}]     0 {pid:>5}        2        1     4096        0             0 worker").expect("written");
    }
    log += "[    5.000000] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,task_memcg=/a,task=worker,pid=1000,uid=0\n";
    log += &killed(1000);
    log += "[    5.000000] Tasks in /a are going to be killed due to memory.oom.group set\n";
    for pid in 1000..1000 + dead {
        log += &killed(pid);
    }
    let events = chunked(&log);
    assert!(events.len() < 10, "{} events for one report", events.len());
    let Some(OomEvent::Report(report)) = events.last() else {
        unreachable!("a report: {events:?}");
    };
    assert_eq!(report.kills.len(), dead);
    assert_eq!(
        report.kills[0].lines, 2,
        "the first victim is printed twice"
    );
}

/// A log that goes on for ever with lines of the same report.
#[test]
fn lists_of_a_report_have_an_end() {
    let mut log = String::from(
        "x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n",
    );
    for number in 0..LINES {
        writeln!(log, "Memory cgroup stats for /a{number}: cache:4KB").expect("written");
    }
    log += "Memory cgroup out of memory: Killed process 7 (x) total-vm:8kB, anon-rss:4kB, file-rss:0kB\n";
    for number in 0..LINES {
        writeln!(
            log,
            "oom_reaper: reaped process {number} (x), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB"
        )
        .expect("written");
    }
    let events = chunked(&log);
    let Some(OomEvent::Report(report)) = events.last() else {
        unreachable!("a report");
    };
    let memcg = report.memcg.as_ref().expect("statistics");
    assert!(memcg.stats.len() < 5000 && memcg.dropped > 0);
    assert_eq!(report.reaped.len(), 4096);
    assert_eq!(report.kills.len(), 1);
}

/// Found by the fuzzer: kernels up to 5.0 print the line without "Out of memory" in front.
#[test]
fn a_lone_line_is_found_among_others() {
    let noise = "[    4.000000] usb 1-1: new device\n".repeat(50);
    let line = "[    5.000000] Killed process 38 (java) total-vm:8kB, anon-rss:4kB, file-rss:0kB\n";
    let log = format!("{noise}{line}{noise}");
    assert_eq!(chunked(&log), by_line(&log));
    assert_eq!(chunked(&log).len(), 1);
}

/// Found by the fuzzer: after a line of interest the reader skipped lines, though a name with newlines went on.
#[test]
fn a_broken_line_is_followed_to_its_end() {
    let mut log = String::from("[    5.000000] Out of memory: Killed process 38 (e\n");
    for part in ["d", "d", "on", "e", "n", "", "", "", "", "", "", "d", "x"] {
        log += part;
        log.push('\n');
    }
    log += "[    6.000000] usb 1-1: new device\n";
    assert_eq!(chunked(&log), by_line(&log));
}

/// Found by the fuzzer: a stamp is untrusted text of the log too.
#[test]
fn nothing_of_a_log_is_printed_raw() {
    let log =
        "[\u{0}17:12:54]Killed process 2(x\u{1b}[2J) total-vm:8kB, anon-rss:4kB, file-rss:0kB\n";
    let events = chunked(log);
    assert!(!events.is_empty(), "a report");
    for event in events {
        let OomEvent::Report(report) = event else {
            continue;
        };
        let printed = oomtop::output::explain::report(&report, 1);
        assert!(
            printed.chars().all(|c| c == '\n' || !c.is_control()),
            "{printed:?}"
        );
    }
}
