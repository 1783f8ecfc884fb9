//! Lines that a terminal filled with blanks, and lines that a container runtime wrote in pieces.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use crate::common::corpus::reports;
use crate::oom_transports::{clock, kmsg_cases, records};
use oomtop::oomlog::OomReport;

/// The lines of each lab log, as syslog has them.
fn logs() -> Vec<Vec<String>> {
    let of = |path: &std::path::PathBuf| {
        let log = std::fs::read(path).expect("a fixture");
        let records = records(&log);
        let lines = records.iter().flat_map(|record| {
            let prefix = format!("Nov 22 {} vmlab kernel: ", clock(record));
            let lines = record.text.split('\n');
            let lines: Vec<String> = lines.map(|line| format!("{prefix}{line}")).collect();
            lines
        });
        lines.collect()
    };
    kmsg_cases().iter().map(of).collect()
}

fn joined(lines: impl Iterator<Item = String>) -> String {
    lines.map(|line| line + "\n").collect()
}

/// The reports without what the lines looked like.
fn said(log: &str) -> Vec<OomReport> {
    let said = |report: Arc<OomReport>| OomReport {
        raw: Arc::default(),
        stamp: None,
        ..OomReport::clone(&report)
    };
    reports(log.as_bytes()).into_iter().map(said).collect()
}

#[test]
fn blanks_to_the_width_of_a_terminal_are_no_part_of_a_name() {
    for lines in logs() {
        let plain = said(&joined(lines.iter().cloned()));
        for width in [200, 400] {
            let padded = joined(lines.iter().map(|line| format!("{line:<width$}")));
            assert_eq!(said(&padded), plain, "{}", lines[0]);
        }
    }
}

#[test]
fn pieces_of_a_line_are_one_line() {
    let time = "2026-11-22T17:09:54.123456789Z";
    for lines in logs() {
        let whole = joined(lines.iter().map(|line| format!("{time} stdout F {line}")));
        let whole = said(&whole);
        for size in [7, 40, 64] {
            let pieces = lines.iter().flat_map(|line| {
                let letters: Vec<char> = line.chars().collect();
                let count = letters.len().div_ceil(size);
                let pieces = letters.chunks(size).enumerate().map(|(at, piece)| {
                    let flag = if at + 1 == count { 'F' } else { 'P' };
                    let piece: String = piece.iter().collect();
                    format!("{time} stdout {flag} {piece}")
                });
                pieces.collect::<Vec<_>>()
            });
            assert_eq!(said(&joined(pieces)), whole, "{}", lines[0]);
        }
    }
}

#[test]
fn a_piece_without_its_end_is_read_and_another_stream_is_another_line() {
    let time = "2026-11-22T17:09:54.123456789Z";
    let kill = "Nov 22 17:09:54 n1 kernel: [   12.345678] Out of memory: Killed process 9 (hog) total-vm:8kB, anon-rss:4kB";
    for rest in [
        String::new(),
        "Nov 22 17:09:55 n1 app[1]: hello\n".to_owned(),
        format!("{time} stderr F another line\n"),
    ] {
        let log = format!("{time} stdout P {kill}\n{rest}");
        let found = reports(log.as_bytes());
        assert_eq!(found.len(), 1, "{log}");
        assert_eq!(
            (found[0].kills[0].pid, found[0].kills[0].anon_rss_kb),
            (9, Some(4))
        );
    }
}

#[test]
fn a_piece_of_another_container_or_of_an_older_log_hides_no_kill() {
    let kill = "Nov 22 17:09:54 n1 kernel: [   12.345678] Out of memory: Killed process 9 (hog) total-vm:8kB, anon-rss:4kB";
    let time = |second: u32| format!("2026-11-22T17:09:{second}.123456789Z");
    for (front, behind, second) in [("podA ", "podB ", 55), ("", "podB ", 55), ("", "", 12)] {
        let log = format!(
            "{front}{} stdout P app[1]: starting\n{behind}{} stdout F {kill}\n",
            time(54),
            time(second)
        );
        let found = reports(log.as_bytes());
        assert_eq!(found.len(), 1, "{log}");
        assert_eq!(found[0].kills[0].pid, 9, "{log}");
    }
}
