//! The log thread on a file for `/dev/kmsg` and a script for journalctl.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::{LogItem, LogThread, Sources};
use crate::model::event_source::EventSource;
use crate::oomlog::{Killer, OomEvent, UserspaceKill};

/// Only something broken takes so long.
const PATIENCE: Duration = Duration::from_mins(1);

const OOMD: &str = r#"{"__CURSOR":"a","MESSAGE":"Killed /pressure.slice/p.service due to memory pressure for /pressure.slice being 63.37% > 5.00% for > 3s","_TRANSPORT":"journal","_COMM":"systemd-oomd","_UID":"998","_SYSTEMD_UNIT":"systemd-oomd.service","__MONOTONIC_TIMESTAMP":"2000000"}"#;
const EARLYOOM: &str = r#"{"__CURSOR":"b","MESSAGE":"sending SIGTERM to process 77 uid 0 \"hog\": oom_score 800, oom_score_adj 0, VmRSS 40 MiB, cmdline \"hog\"","_TRANSPORT":"stdout","_COMM":"earlyoom","_UID":"0","__MONOTONIC_TIMESTAMP":"3000000"}"#;
const FORGED: &str = r#"{"__CURSOR":"c","MESSAGE":"Killed /ssh.service due to memory pressure for / being 99.99% > 5.00% for > 3s","_TRANSPORT":"syslog","SYSLOG_IDENTIFIER":"systemd-oomd","_COMM":"logger","_UID":"1000","__MONOTONIC_TIMESTAMP":"2500000"}"#;
const KERNEL: &str = r#"{"__CURSOR":"d","MESSAGE":"Out of memory: Killed process 9 (x) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:4kB oom_score_adj:0","_TRANSPORT":"kernel","SYSLOG_FACILITY":"0","_SOURCE_MONOTONIC_TIMESTAMP":"1000000"}"#;
const KMSG: &str = "3,1,1000000,-;Out of memory: Killed process 9 (x) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:4kB oom_score_adj:0\n";

struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    /// A log of the kernel, and a journalctl that runs `script`.
    fn new(kmsg: &str, script: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        fs::write(dir.path().join("kmsg"), kmsg).expect("written");
        let own = Self { dir };
        let program = own.path("journalctl");
        fs::write(
            &program,
            format!("#!/bin/sh\nD={}\n{script}\n", own.dir.path().display()),
        )
        .expect("written");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("executable");
        own
    }

    /// A journalctl that prints these records, then follows the file `more`.
    fn with_journal(kmsg: &str, records: &[&str]) -> Self {
        let script = "case \"$*\" in\n*' -f '*) cat \"$D/past\"; exec tail -s 0.02 -n +1 -f \"$D/more\";;\n*) tail -n 1 \"$D/past\";;\nesac";
        let own = Self::new(kmsg, script);
        fs::write(own.path("past"), records.join("\n") + "\n").expect("written");
        fs::write(own.path("more"), "").expect("written");
        own
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn append(&self, name: &str, text: &str) {
        let file = fs::OpenOptions::new().append(true).open(self.path(name));
        let mut file = file.expect("a file");
        file.write_all(text.as_bytes()).expect("written");
    }

    fn start(&self) -> Log {
        let (send, items) = channel();
        let sources = Sources {
            kmsg: self.path("kmsg"),
            journalctl: Some(self.path("journalctl").into()),
            traced: None,
        };
        let thread = LogThread::start(sources, move |item| send.send(item).is_ok());
        Log {
            _thread: thread.expect("started"),
            items,
            seen: Vec::new(),
        }
    }
}

struct Log {
    _thread: LogThread,
    items: Receiver<LogItem>,
    seen: Vec<LogItem>,
}

impl Log {
    fn wait(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !holds(self) {
            let left = end.saturating_duration_since(Instant::now());
            match self.items.recv_timeout(left) {
                Ok(item) => self.seen.push(item),
                Err(error) => panic!("{what} did not come ({error}): {:#?}", self.seen),
            }
        }
    }

    fn source(&self) -> EventSource {
        let sources = self.seen.iter().rev().find_map(|item| match item {
            LogItem::Source(source) => Some(source.clone()),
            LogItem::Event(_) | LogItem::Traced(_) => None,
        });
        sources.unwrap_or_default()
    }

    /// Pids of the kernel's victims, and the kills by programs in their last state.
    fn kills(&self) -> (Vec<u32>, Vec<UserspaceKill>) {
        let (mut pids, mut kills) = (Vec::new(), Vec::<UserspaceKill>::new());
        for item in &self.seen {
            match item {
                LogItem::Event(OomEvent::Report(report)) => {
                    pids.extend(report.kills.iter().map(|kill| kill.pid));
                }
                LogItem::Event(OomEvent::Userspace(kill)) => {
                    kills.retain(|known| known.key != kill.key);
                    kills.push(UserspaceKill::clone(kill));
                }
                _ => {}
            }
        }
        (pids, kills)
    }
}

