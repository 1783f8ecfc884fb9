//! Processes start and end as fast as possible while oomtop samples: nothing leaks, no row is wrong.
//!
//! `OOMTOP_TEST_CHURN_SECONDS` sets the time for each back end; the default is three seconds.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::collections::{HashSet, VecDeque};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::common::own_child::{OwnChild, id_of};
use crate::common::patience::alone;
use crate::common::{measured, skipped};
use oomtop::linux::SysRoot;
use oomtop::linux::sampler::Sampler;
use oomtop::linux::scan::backend::BackendChoice;
use oomtop::model::process::{Process, ProcessId};
use oomtop::model::snapshot::{Needs, Snapshot};
use oomtop::model::time::{Monotonic, Now};

/// Ended children that are remembered: a row is judged within a few samples, so this is plenty.
const REMEMBERED: usize = 50_000;

/// Growth of the test's memory without a leak: the allocator's buffers and arenas.
const SLACK_KIB: u64 = 6 * 1024;

/// What a row may take in all tables: somebody else may start thousands of processes meanwhile.
const KIB_PER_ROW: u64 = 2;

fn duration() -> Duration {
    let named = std::env::var("OOMTOP_TEST_CHURN_SECONDS").ok();
    Duration::from_secs(named.and_then(|n| n.parse().ok()).unwrap_or(3))
}

/// Children that have been started, the youngest last.
struct Known(Mutex<VecDeque<ProcessId>>);

impl Known {
    fn add(&self, id: ProcessId) {
        let mut known = self.0.lock().expect("known");
        if known.len() >= REMEMBERED {
            known.pop_front();
        }
        known.push_back(id);
    }
}

/// Starts and ends processes until it is told to stop.
fn churn(stop: &AtomicBool, known: &Known, started: &AtomicU64) {
    while !stop.load(Ordering::Relaxed) {
        let child = Command::new("true").stdin(Stdio::null()).spawn();
        let Ok(mut child) = child else {
            // At a limit on processes: wait until others end.
            std::thread::sleep(Duration::from_millis(5));
            continue;
        };
        // Not reaped yet, so the pid still belongs to it.
        known.add(id_of(child.id()).expect("its start time"));
        started.fetch_add(1, Ordering::Relaxed);
        child.wait().expect("reaped");
    }
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("fd").count()
}

/// Private memory of this process in KiB.
fn anonymous() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("status");
    let line = status.lines().find_map(|l| l.strip_prefix("RssAnon:"));
    let number = line.and_then(|l| l.split_whitespace().next()?.parse().ok());
    number.unwrap_or(0)
}

/// Takes samples with the most expensive requests: command lines, and details of children that may have ended.
struct Watch {
    sampler: Sampler,
    needs: Needs,
    begun: Instant,
}

impl Watch {
    fn sample(&mut self) -> std::sync::Arc<Snapshot> {
        let micros = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        let now = Now {
            monotonic: Monotonic(micros + 1),
            ..Now::default()
        };
        let snapshot = self.sampler.sample(&self.needs, now).expect("a sample");
        let children = children(&snapshot).map(|p| p.id);
        self.needs.visible.clear();
        self.needs.visible.extend(children);
        self.needs.detail = self.needs.visible.last().copied();
        self.needs.all_commands = snapshot.seq.is_multiple_of(2);
        snapshot
    }
}

fn children(snapshot: &Snapshot) -> impl Iterator<Item = &Process> {
    let own = std::process::id();
    snapshot.processes.iter().filter(move |p| p.ppid == own)
}

/// Checks what holds for every child of this test: before exec, after exec, and as a zombie.
fn check_child(row: &Process, uid: u32) {
    assert_eq!(row.uid, uid, "{row:?}");
    assert!(!row.kernel_thread && !row.global_init, "{row:?}");
    assert!(row.threads <= 1, "{row:?}");
    if row.state.is_dead() {
        assert_eq!(row.memory, None, "{row:?}");
    }
    let command = row.command.as_deref().unwrap_or_default();
    // Between fork and exec the child is still this program under another pid.
    let own = std::env::args().next().unwrap_or_default();
    let plausible = ["", "true", "sh -c "];
    assert!(
        plausible.contains(&command) || command.starts_with("sh -c ") || command.starts_with(&own),
        "{row:?}"
    );
}

