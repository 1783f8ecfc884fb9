//! On the running kernel: every back end tells the processor time, the threads and the start of a process as
//! `/proc/PID/stat` does.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::collections::HashMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::patience::{alone, until};
use crate::common::skipped;
use oomtop::linux::SysRoot;
use oomtop::linux::sampler::Sampler;
use oomtop::linux::scan::backend::BackendChoice;
use oomtop::model::process::Process;
use oomtop::model::snapshot::Needs;
use oomtop::model::time::{Monotonic, Now};

/// Ticks, threads, start and state of a process by its file.
fn stat(pid: u32) -> Option<(u64, u32, u64)> {
    let line = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = line.rsplit_once(") ")?;
    let field = |at: usize| rest.split(' ').nth(at - 3)?.parse::<u64>().ok();
    let threads = u32::try_from(field(20)?).ok()?;
    Some((field(14)? + field(15)?, threads, field(22)?))
}

fn sample(sampler: &mut Sampler, begun: Instant) -> HashMap<u32, Process> {
    let micros = begun.elapsed().as_micros() + 1_000_000;
    let now = Now {
        monotonic: Monotonic(u64::try_from(micros).unwrap_or(u64::MAX)),
        ..Now::default()
    };
    let needs = Needs {
        cpu: true,
        ..Needs::default()
    };
    let snapshot = sampler.sample(&needs, now).expect("a sample");
    let rows = snapshot.processes.iter();
    rows.map(|process| (process.id.pid, process.clone()))
        .collect()
}

/// Three threads that compute, and one that has ended.
fn busy() -> Option<Child> {
    let script = "import threading, hashlib\n\
        def some():\n    hashlib.pbkdf2_hmac('sha256', b'x', b'y', 300000)\n\
        def work():\n    while True: hashlib.pbkdf2_hmac('sha256', b'x', b'y', 50000)\n\
        ended = threading.Thread(target=some)\n\
        ended.start()\n\
        ended.join()\n\
        for _ in range(3): threading.Thread(target=work).start()\n";
    let child = Command::new("python3")
        .args(["-c", script])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    child.ok()
}

#[test]
fn every_back_end_tells_the_time_of_all_threads() {
    let test = "every_back_end_tells_the_time_of_all_threads";
    alone();
    let Some(mut child) = busy() else {
        skipped(test, "there is no python3");
        return;
    };
    let pid = child.id();
    let works = || stat(pid).is_some_and(|(ticks, threads, _)| threads == 4 && ticks > 10);
    assert!(until(works), "it computes");
    for choice in [
        BackendChoice::Bpf,
        BackendChoice::BpfIterator,
        BackendChoice::ProcAll,
    ] {
        match Sampler::with_backend(SysRoot::default(), choice) {
            Ok(mut sampler) => agrees(&mut sampler, pid),
            Err(error) => skipped(test, &format!("no {choice:?} here: {error}")),
        }
    }
    child.kill().ok();
    child.wait().ok();
}

fn agrees(sampler: &mut Sampler, busy: u32) {
    let begun = Instant::now();
    let tick = 1_000_000_000 / rustix::param::clock_ticks_per_second();
    let mut first = sample(sampler, begun);
    let mut compared = 0;
    let told = until(|| {
        std::thread::sleep(Duration::from_millis(300));
        let before: HashMap<_, _> = first.keys().map(|pid| (*pid, stat(*pid))).collect();
        let rows = sample(sampler, begun);
        for (pid, row) in &rows {
            let (Some(Some(before)), Some(after)) = (before.get(pid), stat(*pid)) else {
                continue;
            };
            let cpu = row.cpu.expect("processor time of every process");
            // A task that runs has not been charged for its last tick.
            let ticks = cpu.nanos / tick;
            assert!(
                ticks + 3 >= before.0 && ticks <= after.0 + 1,
                "{pid} {}: {ticks}, not {} to {}",
                row.comm,
                before.0,
                after.0
            );
            assert_eq!(row.id.start_ticks, after.2, "{pid}");
            // A thread of somebody else may come and go between the looks.
            if *pid == busy && before.1 == after.1 {
                assert_eq!(row.threads, after.1, "{pid}");
            }
            compared += 1;
        }
        let percent = rows.get(&busy).and_then(|row| row.cpu?.percent);
        first = rows;
        // Three threads want three processors; a loaded machine gives less.
        compared > 50 && percent.is_some_and(|percent| percent > 5.0)
    });
    assert!(told, "the three threads have no share of a processor");
}
