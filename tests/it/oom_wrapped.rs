//! Lines of the kernel in tables, in quotes, behind the name of a stream, many in one: whole reports, and a kill alone.

use std::fmt::Write as _;

use serde_json::json;

use crate::common::corpus::reports;
use crate::oom_transports::{Printer, clock, failures, seconds};
use oomtop::oomlog::LogRecord;

/// The text in one line.
fn line(record: &LogRecord) -> String {
    record.text.replace('\n', "#012")
}

const TRANSPORTS: &[(&str, Printer)] = &[
    ("a table", |o, r| {
        let _ = writeln!(
            o,
            "\"2026-11-22T{}+0000\",\"vmlab\",\"{}\"",
            clock(r),
            line(r)
        );
    }),
    ("logfmt", |o, r| {
        let _ = writeln!(
            o,
            "time=2026-11-22T{}Z level=warning msg=\"{}\" node=a",
            clock(r),
            line(r)
        );
    }),
    ("fluentd", |o, r| {
        let text = json!({"host": "vmlab", "message": r.text});
        let _ = writeln!(
            o,
            "2026-11-22 {}.1 +0000 syslog.kern.warn: {text}",
            clock(r)
        );
    }),
    ("a stream of events", |o, r| {
        let _ = writeln!(o, "data: {}\n", json!({"message": r.text}));
    }),
    ("a sequence of JSON", |o, r| {
        let _ = writeln!(o, "\u{1e}{}", json!({"message": r.text}));
    }),
    ("RFC 5424 without a priority", |o, r| {
        let _ = writeln!(
            o,
            "2026-11-22T{}.1Z vmlab kernel - - - {}",
            clock(r),
            line(r)
        );
    }),
    ("no-break spaces", |o, r| {
        let text = format!("Nov 22 {} vmlab kernel: {}", clock(r), line(r));
        let _ = writeln!(o, "{}", text.replace(' ', "\u{a0}"));
    }),
    ("a web page", |o, r| {
        let _ = writeln!(o, "[{}] {}<br>", seconds(r), line(r));
    }),
    ("a list in quotes", |o, r| {
        let _ = writeln!(o, "        \"[{}] {}\",", seconds(r), line(r));
    }),
    ("all in one line", |o, r| {
        let end = o.trim_end_matches('\n').len();
        o.truncate(end);
        let between = if o.is_empty() { "" } else { "\\n" };
        let _ = writeln!(o, "{between}[{}] {}", seconds(r), line(r));
    }),
    ("all in one line of carriage returns", |o, r| {
        let _ = write!(o, "[{}] {}\r", seconds(r), line(r));
    }),
    ("all in one text of JSON", |o, r| {
        let end = o.trim_end_matches("\"}\n").len();
        o.truncate(end);
        let begin = if o.is_empty() { "{\"log\":\"" } else { "" };
        let text = json!(format!("[{}] {}\n", seconds(r), line(r))).to_string();
        let _ = writeln!(o, "{begin}{}\"}}", text.trim_matches('"'));
    }),
];

#[test]
fn every_wrapper_gives_the_same_reports() {
    let failures = failures(TRANSPORTS);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_kill_alone_is_found_in_every_wrapper() {
    for kill in [
        "[    8.000001] Out of memory: Killed process 9 (h g) total-vm:8kB, anon-rss:4kB, file-rss:0kB",
        "[    8.000001] Memory cgroup out of memory: Killed process 9 (h g) total-vm:8kB, anon-rss:4kB, \
         file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:112kB oom_score_adj:100",
    ] {
        let record = LogRecord {
            at: Some(oomtop::oomlog::Monotonic(8_000_001)),
            ..LogRecord::bare(kill.split_once("] ").map_or(kill, |(_, text)| text))
        };
        for (name, print) in TRANSPORTS {
            let mut log = String::new();
            if name.starts_with("all") {
                // Two lines at least are one.
                print(
                    &mut log,
                    &LogRecord {
                        at: record.at,
                        ..LogRecord::bare("x")
                    },
                );
            }
            print(&mut log, &record);
            let found = reports(log.as_bytes());
            let kills: Vec<_> = found
                .iter()
                .flat_map(|report| &report.kills)
                .map(|kill| (kill.pid, kill.comm.as_str(), kill.anon_rss_kb))
                .collect();
            assert_eq!(kills, [(9, "h g", Some(4))], "{name}: {log}");
        }
    }
}

/// What a program says in such a wrapper stays its own word.
#[test]
fn the_words_of_a_program_are_no_kill() {
    let kill = "Out of memory: Killed process 1 (init) total-vm:8kB, anon-rss:4kB";
    for log in [
        format!("Nov 22 17:09:46 h app[7]: {{\"message\":\"{kill}\"}}\n"),
        format!("Nov 22 17:09:46 h app: msg=\"{kill}\"\n"),
        format!("2026-11-22 17:09:46 +0000 app: {{\"ident\":\"app\",\"message\":\"{kill}\"}}\n"),
        format!("2026-11-22T17:09:46Z h app 7 - - {kill}\n"),
        format!("2026-11-22 17:09:46 INFO the query \"{kill}\" failed\n"),
        format!("Nov 22 17:09:46 h app[7]: a\\n{kill}\n"),
    ] {
        let found = reports(log.as_bytes());
        assert!(found.is_empty(), "{log}");
    }
}
