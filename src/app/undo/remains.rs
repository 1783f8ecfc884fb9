//! What a step has left behind, in a few words.

use crate::model::plan::receipt::StepReceipt;
use crate::model::plan::step::{CgroupStep, ScopeStart, Step, UnitLimit, UnitStep};
use crate::text::wording;

/// What a step has left behind.
pub(super) fn remains(receipt: &StepReceipt) -> String {
    match &receipt.step {
        Step::Adj { target, value } => format!("adj {value} of {}", target.pid),
        Step::Rule(edit) => format!("a rule in {}", edit.path),
        Step::Signal { target, signal } => format!("SIG{} to {}", signal.name, target.pid),
        Step::Stop { target, stop } => format!(
            "process {} {}",
            target.pid,
            if *stop { "stopped" } else { "running" }
        ),
        Step::Reap { target } => format!("process {} killed", target.pid),
        Step::Cgroup(CgroupStep::Freeze(group, frozen)) => {
            format!("{group} {}", if *frozen { "frozen" } else { "thawed" })
        }
        Step::Cgroup(CgroupStep::Reclaim(group, _)) => {
            format!("{group} without what was reclaimed")
        }
        Step::Cgroup(CgroupStep::Kill(group)) => format!("all of {group} killed"),
        Step::Cgroup(CgroupStep::EnableMemory(group)) => format!("memory control in {group}"),
        Step::Cgroup(CgroupStep::DisableMemory(group)) => format!("no memory control in {group}"),
        Step::Cgroup(CgroupStep::Create(group)) => format!("the group {group}"),
        Step::Cgroup(CgroupStep::Limit(group, write))
        | Step::Unit(UnitStep::Limit(UnitLimit { group, write, .. })) => {
            format!("{} of {group}", write.file.name())
        }
        Step::Unit(UnitStep::Oomd(oomd)) => format!("{} of {}", oomd.setting, oomd.unit),
        Step::Unit(UnitStep::DropIn(write)) => write.path(),
        Step::Cgroup(CgroupStep::Move(target, group)) => format!("{} in {group}", target.pid),
        Step::Unit(UnitStep::Scope(ScopeStart { targets, group, .. })) => {
            format!("{} in {group}", wording::pids(targets))
        }
        Step::Cgroup(CgroupStep::Remove(group)) => format!("{group} removed"),
    }
}
