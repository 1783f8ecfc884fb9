//! Everything that can happen ([`Msg`]) and every request that follows: to the world ([`Effect`]) and to the
//! loop ([`Control`]).

use std::sync::Arc;

use crate::app::input::key::Key;
use crate::app::settings::draft::Draft;
use crate::model::cgroup::CgroupPath;
use crate::model::event_source::EventSource;
use crate::model::incident::Survey;
use crate::model::ledger::{Account, Place};
use crate::model::plan::Plan;
use crate::model::plan::inverse::Expectation;
use crate::model::plan::receipt::PlanReceipt;
use crate::model::process::{Pid, ProcessId};
use crate::model::recall::Remembered;
use crate::model::rules::book::RuleBook;
use crate::model::rules::draft::Wish;
use crate::model::snapshot::{Needs, Snapshot};
use crate::model::systemd::drop_in::Found;
use crate::model::systemd::oomd::OomdSettings;
use crate::model::systemd::{Lasting, UnitName};
use crate::model::time::{Monotonic, Now};
use crate::model::traced::Traced;
use crate::model::wake::{Wake, WakeSources};
use crate::oomlog::{OomEvent, OomReport, UserspaceKill};

/// What the mouse did, in screen cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mouse {
    /// Column from the left, 0-based.
    pub x: u16,
    /// Row from the top, 0-based.
    pub y: u16,
    /// Click or wheel.
    pub action: MouseAction,
}

/// Mouse actions that oomtop handles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MouseAction {
    /// Left button down.
    Click,
    /// Wheel away from the user.
    ScrollUp,
    /// Wheel towards the user.
    ScrollDown,
}

/// A group offered by the cgroup dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupChoice {
    /// Path of the group.
    pub path: CgroupPath,
    /// Limit in bytes, if it has one.
    pub limit: Option<u64>,
    /// Usage in bytes, if it could be read.
    pub usage: Option<u64>,
    /// oomtop may make groups in it and move processes into it.
    pub writable: bool,
    /// It has the files of the memory controller: the groups around it share memory out already.
    pub has_memory: bool,
}

/// What the journal tells of a boot before this one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OlderBoot {
    /// -1 is the previous boot.
    pub boot: i32,
    /// Reports of that boot, oldest first.
    pub reports: Vec<Arc<OomReport>>,
    /// Kills by other programs, oldest first.
    pub kills: Vec<Arc<UserspaceKill>>,
}

/// What the journal tells of the boots before this one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OlderBoots {
    /// The newest boot first.
    pub boots: Vec<OlderBoot>,
    /// Why not all of it was read; `None` if it was.
    pub cut: Option<String>,
}

/// One event for [`super::update`].
#[derive(Debug, Clone)]
pub enum Msg {
    /// Time passed.
    Tick(Now),
    /// The terminal has this many columns and rows now.
    Resized(u16, u16),
    /// The keys that follow were read from the terminal at this time. Keys without it are somebody's who knows what
    /// is on the screen.
    Read(Monotonic),
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
    /// A tracepoint told of a death, at once.
    Traced(Traced),
    /// The kernel told of trouble: a sample should not wait for the clock.
    Woken(Wake),
    /// What the kernel tells of has changed.
    WakeSources(WakeSources),
    /// The source of OOM events changed.
    Source(EventSource),
    /// An effect is done.
    Done(Receipt),
    /// A write was made whose result could not be logged; the sentence says why.
    Unlogged(String),
    /// The groups asked for by [`Effect::ListGroups`], or why not.
    Groups(Result<Vec<GroupChoice>, String>),
    /// The ledger asked for by [`Effect::ReadLedger`], or why not. The quick part comes first, the files after it.
    Ledger(Arc<Result<Account, String>>),
    /// What can be done with the group asked for by [`Effect::Survey`], or why that is not known.
    Surveyed(CgroupPath, Result<Survey, String>),
    /// What there is of the drop-in asked for by [`Effect::ReadDropIn`], or why that is not known.
    DropIn(UnitName, Lasting, Result<Found, String>),
    /// What systemd-oomd does with a unit, asked for by [`Effect::ReadOomd`], or why that is not known.
    Oomd(UnitName, Result<OomdSettings, String>),
    /// The rules asked for by [`Effect::ReadRules`].
    Rules(Arc<RuleBook>),
    /// The boots asked for by [`Effect::ReadOlderBoots`], or why not.
    Older(Result<OlderBoots, String>),
    /// The last minutes were saved, or why not; a sentence.
    Recorded(Result<String, String>),
    /// The configuration file asked for by [`Effect::DraftSettings`], or why there is none.
    SettingsDraft(FileId, Result<Draft, String>),
    /// What [`Effect::WriteSettings`] has done, or why not; a sentence.
    SettingsWritten(FileId, Result<String, String>),
    /// oomtop was stopped (not only by Ctrl-Z: `kill -STOP` cannot be caught) and runs again.
    Resumed,
    /// A signal asks oomtop to stop, or the terminal is gone.
    Stop,
}

