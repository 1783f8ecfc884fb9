//! Lines in one: what a program, or a name, says behind a newline that is written out is not the kernel's.

#![allow(clippy::format_collect, reason = "short logs are made here")]

use crate::trust::{KILL, found};
use oomtop::oomlog::{OomEvent, TextLog};

/// Signs for a newline, in a line of a log.
const NEWLINES: [&str; 6] = ["\\n", "\r", "#012", "\\012", "\\r\\n", "#015"];

#[test]
fn what_a_program_writes_behind_a_newline_stays_its_own() {
    for newline in NEWLINES {
        for program in [
            "Nov 22 17:09:46 h app[12]: hello",
            "Nov 22 17:09:46 h app: hello",
            "2026-11-22T17:09:46Z h app 7 - - hello",
            "[    0.900000] h app[12]: hello",
            "<14>hello",
            "user  :notice: [    0.900000] hello",
            "11-22 10:00:00.100  1234  1234 E app     : hello",
            "\"2026-11-22T17:09:46+0000\",\"h\",\"app[12]: hello",
            "time=2026-11-22T17:09:46Z level=info msg=\"app[12]: hello",
            "2026-11-22 17:09:46 INFO the query \"hello",
        ] {
            for kill in [
                format!("[    1.000001] {KILL}"),
                format!("[1.000001] {KILL}"),
                format!("Nov 22 17:09:46 h kernel: {KILL}"),
                format!("[1.000001] a{newline}[1.000002] b{newline}4,13,14,-;{KILL}"),
                format!(
                    "[1.000001] a{newline}[1.000002] b{newline}{{\"MESSAGE\":\"{KILL}\",\"_TRANSPORT\":\"kernel\"}}"
                ),
            ] {
                for log in [
                    format!("{program}{newline}{kill}\n"),
                    format!("{program}{newline}{kill}{newline}\n"),
                    format!("[    0.100000] a\n{program}{newline}{kill}\n"),
                ] {
                    assert_eq!(found(&log).0, 0, "{log}");
                }
            }
        }
    }
}

#[test]
fn json_is_read_before_its_text_is_cut() {
    for newline in ["\\n", "\\r", "\\\\n", "#012", "\\\\012"] {
        let text = format!("x{newline}[1.000001] a{newline}[1.000002] {KILL}");
        for log in [
            format!("{{\"MESSAGE\":\"{text}\",\"_TRANSPORT\":\"syslog\",\"_PID\":\"7\"}}\n"),
            format!(
                "{{\n  \"MESSAGE\" : \"{text}\",\n  \"_TRANSPORT\" : \"syslog\",\n  \"_PID\" : \"7\"\n}}\n"
            ),
            format!("{{\"dmesg\":[{{\"pri\":12,\"time\":1.5,\"msg\":\"{text}\"}}]}}\n"),
            format!("{{\"ident\":\"app\",\"message\":\"{text}\"}}\n"),
            format!("{{\"log\":\"Nov 22 17:09:46 h app[12]: {text}\"}}\n"),
            format!("app: {{\"MESSAGE\":\"{text}\",\"_TRANSPORT\":\"syslog\",\"_PID\":\"7\"}}\n"),
        ] {
            assert_eq!(found(&log).0, 0, "{log}");
        }
        if newline == "\\n" {
            let log = format!("{{\"ident\":\"kernel\",\"message\":\"fs: a {text}\"}}\n");
            assert_eq!(found(&log).0, 0, "{log}");
        }
        // Nobody tells who wrote it: as good as a line of text.
        let log = format!("{{\"log\":\"[1.000001] a{newline}[1.000002] {KILL}\"}}\n");
        assert!(!found(&log).2 || found(&log).0 == 0, "{log}");
    }
}

#[test]
fn what_the_kernel_quotes_is_not_cut_in_a_log_of_lines() {
    for newline in NEWLINES {
        for line in [
            format!("[   12.000001] fs: unknown option \"x{newline}[   12.000002] {KILL}"),
            format!("Nov 22 10:00:00 h kernel: fs: \"x{newline}Nov 22 10:00:00 h kernel: {KILL}"),
        ] {
            let log = format!("[   11.000000] a\n{line}\n");
            assert_eq!(found(&log).0, 0, "{log}");
        }
    }
}

/// A process is called `\n[1.000000] a`.
#[test]
fn a_name_with_a_newline_hides_no_kill() {
    for newline in ["\\n", "\r"] {
        let kill = format!(
            "[   12.000001] Out of memory: Killed process 77 ({newline}[1.000000] a) total-vm:8kB, anon-rss:4kB, \
             file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:4kB oom_score_adj:0"
        );
        for log in [
            format!("{kill}\n"),
            format!("[   12.000000] b\n{kill}\n"),
            format!("[   12.000000] b\\n{kill}\\n[   13.000000] c\n").replace("\\n", newline),
        ] {
            let mut events = Vec::new();
            let mut text = TextLog::new();
            text.chunk(log.as_bytes(), &mut events);
            text.finish(&mut events);
            let Some(OomEvent::Report(report)) = events.last() else {
                unreachable!("a report: {log}");
            };
            let kills: Vec<_> = report
                .kills
                .iter()
                .map(|kill| (kill.pid, kill.comm.as_str(), kill.anon_rss_kb))
                .collect();
            let name = format!("{newline}[1.000000] a");
            assert_eq!(kills, [(77, name.as_str(), Some(4))], "{log}");
        }
    }
}

#[test]
fn nothing_in_one_line_is_proven() {
    for line in [
        format!("4,13,14,-;{KILL}"),
        format!("{{\"MESSAGE\":\"{KILL}\",\"_TRANSPORT\":\"kernel\"}}"),
        format!("[    1.000003] {KILL}"),
    ] {
        let log = format!("[    1.000001] a\\n[    1.000002] b\\n{line}\n");
        let (kills, _, vouched) = found(&log);
        assert!(kills == 0 || !vouched, "{log}");
    }
}

#[test]
fn lines_in_one_are_still_read() {
    for front in ["", "a log:\\n", "b'", "\"", "[    0.500000] a\\n"] {
        let log = format!("{front}[    1.000001] b\\n[    1.000002] {KILL}\n");
        assert_eq!(found(&log).0, 1, "{log}");
    }
}
