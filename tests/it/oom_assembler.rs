//! When the assembler emits events: none is delayed, none is counted twice.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use oomtop::model::time::Monotonic;
use oomtop::oomlog::{
    Constraint, LogRecord, OomAssembler, OomEvent, OomReport, Outcome, ReportKey, TextLog,
};

/// Feeds lines with a stamp and a sequence number of their own.
#[derive(Default)]
struct Machine {
    assembler: OomAssembler,
    seq: u64,
    micros: u64,
}

impl Machine {
    fn says(&mut self, text: &str) -> Vec<OomEvent> {
        self.record(LogRecord::bare(text))
    }

    fn record(&mut self, record: LogRecord) -> Vec<OomEvent> {
        self.seq += 1;
        self.micros += 100;
        let mut events = Vec::new();
        let record = LogRecord {
            seq: Some(self.seq),
            at: Some(Monotonic(self.micros)),
            ..record
        };
        self.assembler.feed(record, &mut events);
        events
    }

    fn report(&mut self, text: &str) -> Arc<OomReport> {
        match self.says(text).as_slice() {
            [.., OomEvent::Report(report)] => Arc::clone(report),
            other => panic!("{text}: {other:?}"),
        }
    }

    fn quiet(&mut self, text: &str) {
        assert_eq!(self.says(text), [], "{text}");
    }
}

const INVOKED: &str =
    "hog invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0";
const CPU: &str = "CPU: 0 UID: 0 PID: 9 Comm: hog Not tainted 6.18.0 #1";
const KILLED: &str = "Out of memory: Killed process 9 (hog) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:4kB oom_score_adj:0";

fn chosen(memcg: &str, pid: u32) -> String {
    format!(
        "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg={memcg},task_memcg={memcg},task=hog,pid={pid},uid=0"
    )
}

fn memcg_killed(pid: u32) -> String {
    format!(
        "Memory cgroup out of memory: Killed process {pid} (hog) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:4kB oom_score_adj:0"
    )
}

#[test]
fn a_victim_whose_main_thread_has_ended_is_one_kill() {
    // The table tells the process of a thread.
    let mut log = TextLog::new();
    let mut events = Vec::new();
    let text = include_bytes!("../fixtures/dead-leader.dmesg");
    log.chunk(text, &mut events);
    log.finish(&mut events);
    let reports: std::collections::BTreeMap<_, _> = events
        .iter()
        .filter_map(|event| match event {
            OomEvent::Report(report) => Some((report.key, Arc::clone(report))),
            _ => None,
        })
        .collect();
    assert_eq!(reports.len(), 1, "one report");
    let report = reports.values().next().expect("one");
    assert_eq!(report.outcome, Outcome::Killed);
    let [kill] = report.kills.as_slice() else {
        panic!("{:?}", report.kills);
    };
    assert_eq!((kill.pid, kill.thread), (314, Some(315)));
    assert_eq!((kill.comm.as_str(), kill.adj), ("z-leader", Some(50)));
    let ranking = oomtop::oomlog::analysis::ranking::ranking(report).expect("a table");
    assert!(ranking.place(314).is_some(), "it is in the ranking");

    // Without a table, the line that follows the choice.
    let mut machine = Machine::default();
    machine.report(INVOKED);
    machine.report(&chosen("/a", 8));
    let report = machine.report(&memcg_killed(9));
    assert_eq!(report.kills.len(), 1);
    assert_eq!((report.kills[0].pid, report.kills[0].thread), (8, Some(9)));
    assert!(report.has_header);
    let report = machine.report(
        "oom_reaper: reaped process 9 (hog), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB",
    );
    assert!(report.kills[0].reaped);

    // Another process, whose report the rate limit kept back, is no thread of the one before.
    let mut machine = Machine::default();
    machine.report(INVOKED);
    machine.report(&chosen("/a", 8));
    machine.report(&memcg_killed(8));
    let other = machine.report(&memcg_killed(9));
    assert!(!other.has_header);
    assert_eq!((other.kills[0].pid, other.kills[0].thread), (9, None));
}

#[test]
fn a_flood_of_reports_without_a_victim_is_one_row_though_lines_are_lost() {
    let mut machine = Machine::default();
    let group = "Memory cgroup stats for /full:";
    let nobody = "Out of memory and no killable processes...";
    machine.report(INVOKED);
    machine.says(group);
    let first = machine.report(nobody);
    assert_eq!(first.oom_memcg.as_deref(), Some("/full"));
    let mut last = first.clone();
    for round in 0..200 {
        // What is left of each of them differs; the group is never among it.
        let lines: &[&str] = match round % 4 {
            0 => &[INVOKED, group, nobody],
            1 => &[INVOKED, nobody],
            2 => &[nobody],
            _ => &[INVOKED],
        };
        for line in lines {
            for event in machine.says(line) {
                match event {
                    OomEvent::Report(report) => last = report,
                    other => panic!("{other:?}"),
                }
                assert_eq!(last.key, first.key, "round {round}: {line}");
            }
        }
    }
    // The newest heads without an end may still become something else.
    assert!(last.repeats >= 140, "{}", last.repeats);
    // A kill after them is a row of its own.
    machine.says(INVOKED);
    machine.says(&chosen("/other", 7));
    let kill = machine.report(&memcg_killed(7));
    assert_ne!(kill.key, first.key);
    assert_eq!(kill.kills.len(), 1);
}

