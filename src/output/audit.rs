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
use crate::model::plan::step::{CgroupStep, Step};
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
    /// `limit`, `move`, `remove`, `freeze`, `thaw`, `reclaim`, `kill_group`.
    does: &'static str,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    process: Option<ProcessId>,
    /// Short name of the process.
    #[serde(skip_serializing_if = "Option::is_none")]
    comm: Option<String>,
    /// The file of rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cgroup: Option<&'a CgroupPath>,
    /// The limit file.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'static str>,
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
    // Only maps with keys that are no text fail, and there is none.
    let json = serde_json::to_string(value).unwrap_or_default();
    format!("{}\n", escaped(&json))
}

fn entry<'a>(step: &'a Step, comm: &impl Fn(ProcessId) -> Option<String>) -> Entry<'a> {
    let process = step.process();
    let of = |does| Entry {
        does,
        process,
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

/// What takes the step back, before anybody knows what it finds; `None` if nothing does. The value is that from before.
fn way_back(step: &Step) -> Option<Entry<'_>> {
    let forth = entry(step, &|_| None);
    let back = |does| Entry {
        does,
        process: forth.process,
        cgroup: forth.cgroup,
        file: forth.file,
        rules: forth.rules,
        ..Entry::default()
    };
    Some(match step {
        Step::Signal { .. } | Step::Reap { .. } => return None,
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
        Reading::Group(group) | Reading::Home(group, _) => group.to_string(),
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
mod tests {
    use super::{Seen, Stamp, begin, end, step};
    use crate::model::actor::Actor;
    use crate::model::cgroup::CgroupPath;
    use crate::model::plan::Plan;
    use crate::model::plan::receipt::{Failure, FailureKind, Reading, StepReceipt};
    use crate::model::plan::step::{CgroupStep, Step};
    use crate::model::process::ProcessId;
    use crate::model::process::score::OomScoreAdj;

    const STAMP: Stamp<'_> = Stamp {
        time: "2026-11-27T22:31:05.123456Z",
        write: 3,
        undo_of: None,
    };

    fn adj(value: i64) -> OomScoreAdj {
        OomScoreAdj::new(value).expect("in range")
    }

    fn parsed(line: &str) -> serde_json::Value {
        assert_eq!(line.matches('\n').count(), 1, "one line: {line:?}");
        serde_json::from_str(line).expect("JSON")
    }

    #[test]
    fn lines_are_json_whatever_a_process_calls_itself() {
        let target = ProcessId {
            pid: 7,
            start_ticks: 99,
        };
        let wanted = Step::Adj {
            target,
            value: adj(-500),
        };
        let plan = Plan {
            steps: vec![
                wanted.clone(),
                CgroupStep::Kill(CgroupPath::new("/a\nb\u{202e}")).into(),
            ],
        };
        let line = begin(STAMP, &Actor::default(), &[plan], |_| {
            Some("evil\n\"\u{1b}[2J".to_owned())
        });
        assert!(!line.contains('\u{1b}') && !line.contains('\u{202e}'));
        let begun = parsed(&line);
        assert_eq!(begun["event"], "begin");
        assert_eq!(begun["steps"][0]["does"], "adj");
        assert_eq!(begun["steps"][0]["pid"], 7);
        assert_eq!(begun["steps"][0]["start_ticks"], 99);
        assert_eq!(begun["steps"][0]["comm"], "evil\n\"\u{1b}[2J");
        assert_eq!(begun["steps"][0]["value"], "-500");
        assert_eq!(begun["steps"][1]["does"], "kill_group");
        let done = StepReceipt {
            step: wanted.clone(),
            before: Reading::Adj(adj(0)),
            outcome: Ok(Reading::Adj(adj(-500))),
        };
        let done = parsed(&step(STAMP, &Actor::default(), &done, Seen::default()));
        assert_eq!(
            (&done["before"], &done["after"]),
            (&"0".into(), &"-500".into())
        );
        assert!(done["failure"].is_null());
        let failed = StepReceipt {
            step: wanted,
            before: Reading::Nothing,
            outcome: Err(Failure {
                kind: FailureKind::Gone,
                sentence: "It has ended.".to_owned(),
            }),
        };
        let failed = parsed(&step(STAMP, &Actor::default(), &failed, Seen::default()));
        assert!(failed["before"].is_null() && failed["after"].is_null());
        assert_eq!(failed["failure"], "It has ended.");
        let over = parsed(&end(STAMP, &Actor::default(), 1, 1));
        assert_eq!((&over["done"], &over["failed"]), (&1.into(), &1.into()));
    }
}
