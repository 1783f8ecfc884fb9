//! Several processes that move together, on the real kernel: each for itself, one undo, and no empty group left.

use std::fs;

use crate::common::memcg::{self, Memcg, Version};
use crate::common::own_child::OwnChild;
use crate::whole::{version, writer};
use oomtop::model::cgroup::CgroupPath;
use oomtop::model::cgroup::limits::{LimitFile, LimitValue};
use oomtop::model::plan::receipt::{FailureKind, PlanReceipt};
use oomtop::model::plan::{Plan, build, execute, inverse};
use oomtop::model::process::ProcessId;

/// A group with a limit inside `parent`, for all of these.
fn plans(parent: &Memcg, targets: &[ProcessId]) -> (Vec<Plan>, CgroupPath) {
    let group = CgroupPath::new(&format!("{}/together", parent.path()));
    let file = LimitFile::hard_limit(version(parent));
    let limits = [(file, LimitValue::Amount(64 << 20))].into_iter().collect();
    let above = parent.path().to_owned();
    let is_there = |path: &CgroupPath| path.as_str() == "/" || above.starts_with(path.as_str());
    let shares = |path: &CgroupPath| parent.version() == Version::V2 && path.as_str() != above;
    let plan = build::create(targets, &group, &limits, version(parent), is_there, shares);
    (build::each_move(plan.expect("a plan")), group)
}

fn kinds(receipts: &[PlanReceipt]) -> Vec<Option<FailureKind>> {
    let kind = |plan: &PlanReceipt| plan.failure().map(|failure| failure.kind);
    receipts.iter().map(kind).collect()
}

#[test]
fn those_that_live_move_and_one_undo_moves_all_of_them_back() {
    let Some(parent) = Memcg::create("together") else {
        return;
    };
    let (first, second) = (OwnChild::waiting(), OwnChild::waiting());
    let mut ended = OwnChild::waiting();
    let targets = [first.id(), ended.id(), second.id(), first.other_id()];
    let homes = [memcg::of(first.id().pid), memcg::of(second.id().pid)];
    let (plans, group) = plans(&parent, &targets);
    ended.kill();
    ended.reap();
    let mut writer = writer(&parent);
    let receipts = execute::run_all(&mut writer, &plans);
    let (gone, reused) = (Some(FailureKind::Gone), Some(FailureKind::Reused));
    assert_eq!(
        kinds(&receipts),
        [None, None, gone, None, reused],
        "{receipts:?}"
    );
    for child in [&first, &second] {
        assert_eq!(memcg::of(child.id().pid).as_deref(), Some(group.as_str()));
    }
    let expected = inverse::expectations(&receipts);
    let back = execute::undo(&mut writer, &inverse::of_write(&receipts), &expected);
    assert!(back.iter().all(|plan| plan.failure().is_none()), "{back:?}");
    assert_eq!(
        [memcg::of(first.id().pid), memcg::of(second.id().pid)],
        homes
    );
    assert!(!fs::exists(parent.dir().join("together")).expect("looked"));
}

#[test]
fn a_group_for_which_nobody_is_left_is_not_left() {
    let Some(parent) = Memcg::create("for-nobody") else {
        return;
    };
    let targets: Vec<_> = (0..3)
        .map(|_| {
            let mut child = OwnChild::waiting();
            child.kill();
            child.reap();
            child.id()
        })
        .collect();
    let (plans, _) = plans(&parent, &targets);
    let receipts = execute::run_all(&mut writer(&parent), &plans);
    let gone = Some(FailureKind::Gone);
    assert_eq!(kinds(&receipts), [None, gone, gone, gone]);
    assert!(!fs::exists(parent.dir().join("together")).expect("looked"));
    assert!(inverse::of_write(&receipts).is_empty());
}
