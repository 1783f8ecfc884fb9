//! The lines of the audit log (`--audit FILE`): one JSON object each, in the order in which things happen.
//!
//! ```text
//!  begin   who asks, every step that may follow, and the way back of a plan that fails: on disk before the first of them
//!  step    one step: before, after or why it failed; those that take back a failed plan are marked
//!  end     how many steps were done and how many failed
//! ```
//!
//! A `begin` without its `end` is a run that was cut off: the steps it names may or may not have been done, those with
//! a line of their own were.

use serde::Serialize;

use super::safe_json::escaped;
use crate::model::actor::Actor;
use crate::model::cgroup::CgroupPath;
use crate::model::plan::Plan;
use crate::model::plan::receipt::{Failure, Reading, Reaped, StepReceipt};
use crate::model::plan::step::{CgroupStep, ScopeStart, Step, UnitLimit, UnitStep};
use crate::model::process::ProcessId;

/// What all lines of a write begin with.
#[derive(Debug, Clone, Copy)]
pub struct Stamp<'a> {
    /// When, in UTC: `2026-11-27T22:31:05.123456Z`.
    pub time: &'a str,
    /// Number of the write in this run of oomtop; with `run` it names the write.
    pub write: u64,
    /// The write of this run that it takes back.
    pub undo_of: Option<u64>,
}

/// What is known of a step besides its receipt.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seen<'a> {
    /// What is there although another value was written.
    pub now: Option<&'a Reading>,
    /// It takes back a step of a plan that failed.
    pub takes_back: bool,
}

/// A step in the log.
#[derive(Debug, Default, Serialize)]
struct Entry<'a> {
    /// What is done: `adj`, `add_rule`, `remove_rule`, `signal`, `stop`, `continue`, `kill_and_reap`, `enable_memory`, `disable_memory`, `make`,
    /// `limit`, `move`, `remove`, `freeze`, `thaw`, `reclaim`, `kill_group`, `unit_limit`, `unit_oomd`, `drop_in`, `start_scope`.
    does: &'static str,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    process: Option<ProcessId>,
    /// Short name of the process.
    #[serde(skip_serializing_if = "Option::is_none")]
    comm: Option<String>,
    /// The processes, where one step is about several.
    #[serde(skip_serializing_if = "Option::is_none")]
    processes: Option<&'a [ProcessId]>,
    /// The file of rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cgroup: Option<&'a CgroupPath>,
    /// The limit file.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'static str>,
    /// The unit of systemd.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'a str>,
    /// Who runs the unit: `system`, or `user` and the uid.
    #[serde(skip_serializing_if = "Option::is_none")]
    manager: Option<String>,
    /// How long systemd remembers it: `runtime` (next boot or last logout), `persistent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    lasting: Option<&'static str>,
    /// The setting for systemd-oomd.
    #[serde(skip_serializing_if = "Option::is_none")]
    setting: Option<&'static str>,
    /// The drop-in; `~` is the home of the manager's user.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// What an undo writes to the limit file past systemd, where somebody else had done so.
    #[serde(skip_serializing_if = "Option::is_none")]
    past: Option<String>,
    /// What is written or sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

/// The line before a write. `comm` gives the short name of a process.
#[must_use]
pub fn begin(
    stamp: Stamp<'_>,
    actor: &Actor,
    plans: &[Plan],
    comm: impl Fn(ProcessId) -> Option<String>,
) -> String {
    #[derive(Serialize)]
    struct Begin<'a> {
        time: &'a str,
        event: &'static str,
        write: u64,
        undo: bool,
        undo_of: Option<u64>,
        actor: &'a Actor,
        steps: Vec<Entry<'a>>,
        /// What is done if a plan of several steps fails, as far as its steps were done. Without a value: that from
        /// before.
        way_back: Vec<Entry<'a>>,
    }
    let steps = plans.iter().flat_map(|plan| &plan.steps);
    let is_undo = stamp.undo_of.is_some();
    // An undo has no way back: each of its steps makes things better.
    let may_fail = plans.iter().filter(|plan| plan.steps.len() > 1 && !is_undo);
    line(&Begin {
        time: stamp.time,
        event: "begin",
        write: stamp.write,
        undo: is_undo,
        undo_of: stamp.undo_of,
        actor,
        steps: steps.map(|step| entry(step, &comm)).collect(),
        way_back: may_fail
            .flat_map(|plan| plan.steps.iter().rev().filter_map(way_back))
            .collect(),
    })
}

