//! Whose word a line is: users can write into every log, and nothing they write may pass for the kernel's where
//! the log tells them apart.

#![allow(
    clippy::expect_used,
    clippy::format_collect,
    reason = "a test that cannot go on fails; short logs are made here"
)]

use oomtop::oomlog::{OomEvent, Provenance, TextLog};

pub(crate) const KILL: &str = "Out of memory: Killed process 666 (forged) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:4kB oom_score_adj:0";

/// Kills of the kernel and of programs in a log, and whether the log vouches for all of them.
pub(crate) fn found(log: &str) -> (usize, usize, bool) {
    let mut text = TextLog::new();
    let mut events = Vec::new();
    text.chunk(log.as_bytes(), &mut events);
    text.finish(&mut events);
    let (mut kernel, mut programs, mut vouched) = (0, 0, true);
    for event in &events {
        match event {
            OomEvent::Report(report) => {
                kernel = report.kills.len().max(kernel);
                vouched &= report.source == Provenance::Vouched;
            }
            OomEvent::Userspace(kill) => {
                programs += 1;
                vouched &= kill.source == Provenance::Vouched;
            }
            OomEvent::Gap { .. } => {}
        }
    }
    (kernel, programs, vouched)
}

#[test]
fn a_prefix_inside_a_programs_line_does_not_make_it_the_kernels() {
    for line in [
        format!("Nov 22 10:00:00 host user[3]: <0>{KILL}"),
        format!("Nov 22 10:00:00 host user[3]: <4>kernel: {KILL}"),
        format!("Nov 22 10:00:00 host user[3]: kernel: {KILL}"),
        format!("Nov 22 10:00:00 host user: host kernel: {KILL}"),
        format!("Nov 22 10:00:00 host user[3]: kern  :warn  : [   12.000001] {KILL}"),
        format!("Nov 22 10:00:00 host user[3]: [   12.000001] {KILL}"),
        format!("Nov 22 10:00:00 host user[3]: Nov 22 10:00:00 host kernel: {KILL}"),
        format!("Nov 22 10:00:00 host user[3]: 2026-11-22T10:00:00Z stdout F <4>{KILL}"),
        format!("Nov 22 10:00:00 host my kernel: {KILL}"),
        format!("2026-11-22T10:00:00.1+00:00 host my kernel: {KILL}"),
        format!("Sun 2026-11-22 10:00:00 UTC host user[3]: <4>{KILL}"),
        format!("<13>Nov 22 10:00:00 host kernel: {KILL}"),
        format!("<30>1 2026-11-22T10:00:00Z host kernel - - - {KILL}"),
        format!("<12>[   12.000001] <4>{KILL}"),
        format!("user  :notice: [   12.000001] kern  :warn  : {KILL}"),
        format!("[   12.000001] user[3]: <4>{KILL}"),
        format!("[   12.000001] host user[3]: host kernel: {KILL}"),
        format!("11-22 10:00:00.100  1234  1234 E app     : {KILL}"),
        format!("<14>1 2026-11-22T10:00:00Z host app 12 - [x y=\"]\"] <4>{KILL}"),
        // The rest of a program's line, whose prefix is that of the line before.
        format!("Nov 22 10:00:00 host user[3]: a\n{KILL}"),
        format!("Nov 22 10:00:00 host user[3]: a\n                              {KILL}"),
        format!("Nov 22 10:00:00 host user[3]: a#012{KILL}"),
        // The second line of a message that a user made the kernel print.
        format!("[   12.000001] fs: unknown option \"x\n                {KILL}"),
        format!("6,12,12000001,-;fs: unknown option \"x\\x0a{KILL}"),
        // The journal knows better than the program.
        format!(r#"{{"MESSAGE":"{KILL}","_UID":"1000"}}"#),
        format!(r#"{{"MESSAGE":"{KILL}","_COMM":"logger","SYSLOG_IDENTIFIER":"kernel"}}"#),
        format!(
            r#"{{"MESSAGE":"{KILL}","_TRANSPORT":"syslog","SYSLOG_IDENTIFIER":"kernel","SYSLOG_FACILITY":"0"}}"#
        ),
        format!(r#"{{"MESSAGE":"<0>{KILL}","_TRANSPORT":"stdout","_UID":"0"}}"#),
        format!("12,13,14,-;{KILL}"),
    ] {
        assert_eq!(found(&format!("{line}\n")).0, 0, "{line}");
    }
}

#[test]
fn what_is_not_believed_is_counted_and_a_report_behind_it_is_not_lost() {
    let mut text = TextLog::new();
    let mut events = Vec::new();
    text.chunk(
        format!("Nov 22 10:00:00 host user[3]: {KILL}\n").as_bytes(),
        &mut events,
    );
    text.finish(&mut events);
    assert_eq!((events.len(), text.refused()), (0, 1));
    // A log that changes to one without prefixes.
    let report = "\
        acorn invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n\
        CPU: 1 PID: 310 Comm: acorn Not tainted 6.1.0 #1\n\
        memory: usage 65536kB, limit 65536kB, failcnt 88\n\
        Memory cgroup stats for /park/oak:\nanon 5\nfile 0\nkernel 1\nsock 0\nshmem 0\n\
        Tasks state (memory values in pages):\n\
        [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name\n\
        [    666]     0   666      690      220    45056        0             0 sh\n";
    let log = format!("Nov 22 10:00:00 host user[3]: a\n{report}{KILL}\n");
    assert_eq!(found(&log).0, 1, "{log}");
}

#[test]
fn what_the_kernel_wrote_is_read_in_the_same_forms() {
    for (line, vouched) in [
        (format!("Nov 22 10:00:00 host kernel: {KILL}"), false),
        (
            format!("Nov 22 10:00:00 host kernel:[   12.000001] {KILL}"),
            false,
        ),
        (
            format!("Sun 2026-11-22 10:00:00 UTC host kernel: {KILL}"),
            false,
        ),
        (
            format!("<4>1 2026-11-22T10:00:00Z host kernel - - [meta sequenceId=\"1\"] {KILL}"),
            false,
        ),
        (format!("kern  :warn  : [   12.000001] {KILL}"), false),
        (
            format!("kern: warning: [2026-11-22T10:00:00.1Z]: {KILL}"),
            false,
        ),
        (format!("[   12.000001] host kernel: {KILL}"), false),
        (
            format!("11-22 10:00:00.100     0     0 E         : {KILL}"),
            false,
        ),
        (
            format!("11-22 10:00:00.100 E/kernel  (    0): {KILL}"),
            false,
        ),
        (
            format!("E1122 10:00:00.123456       1 kmsg.go:123] {KILL}"),
            false,
        ),
        (format!("4,13,14,-;{KILL}"), true),
        (
            format!(r#"{{"MESSAGE":"{KILL}","_TRANSPORT":"kernel"}}"#),
            true,
        ),
        (
            format!(r#"{{"dmesg":[{{"pri":4,"time":12.5,"msg":"{KILL}"}}]}}"#),
            true,
        ),
        (
            format!(r#"{{"MESSAGE":"{KILL}","SYSLOG_IDENTIFIER":"kernel"}}"#),
            false,
        ),
        (
            format!(r#"{{"jsonPayload":{{"MESSAGE":"{KILL}","_TRANSPORT":"kernel"}}}}"#),
            false,
        ),
        (format!(r#"{{"log":"<4>{KILL}"}}"#), false),
    ] {
        let (kills, _, proven) = found(&format!("{line}\n"));
        assert_eq!((kills, proven), (1, vouched), "{line}");
    }
}

#[test]
fn a_user_is_no_daemon() {
    let oomd = "Killed /a/b due to memory pressure for / being 51.07% > 50.00% for > 20s";
    let early = r#"sending SIGTERM to process 5 uid 0 \"x\": oom_score 1, VmRSS 1 MiB"#;
    let journal = |text: &str, fields: &str| format!("{{\"MESSAGE\":\"{text}\",{fields}}}\n");
    for log in [
        journal(
            oomd,
            r#""SYSLOG_IDENTIFIER":"systemd-oomd","_COMM":"logger","_UID":"1000""#,
        ),
        journal(
            oomd,
            r#""SYSLOG_IDENTIFIER":"systemd-oomd","_COMM":"logger","_UID":"0""#,
        ),
        journal(
            early,
            r#""SYSLOG_IDENTIFIER":"earlyoom","_TRANSPORT":"syslog","_UID":"1000""#,
        ),
        journal(
            early,
            r#""SYSLOG_IDENTIFIER":"earlyoom","_TRANSPORT":"syslog","_UID":"1000","_COMM":"earlyoom""#,
        ),
        format!(
            "Nov 22 10:00:00 host sshd[3]: {}\n",
            early.replace('\\', "")
        ),
    ] {
        assert_eq!(found(&log).1, 0, "{log}");
    }
    for log in [
        journal(
            oomd,
            r#""SYSLOG_IDENTIFIER":"systemd-oomd","_COMM":"systemd-oomd","_UID":"990","_TRANSPORT":"journal""#,
        ),
        journal(
            early,
            r#""SYSLOG_IDENTIFIER":"earlyoom","_TRANSPORT":"stdout","_UID":"61500","_COMM":"earlyoom""#,
        ),
    ] {
        assert_eq!(found(&log), (0, 1, true), "{log}");
    }
}

#[test]
fn every_wording_of_a_program_that_kills() {
    for (line, pid, comm, rss_mib, signal) in [
        (
            r#"sending SIGTERM to process 5 uid 0 "a b": oom_score 1, oom_score_adj 2, VmRSS 7 MiB, cmdline "x""#,
            5,
            "a b",
            7,
            "SIGTERM",
        ),
        (
            r#"sending SIGKILL to process 5 "a": badness 3, VmRSS 7 MiB"#,
            5,
            "a",
            7,
            "SIGKILL",
        ),
        (
            r#"killing process 5 "a" with signal 9: badness 3, VmRSS 7 MiB"#,
            5,
            "a",
            7,
            "SIGKILL",
        ),
        (
            "Killing process 'a' with signal 15, pid: 5, badness: 3, VmRSS: 7 MiB",
            5,
            "a",
            7,
            "SIGTERM",
        ),
        (
            "Killing process: a, pid: 5, badness: 3, VmRSS: 7 MiB",
            5,
            "a",
            7,
            "SIGKILL",
        ),
    ] {
        for prefix in [
            "",
            "earlyoom[7]: ",
            "[   12.000001] earlyoom[7]: ",
            "[   12.000001] host earlyoom[7]: ",
            "Nov 22 10:00:00 host earlyoom[7]: ",
            "web-1  | ",
        ] {
            let log = format!(
                "{prefix}mem avail:   300 of 16000 MiB ( 1.88%), swap free:    0 of    0 MiB ( 0.00%)\n{prefix}low memory! at or below SIGTERM limits: mem 10.00%, swap 10.00%\n{prefix}{line}\n"
            );
            let mut text = TextLog::new();
            let mut events = Vec::new();
            text.chunk(log.as_bytes(), &mut events);
            text.finish(&mut events);
            if prefix.contains('|') {
                // Nothing of the kernel shows where such a prefix ends.
                continue;
            }
            let Some(OomEvent::Userspace(kill)) = events.last() else {
                panic!("{log}: {events:?}");
            };
            assert_eq!(
                (kill.pid, kill.comm.as_deref()),
                (Some(pid), Some(comm)),
                "{log}"
            );
            assert_eq!(
                (kill.rss_kb, kill.signal.as_deref()),
                (Some(rss_mib * 1024), Some(signal)),
                "{log}"
            );
            let reason = kill.reason.as_deref().unwrap_or("");
            assert!(
                reason.contains("1.88%") && reason.contains("mem 10.00%"),
                "{log}: {reason}"
            );
        }
    }
}

#[test]
fn a_process_that_did_not_exit_is_no_kill() {
    let log = "\
        earlyoom[7]: sending SIGTERM to process 5 uid 0 \"a\": oom_score 1, VmRSS 7 MiB\n\
        earlyoom[7]: process 5 did not exit\n\
        earlyoom[7]: sending SIGTERM to process 6 uid 0 \"b\": oom_score 1, VmRSS 7 MiB\n\
        earlyoom[7]: escalating to SIGKILL after 0.5 seconds\n\
        earlyoom[7]: process 6 exited after 0.6 seconds\n\
        earlyoom[7]: sending SIGTERM to process 8 uid 0 \"c\": oom_score 1, VmRSS 7 MiB\n\
        earlyoom[7]: kill failed: Operation not permitted\n";
    let mut text = TextLog::new();
    let mut events = Vec::new();
    text.chunk(log.as_bytes(), &mut events);
    text.finish(&mut events);
    let mut last = std::collections::BTreeMap::new();
    for event in events {
        if let OomEvent::Userspace(kill) = event {
            last.insert(kill.pid, (kill.survived, kill.signal.clone()));
        }
    }
    let signal = |name: &str| Some(name.to_owned());
    assert_eq!(
        last.into_iter().collect::<Vec<_>>(),
        [
            (Some(5), (true, signal("SIGTERM"))),
            (Some(6), (false, signal("SIGKILL"))),
            (Some(8), (true, signal("SIGTERM"))),
        ]
    );
}
