//! A process that systemd is asked to take into a scope, where systemd does not say what came of it.

use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use super::{machine, sentence};
use crate::common::fake_systemd::Manners;
use oomtop::linux::SysRoot;
use oomtop::linux::write::executor::KernelWriter;
use oomtop::model::cgroup::{CgroupPath, CgroupVersion};
use oomtop::model::killers::oom_policy::Manager;
use oomtop::model::plan::receipt::{FailureKind, PlanReceipt};
use oomtop::model::plan::step::{ScopeStart, Step, UnitStep};
use oomtop::model::plan::{Plan, execute, inverse};
use oomtop::model::process::ProcessId;
use oomtop::model::systemd::UnitName;

struct Sleeper(Child);

impl Sleeper {
    fn start() -> Self {
        let child = Command::new("sleep").arg("600").spawn();
        Self(child.expect("sleep starts"))
    }

    fn id(&self) -> ProcessId {
        let stat =
            std::fs::read_to_string(format!("/proc/{}/stat", self.0.id())).expect("its stat");
        let fields = stat.rsplit_once(')').expect("its name").1;
        let ticks = fields.split_whitespace().nth(19).expect("its start");
        ProcessId {
            pid: self.0.id(),
            start_ticks: ticks.parse().expect("a number"),
        }
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks for a scope for one process; with what each call had, and how long it took.
fn moved(manners: Manners) -> (PlanReceipt, Vec<String>, Duration) {
    moved_many(manners, 1)
}

/// For so many, and where that are several, for one more that has ended.
fn moved_many(manners: Manners, count: usize) -> (PlanReceipt, Vec<String>, Duration) {
    let (root, systemd, _) = machine();
    systemd.runs_in("/system.slice/oomtop-sleep.scope");
    systemd.behaves(manners);
    let real = SysRoot {
        proc: PathBuf::from("/proc"),
        ..root.sys_root()
    };
    let mut writer = KernelWriter::new(real, CgroupVersion::V2);
    let sleepers: Vec<_> = (0..count).map(|_| Sleeper::start()).collect();
    let gone = Sleeper::start().id();
    let targets = sleepers.iter().map(Sleeper::id);
    let step: Step = UnitStep::Scope(ScopeStart {
        targets: targets.chain((count > 1).then_some(gone)).collect(),
        unit: UnitName {
            name: "oomtop-sleep.scope".to_owned(),
            manager: Manager::System,
        },
        slice: "system.slice".to_owned(),
        group: CgroupPath::new("/system.slice/oomtop-sleep.scope"),
        limits: Vec::new(),
    })
    .into();
    let begun = Instant::now();
    let receipt = execute::run(&mut writer, &Plan::from_iter([step]));
    (receipt, systemd.scopes(), begun.elapsed())
}

/// The way back is offered, and expects the process where the scope is or where it was.
fn is_undoable(receipt: PlanReceipt) {
    let all = [receipt];
    assert_eq!(inverse::of_write(&all).len(), 1, "{all:?}");
    let expected = inverse::expectations(&all);
    let left = expected[0].left.group().expect("a group");
    assert_eq!(left.as_str(), "/system.slice/oomtop-sleep.scope");
}

#[test]
fn a_scope_that_was_accepted_is_called_started_and_not_unwritten() {
    let (receipt, calls, _) = moved(Manners::HidesItsScopes);
    let (kind, said) = sentence(&receipt);
    assert_eq!(kind, FailureKind::Unchecked, "{said}");
    assert!(said.contains("has started oomtop-sleep.scope"), "{said}");
    assert!(said.contains("could not check it"), "{said}");
    assert_eq!(calls, ["PIDFDs OOMPolicy"]);
    is_undoable(receipt);
}

#[test]
fn a_scope_that_has_ended_at_once_is_told_at_once() {
    let (receipt, _, took) = moved(Manners::LosesItsScopes);
    let (kind, said) = sentence(&receipt);
    assert_eq!(kind, FailureKind::Unchecked, "{said}");
    assert!(said.contains("has ended again at once"), "{said}");
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn an_order_without_an_answer_may_be_done_and_has_a_way_back() {
    let (receipt, _, _) = moved(Manners::TakesScopesInSilence);
    let (kind, said) = sentence(&receipt);
    assert_eq!(kind, FailureKind::Unchecked, "{said}");
    assert!(kind.may_have_written());
    assert!(said.contains("it may still do it"), "{said}");
    is_undoable(receipt);
}

#[test]
fn an_old_systemd_is_asked_by_number_and_without_a_policy() {
    let (receipt, calls, _) = moved(Manners::IsOld);
    assert_eq!(calls, ["PIDFDs OOMPolicy", "PIDs OOMPolicy", "PIDs"]);
    let (_, said) = sentence(&receipt);
    assert!(said.contains("does not become active"), "{said}");
}

#[test]
fn a_process_that_is_elsewhere_is_not_called_moved_and_is_not_moved_back() {
    for count in [1, 3] {
        let (receipt, calls, _) = moved_many(Manners::MovesNobody, count);
        let (kind, said) = sentence(&receipt);
        assert_eq!(calls, ["PIDFDs OOMPolicy"]);
        let gone = count > 1 && kind == FailureKind::Gone;
        assert!(kind == FailureKind::Elsewhere || gone, "{kind:?}: {said}");
        assert!(inverse::of_write(&[receipt]).is_empty(), "{said}");
    }
}

#[test]
fn an_order_for_several_has_a_way_back_for_each_that_lived() {
    let (receipt, calls, _) = moved_many(Manners::TakesScopesInSilence, 3);
    let (kind, _) = sentence(&receipt);
    assert_eq!((kind, calls.len()), (FailureKind::Unchecked, 1));
    let all = [receipt];
    let back = inverse::of_write(&all);
    assert_eq!(back[0].steps.len(), 3, "{back:?}");
    assert!(inverse::expectations(&all).len() >= 3);
}
