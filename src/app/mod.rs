//! What the user is doing. Pure: [`State`] composes parts that each own their rules, and
//! [`update`](update::update) turns a [`Msg`](msg::Msg) into a new state and a
//! [`Reaction`](msg::Reaction). No file, no clock, no terminal.

pub mod dialog;
pub mod fleet;
pub mod frozen;
pub mod input;
pub mod lookout;
pub mod msg;
mod needs;
pub mod notice;
pub mod replay;
pub mod settings;
pub mod undo;
pub mod update;
pub mod view;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use crate::app::input::actions::ACTIONS;
use crate::app::input::confirmation::Confirmation;
use crate::app::input::id::ActionId;
use crate::app::input::key::Key;
use crate::app::input::keymap::Keymap;
use crate::app::input::prompt::Prompt;
use crate::app::view::attention::Attention;
use crate::app::view::domains::Domains;
use crate::app::view::domains::members::MemberRows;
use crate::app::view::events::EventLog;
use crate::app::view::gauge::Gauge;
use crate::app::view::layout::Pane;
use crate::app::view::processes::columns::{self, CellContext};
use crate::app::view::processes::marks::Marks;
use crate::app::view::processes::table::ProcessTable;
use crate::app::view::selection_guard::SelectionGuard;
use crate::text::tone::Tone;
use dialog::instead::Denied;
use dialog::{Dialog, DialogContext, DialogView, wait};
use frozen::FrozenThings;
use msg::{Control, Effect, Undo, WriteId};
use notice::Notice;
use replay::Replay;
use settings::Settings;
use undo::UndoLog;

use crate::app::update::early::Early;
use crate::app::update::file_requests::FileRequests;
use crate::app::update::ledger::Asked;
use crate::app::update::mouse::Clicks;
use crate::app::update::pending::Pending;
use crate::app::view::gone::{Aftermath, GoneOnes};
use crate::app::view::killed::Killed;
use crate::model::cgroup::CgroupPath;
use crate::model::oom_domain::victim::Scope;
use crate::model::plan::Plan;
use crate::model::sigkills::Sigkills;
use crate::model::snapshot::{Host, Snapshot};
use crate::model::time::{Monotonic, Now};
use crate::model::wake::WakeSources;

/// Everything the screen shows and the keys act on.
#[derive(Debug)]
pub struct State {
    /// Settings of the run.
    pub settings: Settings,
    /// Which key does what, and the name of each key on the screen.
    pub keymap: Keymap,
    /// The machine.
    pub host: Host,
    /// The time of the last tick.
    pub now: Now,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The settings that oomtop was started with, or has saved since.
    pub started: Settings,
    /// Unbound keys that the user has been told about once.
    pub strange_keys: HashSet<Key>,
    /// The newest sample.
    pub snapshot: Arc<Snapshot>,
    /// The sample before the newest: a victim may be missing from the newest already.
    pub previous: Arc<Snapshot>,
    /// Who dies next, in the newest sample.
    pub marks: Marks,
    /// The process table.
    pub table: ProcessTable,
    /// The OOM domains: what is remembered of each, and the view of them.
    pub domains: Domains,
    /// The members of the selected domain.
    members: MemberRows,
    /// What stands above the table: what must not be overlooked, and the most urgent domains.
    pub attention: Attention,
    /// The memory gauge.
    pub gauge: Gauge,
    /// The OOM events.
    pub events: EventLog,
    /// Who sent SIGKILL to whom.
    pub sigkills: Sigkills,
    /// Processes that dialogs have shown, and when they were missed.
    pub gone: GoneOnes,
    /// Victims that samples may still show.
    pub killed: Killed,
    /// Open dialogs, the front one last.
    pub dialogs: Vec<Box<dyn Dialog>>,
    /// The last write of an open dialog, if it was refused for want of rights.
    denied: Option<Denied>,
    /// The prompt in the footer, if one is open.
    pub prompt: Option<Prompt>,
    /// Last text searched for.
    pub searched: String,
    /// The sentence in the footer, if one is fresh.
    pub notice: Option<Notice>,
    /// Keeps a key from confirming what was not on the screen when it was pressed.
    pub confirmation: Confirmation,
    /// The last click of the mouse.
    pub clicks: Clicks,
    /// Keeps a key from acting on a row that the user did not select.
    pub selection_guard: SelectionGuard,
    /// Requests of the open dialogs.
    pub pending: Pending,
    /// Requests for the user's configuration file.
    files: FileRequests,
    /// The last request for the ledger.
    ledger: Asked,
    /// The group to zoom to once a sample shows that it has a limit.
    zoom_wanted: Option<CgroupPath>,
    /// What can be taken back.
    pub undo: UndoLog,
    /// The recording that is shown; `None` for the running machine.
    pub replay: Option<Replay>,
    /// What this session has stopped.
    pub frozen: FrozenThings,
    /// Samples up to this one may not show the last write yet.
    pub written_at_seq: u64,
    /// Which pane has the keyboard.
    pub focus: Pane,
    /// Sampling is paused.
    pub paused: bool,
    /// When the running sample was requested; `None` while no sample runs.
    pub sampling: Option<Monotonic>,
    /// Another sample was requested while one was running.
    pub sample_again: bool,
    /// When the last sample was requested.
    pub asked: Monotonic,
    /// Samples that came before their time.
    pub early: Early,
    /// What wakes oomtop besides the clock.
    pub wakes: WakeSources,
    /// Why the last sample failed.
    pub failure: Option<String>,
    /// Something on the screen may have changed since it was drawn.
    pub changed: bool,
    /// Time of the last message that may have changed the screen.
    pub changed_at: Monotonic,
    /// A request to the loop; [`update`](update::update) hands it over.
    control: Option<Control>,
}

