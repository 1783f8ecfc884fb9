//! The layout and the programs on the running kernel.

use std::fs::File;
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, eventfd};

use super::layout::{Marked, TraceLayout};
use super::program::{Maps, on_mark, on_signal};
use super::{KillTrace, TYPES};
use crate::linux::SysRoot;
use crate::model::cgroup::CgroupVersion;
use crate::model::traced::{Sender, Traced};

fn skipped(what: &str, why: &dyn std::fmt::Display) {
    use std::io::Write as _;
    writeln!(std::io::stderr(), "SKIPPED: {what} because {why}").ok();
}

#[test]
fn the_programs_fit_the_running_kernel_or_it_says_what_it_lacks() {
    let Ok(types) = File::open(TYPES) else {
        return skipped("programs at tracepoints", &"there is no BTF to read");
    };
    match TraceLayout::read(types, CgroupVersion::V2) {
        Ok(layout) => {
            assert_eq!(layout.lacking, Vec::<String>::new());
            let maps = Maps { ring: 3, lost: 4 };
            assert!(on_mark(&layout, maps).is_some());
            let signal = layout.signal.expect("nothing is lacking");
            assert!(on_signal(&layout, signal, maps).is_some());
            // The older form: a number instead of a task.
            let older = TraceLayout {
                marked: Marked::Pid(0),
                memory: None,
                mm: None,
                uid: None,
                adj: None,
                group: None,
                ..layout
            };
            assert!(on_mark(&older, maps).is_some());
        }
        Err(error) => {
            let text = error.to_string();
            assert!(text.starts_with("this kernel has no"), "{text}");
        }
    }
}

/// The flood of one test would run over the ring of another.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Needs no OOM: the sender and the target of a SIGKILL are told.
#[test]
fn a_sigkill_is_told_with_its_sender() {
    let _alone = alone();
    let mut trace = match KillTrace::open(&SysRoot::default()) {
        Ok(trace) => trace,
        Err(refusal) => return skipped("SIGKILL by tracepoint", &refusal),
    };
    assert!(trace.instructions() > 0 && trace.lacking().is_empty());
    let stop = eventfd(0, EventfdFlags::CLOEXEC).expect("a descriptor");
    let mut child = Command::new("sleep")
        .arg("1000")
        .stdin(Stdio::null())
        .spawn()
        .expect("a child");
    child.kill().expect("killed");
    child.wait().expect("reaped");
    let (begun, mut told) = (Instant::now(), Vec::new());
    let sigkill = loop {
        assert!(trace.wait(stop.as_fd()), "nothing stops it");
        trace.take(&mut told);
        let found = told.iter().find_map(|traced| match traced {
            Traced::Sigkill(sigkill) if sigkill.target.pid == child.id() => Some(sigkill),
            _ => None,
        });
        if let Some(sigkill) = found {
            break sigkill.clone();
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "{told:?}");
    };
    let Sender::Process { pid, uid, .. } = sigkill.by else {
        panic!("{sigkill:?}");
    };
    assert_eq!(pid, std::process::id());
    assert_eq!(uid, rustix::process::getuid().as_raw());
    assert!(sigkill.target.start_ticks > 0);
    // Told to stop, it does not wait.
    rustix::io::write(&stop, &1_u64.to_ne_bytes()).expect("written");
    assert!(!trace.wait(stop.as_fd()));
}

#[test]
fn a_ring_that_runs_over_counts_what_is_lost_and_goes_on() {
    let _alone = alone();
    // Room for some 25 records.
    let mut trace = match KillTrace::open_with(&SysRoot::default(), 4096) {
        Ok(trace) => trace,
        Err(refusal) => return skipped("a full ring", &refusal),
    };
    let stop = eventfd(0, EventfdFlags::CLOEXEC).expect("a descriptor");
    let sleep = || {
        let mut command = Command::new("sleep");
        command.arg("1000").stdin(Stdio::null());
        command.spawn().expect("a child")
    };
    let pid = |child: &std::process::Child| {
        let pid = i32::try_from(child.id()).ok();
        pid.and_then(rustix::process::Pid::from_raw).expect("a pid")
    };
    // Nobody reads meanwhile. A child that has ended takes signals until it is reaped: all but the first are not
    // delivered, and take no room from others.
    let mut child = sleep();
    let mut told = Vec::new();
    // Others on the machine may have been killed since it was opened.
    trace.take(&mut told);
    for _ in 0..4000 {
        rustix::process::kill_process(pid(&child), rustix::process::Signal::KILL).expect("sent");
    }
    child.wait().expect("reaped");
    // They may be killed meanwhile, too.
    let by_loop = trace.lost_signals();
    assert!(
        by_loop < 400,
        "a loop of kills has no more than a few records: {by_loop}"
    );
    for _ in 0..60 {
        let mut other = sleep();
        other.kill().expect("killed");
        other.wait().expect("reaped");
    }
    assert!(trace.lost_signals() > 0);
    let mut count = |told: &mut Vec<Traced>, wanted: u32| {
        let is_it = |traced: &&Traced| matches!(traced, Traced::Sigkill(sigkill) if sigkill.target.pid == wanted);
        let begun = Instant::now();
        while !told.iter().any(|traced| is_it(&traced)) {
            assert!(
                begun.elapsed() < Duration::from_mins(1),
                "it does not go on"
            );
            assert!(trace.wait(stop.as_fd()));
            trace.take(told);
        }
        told.iter().filter(is_it).count()
    };
    let first = count(&mut told, child.id());
    assert_eq!(first, 1, "only the first of them was delivered");
    // After a part of the flood there is room again.
    let mut next = sleep();
    next.kill().expect("killed");
    next.wait().expect("reaped");
    count(&mut told, next.id());
    let lost: Vec<_> = told
        .iter()
        .filter(|traced| matches!(traced, Traced::Lost(_)))
        .collect();
    assert!(
        lost.is_empty(),
        "no victim of the OOM killer is lost: {lost:?}"
    );
}
