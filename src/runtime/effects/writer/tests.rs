//! The order of writes.

use std::os::unix::net::UnixListener;
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::Duration;

use super::{Work, Writer};
use crate::app::msg::{Msg, Receipt, WriteId};
use crate::linux::SysRoot;
use crate::model::cgroup::limits::{LimitFile, LimitValue};
use crate::model::cgroup::{CgroupPath, CgroupVersion};
use crate::model::killers::oom_policy::Manager;
use crate::model::plan::Plan;
use crate::model::plan::receipt::FailureKind;
use crate::model::plan::step::{CgroupStep, LimitWrite, Step, UnitLimit, UnitStep};
use crate::model::process::ProcessId;
use crate::model::process::score::OomScoreAdj;
use crate::model::process::signal::SIGNALS;
use crate::model::systemd::{Lasting, UnitName};

fn work(id: u64, step: impl Into<Step>) -> Work {
    Work {
        id: WriteId(id),
        plans: vec![Plan::from_iter([step])],
        undo: None,
    }
}

#[test]
fn only_what_stops_or_ends_overtakes_other_writes() {
    let target = ProcessId::default();
    let group = || CgroupPath::new("/a");
    let signal = |name: &str| {
        let signal = SIGNALS.iter().find(|signal| signal.name == name);
        let signal = *signal.expect("a signal");
        Step::Signal { target, signal }
    };
    let stop = |stop| Step::Stop { target, stop };
    let freeze = |on| Step::from(CgroupStep::Freeze(group(), on));
    let kill = || Step::from(CgroupStep::Kill(group()));
    for step in [
        signal("KILL"),
        signal("STOP"),
        stop(true),
        freeze(true),
        kill(),
        Step::Reap { target },
    ] {
        assert!(work(1, step.clone()).is_urgent(), "{step:?}");
    }
    // A limit that is raised first would be overtaken.
    for step in [signal("CONT"), signal("TERM"), stop(false), freeze(false)] {
        assert!(!work(1, step.clone()).is_urgent(), "{step:?}");
    }
}

#[test]
fn a_kill_waits_for_no_answer_of_systemd_and_what_was_withdrawn_meanwhile_is_not_written() {
    let base = tempfile::tempdir().expect("a directory");
    std::fs::create_dir_all(base.path().join("run/systemd/system")).expect("made");
    // It listens, and says nothing.
    let _silent = UnixListener::bind(base.path().join("run/systemd/private")).expect("bound");
    let root = SysRoot {
        base: base.path().to_owned(),
        cgroup: base.path().join("none"),
        ..SysRoot::default()
    };
    let (send, answers) = channel();
    let answer = move |msg| {
        if let Msg::Done(Receipt::Write { id, plans }) = msg {
            send.send((id, plans)).ok();
        }
    };
    let version = CgroupVersion::V2;
    let writer = Writer::start(&root, version, None, answer).expect("threads");
    let limit = UnitLimit {
        unit: UnitName {
            name: "web.service".to_owned(),
            manager: Manager::System,
        },
        group: CgroupPath::new("/system.slice/web.service"),
        write: LimitWrite {
            file: LimitFile::Max,
            value: LimitValue::Amount(1 << 20),
        },
        lasting: Lasting::Runtime,
        leave: None,
    };
    let mut child = Command::new("sleep").arg("1000").spawn().expect("sleep");
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).expect("it lives");
    let (_, fields) = stat.rsplit_once(") ").expect("a name");
    let target = ProcessId {
        pid: child.id(),
        start_ticks: fields
            .split(' ')
            .nth(19)
            .and_then(|ticks| ticks.parse().ok())
            .expect("a time"),
    };
    let kill = Step::Signal {
        target,
        signal: SIGNALS[1],
    };
    writer.write(work(1, UnitStep::Limit(limit))).expect("sent");
    // It waits behind the first one, and its dialog is closed meanwhile.
    let adj = Step::Adj {
        target,
        value: OomScoreAdj::clamped(500),
    };
    writer.write(work(3, adj)).expect("sent");
    writer.withdraw(WriteId(3));
    writer.write(work(2, kill)).expect("sent");
    let next = || {
        answers
            .recv_timeout(Duration::from_mins(1))
            .expect("an answer")
    };
    let (id, plans) = next();
    assert_eq!((id, plans[0].failure()), (WriteId(2), None));
    child.wait().expect("it has ended");
    let (id, plans) = next();
    assert_eq!(id, WriteId(1));
    let said = plans[0].failure().expect("nobody has answered");
    assert!(said.sentence.contains("has not answered"), "{said}");
    let (id, plans) = next();
    assert_eq!(id, WriteId(3));
    let said = plans[0].failure().expect("it was withdrawn");
    assert_eq!(said.kind, FailureKind::Withdrawn, "{said}");
}
