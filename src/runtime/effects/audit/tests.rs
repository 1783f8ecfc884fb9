//! The log of writes on disks that are full, and what its lines say.

use std::fs;
use std::io;

use super::{Audit, Job, Which};
use crate::app::msg::WriteId;
use crate::model::actor::Actor;
use crate::model::plan::Plan;
use crate::model::plan::execute::{self, Executor};
use crate::model::plan::receipt::{Failure, FailureKind, Reading, StepReceipt};
use crate::model::plan::step::Step;
use crate::model::process::ProcessId;
use crate::model::process::score::OomScoreAdj;
use crate::runtime::effects::desk::Clerk;

/// A kernel in which every process has ended.
struct Gone;

impl Executor for Gone {
    fn look(&mut self, _: &Step) -> Result<Reading, Failure> {
        Err(Failure {
            kind: FailureKind::Gone,
            sentence: "It has ended.".to_owned(),
        })
    }

    fn step(&mut self, step: &Step) -> StepReceipt {
        let outcome = self.look(step);
        StepReceipt {
            step: step.clone(),
            before: Reading::Nothing,
            outcome,
        }
    }
}

fn which() -> Which {
    Which {
        id: WriteId(1),
        undo_of: None,
    }
}

/// A kernel that takes everything, and reads back another value for what is 7.
#[derive(Default)]
struct Takes(Vec<Step>);

fn number(step: &Step) -> OomScoreAdj {
    match step {
        Step::Adj { value, .. } => *value,
        _ => OomScoreAdj::ZERO,
    }
}

impl Executor for Takes {
    fn look(&mut self, _: &Step) -> Result<Reading, Failure> {
        Ok(Reading::Adj(OomScoreAdj::MAX))
    }

    fn step(&mut self, step: &Step) -> StepReceipt {
        self.0.push(step.clone());
        let outcome = if number(step).get() == 7 {
            Err(Failure {
                kind: FailureKind::NotKept,
                sentence: "Another value was read back.".to_owned(),
            })
        } else {
            Ok(Reading::Adj(number(step)))
        };
        StepReceipt {
            step: step.clone(),
            before: Reading::Adj(OomScoreAdj::ZERO),
            outcome,
        }
    }
}

/// A disk that is full after so many jobs.
struct Full(usize);

impl Clerk for Full {
    type Job = Job;

    fn take(&mut self, _: &Job) -> io::Result<()> {
        self.0 = self.0.checked_sub(1).ok_or(io::ErrorKind::StorageFull)?;
        Ok(())
    }
}

fn adj(pid: u32, value: i64) -> Step {
    Step::Adj {
        target: ProcessId {
            pid,
            start_ticks: 1,
        },
        value: OomScoreAdj::new(value).expect("in range"),
    }
}

#[test]
fn once_a_line_is_lost_no_step_follows_and_what_was_done_of_the_plan_is_taken_back() {
    // The probe, the beginning, and the first step; the line of the second one is lost.
    let audit = Audit::keep("/full".into(), Actor::default(), Full(3)).expect("opened");
    let plans = [
        Plan::from_iter([adj(1, 1)]),
        Plan::from_iter([adj(2, 2), adj(3, 3)]),
        Plan::from_iter([adj(4, 4)]),
    ];
    let mut kernel = Takes::default();
    let mut executor = audit
        .begin(&mut kernel, which(), &plans, |_| None)
        .expect("logged");
    let receipts = execute::run_all(&mut executor, &plans);
    let lost = executor.end(&receipts).expect_err("the log lacks lines");
    assert!(lost.contains("/full cannot be written"), "{lost}");
    // The way back was named before.
    assert_eq!(kernel.0, [adj(1, 1), adj(2, 2), adj(2, 0)]);
    let failure = receipts[1].failure().expect("refused");
    assert!(
        failure
            .sentence
            .starts_with("Not written, because the audit log")
    );
    assert!(receipts[2].failure().is_some());
    // None is begun.
    assert!(audit.begin(&mut kernel, which(), &plans, |_| None).is_err());
}

#[test]
fn the_way_back_is_named_before_and_marked_after_and_what_was_not_kept_shows_what_is_there() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("audit");
    let audit = Audit::open(&path, Actor::default()).expect("opened");
    let plans = [Plan::from_iter([adj(1, 1), adj(2, 7)])];
    let mut kernel = Takes::default();
    let mut executor = audit
        .begin(&mut kernel, which(), &plans, |_| None)
        .expect("logged");
    let receipts = execute::run_all(&mut executor, &plans);
    executor.end(&receipts).expect("logged");
    let undo = Which {
        undo_of: Some(WriteId(41)),
        ..which()
    };
    let executor = audit.begin(&mut kernel, undo, &plans, |_| None);
    executor.expect("logged").end(&[]).expect("logged");
    let log = fs::read_to_string(&path).expect("read");
    let mut lines: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    for line in lines.split_off(lines.len() - 2) {
        assert!(line["undo_of"] == 41 && line["undo"] == true, "{line}");
    }
    assert!(lines.iter().all(|line| line["undo_of"].is_null()));
    let back = lines[0]["way_back"].as_array().expect("named");
    let back: Vec<_> = back.iter().map(|step| step["pid"].clone()).collect();
    assert_eq!(back, [2, 1], "the last one first");
    let steps = &lines[1..lines.len() - 1];
    let marks: Vec<_> = steps
        .iter()
        .map(|line| line["takes_back"].clone())
        .collect();
    assert_eq!(marks, [false, false, true]);
    assert_eq!(steps[1]["after"], "1000", "{}", steps[1]);
    assert!(steps[1]["failure"].is_string());
}

#[test]
fn a_torn_line_is_ended_and_a_refused_write_has_its_reason() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("audit");
    fs::write(&path, "{\"event\":\"be").expect("written");
    let audit = Audit::open(&path, Actor::default()).expect("opened");
    let step = Step::Reap {
        target: ProcessId::default(),
    };
    let plan = Plan {
        steps: vec![step.clone(), step],
        groups: Vec::new(),
    };
    let plans = [plan];
    let mut kernel = Gone;
    let mut executor = audit
        .begin(&mut kernel, which(), &plans, |_| None)
        .expect("logged");
    // Looks before it writes, and writes nothing.
    let receipts = execute::run_all(&mut executor, &plans);
    executor.end(&receipts).expect("logged");
    let log = fs::read_to_string(&path).expect("read");
    let mut lines = log.lines();
    assert_eq!(lines.next(), Some("{\"event\":\"be"));
    let events: Vec<_> = lines
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
        .collect();
    let kinds: Vec<_> = events.iter().map(|line| line["event"].clone()).collect();
    assert_eq!(kinds, ["begin", "step", "end"]);
    assert_eq!(events[1]["failure"], "It has ended.");
    assert_eq!(
        (&events[2]["done"], &events[2]["failed"]),
        (&0.into(), &1.into())
    );
    assert!(events.iter().all(
        |line| line["run"] == events[2]["run"] || line["actor"]["run"] == events[2]["run"]
    ));
    std::os::unix::fs::symlink(&path, dir.path().join("link")).expect("linked");
    assert!(Audit::open(&dir.path().join("link"), Actor::default()).is_err());
}
