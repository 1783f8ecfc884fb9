//! Writes and signals on processes of the test's own, and on fake trees.
#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::fs;

use crate::common::fake_root::{FakeProcess, FakeRoot};
use crate::common::own_child::{OwnChild, id_of};
use crate::common::patience::until;
use crate::common::skipped;
use oomtop::linux::SysRoot;
use oomtop::linux::write::executor::KernelWriter;
use oomtop::model::cgroup::CgroupVersion;
use oomtop::model::plan::execute::Executor;
use oomtop::model::plan::receipt::{Failure, FailureKind, Reading, StepReceipt};
use oomtop::model::plan::step::Step;
use oomtop::model::process::ProcessId;
use oomtop::model::process::score::OomScoreAdj;
use oomtop::model::process::signal::{SIGNALS, Signal};

fn adj(value: i64) -> OomScoreAdj {
    OomScoreAdj::new(value).expect("in range")
}

fn write_adj(root: &SysRoot, target: ProcessId, value: OomScoreAdj) -> StepReceipt {
    KernelWriter::new(root.clone(), CgroupVersion::None).step(&Step::Adj { target, value })
}

fn send_signal(root: &SysRoot, target: ProcessId, signal: Signal) -> Result<(), Failure> {
    let step = Step::Signal { target, signal };
    let receipt = KernelWriter::new(root.clone(), CgroupVersion::None).step(&step);
    receipt.outcome.map(|_| ())
}

fn signal(name: &str) -> Signal {
    *SIGNALS.iter().find(|s| s.name == name).expect("offered")
}

/// The session of a process: field 6 of its `stat`, the fourth behind the name. It is 0 for pid 1 of
/// many a container and for what that starts, which no system call is ready for.
fn session(pid: &str) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let behind = stat.rsplit_once(") ")?.1;
    behind.split(' ').nth(3).map(str::to_owned)
}

fn kind<T>(outcome: &Result<T, Failure>) -> Option<FailureKind> {
    outcome.as_ref().err().map(|f| f.kind)
}

#[test]
fn a_value_is_written_read_back_and_undone() {
    let child = OwnChild::waiting();
    let root = SysRoot::default();
    // Raising an adj and lowering it back to the inherited value needs no privilege.
    let before = child.adj();
    let mut was = before;
    for value in [100, 50, 1000, before] {
        let value = value.max(before);
        let receipt = write_adj(&root, child.id(), adj(value));
        assert_eq!(receipt.outcome, Ok(Reading::Adj(adj(value))));
        assert_eq!(receipt.before, Reading::Adj(adj(was)));
        assert_eq!(child.adj(), value);
        was = value;
    }
}

#[test]
fn another_process_with_that_pid_is_left_alone() {
    let child = OwnChild::waiting();
    let before = child.adj();
    let receipt = write_adj(&SysRoot::default(), child.other_id(), adj(777));
    assert_eq!(kind(&receipt.outcome), Some(FailureKind::Reused));
    assert_eq!(receipt.before, Reading::Nothing);
    assert_eq!(child.adj(), before);
    let sent = send_signal(&SysRoot::default(), child.other_id(), signal("KILL"));
    assert_eq!(kind(&sent), Some(FailureKind::Reused));
    assert!(child.leaves(), "no signal has reached it");
}

#[test]
fn zombies_and_ended_processes_are_gone() {
    let mut child = OwnChild::waiting();
    let root = SysRoot::default();
    child.kill();
    let zombie = write_adj(&root, child.id(), adj(500));
    assert_eq!(kind(&zombie.outcome), Some(FailureKind::Gone));
    assert_eq!(
        kind(&send_signal(&root, child.id(), signal("TERM"))),
        Some(FailureKind::Gone)
    );
    child.reap();
    let ended = write_adj(&root, child.id(), adj(500));
    // Another test may have got the pid by now.
    assert!(matches!(
        kind(&ended.outcome),
        Some(FailureKind::Gone | FailureKind::Reused)
    ));
    assert!(matches!(
        kind(&send_signal(&root, child.id(), signal("TERM"))),
        Some(FailureKind::Gone | FailureKind::Reused)
    ));
}

#[test]
fn a_process_whose_main_thread_has_ended_lives_on_in_its_threads() {
    let root = FakeRoot::new()
        .process(10, FakeProcess::dead_leader)
        .process(11, FakeProcess::zombie);
    let write = |pid| write_adj(&root.sys_root(), FakeProcess::id(pid), adj(7)).outcome;
    assert_eq!(write(10), Ok(Reading::Adj(adj(7))));
    assert_eq!(kind(&write(11)), Some(FailureKind::Gone));
}

