//! A session without a terminal: samples, the log's history and what comes after it, and its end.

use std::io::{Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::common::fake_root::FakeRoot;
use crate::common::patience::beside;
use oomtop::linux::scan::backend::BackendChoice;
use oomtop::model::event_source::EventSource;
use oomtop::model::snapshot::Needs;
use oomtop::oomlog::OomEvent;
use oomtop::runtime::headless::{Event, Halt, LogItem, Session};
use rustix::process::{Pid, Signal, kill_process};

const SOON: Duration = Duration::from_secs(20);
const REPORT: &str = include_str!("../fixtures/oom/lab/6.12-global.kmsg");

fn tree() -> FakeRoot {
    FakeRoot::new().process(20, |p| p.comm("leaker").rss_mib(300))
}

fn session(root: &FakeRoot) -> Session {
    Session::new(root.sys_root(), BackendChoice::Proc).expect("a session")
}

fn append(root: &FakeRoot, text: &str) {
    let path = root.path("dev/kmsg");
    let file = std::fs::OpenOptions::new().append(true).open(path);
    let mut file = file.expect("the log");
    file.write_all(text.as_bytes()).expect("written");
}

fn kills(item: &LogItem) -> usize {
    match item {
        LogItem::Event(OomEvent::Report(report)) => report.kills.len(),
        _ => 0,
    }
}

#[test]
fn samples_the_history_and_live_events_come_in_order() {
    let root = tree();
    append(&root, REPORT);
    let mut session = session(&root);
    let snapshot = session.sample(&Needs::default()).expect("a sample");
    assert_eq!(snapshot.processes.len(), 1);
    assert_eq!(session.host().expect("known").name, "fakehost");
    // The session does not follow the log, so only the deadline can end the wait.
    let begun = Instant::now();
    let event = session.next(begun + Duration::from_millis(30));
    assert!(matches!(event, Event::Tick(_)), "{event:?}");
    assert!(begun.elapsed() >= Duration::from_millis(30));

    let mut items = Vec::new();
    session
        .history(SOON, |item| items.push(item))
        .expect("it is read");
    assert!(session.caught_up());
    assert!(items.iter().any(|item| kills(item) > 0), "{items:?}");
    let is_caught_up = |item: &LogItem| matches!(item, LogItem::Source(s) if s.caught_up);
    assert!(is_caught_up(items.last().expect("a source")), "{items:?}");
    session
        .history(SOON, |item| panic!("twice: {item:?}"))
        .expect("it has been read");

    // A sample and a live event: the event waits while the sample is taken.
    append(&root, &REPORT.replace("4,8", "4,9"));
    session.ask(&Needs::default()).expect("asked");
    let second = session.sample(&Needs::default()).expect("a sample");
    assert_eq!(second.seq, 3, "the second request got the third sample");
    let (mut earlier, mut live) = (0, false);
    while earlier == 0 || !live {
        match session.next(Instant::now() + SOON) {
            Event::Sample(sample) => earlier = sample.expect("a sample").seq,
            Event::Log(item) => live |= kills(&item) > 0,
            event => panic!("{event:?}"),
        }
    }
    assert_eq!(earlier, 2);
}

#[test]
fn a_log_that_cannot_be_read_is_a_source_that_says_so() {
    let root = tree().without("dev/kmsg");
    let mut session = session(&root);
    let mut source = EventSource::default();
    session
        .history(SOON, |item| {
            if let LogItem::Source(said) = item {
                source = said;
            }
        })
        .expect("no error");
    assert_eq!(source.name, EventSource::COUNTERS_ONLY);
    assert!(source.missing.contains("kmsg"), "{source:?}");
}

#[test]
fn a_process_table_that_cannot_be_read_is_an_error_of_the_sample() {
    let root = tree().without("proc");
    let mut session = session(&root);
    let error = session.sample(&Needs::default()).expect_err("no /proc");
    assert!(matches!(error, Halt::Failed(_)));
    assert!(error.to_string().contains("--proc"), "{error}");
}

/// Appends a line every few milliseconds until it is dropped.
struct Flood(Arc<AtomicBool>);

impl Flood {
    fn start(root: &FakeRoot) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (path, stopped) = (root.path("dev/kmsg"), Arc::clone(&stop));
        append(root, "6,0,1,-;first\n");
        std::thread::spawn(move || {
            let mut seq = 1;
            while !stopped.load(Ordering::SeqCst) {
                let mut file = std::fs::OpenOptions::new().append(true).open(&path)?;
                for _ in 0..2000 {
                    writeln!(file, "6,{seq},{seq},-;usb 1-1: reset")?;
                    seq += 1;
                }
            }
            Ok::<(), std::io::Error>(())
        });
        Self(stop)
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A log that takes minutes to read.
fn endless(root: &FakeRoot) {
    let file = std::fs::File::create(root.path("dev/kmsg")).expect("the log");
    file.set_len(1 << 42).expect("a hole");
}

#[test]
fn a_log_that_grows_while_it_is_read_is_read_to_its_end_as_it_was_at_the_start() {
    let root = tree();
    append(&root, REPORT);
    let _flood = Flood::start(&root);
    let mut session = session(&root);
    let (mut last, mut dead) = (None, 0);
    session
        .history(SOON, |item| {
            dead = dead.max(kills(&item));
            last = Some(item);
        })
        .expect("no error");
    assert!(dead > 0, "what was there is read");
    let Some(LogItem::Source(source)) = last else {
        panic!("{last:?}");
    };
    assert!(source.caught_up && source.missing.is_empty(), "{source:?}");
}

#[test]
fn a_log_too_long_for_the_time_there_is_says_so() {
    let root = tree();
    endless(&root);
    let read_for = |time: Duration| {
        let mut session = session(&root);
        let begun = Instant::now();
        let mut last = None;
        session
            .history(time, |item| last = Some(item))
            .expect("no error");
        assert!(begun.elapsed() < SOON + time, "{:?}", begun.elapsed());
        let Some(LogItem::Source(source)) = last else {
            panic!("{last:?}");
        };
        (session, source)
    };
    // A busy machine does not come to open the log in the shorter times.
    let times = [300, 1000, 3000, 9000].map(Duration::from_millis);
    let (session, source) = times
        .into_iter()
        .map(read_for)
        .find(|(_, source)| source.name.contains("kmsg"))
        .expect("kmsg was opened");
    assert!(source.missing.contains("not read to its end"), "{source:?}");
    assert!(!session.caught_up());
}

/// The real binary, in a log that takes long to read.
#[test]
fn a_signal_ends_it_at_once_and_without_a_word() {
    beside();
    let root = tree();
    endless(&root);
    for (signal, ignored, status) in [
        (Signal::TERM, false, 128 + 15),
        (Signal::INT, false, 128 + 2),
        // A shell without job control starts `oomtop &` with SIGINT ignored: only SIGTERM ends oomtop then.
        (Signal::INT, true, 128 + 15),
    ] {
        let trap = if ignored { "trap '' INT;" } else { "" };
        let script = format!("{trap} exec \"$0\" --once --root \"$1\"");
        // Tests that run as a background job are started with SIGINT ignored themselves, and a shell cannot undo that.
        let mut child = Command::new("env")
            .args(["--default-signal=INT", "sh", "-c", &script])
            .arg(env!("CARGO_BIN_EXE_oomtop"))
            .arg(root.path(""))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("sh");
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.expect("a pid");
        wait_until_caught(child.id(), signal, ignored);
        kill_process(pid, signal).expect("sent");
        if ignored {
            std::thread::sleep(Duration::from_millis(200));
            assert_eq!(child.try_wait().expect("waited"), None, "SIGINT is ignored");
            kill_process(pid, Signal::TERM).expect("sent");
        }
        let begun = Instant::now();
        let ended = child.wait().expect("waited");
        assert!(begun.elapsed() < Duration::from_secs(10));
        assert_eq!(ended.code(), Some(status), "{signal:?}: {ended:?}");
        let mut said = String::new();
        let stderr = child.stderr.as_mut().expect("piped");
        stderr.read_to_string(&mut said).expect("text");
        assert_eq!(said, "");
    }
}

/// Waits until the process catches SIGTERM, and `signal` too unless it is ignored.
fn wait_until_caught(pid: u32, signal: Signal, ignored: bool) {
    let begun = Instant::now();
    let wanted = |signal: Signal| 1_u64 << (signal.as_raw() - 1);
    loop {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let mask = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
        };
        let caught = mask("SigCgt:").unwrap_or(0);
        if caught & wanted(Signal::TERM) != 0 && (ignored || caught & wanted(signal) != 0) {
            return;
        }
        assert!(begun.elapsed() < SOON, "no handler of {signal:?}: {status}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    beside();
    let root = tree();
    let of_the_tree = root.path("");
    let of_the_tree = of_the_tree.to_str().expect("UTF-8");
    for arguments in [
        &["--once", "--json", "--root", of_the_tree][..],
        &["--once", "--root", of_the_tree],
        &["--version", "--verbose", "--root", of_the_tree],
        // The log of this machine, or a word that there is none.
        &["explain"],
    ] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_oomtop"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("waited");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !said.to_lowercase().contains("pipe"),
            "{arguments:?}: {said}"
        );
    }
}