#[test]
fn the_kernels_log_and_the_journal_are_both_followed() {
    let bench = Bench::with_journal(KMSG, &[KERNEL, FORGED, OOMD]);
    let mut log = bench.start();
    log.wait("the history", |log| log.source().caught_up);
    let source = log.source();
    assert!(source.name.ends_with("kmsg + journal"), "{source:?}");
    assert_eq!((source.missing.as_str(), source.unheard.as_str()), ("", ""));
    let (pids, kills) = log.kills();
    assert_eq!(pids, [9], "the kernel's kill, which both logs have, is one");
    assert_eq!(kills.len(), 1, "a user's word is no kill: {kills:?}");
    assert_eq!(kills[0].killer, Killer::SystemdOomd);
    let reason = kills[0].reason.as_deref().unwrap_or_default();
    assert!(
        reason.starts_with("memory pressure for /pressure.slice"),
        "{reason}"
    );

    bench.append("more", &format!("{EARLYOOM}\n"));
    bench.append(
        "kmsg",
        &KMSG
            .replace("3,1,1000000", "3,2,4000000")
            .replace("process 9", "process 10"),
    );
    log.wait("both live kills", |log| {
        log.kills().0.contains(&10) && log.kills().1.len() == 2
    });
    assert_eq!(log.kills().1[1].pid, Some(77));
}

#[test]
fn without_the_kernels_log_the_journal_tells_of_both() {
    let bench = Bench::with_journal(KMSG, &[KERNEL, OOMD]);
    fs::remove_file(bench.path("kmsg")).expect("removed");
    let mut log = bench.start();
    log.wait("both kills", |log| {
        log.kills().0 == [9] && log.kills().1.len() == 1
    });
    log.wait("the history", |log| log.source().caught_up);
    assert_eq!(log.source().name, "the journal");
    assert!(
        log.source().missing.contains("not there"),
        "{:?}",
        log.source()
    );
}

#[test]
fn a_journal_that_shows_nothing_is_no_live_source() {
    let bench = Bench::new(KMSG, "exit 0");
    let mut log = bench.start();
    log.wait("the history", |log| log.source().caught_up);
    let source = log.source();
    assert!(source.name.ends_with("kmsg"), "{source:?}");
    assert_eq!(
        source.gap(std::iter::empty()),
        None,
        "nobody who could kill runs here"
    );
    let gap = source.gap(["earlyoom"].into_iter()).expect("a gap");
    assert!(gap.contains("kills by earlyoom are not seen"), "{gap}");
    assert_eq!(log.kills().0, [9]);
}

#[test]
fn a_journal_that_ends_is_followed_again_and_nothing_is_told_twice() {
    let script = format!(
        "case \"$*\" in\n*' -f '*) echo run >> \"$D/runs\"; echo '{OOMD}'; exit 1;;\n*) echo '{OOMD}';;\nesac"
    );
    let bench = Bench::new(KMSG, &script);
    let mut log = bench.start();
    let runs = bench.path("runs");
    let count = move || {
        fs::read_to_string(&runs)
            .unwrap_or_default()
            .lines()
            .count()
    };
    log.wait("a third run", |_| count() > 2);
    assert_eq!(log.kills().1.len(), 1);
}

fn lives(pid_file: &Path) -> bool {
    let pid = fs::read_to_string(pid_file).expect("a pid");
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

#[test]
fn a_hanging_journalctl_and_what_it_started_end_with_the_thread() {
    let script = format!(
        "case \"$*\" in\n*' -f '*) sleep 1000 & echo $! > \"$D/inner.new\"; mv \"$D/inner.new\" \"$D/inner\"; echo $$ > \"$D/outer.new\"; mv \"$D/outer.new\" \"$D/outer\"; wait;;\n*) echo '{OOMD}';;\nesac"
    );
    let bench = Bench::new("", &script);
    let mut log = bench.start();
    let (outer, inner) = (bench.path("outer"), bench.path("inner"));
    log.wait("the program", |_| outer.exists());
    assert!(lives(&outer) && lives(&inner));
    drop(log);
    let end = Instant::now() + PATIENCE;
    while lives(&outer) || lives(&inner) {
        assert!(Instant::now() < end, "it was left behind");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn an_empty_file_and_a_device_that_is_no_log_say_so() {
    let bench = Bench::new("", "exit 0");
    let mut log = bench.start();
    log.wait("the history", |log| log.source().caught_up);
    assert!(
        log.source().missing.contains("is empty"),
        "{:?}",
        log.source()
    );
    bench.append("kmsg", KMSG);
    log.wait("its first record", |log| {
        log.source().missing.is_empty() && log.kills().0 == [9]
    });

    for device in ["/dev/zero", "/dev/null"] {
        let bench = Bench::new("", "exit 0");
        fs::remove_file(bench.path("kmsg")).expect("removed");
        std::os::unix::fs::symlink(device, bench.path("kmsg")).expect("linked");
        let mut log = bench.start();
        log.wait("the history", |log| log.source().caught_up);
        let source = log.source();
        assert!(
            source.missing.contains("not the kernel's log"),
            "{source:?}"
        );
        assert_eq!(source.name, EventSource::COUNTERS_ONLY);
    }
}