#[test]
fn each_step_is_told_with_its_line_under_one_key() {
    let mut machine = Machine::default();
    let pending = machine.report(INVOKED);
    assert_eq!(
        (pending.outcome, pending.has_header),
        (Outcome::Pending, true)
    );
    machine.quiet(CPU);
    machine.quiet("Mem-Info:");
    let decided = machine.report(
        "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/a.slice,task=hog,pid=9,uid=0",
    );
    assert_eq!(decided.constraint, Some(Constraint::None));
    assert_eq!(decided.trigger.as_ref().and_then(|t| t.pid), Some(9));
    let killed = machine.report(KILLED);
    assert_eq!(
        (killed.outcome, killed.kills[0].anon_rss_kb),
        (Outcome::Killed, Some(4))
    );
    assert_eq!(killed.kills[0].at, Some(Monotonic(500)));
    let reaped = machine.report(
        "oom_reaper: reaped process 9 (hog), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB",
    );
    assert!(reaped.kills[0].reaped);
    for report in [&decided, &killed, &reaped] {
        assert_eq!(report.key, pending.key);
    }
    assert_eq!(reaped.raw.lines().count(), 6);
}

#[test]
fn a_victim_without_a_report_is_one_of_its_own() {
    let mut machine = Machine::default();
    let _ = machine.report(INVOKED);
    let first = machine.report(KILLED);
    let second = machine.report(&memcg_killed(10));
    let third = machine.report(&memcg_killed(11));
    assert_eq!([first.key, second.key, third.key], [1, 2, 3].map(ReportKey));
    assert!(!second.has_header);
    assert_eq!(second.constraint, Some(Constraint::Memcg));
    assert_eq!(second.kills.len(), 1);
}

#[test]
fn a_group_kill_counts_every_pid_once() {
    let mut machine = Machine::default();
    let _ = machine.report(INVOKED);
    let _ = machine.report(&chosen("/g", 20));
    let _ = machine.report(&memcg_killed(20));
    let _ = machine.report("Tasks in /g are going to be killed due to memory.oom.group set");
    let _ = machine.report(&memcg_killed(21));
    let last = machine.report(&memcg_killed(20));
    let pids: Vec<(u32, bool)> = last.kills.iter().map(|k| (k.pid, k.group_member)).collect();
    assert_eq!(pids, [(20, false), (21, true)]);
    assert_eq!(last.oom_group.as_deref(), Some("/g"));
}

#[test]
fn what_repeats_without_a_victim_is_one_report() {
    let mut machine = Machine::default();
    let round = |machine: &mut Machine, memcg: &str| {
        let mut events = machine.says(INVOKED);
        events.extend(machine.says(CPU));
        events.extend(machine.says("memory: usage 40960kB, limit 40960kB, failcnt 75"));
        events.extend(machine.says(&format!("Memory cgroup stats for {memcg}:")));
        events.extend(machine.says("Out of memory and no killable processes..."));
        let OomEvent::Report(report) = events.last().expect("events").clone() else {
            panic!("no report");
        };
        let keys: Vec<_> = events
            .iter()
            .map(|event| match event {
                OomEvent::Report(report) => report.key,
                other @ (OomEvent::Gap { .. } | OomEvent::Userspace(_)) => panic!("{other:?}"),
            })
            .collect();
        (report, keys)
    };
    let (first, _) = round(&mut machine, "/stuck");
    assert_eq!((first.outcome, first.repeats), (Outcome::NobodyKillable, 0));
    for repeats in 1..=1000 {
        let (report, keys) = round(&mut machine, "/stuck");
        assert_eq!((report.repeats, report.key), (repeats, first.key));
        assert_eq!(keys, [first.key], "a repeat shows no report of its own");
    }
    let (other, _) = round(&mut machine, "/other");
    assert_ne!(other.key, first.key);
    // A kill in the same cgroup is no repeat.
    machine.quiet(INVOKED);
    machine.quiet("Memory cgroup stats for /stuck:");
    let killed = machine.report(&chosen("/stuck", 30));
    assert!(killed.key > other.key);
    assert_eq!(machine.report(&memcg_killed(30)).kills.len(), 1);
}

