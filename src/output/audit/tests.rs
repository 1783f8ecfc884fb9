//! Lines of the audit log, whole.

use super::{Seen, Stamp, begin, end, step};
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
        groups: Vec::new(),
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
        groups: Vec::new(),
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
