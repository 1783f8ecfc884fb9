//! The same reports through every transport: a log line's prefix must not change what is found.
//!
//! The records of real kernels are printed here as each program prints them; what comes out must be
//! what the raw records give.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::common::corpus::reports;
use oomtop::oomlog::{LogRecord, OomReport};

/// How a transport prints one record. The record's text has its real newlines.
pub(crate) type Printer = fn(&mut String, &LogRecord);

pub(crate) fn kmsg_cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/oom/lab");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder)
        .expect("fixtures")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "kmsg"))
        .collect();
    cases.sort();
    cases
}

pub(crate) fn records(log: &[u8]) -> Vec<LogRecord> {
    log.split(|&byte| byte == b'\n')
        .filter(|line| line.first().is_some_and(u8::is_ascii_digit))
        .map(|line| LogRecord::parse_kmsg(line).expect("a record"))
        .collect()
}

pub(crate) fn seconds(record: &LogRecord) -> String {
    let micros = record.at.map_or(0, |at| at.0);
    format!("{:5}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// Time of day of a record, for the transports that have a wall clock.
pub(crate) fn clock(record: &LogRecord) -> String {
    let second = record.at.map_or(0, |at| at.0 / 1_000_000);
    format!(
        "{:02}:{:02}:{:02}",
        10 + second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// Every line of the text with the prefix, as dmesg and the console print it.
fn every_line(out: &mut String, prefix: &str, record: &LogRecord) {
    for line in record.text.split('\n') {
        let _ = writeln!(out, "{prefix}{line}");
    }
}

/// The first line with the prefix, further ones indented by its width, as journalctl prints it.
fn indented(out: &mut String, prefix: &str, record: &LogRecord) {
    let between = format!("\n{}", " ".repeat(prefix.chars().count()));
    let _ = writeln!(out, "{prefix}{}", record.text.replace('\n', &between));
}

/// Newlines as rsyslog writes them.
fn escaped(out: &mut String, prefix: &str, record: &LogRecord) {
    let _ = writeln!(out, "{prefix}{}", record.text.replace('\n', "#012"));
}

fn json_text(text: &str) -> String {
    serde_json::to_string(text).expect("text")
}

const TRANSPORTS: &[(&str, Printer)] = &[
    ("dmesg", |o, r| {
        every_line(o, &format!("[{}] ", seconds(r)), r);
    }),
    ("dmesg indented", |o, r| {
        indented(o, &format!("[{}] ", seconds(r)), r);
    }),
    ("dmesg -d", |o, r| {
        every_line(o, &format!("[{} <    0.000012>] ", seconds(r)), r);
    }),
    ("dmesg -e", |o, r| every_line(o, "[  +0.000015] ", r)),
    ("dmesg -x", |o, r| {
        every_line(o, &format!("kern  :warn  : [{}] ", seconds(r)), r);
    }),
    ("dmesg -T", |o, r| {
        every_line(o, &format!("[Sun Nov 22 {} 2026] ", clock(r)), r);
    }),
    ("dmesg -T, French", |o, r| {
        every_line(o, &format!("[dim. nov. 22 {} 2026] ", clock(r)), r);
    }),
    ("dmesg -T, Japanese", |o, r| {
        every_line(o, &format!("[日 11月 22 {} 2026] ", clock(r)), r);
    }),
    ("dmesg iso", |o, r| {
        every_line(o, &format!("2026-11-22T{},123456+00:00 ", clock(r)), r);
    }),
    ("dmesg, callers", |o, r| {
        every_line(o, &format!("[{}][ T5241] ", seconds(r)), r);
    }),
    ("dmesg, callers apart", |o, r| {
        every_line(o, &format!("[{}] [ T5241] ", seconds(r)), r);
    }),
    ("console with levels", |o, r| {
        every_line(o, &format!("<4>[{}] ", seconds(r)), r);
    }),
    ("console with levels, no time", |o, r| {
        every_line(o, "<4>", r);
    }),
    ("syslog", |o, r| {
        escaped(o, &format!("Nov 22 {} host kernel: ", clock(r)), r);
    }),
    ("syslog + time", |o, r| {
        escaped(
            o,
            &format!("Nov  2 {} host kernel: [{}] ", clock(r), seconds(r)),
            r,
        );
    }),
    ("syslog with priority", |o, r| {
        escaped(
            o,
            &format!("<4>Nov 22 {} host kernel: [{}] ", clock(r), seconds(r)),
            r,
        );
    }),
    ("RFC 5424", |o, r| {
        escaped(
            o,
            &format!("<4>1 2026-11-22T{}.123Z host kernel - - - ", clock(r)),
            r,
        );
    }),
    ("syslog ISO", |o, r| {
        escaped(
            o,
            &format!(
                "2026-11-22T{}.123456+02:00 host kernel: [{}] ",
                clock(r),
                seconds(r)
            ),
            r,
        );
    }),
    ("busybox", |o, r| {
        escaped(
            o,
            &format!(
                "Sun Nov 22 {} 2026 kern.warn kernel: [{}] ",
                clock(r),
                seconds(r)
            ),
            r,
        );
    }),
    ("no time at all", |o, r| escaped(o, "kernel: ", r)),
    ("host only", |o, r| escaped(o, "host kernel: ", r)),
    ("journalctl", |o, r| {
        indented(o, &format!("Nov 22 {} host kernel: ", clock(r)), r);
    }),
    ("journalctl precise", |o, r| {
        indented(o, &format!("Nov 22 {}.715866 host kernel: ", clock(r)), r);
    }),
    ("journalctl short-iso", |o, r| {
        indented(o, &format!("2026-11-22T{}+0000 host kernel: ", clock(r)), r);
    }),
    ("journalctl short-full", |o, r| {
        indented(
            o,
            &format!("Sun 2026-11-22 {} UTC host kernel: ", clock(r)),
            r,
        );
    }),
    ("journalctl short-monotonic", |o, r| {
        indented(o, &format!("[{}] host kernel: ", seconds(r)), r);
    }),
    ("journalctl short-unix", |o, r| {
        let micros = r.at.map_or(0, |at| at.0);
        let prefix = format!(
            "{}.{:06} host kernel: ",
            1_795_000_000 + micros / 1_000_000,
            micros % 1_000_000
        );
        indented(o, &prefix, r);
    }),
    ("journalctl, French", |o, r| {
        indented(o, &format!("nov. 22 {} host kernel: ", clock(r)), r);
    }),
    ("journalctl -o json", |o, r| {
        let at = r.at.map_or(0, |at| at.0);
        let _ = writeln!(
            o,
            "{{\"_TRANSPORT\":\"kernel\",\"SYSLOG_FACILITY\":\"0\",\"_SOURCE_MONOTONIC_TIMESTAMP\":\"{at}\",\"MESSAGE\":{}}}",
            json_text(&r.text)
        );
    }),
    ("docker", |o, r| {
        let mut line = String::new();
        every_line(&mut line, &format!("[{}] ", seconds(r)), r);
        for line in line.lines() {
            let _ = writeln!(
                o,
                "{{\"log\":{},\"stream\":\"stdout\",\"time\":\"2026-11-22T10:00:00.0Z\"}}",
                json_text(&format!("{line}\n"))
            );
        }
    }),
    ("CRI", |o, r| {
        every_line(
            o,
            &format!(
                "2026-11-22T{}.000000000Z stdout F [{}] ",
                clock(r),
                seconds(r)
            ),
            r,
        );
    }),
    ("dmesg, coloured", |o, r| {
        every_line(
            o,
            &format!("\u{1b}[32m[{}] \u{1b}[0m\u{1b}[33m", seconds(r)),
            r,
        );
    }),
    ("quoted mail", |o, r| {
        every_line(o, &format!("> [{}] ", seconds(r)), r);
    }),
    ("indented paste", |o, r| {
        every_line(o, &format!("    [{}] ", seconds(r)), r);
    }),
    ("bare", |o, r| every_line(o, "", r)),
    ("docker logs -t, up for hours", |o, r| {
        let up = seconds(r).replace(' ', "1");
        every_line(o, &format!("2026-11-22T{}.1Z [{up}] ", clock(r)), r);
    }),
    ("dmesg -w | ts, up for hours", |o, r| {
        let up = seconds(r).replace(' ', "1");
        every_line(o, &format!("Nov 22 {} [{up}] ", clock(r)), r);
    }),
    ("journalctl, coloured", |o, r| {
        let prefix = format!("Nov 22 {} host kernel: \u{1b}[0;1;33m", clock(r));
        escaped(o, &prefix, r);
        o.insert_str(o.len() - 1, "\u{1b}[0m");
    }),
    ("journalctl, two colours, no end", |o, r| {
        let prefix = format!("[{}] \u{1b}[0;1;39m\u{1b}[0;1;38:5:185m", seconds(r));
        every_line(o, &prefix, r);
    }),
    ("journalctl short-full, a zone of numbers", |o, r| {
        let prefix = format!("Sun 2026-11-22 {} -03 host kernel: ", clock(r));
        indented(o, &prefix, r);
    }),
    ("journalctl short-full, Guam", |o, r| {
        let prefix = format!("Sun 2026-11-22 {} ChST host kernel: ", clock(r));
        indented(o, &prefix, r);
    }),
    ("a clock of 12 hours", |o, r| {
        every_line(o, &format!("2026-11-22 {} PM host kernel: ", clock(r)), r);
    }),
    ("the form of date", |o, r| {
        let prefix = format!("Sun Nov 22 {} UTC 2026 host kernel: ", clock(r));
        every_line(o, &prefix, r);
    }),
    ("a level in front of the host", |o, r| {
        let prefix = format!("Nov 22 {} [warning] host kernel: ", clock(r));
        every_line(o, &prefix, r);
    }),
    ("grep -n of dmesg -T", |o, r| {
        let number = o.lines().count() + 1;
        every_line(o, &format!("{number}:[Sun Nov 22 {} 2026] ", clock(r)), r);
    }),
    ("kubectl logs --prefix of dmesg -T", |o, r| {
        let prefix = format!("[pod/a-x7k2p/dmesg] [Sun Nov 22 {} 2026] ", clock(r));
        every_line(o, &prefix, r);
    }),
];

/// What must be the same however the report came.
fn essence(reports: &[Arc<OomReport>]) -> Vec<String> {
    let of_one = |report: &Arc<OomReport>| {
        let kills: Vec<_> = report
            .kills
            .iter()
            .map(|k| {
                (
                    k.pid,
                    &k.comm,
                    k.uid,
                    k.total_vm_kb,
                    k.anon_rss_kb,
                    k.pgtables_kb,
                    k.adj,
                )
            })
            .collect();
        let trigger = report.trigger.as_ref();
        format!(
            "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            trigger.map(|t| (&t.comm, t.pid, t.gfp_mask, &t.gfp_flags, t.order, t.adj)),
            report.constraint,
            report.oom_memcg,
            report.task_memcg,
            (&report.cpuset, &report.mems_allowed, &report.nodemask),
            (report.limit_kb, report.usage_kb),
            kills,
            report.outcome,
            report.tasks.as_ref().map(|t| &t.rows),
            (&report.memcg, &report.memory),
        )
    };
    reports.iter().map(of_one).collect()
}

/// Bytes of a log with more tasks than most.
const LARGE: usize = 5 << 10;

/// The logs and transports that give other reports than the raw records.
pub(crate) fn failures(transports: &[(&str, Printer)]) -> Vec<String> {
    let mut failures = Vec::new();
    for (number, case) in kmsg_cases().into_iter().enumerate() {
        let raw = fs::read(&case).expect("fixture");
        let known = essence(&reports(&raw));
        assert!(!known.is_empty(), "{}", case.display());
        let records = records(&raw);
        // A large log takes every third: the logs beside it take the others.
        let (first, step) = if raw.len() > LARGE {
            (number % 3, 3)
        } else {
            (0, 1)
        };
        for (name, print) in transports.iter().skip(first).step_by(step) {
            let mut log = String::new();
            for record in &records {
                print(&mut log, record);
            }
            let found = essence(&reports(log.as_bytes()));
            if found != known {
                let first = found.iter().zip(&known).find(|(a, b)| a != b);
                failures.push(format!(
                    "{name}: {}: {} of {}\n{first:#?}",
                    case.display(),
                    found.len(),
                    known.len()
                ));
            }
        }
    }
    failures
}

#[test]
fn every_transport_gives_the_same_reports() {
    let failures = failures(TRANSPORTS);
    assert!(
        failures.is_empty(),
        "{} failures\n{}",
        failures.len(),
        failures.join("\n")
    );
}
