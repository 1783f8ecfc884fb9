//! No log text makes the reader panic, and noise between the lines hides no kill.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use crate::common::corpus::reports;
use oomtop::oomlog::{LogRecord, OomAssembler, OomEvent, OomReport, TextLog};
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// The raw records of every lab case, and the pids killed in it.
static CASES: LazyLock<Vec<(Vec<LogRecord>, Vec<u32>)>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/oom/lab");
    let mut names: Vec<_> = fs::read_dir(folder)
        .expect("fixtures")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "kmsg"))
        .collect();
    names.sort();
    let case = |path| {
        let log = fs::read(path).expect("fixture");
        let killed = pids(&reports(&log));
        assert!(!killed.is_empty());
        let records = log
            .split(|&byte| byte == b'\n')
            .filter_map(|line| LogRecord::parse_kmsg(line).ok())
            .map(|record| LogRecord {
                seq: None,
                ..record
            })
            .collect();
        (records, killed)
    };
    names.into_iter().map(case).collect()
});

fn pids(reports: &[Arc<OomReport>]) -> Vec<u32> {
    let mut pids: Vec<u32> = reports
        .iter()
        .flat_map(|report| report.kills.iter().map(|kill| kill.pid))
        .collect();
    pids.sort_unstable();
    pids
}

fn assemble(records: impl IntoIterator<Item = LogRecord>) -> Vec<Arc<OomReport>> {
    let mut assembler = OomAssembler::new();
    let mut events = Vec::new();
    for record in records {
        assembler.feed(record, &mut events);
    }
    assembler.finish(&mut events);
    let mut reports = BTreeMap::new();
    for event in events {
        if let OomEvent::Report(report) = event {
            reports.insert(report.key, report);
        }
    }
    reports.into_values().collect()
}

/// Lines that other parts of the kernel print, some of them much like those of a report.
fn noise() -> impl Strategy<Value = LogRecord> {
    let kernel = select(vec![
        "usb 1-1: device descriptor read/64, error -71",
        "kswapd0: page allocation failure: order:0, mode:0xc0c40(GFP_NOFS|__GFP_COMP), nodemask=(null)",
        "CPU: 4 UID: 0 PID: 156 Comm: kswapd0 Not tainted 6.19.0 #435",
        "Call Trace:",
        " dump_stack_lvl+0x5d/0x80",
        "Mem-Info:",
        "Node 0 DMA free:1808kB boost:0kB min:88kB low:108kB high:128kB",
        "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
        "[    999]     0   999     5043     3642    77824        0             0 stranger",
        "memory: usage 1kB, limit 2kB, failcnt 3",
        "Memory cgroup stats for /elsewhere:",
        "anon 1",
        "Tasks state (memory values in pages):",
        "INFO: task kworker/1:2:49 blocked for more than 120 seconds.",
        "Memory failure: 0x17d70a: Killing memhog:77 due to hardware memory corruption",
        "oom_reaper: reaped process 999 (stranger), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB",
        "process 12 (x) does not use Killed process ",
        "",
    ]);
    let any = prop_oneof![
        8 => kernel.prop_map(str::to_owned),
        1 => "\\PC{0,80}",
        1 => "[ -~\\n\\x1b]{0,60}",
    ];
    let facility = prop_oneof![3 => Just(0_u8), 1 => Just(1_u8)];
    (any, facility).prop_map(|(text, facility)| {
        let text = if facility == 1 {
            format!("Out of memory: Killed process 1 (init) total-vm:1kB {text}")
        } else {
            text
        };
        LogRecord {
            facility,
            ..LogRecord::bare(text)
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise_between_the_lines_loses_no_kill(
        case in any::<Index>(),
        noise in prop::collection::vec((any::<Index>(), noise()), 0..120),
    ) {
        let (records, killed) = case.get(&CASES);
        let mut mixed = records.clone();
        for (at, record) in noise {
            let at = at.index(mixed.len() + 1);
            let near = mixed.get(at.saturating_sub(1)).and_then(|record| record.at);
            mixed.insert(at, LogRecord { at: near, ..record });
        }
        prop_assert_eq!(&pids(&assemble(mixed)), killed);
    }

    #[test]
    fn two_machines_reports_interleaved_lose_no_kill(
        one in any::<Index>(),
        two in any::<Index>(),
        choices in prop::collection::vec(any::<bool>(), 0..600),
        callers in any::<bool>(),
    ) {
        let (one, one_killed) = one.get(&CASES);
        let (two, two_killed) = two.get(&CASES);
        // Two CPUs of one machine have one clock, and different processes.
        let begin = |records: &[LogRecord]| records.iter().find_map(|r| r.at).map_or(0, |at| at.0);
        let shift = begin(one);
        let base = begin(two);
        prop_assume!(one_killed.iter().all(|pid| !two_killed.contains(pid)));
        let mut left = one.iter().cloned().map(|r| LogRecord {
            caller: callers.then(|| "T1".to_owned()), ..r
        });
        let mut right = two.iter().cloned().map(|r| LogRecord {
            at: r.at.map(|at| oomtop::model::time::Monotonic(at.0 - base.min(at.0) + shift)),
            caller: callers.then(|| "T2".to_owned()),
            ..r
        });
        let mut mixed = Vec::new();
        for choice in choices {
            mixed.extend(if choice { left.next() } else { right.next() });
        }
        mixed.extend(left);
        mixed.extend(right);
        let mut known = [one_killed.as_slice(), two_killed.as_slice()].concat();
        known.sort_unstable();
        prop_assert_eq!(pids(&assemble(mixed)), known);
    }

    #[test]
    fn any_bytes_are_read(log in prop::collection::vec(any::<u8>(), 0..600)) {
        let mut text = TextLog::new();
        let mut events = Vec::new();
        for line in log.split(|&byte| byte == b'\n') {
            text.line(line, &mut events);
            let _ = LogRecord::parse_kmsg(line);
        }
        text.finish(&mut events);
    }

    #[test]
    fn damaged_reports_are_read(
        case in any::<Index>(),
        damage in prop::collection::vec((any::<Index>(), any::<u8>(), 0_usize..40), 0..30),
        prefix in select(vec!["", "[   12.345678] ", "Nov 22 10:00:00 host kernel: ", "<4>", "{\"log\":\""]),
    ) {
        let (records, _) = case.get(&CASES);
        let mut log: Vec<u8> = records
            .iter()
            .flat_map(|record| format!("{prefix}{}\n", record.text).into_bytes())
            .collect();
        for (at, byte, cut) in damage {
            let at = at.index(log.len());
            if let Some(place) = log.get_mut(at) {
                *place = byte;
            }
            let end = (at + cut).min(log.len());
            log.drain(at..end);
            prop_assume!(!log.is_empty());
        }
        let mut text = TextLog::new();
        let mut events = Vec::new();
        for line in log.split(|&byte| byte == b'\n') {
            text.line(line, &mut events);
        }
        text.finish(&mut events);
    }
}