fn run(choice: BackendChoice) {
    let test = "churn";
    let sampler = match Sampler::with_backend(SysRoot::default(), choice) {
        Ok(sampler) => sampler,
        Err(error) => return skipped(test, &format!("there is no {choice:?} here: {error}")),
    };
    let lasting: Vec<OwnChild> = (0..4).map(|_| OwnChild::waiting()).collect();
    let known = Known(Mutex::new(VecDeque::with_capacity(REMEMBERED)));
    for child in &lasting {
        known.add(child.id());
    }
    let (stop, started) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut watch = Watch {
        sampler,
        needs: Needs::default(),
        begun: Instant::now(),
    };
    let (mut pending, mut rounds, mut judged) = (HashSet::new(), 0_u64, 0_u64);
    let (mut warm, mut most_rows) = (None, 0);
    watch.sample();
    let descriptors_before = descriptors();
    let uid = rustix::process::geteuid().as_raw();
    std::thread::scope(|scope| {
        // Stops the threads even when an assertion fails: the scope waits for them.
        let _stop = StopAtEnd(&stop);
        for _ in 0..2 {
            scope.spawn(|| churn(&stop, &known, &started));
        }
        let few = |rounds| rounds < 30 || started.load(Ordering::Relaxed) < 50;
        while watch.begun.elapsed() < duration() || few(rounds) {
            let snapshot = watch.sample();
            rounds += 1;
            let pids: HashSet<_> = snapshot.processes.iter().map(|p| p.id.pid).collect();
            assert_eq!(pids.len(), snapshot.processes.len(), "a pid twice");
            for child in &lasting {
                let row = snapshot.processes.iter().find(|p| p.id == child.id());
                let row = row.expect("a child that has not ended");
                assert!(row.memory.is_some() && row.comm.text() == "sh", "{row:?}");
            }
            // All that were seen before have been noted by now, but for the two being started.
            let started = known.0.lock().expect("known");
            pending.retain(|id| !started.contains(id));
            drop(started);
            assert!(pending.len() <= 2, "rows of no process: {pending:?}");
            for row in children(&snapshot) {
                check_child(row, uid);
                pending.insert(row.id);
                judged += 1;
            }
            if warm.is_none() && watch.begun.elapsed() > duration() / 3 {
                warm = Some((anonymous(), snapshot.processes.len()));
            }
            most_rows = most_rows.max(snapshot.processes.len());
            std::thread::sleep(Duration::from_millis(3));
        }
    });
    let ((warm, warm_rows), end) = (warm.expect("a third of the time has passed"), anonymous());
    let more_rows = u64::try_from(most_rows.saturating_sub(warm_rows)).unwrap_or(u64::MAX);
    let started = started.into_inner();
    let seconds = watch.begun.elapsed().as_secs_f64();
    let line = format!(
        "churn with {}: {started} processes in {seconds:.1} s, {rounds} samples, {judged} rows of \
         them; private memory {warm} kB after a third, {end} kB at the end; {descriptors_before} descriptors, {} at the end",
        watch.sample().backend,
        descriptors(),
    );
    measured(&line);
    let known = known.0.into_inner().expect("known");
    pending.retain(|id| !known.contains(id));
    assert!(pending.is_empty(), "rows of no process: {pending:?}");
    assert!(judged > rounds, "{judged} rows in {rounds} samples");
    assert!(
        descriptors() <= descriptors_before + 4,
        "descriptors leak: {descriptors_before} before, {} now",
        descriptors()
    );
    assert!(
        end <= warm + SLACK_KIB + more_rows * KIB_PER_ROW,
        "memory leaks: {warm} kB after a third of the time, {end} kB at the end"
    );
}

struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// One test, one back end after the other: every child of this program is known to it.
#[test]
fn nothing_leaks_and_no_row_is_wrong_while_processes_come_and_go() {
    alone();
    for choice in [
        BackendChoice::Bpf,
        BackendChoice::BpfIterator,
        BackendChoice::Proc,
    ] {
        run(choice);
    }
}
