//! Dialogs: state plus data. Each dialog is pinned to its target when it opens, and says what it would write
//! before Enter. One renderer draws all of them from their [`DialogView`].

pub mod adjust;
mod blast;
mod by;
pub mod cgroup;
pub mod compare;
pub mod details;
pub mod domain;
mod drop_in;
pub mod event;
mod foreign;
pub mod help;
mod hints;
pub mod history;
pub mod incident;
pub(in crate::app) mod instead;
pub mod leave;
pub mod ledger;
mod managed;
mod own;
pub mod report;
pub mod rows;
pub mod rule;
pub mod rules;
mod scroll;
pub mod settings;
pub mod setup;
pub mod signal;
pub mod sort;
pub mod undo;
pub mod users;
pub(in crate::app) mod wait;
pub mod wrap;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::msg::{Effect, FileId, GroupChoice, WriteId};
use super::settings::Settings;
use super::settings::draft::Draft;
use crate::app::input::id::ActionId;
use crate::app::input::key::Key;
use crate::app::input::keymap::Keymap;
use crate::app::input::line::LineInput;
use crate::app::input::scope::KeyScope;
use crate::app::undo::UndoLog;
use crate::app::view::domains::Domains;
use crate::app::view::gone::Aftermath;
use crate::app::view::processes::columns::CellContext;
use crate::model::cgroup::{CgroupKey, CgroupPath};
use crate::model::filter::Filter;
use crate::model::incident::Survey;
use crate::model::ledger::{Account, Place};
use crate::model::oom_domain::victim::Scope;
use crate::model::plan::Plan;
use crate::model::plan::receipt::PlanReceipt;
use crate::model::process::score::OomScoreAdj;
use crate::model::process::{Process, ProcessId};
use crate::model::rules::book::RuleBook;
use crate::model::snapshot::{Host, Snapshot};
use crate::model::systemd::drop_in::Found;
use crate::model::systemd::oomd::OomdSettings;
use crate::model::systemd::{Lasting, UnitName};
use crate::model::wake::WakeSources;
use crate::text::tone::Line;

/// What a dialog may read. This data changes under an open dialog; the target does not.
#[derive(Debug, Clone, Copy)]
pub struct DialogContext<'a> {
    /// The newest sample and how the table ranks it.
    pub cells: CellContext<'a>,
    /// The machine.
    pub host: &'a Host,
    /// The run's settings.
    pub settings: &'a Settings,
    /// Which key does what: hints and sentences take their key names from here.
    pub keymap: &'a Keymap,
    /// What is remembered of the OOM domains.
    pub domains: &'a Domains,
    /// How processes ended that are not there any more.
    pub aftermath: Aftermath<'a>,
    /// What oomtop has written.
    pub undo: &'a UndoLog,
    /// What wakes oomtop besides the clock.
    pub wakes: &'a WakeSources,
    /// Columns and rows of the terminal.
    pub screen: (u16, u16),
}

impl DialogContext<'_> {
    /// The process a dialog is pinned to, while it lives.
    pub fn process(&self, id: ProcessId) -> Option<&Process> {
        self.cells.snapshot.process(id)
    }

    /// The targets that still live, in their order. Walks the sample once for any number of targets: dialogs
    /// call this for every frame.
    pub fn living<'t>(&self, targets: &'t [Pinned]) -> Vec<(&'t Pinned, &Process)> {
        if let [one] = targets {
            return self.process(one.id).map(|p| (one, p)).into_iter().collect();
        }
        let processes = &self.cells.snapshot.processes;
        let by_id: HashMap<ProcessId, &Process> = processes.iter().map(|p| (p.id, p)).collect();
        targets
            .iter()
            .filter_map(|target| Some((target, *by_id.get(&target.id)?)))
            .collect()
    }
}