/// The line after a step.
#[must_use]
pub fn step(stamp: Stamp<'_>, actor: &Actor, receipt: &StepReceipt, seen: Seen<'_>) -> String {
    #[derive(Serialize)]
    struct Done<'a> {
        time: &'a str,
        event: &'static str,
        write: u64,
        undo: bool,
        undo_of: Option<u64>,
        run: &'a str,
        /// It takes back a step of a plan that failed.
        takes_back: bool,
        step: Entry<'a>,
        /// Null where there is nothing to read, or it could not be read.
        before: Option<String>,
        /// What was read back, also where it is not what was written.
        after: Option<String>,
        failure: Option<&'a str>,
    }
    let outcome = receipt.outcome.as_ref();
    line(&Done {
        time: stamp.time,
        event: "step",
        write: stamp.write,
        undo: stamp.undo_of.is_some(),
        undo_of: stamp.undo_of,
        run: &actor.run,
        takes_back: seen.takes_back,
        step: entry(&receipt.step, &|_| None),
        before: reading(&receipt.step, &receipt.before),
        after: outcome
            .ok()
            .or(seen.now)
            .and_then(|after| reading(&receipt.step, after)),
        failure: outcome
            .err()
            .map(|Failure { sentence, .. }| sentence.as_str()),
    })
}

/// The line after a write.
#[must_use]
pub fn end(stamp: Stamp<'_>, actor: &Actor, done: usize, failed: usize) -> String {
    #[derive(Serialize)]
    struct End<'a> {
        time: &'a str,
        event: &'static str,
        write: u64,
        undo: bool,
        undo_of: Option<u64>,
        run: &'a str,
        done: usize,
        failed: usize,
    }
    line(&End {
        time: stamp.time,
        event: "end",
        write: stamp.write,
        undo: stamp.undo_of.is_some(),
        undo_of: stamp.undo_of,
        run: &actor.run,
        done,
        failed,
    })
}

fn line(value: &impl Serialize) -> String {
    // Only a map with keys that are no text fails, and there is none here.
    let json = serde_json::to_string(value).unwrap_or_default();
    format!("{}\n", escaped(&json))
}

fn entry<'a>(step: &'a Step, comm: &impl Fn(ProcessId) -> Option<String>) -> Entry<'a> {
    let (process, processes) = match step.processes() {
        [] => (None, None),
        [one] => (Some(*one), None),
        many => (None, Some(many)),
    };
    let of = |does| Entry {
        does,
        process,
        processes,
        comm: process.and_then(comm),
        ..Entry::default()
    };
    match step {
        Step::Adj { value, .. } => Entry {
            value: Some(value.to_string()),
            ..of("adj")
        },
        Step::Rule(edit) => Entry {
            rules: Some(&edit.path),
            value: Some(edit.block.trim().to_owned()),
            ..of(if edit.add { "add_rule" } else { "remove_rule" })
        },
        Step::Signal { signal, .. } => Entry {
            value: Some(format!("SIG{}", signal.name)),
            ..of("signal")
        },
        Step::Stop { stop: true, .. } => of("stop"),
        Step::Stop { stop: false, .. } => of("continue"),
        Step::Reap { .. } => of("kill_and_reap"),
        Step::Unit(UnitStep::Limit(limit)) => Entry {
            unit: Some(&limit.unit.name),
            manager: Some(limit.unit.manager.to_string()),
            lasting: Some(limit.lasting.name()),
            past: limit
                .leave
                .filter(|left| left.shown != limit.write.value)
                .map(|left| limit.write.file.text(left.shown)),
            cgroup: Some(&limit.group),
            file: Some(limit.write.file.name()),
            value: Some(limit.write.text()),
            ..of("unit_limit")
        },
        Step::Unit(UnitStep::Oomd(oomd)) => Entry {
            unit: Some(&oomd.unit.name),
            manager: Some(oomd.unit.manager.to_string()),
            lasting: Some(oomd.lasting.name()),
            cgroup: Some(&oomd.group),
            setting: Some(oomd.setting.name()),
            value: Some(oomd.value.to_string()),
            ..of("unit_oomd")
        },
        Step::Unit(UnitStep::DropIn(write)) => Entry {
            unit: Some(&write.unit.name),
            manager: Some(write.unit.manager.to_string()),
            lasting: Some(write.lasting.name()),
            path: Some(write.path()),
            value: write.text.clone(),
            ..of("drop_in")
        },
        Step::Unit(UnitStep::Scope(scope)) => Entry {
            unit: Some(&scope.unit.name),
            manager: Some(scope.unit.manager.to_string()),
            cgroup: Some(&scope.group),
            value: Some(scope_limits(scope)).filter(|limits| !limits.is_empty()),
            ..of("start_scope")
        },
        Step::Cgroup(step) => {
            let (does, group, value) = match step {
                CgroupStep::EnableMemory(group) => ("enable_memory", group, None),
                CgroupStep::DisableMemory(group) => ("disable_memory", group, None),
                CgroupStep::Create(group) => ("make", group, None),
                CgroupStep::Limit(group, write) => ("limit", group, Some(write.text())),
                CgroupStep::Move(_, group) => ("move", group, None),
                CgroupStep::Remove(group) => ("remove", group, None),
                CgroupStep::Freeze(group, true) => ("freeze", group, None),
                CgroupStep::Freeze(group, false) => ("thaw", group, None),
                CgroupStep::Reclaim(group, bytes) => ("reclaim", group, Some(bytes.to_string())),
                CgroupStep::Kill(group) => ("kill_group", group, None),
            };
            let file = match step {
                CgroupStep::Limit(_, write) => Some(write.file.name()),
                _ => None,
            };
            Entry {
                cgroup: Some(group),
                file,
                value,
                ..of(does)
            }
        }
    }
}