impl State {
    /// A state before the first sample.
    pub fn new(mut settings: Settings, host: Host, size: (u16, u16), now: Now) -> Self {
        let mut table = ProcessTable::default();
        let keymap = Keymap::in_force(ACTIONS, settings.keys, &settings.bind);
        table.kernel_threads = settings.kernel_threads;
        table.tree = settings.tree;
        if let Some(column) = settings.sort.and_then(columns::column) {
            table.sort = column;
        }
        settings.sort = Some(table.sort.id);
        table.filter.clone_from(&settings.filter);
        table.chosen.clone_from(&settings.columns);
        Self {
            zoom_wanted: settings.watched.clone(),
            started: settings.clone(),
            strange_keys: HashSet::new(),
            settings,
            keymap,
            host,
            now,
            size,
            snapshot: Arc::default(),
            previous: Arc::default(),
            marks: Marks::default(),
            table,
            domains: Domains::default(),
            members: MemberRows::default(),
            attention: Attention::default(),
            gauge: Gauge::default(),
            events: EventLog::default(),
            sigkills: Sigkills::default(),
            gone: GoneOnes::default(),
            killed: Killed::default(),
            dialogs: Vec::new(),
            denied: None,
            prompt: None,
            searched: String::new(),
            notice: None,
            confirmation: Confirmation::default(),
            clicks: Clicks::default(),
            selection_guard: SelectionGuard::default(),
            pending: Pending::default(),
            files: FileRequests::default(),
            ledger: Asked::default(),
            undo: UndoLog::default(),
            replay: None,
            frozen: FrozenThings::default(),
            written_at_seq: 0,
            focus: Pane::default(),
            paused: false,
            sampling: None,
            sample_again: false,
            asked: Monotonic::default(),
            early: Early::default(),
            wakes: WakeSources::default(),
            failure: None,
            changed: true,
            changed_at: Monotonic::default(),
            control: None,
        }
    }