/// Identifies one [`Effect::Write`] of this session and its receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct WriteId(pub u64);

/// Identifies one [`Effect::DraftSettings`] or [`Effect::WriteSettings`] of this session and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FileId(pub u64);

/// What an undo takes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undo {
    /// The write.
    pub of: WriteId,
    /// What it expects to find. If one thing is different, nothing is written.
    pub expected: Vec<Expectation>,
}

/// The result of an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receipt {
    /// Result of [`Effect::Write`].
    Write {
        /// Id of the write.
        id: WriteId,
        /// One receipt for each plan, in the same order; a single one, if an undo found something changed.
        plans: Vec<PlanReceipt>,
    },
    /// Result of [`Effect::Save`]: the files, or why the save failed.
    Saved(Result<String, String>),
}

/// What [`super::update`] asks the runtime to do in the world. Plain values, so that tests can compare them.
/// Each effect ends in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Take a sample.
    Sample(Needs),
    /// Let the kernel tell of events in these groups, and in no others. Has no answer.
    Attend(Vec<CgroupPath>),
    /// List the memory cgroups for the dialog.
    ListGroups,
    /// Read the rules of `oomtop protect`, look whom each holds, and what the rule that is wished for would do.
    ReadRules(Option<Wish>),
    /// Look what can be done with this group.
    Survey(CgroupPath),
    /// Ask the systemd of this unit what it has told systemd-oomd of it.
    ReadOomd(UnitName),
    /// Read the drop-in that oomtop keeps for this service.
    ReadDropIn(UnitName, Lasting),
    /// Write to the kernel.
    Write {
        /// Id that the receipt repeats.
        id: WriteId,
        /// Carried out in order; a failed plan does not stop the next.
        plans: Vec<Plan>,
        /// For an undo.
        undo: Option<Undo>,
    },
    /// Do not begin what this write has not begun: its dialog was closed.
    Withdraw(WriteId),
    /// Hold exactly these processes, the targets of the open dialogs: their pids may be reused.
    Hold(Vec<ProcessId>),
    /// Hold exactly these groups, those that open dialogs are about: another group may have the path of one by the time of
    /// a write. With the instance that the screen shows, where it shows one.
    HoldGroups(Vec<(CgroupPath, Option<u64>)>),
    /// Read the OOM reports of older boots from the journal.
    ReadOlderBoots,
    /// Read where the memory of the host or of a cgroup is, for the page that shows it.
    ReadLedger(Place),
    /// Look how the user's configuration file would be with these values, by key.
    DraftSettings(FileId, Vec<(&'static str, String)>),
    /// Write the file.
    WriteSettings(FileId, Draft),
    /// Save the last minutes; the answer is [`Msg::Recorded`].
    SaveRecording,
    /// Save a report as text and as JSON in the working directory; no file is ever overwritten.
    Save {
        /// The report as the dialog shows it.
        report: Arc<OomReport>,
        /// What was known of its victims before they died, by pid.
        remembered: Vec<(Pid, Remembered)>,
    },
}

/// What [`super::update`] asks of the loop that called it and owns the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Stop oomtop as Ctrl-Z does.
    Suspend,
    /// Redraw the whole screen.
    Redraw,
    /// Set the terminal modes again: another program may have changed them meanwhile.
    Retake,
    /// Send SIGINT to the command that was started with oomtop.
    Interrupt,
    /// Listen to the mouse, or leave it to the terminal.
    Mouse(bool),
    /// Show this sample of the recording, by its place.
    Show(usize),
    /// Quit.
    Quit,
}

/// The result of one message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reaction {
    /// For the runtime.
    pub effects: Vec<Effect>,
    /// For the loop, after it has started the effects.
    pub control: Option<Control>,
}