/// `MemoryMax=104857600 MemorySwapMax=0`.
fn scope_limits(scope: &ScopeStart) -> String {
    let each = scope.limits.iter().map(|write| {
        let property = write.file.row().systemd.unwrap_or(write.file.name());
        format!("{property}={}", write.text())
    });
    each.collect::<Vec<_>>().join(" ")
}

/// What takes the step back, before anybody knows what it finds; `None` if nothing does. The value is that from before.
fn way_back(step: &Step) -> Option<Entry<'_>> {
    let forth = entry(step, &|_| None);
    let back = |does| Entry {
        does,
        process: forth.process,
        processes: forth.processes,
        cgroup: forth.cgroup,
        file: forth.file,
        rules: forth.rules,
        ..Entry::default()
    };
    Some(match step {
        Step::Signal { .. } | Step::Reap { .. } => return None,
        // Into the group that it came from, past systemd: nobody moves a process into a unit that runs.
        Step::Unit(UnitStep::Scope(_)) => Entry {
            cgroup: None,
            ..back("move")
        },
        // Past systemd is only what an undo writes.
        Step::Unit(UnitStep::Limit(_) | UnitStep::Oomd(_) | UnitStep::DropIn(_)) => Entry {
            value: None,
            past: None,
            ..forth
        },
        Step::Adj { .. } => back("adj"),
        Step::Rule(edit) => back(if edit.add { "remove_rule" } else { "add_rule" }),
        Step::Stop { stop, .. } => back(if *stop { "continue" } else { "stop" }),
        Step::Cgroup(step) => match step {
            CgroupStep::Reclaim(..) | CgroupStep::Kill(_) => return None,
            CgroupStep::EnableMemory(_) => back("disable_memory"),
            CgroupStep::DisableMemory(_) => back("enable_memory"),
            CgroupStep::Create(_) => back("remove"),
            CgroupStep::Remove(_) => back("make"),
            CgroupStep::Limit(..) => back("limit"),
            CgroupStep::Freeze(_, frozen) => back(if *frozen { "thaw" } else { "freeze" }),
            // Into the group that it came from.
            CgroupStep::Move(..) => Entry {
                cgroup: None,
                ..back("move")
            },
        },
    })
}

/// `2456 /a; 812 /b`.
fn listed<'a>(each: impl Iterator<Item = (ProcessId, &'a str)>) -> String {
    let each = each.map(|(id, what)| format!("{} {what}", id.pid));
    each.collect::<Vec<_>>().join("; ")
}

/// A value as its file shows it.
fn reading(step: &Step, reading: &Reading) -> Option<String> {
    Some(match reading {
        Reading::Nothing | Reading::Limits(_) => return None,
        Reading::Adj(adj) => adj.to_string(),
        Reading::Rule(found) => {
            let word = if found.is_there { "there" } else { "not there" };
            word.to_owned()
        }
        Reading::Limit(value) => match step {
            Step::Cgroup(CgroupStep::Limit(_, write)) => write.file.text(*value),
            _ => return None,
        },
        Reading::UnitLimit(limit) => match step {
            Step::Unit(UnitStep::Limit(UnitLimit { write, .. })) => write.file.text(limit.shown),
            _ => return None,
        },
        Reading::UnitOomd(oomd) => oomd.value.to_string(),
        Reading::DropIn(found) | Reading::DropInUnread(found) => return found.text.clone(),
        Reading::Group(group) | Reading::Home(group, _) => group.to_string(),
        Reading::Homes(homes) => {
            listed(homes.iter().map(|home| (home.process, home.group.as_str())))
        }
        Reading::Came(all) => listed(all.iter().map(|(id, came)| match came {
            Ok(()) => (*id, "moved"),
            Err(failure) => (*id, failure.sentence.as_str()),
        })),
        Reading::Controllers(list) => list.clone(),
        Reading::Freezer(state) => state.name().to_owned(),
        Reading::Reclaimed(bytes) => bytes.to_string(),
        Reading::Members(count) => format!("{count} processes"),
        Reading::Reaped(how) => match how {
            Reaped::Ended => "ended",
            Reaped::Released => "memory released",
            Reaped::Shared => "memory shared with a living process",
            Reaped::Busy => "memory busy",
            Reaped::NoReaper => "no process_mrelease",
        }
        .to_owned(),
    })
}

#[cfg(test)]
mod tests;