/// The result of an action, a typed key or a receipt.
#[derive(Debug)]
pub enum Outcome {
    /// Stay open.
    Stay,
    /// Stay open, and say why the key does nothing here.
    Say(String),
    /// Close and do nothing.
    Close,
    /// Request effects and stay open.
    Perform(Vec<Effect>),
    /// Write these plans to the kernel and stay open until the receipt. [`Dialog::asked`] tells the dialog
    /// the id of the write.
    Write(Vec<Plan>),
    /// Close, select this process in the table, and run this table action on it.
    ActOn(ProcessId, ActionId),
    /// Take this write back and stay open until the receipt. The warning is the one that the dialog showed; if it does not hold
    /// any more, close and ask anew. [`Dialog::asked`] tells the dialog the id of the undo.
    TakeBack(WriteId, Option<String>),
    /// Stay open and ask on top whether this write shall be taken back.
    AskUndo(WriteId),
    /// Stay open and ask on top for a rule that gives this process, and those like it, this value.
    MakeRule(Pinned, OomScoreAdj),
    /// Close and show those processes of the table that this filter lets through.
    Filter(String),
    /// Close and filter the table; a domain that the table is zoomed to stays.
    Narrow(Box<Filter>),
    /// Sort the rows so and close.
    SortBy(sort::SortChoice),
    /// Close and show the processes of this domain.
    Zoom(Scope),
    /// Stay open and show the ledger of this domain on top.
    Ledger(Scope),
    /// Stay open and put these settings in force.
    Configure(Box<Settings>),
    /// Put these settings in force again, with the order against the column's own direction or along it, and close.
    Restore(Box<Settings>, bool),
    /// Ask how the user's configuration file would be with these values, and stay open. [`Dialog::asked_file`] tells the
    /// dialog the id of the request.
    DraftSettings(Vec<(&'static str, String)>),
    /// Write the settings in force to the user's configuration file, as this draft has them, and stay open. If another
    /// write is under way, the user is told so, and no id comes.
    WriteSettings(Draft),
    /// Close and end oomtop.
    Quit,
}

/// One dialog.
pub trait Dialog: fmt::Debug {
    /// The scope of its keys.
    fn scope(&self) -> KeyScope;

    /// Runs an action that has a place in this scope.
    fn on_action(&mut self, action: ActionId, context: &DialogContext<'_>) -> Outcome;

    /// Takes a key without an action in this scope: a character that is text there, or a key that edits a
    /// line.
    fn on_text(&mut self, _key: Key, _context: &DialogContext<'_>) -> Outcome {
        Outcome::Stay
    }

    /// In a scope where letters are text: false while no field takes any.
    fn has_cursor(&self) -> bool {
        true
    }

    /// Which of its questions it asks now: the number changes with what the confirming key would mean, whom it
    /// would hit or what it warns of.
    fn question(&self) -> usize {
        0
    }

    /// Takes pasted text.
    fn on_paste(&mut self, _text: &str) {}

    /// Takes the id of the write that the dialog has just requested: the receipt will have the same id.
    fn asked(&mut self, _id: WriteId) {}

    /// The write that the dialog has requested and has no receipt for. If the dialog closes first, the write is
    /// withdrawn.
    fn waiting(&self) -> Option<WriteId> {
        None
    }

    /// The processes that the dialog may write to. They are held while it is open.
    fn targets(&self) -> Vec<ProcessId> {
        Vec::new()
    }

    /// The group whose numbers the dialog shows and that it may write to. It is held while the dialog is open: another
    /// group that has its path later is not written to.
    fn group(&self) -> Option<&CgroupPath> {
        None
    }

    /// The group that the dialog would move processes into, if it is there. It is held while it is chosen.
    fn destination(&self) -> Option<CgroupPath> {
        None
    }

    /// Takes the receipts of the write that it waits for: what went wrong stands in the dialog. It waits no longer.
    fn on_written(&mut self, _plans: &[PlanReceipt]) -> Outcome {
        Outcome::Stay
    }

    /// Takes what became of a save: the files, or why it failed. Another dialog may have asked for it.
    fn on_saved(&mut self, _outcome: &Result<String, String>) {}

    /// Takes the list of groups that the dialog requested.
    fn on_groups(&mut self, _groups: &Result<Vec<GroupChoice>, String>) {}

    /// Takes the rules of `oomtop protect`, which the dialog may have asked for.
    fn on_rules(&mut self, _book: &Arc<RuleBook>) {}

    /// Takes the id of the request for the configuration file that the dialog has just made: the answer has the same.
    fn asked_file(&mut self, _id: FileId) {}

    /// Takes a configuration file as it would be, or why there is none: the answer to the request of this id.
    fn on_settings_draft(&mut self, _id: FileId, _draft: &Result<Draft, String>) {}

    /// Takes what became of the configuration file: the answer to the request of this id. True if the dialog shows it.
    fn on_settings_written(&mut self, _id: FileId, _written: &Result<String, String>) -> bool {
        false
    }

    /// The action that a click on this cell of an item of the list means, beyond choosing the item.
    fn clicked(&self, _item: usize, _x: u16) -> Option<ActionId> {
        None
    }

    /// Whose ledger the dialog shows. `page_size` is in bytes.
    fn wants_ledger(&self, _snapshot: &Snapshot, _page_size: u64) -> Option<Place> {
        None
    }

    /// Takes the ledger that the dialog wants, or why there is none.
    fn on_ledger(&mut self, _answer: &Result<Account, String>) {}

    /// Takes what there is of a drop-in that the dialog has asked for.
    fn on_drop_in(&mut self, _unit: &UnitName, _lasting: Lasting, _found: &Result<Found, String>) {}

    /// Takes what systemd-oomd does with a unit, which the dialog may have asked for.
    fn on_oomd(&mut self, _unit: &UnitName, _found: &Result<OomdSettings, String>) {}

    /// Takes what can be done with a group, which the dialog may have asked for.
    fn on_survey(&mut self, _group: &CgroupPath, _survey: &Result<Survey, String>) {}

    /// The process whose details the next samples must read.
    fn wants_detail(&self) -> Option<ProcessId> {
        None
    }

    /// The groups whose files the next samples must all read, because the dialog shows their room.
    fn wants_groups(&self, _snapshot: &Snapshot) -> Vec<CgroupKey> {
        Vec::new()
    }

    /// What to draw.
    fn view(&self, context: &DialogContext<'_>) -> DialogView;
}

/// A dialog as data.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DialogView {
    /// In the frame: the action and its target.
    pub title: String,
    /// From top to bottom.
    pub sections: Vec<Section>,
    /// Keys and what they do, for the bottom line.
    pub hints: Vec<(String, &'static str)>,
    /// The dialog keeps its width and its first row, whatever it shows.
    pub steady: bool,
    /// Rows that the dialog has at least, so that typing does not change its size; the screen may be lower.
    pub reserved: u16,
    /// Lines scrolled away at the top; the renderer never scrolls past the end.
    pub scroll: usize,
    /// The last section is one part of something longer: the first row of that part (0-based), and the number
    /// of all rows. The dialog then scrolls by itself.
    pub window: Option<(usize, usize)>,
}

/// A part of a dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Section {
    /// Lines of text; the renderer wraps them.
    Text(Vec<Line>),
    /// A labelled input.
    Field {
        /// Name of the input.
        label: &'static str,
        /// What was typed.
        input: LineInput,
        /// The field has the cursor.
        focused: bool,
        /// Text beside the input: the present value.
        note: Option<String>,
        /// Why the input is invalid.
        error: Option<String>,
    },
    /// A list to choose from; long ones scroll with the selection.
    Choices {
        /// The items.
        items: Vec<Line>,
        /// Index of the choice; `None` if something else decides (a typed value).
        selected: Option<usize>,
        /// Rows shown at most.
        height: usize,
    },
    /// The pages of a dialog.
    Tabs {
        /// Their names.
        names: Vec<&'static str>,
        /// The page that is shown.
        selected: usize,
        /// What is said behind them.
        note: String,
    },
    /// An empty line.
    Gap,
}

impl DialogView {
    /// Adds a section and returns the view.
    #[must_use]
    pub fn with(mut self, section: Section) -> Self {
        self.sections.push(section);
        self
    }

    /// Adds lines of text, if there are any.
    #[must_use]
    pub fn text(self, lines: Vec<Line>) -> Self {
        if lines.is_empty() {
            self
        } else {
            self.with(Section::Text(lines))
        }
    }

    /// Adds an empty line.
    #[must_use]
    pub fn gap(self) -> Self {
        self.with(Section::Gap)
    }
}

/// A process a dialog is pinned to: identity, and its name for the sentences.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pinned {
    /// Pid and start time.
    pub id: ProcessId,
    /// Short name when the dialog opened.
    pub name: String,
}

impl Pinned {
    /// Pins a process.
    pub fn of(process: &Process) -> Self {
        Self {
            id: process.id,
            name: process.comm.text().into_owned(),
        }
    }
}

impl fmt::Display for Pinned {
    /// `2456 mysqld`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id.pid, self.name)
    }
}

/// Moves a position in a list of `len`, staying inside; `None` if the action moves nothing.
fn step(at: usize, len: usize, action: ActionId) -> Option<usize> {
    let last = len.saturating_sub(1);
    match action {
        ActionId::Up => Some(at.saturating_sub(1)),
        ActionId::Down => Some((at + 1).min(last)),
        ActionId::PageUp => Some(at.saturating_sub(10)),
        ActionId::PageDown => Some((at + 10).min(last)),
        _ => None,
    }
}