#[test]
fn lost_records_show_once_and_mark_the_open_report() {
    let mut machine = Machine::default();
    let _ = machine.report(INVOKED);
    machine.seq += 7;
    assert_eq!(
        machine.says(CPU),
        [OomEvent::Gap {
            at: Some(Monotonic(200)),
            lost: 7
        }]
    );
    // EPIPE already reported this gap: the jump in sequence numbers must not report it again.
    let mut events = Vec::new();
    machine.assembler.note_gap(0, None, &mut events);
    assert_eq!(events, [OomEvent::Gap { at: None, lost: 0 }]);
    machine.seq += 100;
    machine.quiet("Mem-Info:");
    assert!(machine.report(KILLED).gap);
}

#[test]
fn only_the_kernel_speaks() {
    let mut machine = Machine::default();
    let forged = LogRecord {
        facility: 1,
        ..LogRecord::bare(KILLED)
    };
    assert_eq!(machine.record(forged), []);
    // A newline inside a record separates nothing that decides.
    machine.quiet(&format!("usb 1-1: Product: x\n{KILLED}"));
}

#[test]
fn endings_without_a_victim() {
    let mut machine = Machine::default();
    let _ = machine.report(
        "kworker/0:1 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=-1, oom_score_adj=0",
    );
    let _ = machine.report("Out of memory and no killable processes...");
    let ignored = machine.report("sysrq: OOM request ignored. No task eligible");
    assert_eq!(
        (ignored.outcome, ignored.nobody_killable),
        (Outcome::Ignored, true)
    );

    let _ = machine.report(INVOKED);
    let panic = machine
        .report("Kernel panic - not syncing: Out of memory: system-wide panic_on_oom is enabled");
    assert_eq!(panic.outcome, Outcome::Panic);
    assert_eq!(
        panic.panic.as_deref(),
        Some("Out of memory: system-wide panic_on_oom is enabled")
    );

    let _ = machine.report(INVOKED);
    let exiting = machine
        .report("Out of memory: OOM victim 9 (hog) is already exiting. Skip killing the task");
    assert_eq!(exiting.already_exiting, [9]);
}

#[test]
fn old_kernels_kill_a_child_and_name_who_shares_the_memory() {
    let mut machine = Machine::default();
    let _ = machine.report("httpd invoked oom-killer: gfp_mask=0x201da, order=0, oom_score_adj=0");
    machine.quiet("[ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name");
    machine.quiet("[ 3855]     0  3855     1000      900      10        0          -500 parent");
    machine.quiet("[ 4222]     0  4222     1000      900      10        0           300 child");
    let _ =
        machine.report("Out of memory: Kill process 3855 (parent) score 900 or sacrifice child");
    let killed = machine
        .report("Killed process 4222 (child) total-vm:4000kB, anon-rss:3600kB, file-rss:0kB");
    assert_eq!(
        (killed.kills[0].pid, killed.kills[0].adj),
        (4222, Some(300))
    );
    assert_eq!(
        killed.chosen.as_ref().map(|c| (c.pid, c.score)),
        Some((3855, Some(900)))
    );
    let shared = machine.report("Kill process 4223 (child) sharing same memory");
    assert_eq!(shared.shared_memory, [4223]);
}

#[test]
fn callers_keep_two_processors_apart() {
    let mut machine = Machine::default();
    let mut by = |caller: &str, text: &str| {
        let record = LogRecord {
            caller: Some(caller.to_owned()),
            ..LogRecord::bare(text)
        };
        machine.record(record)
    };
    let lines = [
        ("T1", INVOKED.to_owned()),
        ("T2", INVOKED.replace("hog", "pig")),
        ("T2", "Memory cgroup stats for /b:".to_owned()),
        ("T1", "Memory cgroup stats for /a:".to_owned()),
        ("T2", "anon 2".to_owned()),
        ("T1", "anon 1".to_owned()),
        ("T2", memcg_killed(2)),
        ("T1", memcg_killed(1)),
    ];
    let mut last = Vec::new();
    for (caller, text) in &lines {
        for event in by(caller, text) {
            if let OomEvent::Report(report) = event {
                last.retain(|old: &Arc<OomReport>| old.key != report.key);
                last.push(report);
            }
        }
    }
    last.sort_by_key(|report| report.key);
    let seen: Vec<_> = last
        .iter()
        .map(|r| {
            (
                r.oom_memcg.as_deref(),
                r.kills[0].pid,
                r.memcg.as_ref().and_then(|m| m.stats[0].get("anon")),
            )
        })
        .collect();
    assert_eq!(seen, [(Some("/a"), 1, Some(1)), (Some("/b"), 2, Some(2))]);
}
