//! `oomtop explain` with several logs: a kill that two of them have is one kill.

#![allow(
    clippy::expect_used,
    clippy::format_collect,
    reason = "a test fails by panicking; short logs are made here"
)]

use std::fs;
use std::process::{Command, Stdio};

const REPORT: &str = "\
Nov 22 17:10:07 pc kernel: [   29.500001] hog invoked oom-killer: gfp_mask=0x100dca(GFP_HIGHUSER_MOVABLE), order=0, oom_score_adj=0\n\
Nov 22 17:10:07 pc kernel: [   29.500002] Mem-Info:\n\
Nov 22 17:10:07 pc kernel: [   29.500003] active_anon:81 inactive_anon:105646 isolated_anon:0\n\
Nov 22 17:10:07 pc kernel: [   29.500004] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name\n\
Nov 22 17:10:07 pc kernel: [   29.500005] [    197]     0   197     8625     7128   102400        0           600 hog\n";
const KILL: &str = "\
Nov 22 17:10:07 pc kernel: [   29.554648] Out of memory: Killed process 197 (hog) total-vm:34500kB, anon-rss:23216kB, file-rss:5296kB, shmem-rss:0kB, UID:0 pgtables:100kB oom_score_adj:600\n";

/// What `oomtop explain` prints of these logs.
fn explain(args: &[&str], logs: &[&str]) -> String {
    let dir = tempfile::tempdir().expect("a directory");
    let mut command = Command::new(env!("CARGO_BIN_EXE_oomtop"));
    command.arg("explain").args(args).stdin(Stdio::null());
    for (at, log) in logs.iter().enumerate() {
        let path = dir.path().join(format!("{at}.log"));
        fs::write(&path, log).expect("written");
        command.arg(path);
    }
    let output = command.output().expect("started");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn one_kill_in_two_logs_counts_once() {
    let log = format!("{REPORT}{KILL}");
    let shown = explain(&[], &[&log, &log]);
    assert_eq!(shown.matches("=== ").count(), 1, "{shown}");
    assert!(shown.contains("1 killed in 1 report:"), "{shown}");
    assert!(
        shown.contains("1 kill is in more than one log: counted once."),
        "{shown}"
    );
    assert_eq!(shown.matches("  197 hog").count(), 1, "{shown}");
    // As the ring buffer has it, without the clock, and as a syslog without the kernel's stamps has it.
    let ring = log.replace("Nov 22 17:10:07 pc kernel: ", "");
    let plain: String = log
        .lines()
        .filter_map(|line| Some((line.split_once('[')?.0, line.split_once("] ")?.1)))
        .map(|(prefix, text)| format!("{prefix}{text}\n"))
        .collect();
    for other in [&ring, &plain] {
        for logs in [[&log, other], [other, &log]] {
            let shown = explain(&["--json"], &logs.map(String::as_str));
            let json: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
            assert_eq!((&json["kills"], &json["repeated"]), (&1.into(), &1.into()));
            assert_eq!(json["reports"].as_array().map(Vec::len), Some(1));
        }
    }
}

#[test]
fn the_log_that_explains_a_kill_is_shown_after_the_one_that_only_names_it() {
    let log = format!("{REPORT}{KILL}");
    let shown = explain(&[], &[KILL, &log]);
    assert!(shown.contains("Asked by hog"), "{shown}");
    assert!(shown.contains("1 killed in 2 reports:"), "{shown}");
    let shown = explain(&[], &[&log, KILL]);
    assert!(shown.contains("1 killed in 1 report:"), "{shown}");
}

#[test]
fn kills_that_differ_in_anything_are_two() {
    let log = format!("{REPORT}{KILL}");
    for (from, to) in [
        ("   29.", "   30."),
        ("process 197", "process 198"),
        ("(hog)", "(cat)"),
        ("anon-rss:23216kB", "anon-rss:23217kB"),
    ] {
        let other = log.replace(from, to);
        let shown = explain(&[], &[&log, &other]);
        assert!(shown.contains("2 killed in 2 reports:"), "{from}: {shown}");
        assert!(!shown.contains("more than one log"), "{from}: {shown}");
    }
    // Without a time nothing proves that it is one.
    let bare: String = log
        .lines()
        .filter_map(|l| Some(format!("{}\n", l.split_once("] ")?.1)))
        .collect();
    let shown = explain(&[], &[&bare, &bare]);
    assert!(shown.contains("2 killed in 2 reports:"), "{shown}");
}

#[test]
fn a_kill_by_a_program_in_two_logs_counts_once() {
    let line = "Nov 22 17:10:07 pc earlyoom[5]: sending SIGTERM to process 197 uid 0 \"hog\": badness 600, VmRSS 90 MiB\n";
    let shown = explain(&[], &[line, line]);
    assert!(shown.contains("1 killed by another program:"), "{shown}");
    assert!(shown.contains("1 kill is in more than one log"), "{shown}");
}

#[test]
fn a_heading_counts_the_rows_below_it() {
    let lines = "\
Nov 22 17:10:07 pc earlyoom[5]: sending SIGTERM to process 197 uid 0 \"hog\": badness 600, VmRSS 90 MiB\n\
Nov 22 17:10:17 pc earlyoom[5]: process 197 did not exit\n";
    let shown = explain(&[], &[lines]);
    assert!(
        shown.contains("No OOM kill was found, 1 did not die:"),
        "{shown}"
    );
    let more = lines
        .replace("197", "198")
        .replace("did not exit", "exited after 0.3 seconds");
    let shown = explain(&[], &[&format!("{lines}{more}")]);
    assert!(
        shown.contains("1 killed by another program, 1 did not die:"),
        "{shown}"
    );
    assert_eq!(shown.matches(" earlyoom ").count(), 2, "{shown}");
}

#[test]
fn a_log_of_android_has_a_row_for_each_kill_of_its_killer() {
    let log = "\
11-22 17:10:07.123   456   456 I lmkd    : Kill 'com.example.shop' (5556), uid 10137, oom_score_adj 905 to free 99152kB rss, 2096kB swap; reason: device is low on swap (1024kB < 2048kB)\n\
11-22 17:10:08.123   456   456 I lowmemorykiller: Killing 'com.example.mail' (5557), uid 10138, adj 900\n\
11-22 17:10:09.123   456   456 I lowmemorykiller: Kill 'com.example.maps' (5558), uid 10139, oom_adj 900 to free 12000kB\n\
11-22 17:10:09.456   900   901 I other   : Kill 'com.example.none' (5559), uid 10139, oom_adj 900 to free 12000kB\n";
    let shown = explain(&[], &[log]);
    assert!(shown.contains("3 killed by other programs:"), "{shown}");
    for words in [
        "5556 com.example.shop",
        "device is low on swap",
        "5557 com.example.mail",
        "5558 com.example.maps",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
}
