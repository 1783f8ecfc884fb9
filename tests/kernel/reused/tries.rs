//! Pids that are reused while a write is under way, again and again: no stranger is ever hit.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use super::Ends;
use crate::common::hands::Dice;
use crate::common::hog::adj_of;
use crate::common::memcg::{self, Memcg};
use crate::common::own_child::id_of;
use crate::common::patience::beside;
use crate::common::{measured, skipped};
use crate::whole::version;
use oomtop::linux::SysRoot;
use oomtop::linux::write::executor::KernelWriter;
use oomtop::model::cgroup::{CgroupPath, CgroupVersion};
use oomtop::model::plan::execute::Executor as _;
use oomtop::model::plan::receipt::StepReceipt;
use oomtop::model::plan::step::{CgroupStep, Step};
use oomtop::model::process::ProcessId;
use oomtop::model::process::score::OomScoreAdj;
use oomtop::model::process::signal::SIGNALS;

/// What is written, one kind after the other.
fn step(kind: usize, target: ProcessId, group: Option<&Memcg>) -> Step {
    match (kind % 3, group) {
        (0, Some(group)) => CgroupStep::Move(target, CgroupPath::new(group.path())).into(),
        (1, _) => Step::Signal {
            target,
            signal: SIGNALS[0],
        },
        _ => Step::Adj {
            target,
            value: OomScoreAdj::new(933).expect("in range"),
        },
    }
}

/// A process that waits, cheaper than a shell.
pub(super) fn waiting() -> Child {
    let mut command = Command::new("cat");
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    command.spawn().expect("cat")
}

/// Another process with the same pid.
pub(super) fn with_pid(pid: u32) -> Option<Child> {
    for _ in 0..200 {
        fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string()).ok()?;
        let mut child = waiting();
        if child.id() == pid {
            return Some(child);
        }
        child.kill().ok();
        child.wait().ok();
        if fs::exists(format!("/proc/{pid}")).ok()? {
            return None;
        }
    }
    None
}

/// Ends each target at a random moment of the write and gives its pid to a stranger. Returns how often a pid was reused,
/// and how often the write came too late for the target.
fn tries(test: &str, count: usize) {
    let group = Memcg::create("tries");
    if group.is_none() {
        beside();
    }
    let version = group.as_ref().map_or(CgroupVersion::None, version);
    let own = adj_of(std::process::id());
    let mut dice = Dice(0x5eed_1e55);
    let (mut reused, mut late, mut hit) = (0, 0, 0);
    let (orders, inbox) = channel::<(Step, Duration)>();
    let (answer, outcomes) = channel::<StepReceipt>();
    let (ready, is_held) = channel();
    let writer = std::thread::spawn(move || {
        for (step, pause) in inbox {
            let mut kernel = KernelWriter::new(SysRoot::default(), version);
            // As a dialog does while it is open.
            kernel.hold(step.processes());
            ready.send(()).expect("the test waits");
            std::thread::sleep(pause);
            answer.send(kernel.step(&step)).expect("the test waits");
        }
    });
    for number in 0..count {
        let mut target = Ends(waiting());
        let id = id_of(target.0.id()).expect("its start time");
        let pause = Duration::from_micros(dice.roll(1500) as u64);
        orders
            .send((step(number, id, group.as_ref()), pause))
            .expect("the writer waits");
        is_held.recv().expect("held");
        std::thread::sleep(Duration::from_micros(dice.roll(700) as u64));
        target.0.kill().ok();
        target.0.wait().ok();
        let stranger = with_pid(id.pid).map(Ends);
        let receipt = outcomes.recv().expect("an answer");
        let Some(mut stranger) = stranger else {
            continue;
        };
        reused += 1;
        late += usize::from(receipt.failure().is_some());
        let pid = stranger.0.id();
        let is_as_it_was = adj_of(pid) == own
            && group
                .as_ref()
                .is_none_or(|group| memcg::of(pid).as_deref() != Some(group.path()));
        // The first deadly signal decides with what a process ends (kernel/signal.c `complete_signal`).
        stranger.0.kill().expect("it is our own");
        let end = stranger.0.wait().expect("reaped").signal();
        if !is_as_it_was || end != Some(9) {
            hit += 1;
            println!("{receipt:?}");
        }
    }
    drop(orders);
    writer.join().expect("it ends");
    if reused == 0 {
        return skipped(test, "a pid cannot be chosen here");
    }
    measured(&format!(
        "{count} writes while their pid was reused ({reused} reused, {late} came too late): {hit} hit a stranger"
    ));
    assert_eq!(hit, 0);
}

#[test]
fn no_stranger_is_hit_by_adj_signal_or_move() {
    tries("strangers", 150);
}

/// `cargo test --test kernel -- --ignored ten_thousand`
#[test]
#[ignore = "takes half a minute: cargo test --test kernel -- --ignored ten_thousand"]
fn no_stranger_is_hit_in_ten_thousand_tries() {
    tries("ten thousand strangers", 10_000);
}
