//! The order of writes.

use std::os::unix::net::UnixListener;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::{LONG, Work, Writer};
use crate::app::msg::{Msg, Receipt, Undo, WriteId};
use crate::linux::SysRoot;
use crate::model::cgroup::limits::{LimitFile, LimitValue};
use crate::model::cgroup::{CgroupPath, CgroupVersion};
use crate::model::killers::oom_policy::Manager;
use crate::model::plan::Plan;
use crate::model::plan::receipt::{FailureKind, PlanReceipt};
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

/// A systemd that listens, and says nothing.
struct Silent {
    base: tempfile::TempDir,
    _socket: UnixListener,
}

/// What became of the writes.
type Answers = Receiver<(WriteId, Vec<PlanReceipt>)>;

impl Silent {
    fn new() -> Self {
        let base = tempfile::tempdir().expect("a directory");
        std::fs::create_dir_all(base.path().join("run/systemd/system")).expect("made");
        let socket = UnixListener::bind(base.path().join("run/systemd/private")).expect("bound");
        Self {
            base,
            _socket: socket,
        }
    }

    fn writer(&self) -> (Writer, Answers) {
        let root = SysRoot {
            base: self.base.path().to_owned(),
            cgroup: self.base.path().join("none"),
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
        (writer, answers)
    }
}

fn limit(bytes: u64) -> Step {
    UnitStep::Limit(UnitLimit {
        unit: UnitName {
            name: "web.service".to_owned(),
            manager: Manager::System,
        },
        group: CgroupPath::new("/system.slice/web.service"),
        write: LimitWrite {
            file: LimitFile::Max,
            value: LimitValue::Amount(bytes),
        },
        lasting: Lasting::Runtime,
        leave: None,
    })
    .into()
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
    let silent = Silent::new();
    let (writer, answers) = silent.writer();
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
    writer.write(work(1, limit(1 << 20))).expect("sent");
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

/// Its dialog says how to stop waiting, so that must not take the 25 s of a systemd that never answers.
#[test]
fn an_undo_whose_dialog_is_closed_waits_no_longer_and_begins_nothing_more() {
    let silent = Silent::new();
    let (writer, answers) = silent.writer();
    let undo = |id, of| {
        let step = |bytes| Plan::from_iter([limit(bytes)]);
        Work {
            plans: vec![step(1 << 20), step(2 << 20)],
            undo: Some(Undo {
                of: WriteId(of),
                expected: Vec::new(),
            }),
            ..work(id, limit(0))
        }
    };
    let begun = Instant::now();
    writer.write(undo(3, 1)).expect("sent");
    // It waits by now, or finds that nobody wants it.
    assert!(answers.recv_timeout(Duration::from_millis(300)).is_err());
    writer.withdraw(WriteId(3));
    let (id, plans) = answers
        .recv_timeout(Duration::from_secs(20))
        .expect("an answer");
    assert_eq!(id, WriteId(3));
    assert!(begun.elapsed() < LONG, "{:?}", begun.elapsed());
    let kinds = plans.iter().filter_map(PlanReceipt::failure);
    let kinds: Vec<_> = kinds.map(|failure| failure.kind).collect();
    assert_eq!(kinds.len(), 2, "{plans:?}");
    assert_eq!(kinds[1], FailureKind::Withdrawn, "{plans:?}");
}