#[test]
fn below_the_floor_needs_the_capability_and_says_so() {
    let child = OwnChild::waiting();
    let before = child.adj();
    let receipt = write_adj(&SysRoot::default(), child.id(), OomScoreAdj::IMMUNE);
    let status = fs::read_to_string("/proc/self/status").expect("status");
    let mask = status
        .lines()
        .find_map(|l| l.strip_prefix("CapEff:"))
        .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
        .expect("CapEff");
    if before == -1000 {
        skipped("below_the_floor", "this test itself runs at -1000");
    } else if mask & (1 << 24) != 0 {
        // In a user namespace the capability has no effect, so both outcomes are right.
        let kept = receipt.outcome == Ok(Reading::Adj(OomScoreAdj::IMMUNE));
        assert!(kept || kind(&receipt.outcome) == Some(FailureKind::Denied));
    } else {
        let failure = receipt.outcome.expect_err("refused");
        assert_eq!(failure.kind, FailureKind::Denied);
        let root = if rustix::process::geteuid().is_root() {
            ""
        } else {
            "sudo "
        };
        let command = format!(": {root}choom -p {} -n -1000", child.id().pid);
        for part in ["CAP_SYS_RESOURCE", command.as_str()] {
            assert!(failure.sentence.contains(part), "{}", failure.sentence);
        }
        assert_eq!(child.adj(), before);
    }
}

#[test]
fn anothers_process_is_denied_at_open() {
    if rustix::process::geteuid().is_root() {
        skipped("anothers_process_is_denied", "it must not be root");
        return;
    }
    let Some(init) = id_of(1) else {
        skipped("anothers_process_is_denied", "pid 1 is hidden");
        return;
    };
    let receipt = write_adj(&SysRoot::default(), init, adj(1000));
    let failure = receipt.outcome.expect_err("refused");
    assert_eq!(failure.kind, FailureKind::Denied);
    assert!(failure.sentence.contains("another user"));
    // CONT does no harm where it arrives, and within one session it always may (kill(2)): in a
    // container a test's session is often that of pid 1.
    let sent = send_signal(&SysRoot::default(), init, signal("CONT"));
    let one_session = session("self") == session("1");
    let expected = (!one_session).then_some(FailureKind::Denied);
    assert_eq!(kind(&sent), expected);
}

#[test]
fn a_value_that_does_not_stay_is_reported() {
    // A write does not truncate a plain file: "5" over "12" reads 52, as if another program had set it.
    let root = FakeRoot::new()
        .process(10, |p| p)
        .file("proc/10/oom_score_adj", "12\n");
    let receipt = write_adj(&root.sys_root(), FakeProcess::id(10), adj(5));
    assert_eq!(receipt.before, Reading::Adj(adj(12)));
    let failure = receipt.outcome.expect_err("not kept");
    assert_eq!(failure.kind, FailureKind::NotKept);
    assert!(
        failure.sentence.contains("reads 52 now"),
        "{}",
        failure.sentence
    );
    let root = root.without("proc/10/oom_score_adj");
    let receipt = write_adj(&root.sys_root(), FakeProcess::id(10), adj(5));
    assert!(receipt.outcome.is_err());
    assert!(!root.path("proc/10/oom_score_adj").exists(), "never made");
}

#[test]
fn a_link_in_the_tree_is_not_followed() {
    let root = FakeRoot::new()
        .process(10, |p| p)
        .file("precious", "0\n")
        .without("proc/10/oom_score_adj");
    std::os::unix::fs::symlink(root.path("precious"), root.path("proc/10/oom_score_adj"))
        .expect("a link");
    let receipt = write_adj(&root.sys_root(), FakeProcess::id(10), adj(7));
    assert!(receipt.outcome.is_err());
    assert_eq!(
        fs::read_to_string(root.path("precious")).expect("there"),
        "0\n"
    );
}

#[test]
fn signals_stop_continue_and_end_the_right_process() {
    let child = OwnChild::waiting();
    let root = SysRoot::default();
    let wait_for = |wanted: &str| until(|| child.state().is_some_and(|s| wanted.contains(s)));
    assert_eq!(send_signal(&root, child.id(), signal("STOP")), Ok(()));
    assert!(wait_for("T"));
    assert_eq!(send_signal(&root, child.id(), signal("CONT")), Ok(()));
    assert!(wait_for("SR"));
    assert_eq!(send_signal(&root, child.id(), signal("TERM")), Ok(()));
    assert!(wait_for("Z"));
}

#[test]
fn a_tree_that_is_not_our_proc_gets_no_signals() {
    let child = OwnChild::waiting();
    let id = child.id();
    let root = FakeRoot::new()
        .process(id.pid, |p| p.start(id.start_ticks))
        .own(std::process::id());
    let sent = send_signal(&root.sys_root(), id, signal("KILL"));
    let failure = sent.expect_err("refused");
    assert!(failure.sentence.contains("namespace"), "{failure}");
    assert!(child.leaves(), "no signal has reached it");
}
