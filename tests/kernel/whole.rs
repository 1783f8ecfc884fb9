//! Plans on the real kernel are done whole or not at all, and an undo of what is no more says so.

use std::fs;
use std::path::PathBuf;

use crate::common::memcg::{self, Memcg, Version};
use crate::common::own_child::OwnChild;
use oomtop::linux::SysRoot;
use oomtop::linux::write::executor::KernelWriter;
use oomtop::model::cgroup::limits::{LimitFile, LimitValue};
use oomtop::model::cgroup::{CgroupPath, CgroupVersion};
use oomtop::model::plan::receipt::{FailureKind, PlanReceipt};
use oomtop::model::plan::step::{CgroupStep, LimitWrite};
use oomtop::model::plan::{Plan, execute, inverse};
use oomtop::model::process::ProcessId;

const MIB: u64 = 1 << 20;

pub(crate) fn version(group: &Memcg) -> CgroupVersion {
    match group.version() {
        Version::V2 => CgroupVersion::V2,
        Version::V1 if fs::exists("/sys/fs/cgroup/unified").unwrap_or(false) => {
            CgroupVersion::Hybrid
        }
        Version::V1 => CgroupVersion::V1,
    }
}

pub(crate) fn writer(group: &Memcg) -> KernelWriter {
    KernelWriter::new(SysRoot::default(), version(group))
}

/// A group inside `parent`, with a limit, for this process.
fn fence(parent: &Memcg, target: ProcessId) -> (Plan, PathBuf) {
    let group = CgroupPath::new(&format!("{}/fence", parent.path()));
    let file = LimitFile::hard_limit(version(parent));
    let value = LimitValue::Amount(64 * MIB);
    let mut steps = vec![
        CgroupStep::Create(group.clone()),
        CgroupStep::Limit(group.clone(), LimitWrite { file, value }),
        CgroupStep::Move(target, group),
    ];
    if parent.version() == Version::V2 {
        let above = CgroupPath::new(parent.path());
        steps.insert(0, CgroupStep::EnableMemory(above));
    }
    (steps.into_iter().collect(), parent.dir().join("fence"))
}

fn control(group: &Memcg) -> String {
    fs::read_to_string(group.dir().join("cgroup.subtree_control")).unwrap_or_default()
}

#[test]
fn no_group_stays_for_a_process_that_cannot_come() {
    let Some(parent) = Memcg::create("cannot-come") else {
        return;
    };
    let before = control(&parent);
    let run = |target| {
        let (plan, made) = fence(&parent, target);
        let receipt = execute::run(&mut writer(&parent), &plan);
        let failure = receipt.failure().expect("it fails").clone();
        assert!(!made.exists(), "{failure}");
        assert_eq!(control(&parent), before, "{failure}");
        (receipt, failure)
    };
    let mut child = OwnChild::waiting();
    let (receipt, failure) = run(child.other_id());
    assert_eq!(failure.kind, FailureKind::Reused);
    assert_eq!(receipt.steps.len(), 1, "nothing was begun");
    child.kill();
    let (receipt, zombie) = run(child.id());
    assert_eq!(zombie.kind, FailureKind::Gone);
    assert_eq!(receipt.steps.len(), 1);
    // A kernel thread is there, and only the move itself finds out that it cannot be moved.
    let Some(kthreadd) = crate::common::own_child::id_of(2).filter(|_| is_kthreadd()) else {
        crate::common::skipped("no_group_stays", "pid 2 is no kernel thread here");
        return;
    };
    let (receipt, failure) = run(kthreadd);
    assert!(failure.sentence.contains("a kernel thread"), "{failure}");
    assert!(!receipt.taken_back.is_empty());
    assert!(receipt.taken_back.iter().all(|back| back.outcome.is_ok()));
}

fn is_kthreadd() -> bool {
    fs::read_to_string("/proc/2/comm").is_ok_and(|name| name.trim() == "kthreadd")
}

