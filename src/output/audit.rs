//! The lines of the audit log (`--audit FILE`): one JSON object each, in the order in which things happen.
//!
//! ```text
//!  begin   who asks, and every step that may follow but for the way back: on disk before the first of them
//!  step    one step: before, after or why it failed; also the steps that take back a failed plan
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
use crate::model::plan::step::{CgroupStep, Step, UnitLimit, UnitStep};
use crate::model::process::ProcessId;

/// What all lines of a write begin with.
#[derive(Debug, Clone, Copy)]
pub struct Stamp<'a> {
    /// When, in UTC: `2026-11-27T22:31:05.123456Z`.
    pub time: &'a str,
    /// Number of the write in this run of oomtop; with `run` it names the write.
    pub write: u64,
    /// The write takes another one back.
    pub undo: bool,
}

/// A step in the log.
#[derive(Debug, Default, Serialize)]
struct Entry<'a> {
    /// What is done: `adj`, `signal`, `stop`, `continue`, `kill_and_reap`, `enable_memory`, `disable_memory`, `make`,
    /// `limit`, `move`, `remove`, `freeze`, `thaw`, `reclaim`, `kill_group`, `unit_limit`, `drop_in`.
    does: &'static str,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    process: Option<ProcessId>,
    /// Short name of the process.
    #[serde(skip_serializing_if = "Option::is_none")]
    comm: Option<String>,
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
        actor: &'a Actor,
        steps: Vec<Entry<'a>>,
    }
    let steps = plans.iter().flat_map(|plan| &plan.steps);
    line(&Begin {
        time: stamp.time,
        event: "begin",
        write: stamp.write,
        undo: stamp.undo,
        actor,
        steps: steps.map(|step| entry(step, &comm)).collect(),
    })
}

/// The line after a step.
#[must_use]
pub fn step(stamp: Stamp<'_>, actor: &Actor, receipt: &StepReceipt) -> String {
    #[derive(Serialize)]
    struct Done<'a> {
        time: &'a str,
        event: &'static str,
        write: u64,
        undo: bool,
        run: &'a str,
        step: Entry<'a>,
        /// Null where there is nothing to read, or it could not be read.
        before: Option<String>,
        /// What was read back.
        after: Option<String>,
        failure: Option<&'a str>,
    }
    let outcome = receipt.outcome.as_ref();
    line(&Done {
        time: stamp.time,
        event: "step",
        write: stamp.write,
        undo: stamp.undo,
        run: &actor.run,
        step: entry(&receipt.step, &|_| None),
        before: reading(&receipt.step, &receipt.before),
        after: outcome.ok().and_then(|after| reading(&receipt.step, after)),
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
        run: &'a str,
        done: usize,
        failed: usize,
    }
    line(&End {
        time: stamp.time,
        event: "end",
        write: stamp.write,
        undo: stamp.undo,
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
        Step::Unit(UnitStep::DropIn(write)) => Entry {
            unit: Some(&write.unit.name),
            manager: Some(write.unit.manager.to_string()),
            lasting: Some(write.lasting.name()),
            path: Some(write.path()),
            value: write.text.clone(),
            ..of("drop_in")
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

/// A value as its file shows it.
fn reading(step: &Step, reading: &Reading) -> Option<String> {
    Some(match reading {
        Reading::Nothing | Reading::Limits(_) => return None,
        Reading::Adj(adj) => adj.to_string(),
        Reading::Limit(value) => match step {
            Step::Cgroup(CgroupStep::Limit(_, write)) => write.file.text(*value),
            _ => return None,
        },
        Reading::UnitLimit(limit) => match step {
            Step::Unit(UnitStep::Limit(UnitLimit { write, .. })) => write.file.text(limit.shown),
            _ => return None,
        },
        Reading::DropIn(found) | Reading::DropInUnread(found) => return found.text.clone(),
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
    use super::{Stamp, begin, end, step};
    use crate::model::actor::Actor;
    use crate::model::cgroup::CgroupPath;
    use crate::model::cgroup::limits::{LimitFile, LimitValue};
    use crate::model::killers::oom_policy::Manager;
    use crate::model::plan::Plan;
    use crate::model::plan::receipt::{Failure, FailureKind, Reading, StepReceipt};
    use crate::model::plan::step::{CgroupStep, LimitWrite, Step, UnitLimit, UnitStep};
    use crate::model::process::ProcessId;
    use crate::model::process::score::OomScoreAdj;
    use crate::model::systemd::drop_in::{DropInWrite, Found, Setting};
    use crate::model::systemd::{Kept, Lasting, Left, UnitName};

    const STAMP: Stamp<'_> = Stamp {
        time: "2026-11-27T22:31:05.123456Z",
        write: 3,
        undo: false,
    };

    fn adj(value: i64) -> OomScoreAdj {
        OomScoreAdj::new(value).expect("in range")
    }

    fn parsed(line: &str) -> serde_json::Value {
        assert_eq!(line.matches('\n').count(), 1, "one line: {line:?}");
        serde_json::from_str(line).expect("JSON")
    }

    #[test]
    fn a_step_of_systemd_names_its_manager_how_long_it_lasts_and_where() {
        let unit = UnitName {
            name: "web.service".to_owned(),
            manager: Manager::User(7),
        };
        let limit = UnitLimit {
            unit: unit.clone(),
            group: CgroupPath::new("/web.service"),
            write: LimitWrite {
                file: LimitFile::Max,
                value: LimitValue::Unlimited,
            },
            lasting: Lasting::Persistent,
            leave: Some(Left {
                shown: LimitValue::Amount(4096),
                kept: Kept::Nothing,
            }),
        };
        let setting = Setting::ScoreAdjust(adj(5));
        let write = DropInWrite::setting(unit, Lasting::Runtime, &Found::default(), setting);
        let plan = Plan {
            steps: vec![
                UnitStep::Limit(limit).into(),
                UnitStep::DropIn(write).into(),
            ],
        };
        let begun = parsed(&begin(STAMP, &Actor::default(), &[plan], |_| None));
        let step = |at: usize, field: &str| begun["steps"][at][field].clone();
        for at in [0, 1] {
            assert_eq!(step(at, "manager"), "user 7");
            assert_eq!(step(at, "unit"), "web.service");
        }
        assert_eq!(
            (step(0, "lasting"), step(0, "past")),
            ("persistent".into(), "4096".into())
        );
        assert_eq!(step(1, "lasting"), "runtime");
        assert_eq!(
            step(1, "path"),
            "/run/user/7/systemd/user/web.service.d/50-oomtop.conf"
        );
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
        let done = parsed(&step(STAMP, &Actor::default(), &done));
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
        let failed = parsed(&step(STAMP, &Actor::default(), &failed));
        assert!(failed["before"].is_null() && failed["after"].is_null());
        assert_eq!(failed["failure"], "It has ended.");
        let over = parsed(&end(STAMP, &Actor::default(), 1, 1));
        assert_eq!((&over["done"], &over["failed"]), (&1.into(), &1.into()));
    }
}
