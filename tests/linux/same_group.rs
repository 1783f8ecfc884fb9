//! A path that is another group's by the time of a write: a service has started again, a container was made anew.

use std::fs;

use crate::common::fake_root::FakeRoot;
use crate::common::memcg::Memcg;
use oomtop::linux::SysRoot;
use oomtop::linux::write::executor::KernelWriter;
use oomtop::model::cgroup::limits::{LimitFile, LimitValue};
use oomtop::model::cgroup::{CgroupPath, CgroupVersion};
use oomtop::model::plan::receipt::{FailureKind, PlanReceipt};
use oomtop::model::plan::step::{CgroupStep, LimitWrite};
use oomtop::model::plan::{Plan, execute, inverse};

const V2: CgroupVersion = CgroupVersion::V2;

fn web() -> CgroupPath {
    CgroupPath::new("/web")
}

fn limit(bytes: u64) -> CgroupStep {
    let value = LimitValue::Amount(bytes);
    CgroupStep::Limit(
        web(),
        LimitWrite {
            file: LimitFile::Max,
            value,
        },
    )
}

fn host() -> FakeRoot {
    FakeRoot::new().v2_group("web", |group| group.file("memory.max", "9999999"))
}

/// The group is made anew; it has the limit of the old one.
fn replace(root: &FakeRoot) {
    let place = root.path("sys/fs/cgroup/web");
    // The old files stay somewhere, so that their inodes are not used again.
    fs::rename(&place, root.path("sys/fs/cgroup/old")).expect("moved away");
    fs::create_dir(&place).expect("made anew");
    for name in ["memory.max", "cgroup.procs", "cgroup.subtree_control"] {
        fs::write(place.join(name), "8192000\n").expect("a file");
    }
    fs::write(place.join("cgroup.procs"), "").expect("a file");
}

fn says(root: &FakeRoot) -> String {
    let text = fs::read_to_string(root.path("sys/fs/cgroup/web/memory.max"));
    text.expect("a limit").trim().to_owned()
}

fn is_refused(receipt: &PlanReceipt) -> bool {
    receipt.failure().is_some_and(|failure| {
        failure.kind == FailureKind::NoGroup && failure.sentence.contains("another group now")
    })
}

#[test]
fn an_undo_writes_to_the_group_of_its_write_or_to_none() {
    let root = host();
    let mut writer = KernelWriter::new(root.sys_root(), V2);
    let receipt = execute::run(&mut writer, &Plan::from_iter([limit(8_192_000)]));
    assert_eq!((receipt.failure(), says(&root).as_str()), (None, "8192000"));
    let receipts = [receipt];
    let (back, expected) = (
        inverse::of_write(&receipts),
        inverse::expectations(&receipts),
    );
    replace(&root);
    let undone = execute::undo(&mut writer, &back, &expected);
    assert!(is_refused(&undone[0]), "{undone:?}");
    assert_eq!(says(&root), "8192000");
    // Another writer knows no more than the plan tells it.
    let mut other = KernelWriter::new(root.sys_root(), V2);
    let undone = execute::undo(&mut other, &back, &[]);
    assert!(is_refused(&undone[0]), "{undone:?}");
    assert_eq!(says(&root), "8192000");
}

#[test]
fn what_a_dialog_holds_is_not_taken_for_its_successor() {
    let steps = || {
        [
            limit(4_096_000),
            CgroupStep::Freeze(web(), true),
            CgroupStep::Kill(web()),
            CgroupStep::Reclaim(web(), 4096),
            CgroupStep::Create(web().join("below")),
            CgroupStep::Remove(web()),
        ]
    };
    let root = host();
    let mut writer = KernelWriter::new(root.sys_root(), V2);
    writer.hold_groups(&[(web(), None)]);
    replace(&root);
    // The dialog stays open: another look at the path does not make it that group's.
    writer.hold_groups(&[(web(), None), (CgroupPath::new("/new"), None)]);
    for step in steps() {
        let receipt = execute::run(&mut writer, &Plan::from_iter([step.clone()]));
        assert!(is_refused(&receipt), "{step:?}: {receipt:?}");
    }
    assert_eq!(says(&root), "8192000");
    // Rules mean the path, whichever group has it.
    writer.hold_groups(&[]);
    let receipt = execute::run(&mut writer, &Plan::from_iter([limit(4_096_000)]));
    assert_eq!((receipt.failure(), says(&root).as_str()), (None, "4096000"));
    // What the screen showed counts more than what is there when the dialog opens.
    writer.hold_groups(&[(web(), Some(1))]);
    let receipt = execute::run(&mut writer, &Plan::from_iter([limit(6_144_000)]));
    assert!(is_refused(&receipt), "{receipt:?}");
    assert_eq!(says(&root), "4096000");
}

#[test]
fn a_real_group_made_anew_is_another() {
    let Some(group) = Memcg::create("anew") else {
        return;
    };
    let v1 = fs::exists("/sys/fs/cgroup/memory/memory.limit_in_bytes").unwrap_or(false);
    let hybrid = fs::exists("/sys/fs/cgroup/unified").unwrap_or(false);
    let version = match (v1, hybrid) {
        (true, true) => CgroupVersion::Hybrid,
        (true, false) => CgroupVersion::V1,
        _ => V2,
    };
    let path = CgroupPath::new(group.path());
    let file = LimitFile::hard_limit(version);
    let step = |mib: u64| {
        let value = LimitValue::Amount(mib << 20);
        CgroupStep::Limit(path.clone(), LimitWrite { file, value })
    };
    let mut writer = KernelWriter::new(SysRoot::default(), version);
    writer.hold_groups(&[(path.clone(), None)]);
    let receipt = execute::run(&mut writer, &Plan::from_iter([step(70)]));
    assert_eq!(receipt.failure(), None);
    let undo = inverse::of_write(&[receipt]);
    fs::remove_dir(group.dir()).expect("empty");
    fs::create_dir(group.dir()).expect("made anew");
    let again = execute::run(&mut writer, &Plan::from_iter([step(80)]));
    assert!(is_refused(&again), "{again:?}");
    let undone = execute::undo(&mut writer, &undo, &[]);
    assert!(is_refused(&undone[0]), "{undone:?}");
}
