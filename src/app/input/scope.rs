//! [`KeyScope`]: where a key is pressed. One function decides that from the state: the front dialog, else the
//! open prompt, else the pane that has the keyboard.

use super::named::named;
use crate::app::State;
use crate::app::view::layout::Pane;

named! {
    /// A part of the screen in which keys have a meaning of their own.
    pub enum KeyScope {
        /// The process table.
        Table = "process table",
        /// The OOM domains, in place of the process table.
        Domains = "OOM domains",
        /// The OOM events pane.
        Events = "OOM events",
        /// A filter being typed.
        Prompt = "filter prompt",
        /// A search being typed.
        Search = "search prompt",
        /// A pid being typed.
        Pid = "PID prompt",
        /// The help.
        Help = "help",
        /// The adjust dialog.
        Adjust = "adjust dialog",
        /// The cgroup dialog.
        Cgroup = "cgroup dialog",
        /// The signal dialog.
        Signal = "signal dialog",
        /// The undo dialog.
        Undo = "undo dialog",
        /// The history of writes.
        History = "history dialog",
        /// The sort dialog.
        Sort = "sort dialog",
        /// Whose processes are shown.
        Users = "users dialog",
        /// The details of a process.
        Process = "process details",
        /// The details of an OOM domain.
        Domain = "domain details",
        /// The details of an event that is no report.
        Event = "event details",
        /// An OOM report.
        Report = "OOM report",
        /// The settings panel.
        Settings = "settings panel",
        /// The settings of oomtop itself.
        Setup = "settings dialog",
        /// A setting that is typed.
        SetupField = "settings dialog's field",
        /// The columns of the table, in the settings of oomtop.
        Columns = "list of columns",
        /// Where the memory is.
        Ledger = "memory ledger",
        /// The incident dialog.
        Incident = "incident dialog",
        /// Whom the rules hold.
        Rules = "rules view",
        /// A rule before it is written.
        Rule = "rule dialog",
        /// What has grown between two moments.
        Compare = "comparison",
        /// The question before quitting while something is frozen.
        Leave = "quit dialog",
    }
}

impl KeyScope {
    /// True if the scope is a pane, not a dialog or a prompt.
    pub fn is_pane(self) -> bool {
        matches!(self, Self::Table | Self::Domains | Self::Events)
    }

    /// True if this character is text here, whatever action its key is bound to.
    pub fn types(self, c: char) -> bool {
        match self {
            // A pid to jump to, as in htop; the number of a signal, as in top; the width of a column.
            Self::Table | Self::Events | Self::Pid | Self::Signal | Self::Columns => {
                c.is_ascii_digit()
            }
            Self::Adjust => c.is_ascii_digit() || matches!(c, '-' | '+'),
            // The pages by number.
            Self::Report => matches!(c, '1'..='4'),
            Self::Setup => c.is_ascii_digit() || matches!(c, '.' | ','),
            // Letters choose a remedy, or are units behind a number: none is a q.
            Self::Incident => c != 'q',
            Self::Prompt | Self::Search | Self::Cgroup | Self::SetupField => true,
            Self::Domains
            | Self::Help
            | Self::Sort
            | Self::Users
            | Self::Undo
            | Self::History
            | Self::Process
            | Self::Domain
            | Self::Event
            | Self::Settings
            | Self::Ledger
            | Self::Rules
            | Self::Rule
            | Self::Compare
            | Self::Leave => false,
        }
    }
}

impl State {
    /// The scope of a key pressed now.
    pub fn key_scope(&self) -> KeyScope {
        if let Some(dialog) = self.dialogs.last() {
            dialog.scope()
        } else if let Some(prompt) = &self.prompt {
            prompt.kind.scope()
        } else {
            self.pane_scope()
        }
    }

    /// The pane that has the keyboard, or will have it after dialogs and prompt close.
    pub fn pane_scope(&self) -> KeyScope {
        match self.focus {
            Pane::Events => KeyScope::Events,
            Pane::Processes if self.domains.open => KeyScope::Domains,
            Pane::Processes => KeyScope::Table,
        }
    }
}