    /// What table cells look at.
    pub fn cells(&self) -> CellContext<'_> {
        CellContext {
            snapshot: &self.snapshot,
            rules: &self.host.rules,
            total: self.ranking_total(),
            marks: &self.marks,
            ticks: self.host.ticks_per_second,
            commands: self.table.commands(),
        }
    }

    /// Pages of the domain the table ranks by.
    fn ranking_total(&self) -> u64 {
        let scope = self.table.zoom.unwrap_or(Scope::Host);
        self.snapshot
            .domain(scope)
            .or_else(|| self.snapshot.domain(Scope::Host))
            .map_or(0, |d| d.total_pages)
    }

    /// What the dialog at this depth shows, the lowest first.
    pub fn dialog_view(&self, depth: usize) -> Option<DialogView> {
        let context = self.dialog_context();
        let dialog = self.dialogs.get(depth)?;
        let view = dialog.view(&context);
        let denied = self.denied.as_ref();
        let below = denied.map(|denied| denied.below(&view, depth + 1, &context));
        let since = dialog.waiting().and_then(|id| self.pending.since(id));
        let waited = since.map(|since| self.now.monotonic.since(since));
        Some(wait::below(
            below.unwrap_or(view),
            waited,
            &self.keymap.name_in(dialog.scope(), ActionId::Back),
        ))
    }

    /// What dialogs may read.
    pub fn dialog_context(&self) -> DialogContext<'_> {
        DialogContext {
            cells: self.cells(),
            host: &self.host,
            settings: &self.settings,
            keymap: &self.keymap,
            domains: &self.domains,
            aftermath: Aftermath {
                gone: &self.gone,
                events: &self.events,
                sigkills: &self.sigkills,
                now: self.now,
            },
            undo: &self.undo,
            wakes: &self.wakes,
            screen: self.size,
        }
    }

    /// Age of the newest sample; `None` before the first.
    pub fn sample_age(&self) -> Option<Duration> {
        (self.snapshot.seq > 0).then(|| self.now.monotonic.since(self.snapshot.taken.monotonic))
    }

    /// Age of what is on the screen, where it is older than it should be; `None` while it is fresh, and while paused.
    pub fn stale(&self) -> Option<Duration> {
        let usual = self.period().max(self.settings.delay);
        self.sample_age()
            .filter(|age| *age > usual * 2 && !self.paused && self.replay.is_none())
    }

    /// Raises a notice.
    pub fn say(&mut self, tone: Tone, text: impl Into<String>) {
        self.notice = Some(Notice::new(tone, text, self.now.monotonic));
    }

    /// The key of an action, for a sentence: "press u again".
    pub fn key(&self, action: ActionId) -> String {
        self.keymap.key(action)
    }

    /// Sends a request to the loop.
    fn ask(&mut self, control: Control) -> Vec<Effect> {
        self.control = Some(control);
        Vec::new()
    }

    /// Requests a write under a new id; for an undo, with what it takes back.
    fn write(&mut self, plans: Vec<Plan>, undo: Option<Undo>) -> (WriteId, Effect) {
        let id = self.undo.next_id();
        self.frozen.requested(id, &plans);
        (id, Effect::Write { id, plans, undo })
    }

    /// Opens a dialog.
    fn open(&mut self, dialog: impl Dialog + 'static) -> Vec<Effect> {
        self.dialogs.push(Box::new(dialog));
        self.denied = None;
        self.confirmation.opened();
        Vec::new()
    }

    /// Tells each list how many rows its pane has room for.
    fn fit_lists(&mut self) {
        let panes = self.panes();
        self.table.set_height(panes.table_height());
        self.domains.set_height(panes.table_height());
        self.domains.set_room(panes.domains_room());
        self.events.set_height(panes.events_height());
    }

    /// Rebuilds the rows of the table and of the domains from the newest sample.
    fn arrange(&mut self) -> Vec<Effect> {
        self.fit_lists();
        let total = self.ranking_total();
        // A table of one domain is about that domain alone.
        let leading = self.domains.leading().filter(|_| self.table.zoom.is_none());
        self.marks = Marks::ranked(&self.snapshot, self.table.zoom.unwrap_or(Scope::Host))
            .led_by(leading, &self.snapshot);
        let context = CellContext {
            snapshot: &self.snapshot,
            rules: &self.host.rules,
            total,
            marks: &self.marks,
            ticks: self.host.ticks_per_second,
            commands: self.table.commands(),
        };
        self.table.arrange(&context);
        self.domains.arrange(&self.snapshot, &self.host);
        self.find_members();
        Vec::new()
    }

    /// Rows in a page.
    fn page(&self) -> isize {
        let panes = self.panes();
        let rows = match self.focus {
            Pane::Processes => panes.table_height(),
            Pane::Events => panes.events_height(),
        };
        isize::try_from(rows.max(1)).unwrap_or(1)
    }

    /// Moves the selection of the pane that has the keyboard.
    fn go(&mut self, by: isize) -> Vec<Effect> {
        match self.focus {
            Pane::Processes if self.domains.open => self.domains.move_by(by),
            Pane::Processes => self.table.move_by(by, &self.snapshot),
            Pane::Events => self.events.move_by(by),
        }
        Vec::new()
    }

    /// Ranks by the innermost limited group of the selected process, or by the host again.
    fn toggle_zoom(&mut self) -> Vec<Effect> {
        self.domains.zoomed = false;
        if self.table.zoom.take().is_none() {
            let process = self.table.selected_process(&self.snapshot);
            let group = process.and_then(|p| p.cgroup);
            let limited = group.and_then(|key| {
                self.snapshot
                    .ancestry(key)
                    .map(|(key, _)| Scope::Memcg(key))
                    .find(|s| self.snapshot.domain(*s).is_some_and(|d| !d.throttles_only))
            });
            self.table.zoom = limited;
            if limited.is_none() {
                self.say(Tone::Normal, "the selected process is in no cgroup with a memory limit: its OOM domain is the host");
            }
        }
        self.arrange()
    }
}
