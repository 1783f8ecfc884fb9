//! Pids that are reused while a write is under way: the real kernel, and an adversary that is always in time.

mod many;
mod scopes;
mod siege;
mod threads;
mod tries;

use std::fs;
use std::io::Read as _;
use std::process::{Child, Command, Stdio};

use crate::common::memcg::{self, Memcg};
use crate::common::own_child::{OwnChild, id_of};
use crate::common::patience::until;
use crate::common::pid::with_pid;
use crate::common::skipped;
use crate::whole::writer;
use oomtop::linux::SysRoot;
use oomtop::linux::write::executor::KernelWriter;
use oomtop::model::cgroup::{CgroupPath, CgroupVersion};
use oomtop::model::plan::execute::Executor as _;
use oomtop::model::plan::receipt::{FailureKind, Reading};
use oomtop::model::plan::step::{CgroupStep, Step};
use oomtop::model::process::ProcessId;
use oomtop::model::process::score::OomScoreAdj;

/// Set for the child that writes: pid, start time, group.
const ORDER: &str = "OOMTOP_TEST_MOVE";

/// Ends a child that no [`OwnChild`] owns.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Not a test: the process that moves, when `ORDER` tells it to.
#[test]
fn moving_child() {
    let Ok(order) = std::env::var(ORDER) else {
        return;
    };
    let mut words = order.split(' ');
    let mut word = || words.next().expect("three words").to_owned();
    let number = |text: String| text.parse().expect("a number");
    let target = ProcessId {
        pid: u32::try_from(number(word())).expect("a pid"),
        start_ticks: number(word()),
    };
    let version = if fs::exists("/sys/fs/cgroup/memory/cgroup.procs").unwrap_or(false) {
        match fs::exists("/sys/fs/cgroup/unified") {
            Ok(true) => CgroupVersion::Hybrid,
            _ => CgroupVersion::V1,
        }
    } else {
        CgroupVersion::V2
    };
    let step = CgroupStep::Move(target, CgroupPath::new(&word()));
    let receipt = KernelWriter::new(SysRoot::default(), version).step(&step.into());
    println!("OUTCOME {:?}", receipt.outcome);
}

/// Starts [`moving_child`] with a FIFO in place of the group's `cgroup.procs`: its write waits until the FIFO has
/// a reader.
fn start_move(target: ProcessId, group: &Memcg, fifo: &std::path::Path) -> Child {
    let procs = group.dir().join("cgroup.procs");
    let script =
        "mount --bind \"$1\" \"$2\" && exec \"$3\" reused::moving_child --exact --nocapture";
    let mut command = Command::new("unshare");
    command
        .args(["-m", "sh", "-c", script, "sh"])
        .args([fifo, &procs]);
    command.arg(std::env::current_exe().expect("the test's own path"));
    let order = format!("{} {} {}", target.pid, target.start_ticks, group.path());
    command.env(ORDER, order).stdout(Stdio::piped());
    command.spawn().expect("unshare")
}

/// One of its threads waits for the reader of a FIFO (fs/pipe.c `wait_for_partner`).
fn waits_for_reader(pid: u32) -> bool {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten();
    tasks.flatten().any(|task| {
        let wchan = fs::read_to_string(task.path().join("wchan")).unwrap_or_default();
        wchan.contains("wait_for_partner")
    })
}

/// The mover waits for the reader of its FIFO. False if this machine cannot show that: it lets nobody have mounts of its
/// own, or its `/proc` does not tell what a task waits for. On any other machine a mover that does not wait has failed.
fn waits_to_write(mover: &mut Ends, dir: &std::path::Path) -> bool {
    let pid = mover.0.id();
    until(|| waits_for_reader(pid) || mover.0.try_wait().is_ok_and(|status| status.is_some()));
    if waits_for_reader(pid) {
        return true;
    }
    let mut mounts = Command::new("unshare");
    mounts.args(["-m", "mount", "--bind"]).args([dir, dir]);
    let mounts = mounts.status();
    if !mounts.is_ok_and(|status| status.success()) {
        return false;
    }
    let fifo = dir.join("probe");
    let made = Command::new("mkfifo").arg(&fifo).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo");
    let mut probe = Command::new("sh");
    probe.args(["-c", ": >\"$1\"", "sh"]).arg(&fifo);
    let probe = Ends(probe.spawn().expect("sh"));
    if !until(|| waits_for_reader(probe.0.id())) {
        return false;
    }
    let _ = mover.0.kill();
    let mut said = String::new();
    let mut out = mover.0.stdout.take().expect("piped");
    out.read_to_string(&mut said).expect("the outcome");
    panic!("the mover does not write: {said}");
}

