//! The steps that end an incident, on a v2 tree of plain files and real processes: no kernel stands behind the files, so
//! that nothing freezes, and what a group lists need not be in it. Works without any privilege.

use std::fs;

use crate::common::fake_root::FakeRoot;
use crate::common::own_child::OwnChild;
use oomtop::linux::SysRoot;
use oomtop::linux::sampler::Sampler;
use oomtop::linux::write::executor::KernelWriter;
use oomtop::model::cgroup::{CgroupPath, CgroupVersion};
use oomtop::model::freezer::{Freezable, FreezerState};
use oomtop::model::incident::plans;
use oomtop::model::plan::receipt::{FailureKind, PlanReceipt, Reading};
use oomtop::model::plan::{Plan, execute, inverse};
use oomtop::model::snapshot::Needs;
use oomtop::model::time::Now;

const EVENTS: &str = "populated 1\nfrozen 0\n";

/// A group `/web` in files, with the processes of this machine.
fn tree(more: &[(&str, &str)]) -> (FakeRoot, SysRoot) {
    let root = FakeRoot::new().v2_group("web", |group| {
        let files = [("cgroup.events", EVENTS), ("cgroup.freeze", "0\n")];
        let all = files.iter().chain(more);
        all.fold(group, |group, (name, text)| group.file(name, text))
    });
    let sys_root = SysRoot {
        proc: "/proc".into(),
        ..root.sys_root()
    };
    (root, sys_root)
}

fn web() -> CgroupPath {
    CgroupPath::new("/web")
}

fn writer(root: &SysRoot) -> KernelWriter {
    KernelWriter::new(root.clone(), CgroupVersion::V2)
}

fn run(root: &SysRoot, plans: &[Plan]) -> Vec<PlanReceipt> {
    execute::run_all(&mut writer(root), plans)
}

fn outcome(receipts: &[PlanReceipt]) -> Result<Reading, FailureKind> {
    let outcome = receipts[0].steps[0].outcome.clone();
    outcome.map_err(|failure| failure.kind)
}

fn switch(root: &FakeRoot) -> String {
    let text = fs::read_to_string(root.path("sys/fs/cgroup/web/cgroup.freeze"));
    text.expect("it is there").trim().to_owned()
}

#[test]
fn what_does_not_stop_is_freezing_and_the_undo_thaws_it() {
    let (root, sys_root) = tree(&[]);
    let receipts = run(&sys_root, &plans::freeze(&web(), true));
    assert_eq!(
        outcome(&receipts),
        Ok(Reading::Freezer(FreezerState::Freezing))
    );
    assert_eq!(switch(&root), "1");
    let undo = inverse::of_write(&receipts);
    let undone = execute::undo(
        &mut writer(&sys_root),
        &undo,
        &inverse::expectations(&receipts),
    );
    assert_eq!(outcome(&undone), Ok(Reading::Freezer(FreezerState::Thawed)));
    assert_eq!(switch(&root), "0");
}

#[test]
fn a_sample_looks_at_what_was_frozen() {
    let (root, sys_root) = tree(&[]);
    let wanted = [web(), CgroupPath::new("/none")].map(Freezable::Group);
    let needs = Needs {
        frozen: wanted.to_vec(),
        ..Needs::default()
    };
    let mut sampler = Sampler::new(root.sys_root()).expect("a sampler");
    let mut states = || {
        let snapshot = sampler.sample(&needs, Now::default()).expect("a sample");
        let frozen = snapshot.frozen.iter();
        frozen.map(|(_, state)| *state).collect::<Vec<_>>()
    };
    assert_eq!(states(), [Some(FreezerState::Thawed), None]);
    assert!(
        run(&sys_root, &plans::freeze(&web(), true))[0]
            .failure()
            .is_none()
    );
    assert_eq!(states(), [Some(FreezerState::Freezing), None]);
    root.write("sys/fs/cgroup/web/cgroup.events", "populated 1\nfrozen 1\n");
    assert_eq!(states(), [Some(FreezerState::Frozen), None]);
}

#[test]
fn what_the_kernel_lacks_is_said() {
    let root = FakeRoot::new().v2_group("web", |group| group);
    let sys_root = SysRoot {
        proc: "/proc".into(),
        ..root.sys_root()
    };
    let survey = writer(&sys_root).survey(&web()).expect("it is there");
    assert_eq!(
        (survey.freezer, survey.kills_at_once, survey.reclaims),
        (None, false, false)
    );
    for (plan, words) in [
        (plans::freeze(&web(), true), "no cgroup.freeze (Linux 5.2)"),
        (plans::reclaim(&web(), 1 << 20), "no memory.reclaim"),
        (plans::freeze(&CgroupPath::new("/none"), true), "not there"),
        (
            plans::freeze(&CgroupPath::root(), true),
            "the whole machine",
        ),
    ] {
        let receipts = run(&sys_root, &plan);
        let failure = receipts[0].failure().expect("refused");
        assert!(failure.sentence.contains(words), "{failure}");
    }
}

#[test]
fn the_command_that_thaws_is_safe_to_paste() {
    let root = FakeRoot::new().v2_group("it's a \"group\"", |group| {
        group
            .file("cgroup.freeze", "1\n")
            .file("cgroup.events", EVENTS)
    });
    let group = CgroupPath::new("/it's a \"group\"");
    let sys_root = root.sys_root();
    let survey = writer(&sys_root).survey(&group).expect("it is there");
    let thaw = survey.freezer.expect("a freezer").thaw;
    let done = std::process::Command::new("sh")
        .args(["-c", &thaw])
        .status();
    assert!(done.expect("sh").success(), "{thaw}");
    let file = root.path("sys/fs/cgroup/it's a \"group\"/cgroup.freeze");
    assert_eq!(
        fs::read_to_string(file).expect("there").trim(),
        "0",
        "{thaw}"
    );
}

/// A list that is older than a move names processes that are not in the group any more.
#[test]
fn nobody_is_killed_who_is_not_in_the_group() {
    let child = OwnChild::waiting();
    let list = format!("{}\n", child.id().pid);
    let (_root, sys_root) = tree(&[("cgroup.procs", &list)]);
    let receipts = run(&sys_root, &plans::kill(&web()));
    assert_eq!(
        outcome(&receipts),
        Ok(Reading::Members(1)),
        "it is still listed"
    );
    assert_eq!(child.state(), Some('S'));
    assert!(child.leaves());
}

#[test]
fn nothing_is_frozen_where_the_processes_are_those_of_another_namespace() {
    let (root, _) = tree(&[]);
    for plan in [plans::freeze(&web(), true), plans::kill(&web())] {
        let receipts = run(&root.sys_root(), &plan);
        let failure = receipts[0].failure().expect("refused");
        assert!(
            failure.sentence.contains("another pid namespace"),
            "{failure}"
        );
    }
    assert_eq!(switch(&root), "0");
}