#[test]
fn a_group_that_somebody_else_uses_by_now_is_named_and_left() {
    let Some(parent) = Memcg::create("used-by-now") else {
        return;
    };
    let child = OwnChild::waiting();
    let guest = OwnChild::waiting();
    let (plan, made) = fence(&parent, child.id());
    let receipt = execute::run(&mut writer(&parent), &plan);
    assert_eq!(receipt.failure(), None);
    fs::write(made.join("cgroup.procs"), guest.id().pid.to_string()).expect("moved in");
    let home = memcg::of(std::process::id());
    let back = undo(&parent, &[receipt]);
    assert_eq!(memcg::of(child.id().pid), home, "the move is undone");
    let failure = back[0].failure().expect("the group is in use");
    assert!(failure.sentence.contains("not empty"), "{failure}");
    assert!(made.exists());
}

fn undo(group: &Memcg, receipts: &[PlanReceipt]) -> Vec<PlanReceipt> {
    let plans = inverse::of_write(receipts);
    let expected = inverse::expectations(receipts);
    execute::undo(&mut writer(group), &plans, &expected)
}

/// A child in the group `old`, moved to the group `new`.
fn moved(parent: &Memcg) -> (OwnChild, Memcg, Memcg, PlanReceipt) {
    let (old, new) = (parent.child("old"), parent.child("new"));
    let child = OwnChild::waiting();
    old.add(child.id().pid);
    let step = CgroupStep::Move(child.id(), CgroupPath::new(new.path()));
    let receipt = execute::run(&mut writer(parent), &Plan::from_iter([step]));
    assert_eq!(receipt.failure(), None);
    (child, old, new, receipt)
}

#[test]
fn a_move_is_not_undone_into_a_group_that_is_gone_or_another_one() {
    let Some(parent) = Memcg::create("old-home") else {
        return;
    };
    let (child, old, new, receipt) = moved(&parent);
    fs::remove_dir(old.dir()).expect("empty");
    let receipts = [receipt];
    let back = undo(&parent, &receipts);
    let failure = back[0].failure().expect("nowhere to go");
    assert_eq!(failure.kind, FailureKind::NoGroup);
    assert_eq!(memcg::of(child.id().pid).as_deref(), Some(new.path()));
    // Somebody makes it anew, with a limit that it did not have: that is another group, whoever insists.
    let anew = parent.child("old");
    anew.limit(16 * MIB);
    let plans = inverse::of_write(&receipts);
    let insisted = execute::undo(&mut writer(&parent), &plans, &[]);
    for back in [undo(&parent, &receipts), insisted] {
        let failure = back[0].failure().expect("it is another group");
        assert_eq!(failure.kind, FailureKind::NoGroup);
        assert_eq!(memcg::of(child.id().pid).as_deref(), Some(new.path()));
    }
    drop(child);
}

#[test]
fn a_dead_process_does_not_keep_its_group_from_being_removed() {
    let Some(parent) = Memcg::create("dead-inside") else {
        return;
    };
    let mut child = OwnChild::waiting();
    let (plan, made) = fence(&parent, child.id());
    let receipt = execute::run(&mut writer(&parent), &plan);
    assert_eq!(receipt.failure(), None);
    child.kill();
    child.reap();
    let back = undo(&parent, &[receipt]);
    let failure = back[0].failure().expect("it has ended");
    assert!(failure.kind.is_final(), "{failure}");
    assert!(!made.exists());
}

#[test]
fn a_name_that_no_kernel_takes_makes_no_group() {
    let Some(parent) = Memcg::create("names") else {
        return;
    };
    let child = OwnChild::waiting();
    for name in ["line\nbreak", "nul\0"] {
        let group = CgroupPath::new(&format!("{}/ok/{name}", parent.path()));
        let steps = [
            CgroupStep::Create(CgroupPath::new(&format!("{}/ok", parent.path()))),
            CgroupStep::Create(group.clone()),
            CgroupStep::Move(child.id(), group),
        ];
        let receipt = execute::run(&mut writer(&parent), &Plan::from_iter(steps));
        assert!(receipt.failure().is_some(), "{name:?}");
        assert!(!parent.dir().join("ok").exists(), "{name:?}");
    }
}