#[test]
fn a_stranger_that_a_move_has_hit_is_moved_back() {
    let test = "a_stranger_that_a_move_has_hit_is_moved_back";
    let Some(group) = Memcg::create("stranger") else {
        return;
    };
    let dir = tempfile::tempdir().expect("a directory");
    let fifo = dir.path().join("procs");
    let made = Command::new("mkfifo").arg(&fifo).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo");
    let mut target = OwnChild::waiting();
    let pid = target.id().pid;
    let mut mover = Ends(start_move(target.id(), &group, &fifo));
    if !waits_to_write(&mut mover, dir.path()) {
        skipped(
            test,
            "no mount namespace, or /proc does not tell what a task waits for",
        );
        return;
    }
    // The last look is over. Now the target ends, and its pid goes to a stranger, whom the write then moves.
    target.kill();
    target.reap();
    let Some(stranger) = with_pid(pid).map(Ends) else {
        skipped(test, "a pid cannot be chosen here");
        return;
    };
    let home = memcg::of(stranger.0.id());
    group.add(pid);
    let written = fs::read_to_string(&fifo).expect("what was written");
    assert_eq!(written, pid.to_string());
    let mut said = String::new();
    let mut out = mover.0.stdout.take().expect("piped");
    out.read_to_string(&mut said).expect("the outcome");
    assert_eq!(memcg::of(pid), home, "{said}");
    assert_ne!(home.as_deref(), Some(group.path()));
    for part in [
        "Reused",
        "the pid went to another process (sh)",
        "was moved back to",
    ] {
        assert!(said.contains(part), "{said}");
    }
}

/// A start time counts in ticks of 10 ms: two processes with one pid can have the same.
#[test]
fn a_held_process_is_not_confused_with_one_of_the_same_pid_and_start_time() {
    let test = "a_held_process_is_not_confused";
    let zero = OomScoreAdj::new(900).expect("in range");
    for _ in 0..200 {
        let mut first = OwnChild::waiting();
        let target = first.id();
        let mut holding = KernelWriter::new(SysRoot::default(), CgroupVersion::None);
        holding.hold(&[target]);
        first.kill();
        first.reap();
        let Some(second) = with_pid(target.pid).map(Ends) else {
            break;
        };
        if id_of(second.0.id()) != Some(target) {
            continue;
        }
        let step = Step::Adj {
            target,
            value: zero,
        };
        let receipt = holding.step(&step);
        let failure = receipt.outcome.expect_err("its process has ended");
        assert_eq!(failure.kind, FailureKind::Gone);
        // The start time alone does not tell them apart.
        let mut fooled = KernelWriter::new(SysRoot::default(), CgroupVersion::None);
        assert_eq!(fooled.step(&step).outcome, Ok(Reading::Adj(zero)));
        return;
    }
    skipped(test, "no pid was reused within one tick");
}

#[test]
fn a_process_may_move_itself() {
    let Some(group) = Memcg::create("itself") else {
        return;
    };
    let own = id_of(std::process::id()).expect("its start time");
    let home = memcg::of(own.pid).expect("a group");
    let step = |path: &str| Step::from(CgroupStep::Move(own, CgroupPath::new(path)));
    let there = writer(&group).step(&step(group.path()));
    let back = writer(&group).step(&step(&home));
    assert_eq!((there.failure(), back.failure()), (None, None));
    assert_eq!(memcg::of(own.pid), Some(home));
}
