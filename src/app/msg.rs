//! Everything that can happen ([`Msg`]) and everything that may be asked for ([`Effect`]).

use std::sync::Arc;

use crate::app::input::key::Key;
use crate::model::cgroup::CgroupPath;
use crate::model::plan::step::{AdjReceipt, CgroupStep, Failure, PlanReceipt};
use crate::model::process::score::OomScoreAdj;
use crate::model::process::signal::Signal;
use crate::model::process::{Pid, ProcessId};
use crate::model::recall::Remembered;
use crate::model::snapshot::{Needs, Snapshot};
use crate::model::time::Now;
use crate::oomlog::{OomEvent, OomReport};

/// What the mouse did, in screen cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mouse {
    /// Column from the left, 0-based.
    pub x: u16,
    /// Row from the top, 0-based.
    pub y: u16,
    /// What it did.
    pub action: MouseAction,
}

/// Mouse actions that mean something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MouseAction {
    /// Left button down.
    Click,
    /// Wheel away from the user.
    ScrollUp,
    /// Wheel towards the user.
    ScrollDown,
}

/// Where OOM events come from, and what that source cannot show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventSource {
    /// `/dev/kmsg`, `journal`, `counters only`.
    pub name: String,
    /// What is missing and why; empty if nothing is.
    pub missing: String,
    /// The history the source held at start has been read.
    pub caught_up: bool,
}

impl EventSource {
    /// The name where there is no log at all, only the kernel's kill counters.
    pub const COUNTERS_ONLY: &str = "counters only";

    /// A log tells of kills, if late or in part: a counter that rises waits for its line.
    pub fn has_log(&self) -> bool {
        self.name != Self::COUNTERS_ONLY
    }
}

/// A group offered by the cgroup dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupChoice {
    /// Where.
    pub path: CgroupPath,
    /// Limit in bytes, if it has one.
    pub limit: Option<u64>,
    /// Usage in bytes, if it could be read.
    pub usage: Option<u64>,
}

/// What the journal tells of a boot before this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OlderBoot {
    /// -1 is the one before this.
    pub boot: i32,
    /// Its reports, oldest first.
    pub reports: Vec<Arc<OomReport>>,
}

/// One event for [`super::update`].
#[derive(Debug, Clone)]
pub enum Msg {
    /// Time passed.
    Tick(Now),
    /// The terminal has this many columns and rows now.
    Resized(u16, u16),
    /// A key.
    Key(Key),
    /// Text pasted into the terminal.
    Paste(String),
    /// The mouse.
    Mouse(Mouse),
    /// A sample is ready.
    Sampled(Arc<Snapshot>),
    /// A sample failed as a whole; the sentence says why.
    SampleFailed(String),
    /// The kernel's log said something.
    Oom(OomEvent),
    /// The source of OOM events changed.
    Source(EventSource),
    /// An effect is done.
    Done(Receipt),
    /// The groups asked for by [`Effect::ListGroups`], or why not.
    Groups(Result<Vec<GroupChoice>, String>),
    /// The boots asked for by [`Effect::ReadOlderBoots`], the newest first, or why not.
    Older(Result<Vec<OlderBoot>, String>),
    /// oomtop was stopped (not only by Ctrl-Z: `kill -STOP` cannot be caught) and runs again.
    Resumed,
    /// A signal asks it to stop; or the terminal is gone.
    Stop,
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receipt {
    /// Of [`Effect::WriteAdj`], in the order asked for.
    Adj {
        /// One for each target.
        receipts: Vec<AdjReceipt>,
        /// It was an undo.
        undo: bool,
    },
    /// Of [`Effect::RunPlan`].
    Plan {
        /// Step by step.
        receipt: PlanReceipt,
        /// It was an undo.
        undo: bool,
    },
    /// Of [`Effect::Save`]: the files, or why not.
    Saved(Result<String, String>),
    /// Of [`Effect::SendSignal`].
    Signal {
        /// What was sent.
        signal: Signal,
        /// To whom, and whether it arrived.
        results: Vec<(ProcessId, Result<(), Failure>)>,
    },
}

/// One adj write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdjWrite {
    /// Target.
    pub target: ProcessId,
    /// New value.
    pub value: OomScoreAdj,
}

/// What [`super::update`] asks the runtime to do. Plain values, so that a test can compare them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Take a sample.
    Sample(Needs),
    /// List the memory cgroups for the dialog.
    ListGroups,
    /// Write `oom_score_adj`.
    WriteAdj {
        /// What to write.
        writes: Vec<AdjWrite>,
        /// It takes back an earlier write.
        undo: bool,
    },
    /// Carry out a cgroup plan.
    RunPlan {
        /// The process that moves, if any.
        target: Option<ProcessId>,
        /// In this order.
        steps: Vec<CgroupStep>,
        /// It takes back an earlier plan.
        undo: bool,
    },
    /// Send a signal.
    SendSignal {
        /// To whom.
        targets: Vec<ProcessId>,
        /// What.
        signal: Signal,
    },
    /// Read the OOM reports of older boots out of the journal.
    ReadOlderBoots,
    /// Save a report as text and as JSON in the working directory; no file is ever overwritten.
    Save {
        /// The report as the dialog shows it.
        report: Arc<OomReport>,
        /// What was known of its victims before they died, by pid.
        remembered: Vec<(Pid, Remembered)>,
    },
    /// Stop oomtop as Ctrl-Z does.
    Suspend,
    /// Draw the whole screen anew.
    Redraw,
    /// Take the terminal again: whoever had it meanwhile may have left other modes.
    Retake,
    /// Leave.
    Quit,
}
