//! Actions that exist in dialogs and prompts only.

use super::{Action, CLOSABLE, DIALOGS, Group, PROMPTS, Place, TEXTS};
use crate::app::State;
use crate::app::input::id::ActionId as Id;
use crate::app::input::scope::KeyScope;

pub(super) const DIALOG: &[Action] = &[
    Action {
        id: Id::Commit,
        doc: "do what the dialog offers; close one that only shows",
        keys: &["Enter"],
        group: Group::Dialog,
        places: &[
            Place::new(PROMPTS, State::accept_prompt),
            Place::dialog(DIALOGS),
        ],
    },
    Action {
        id: Id::Close,
        doc: "leave a dialog; in a text field a letter is text",
        keys: &["q", "F10"],
        group: Group::Dialog,
        places: &[Place::dialog(CLOSABLE)],
    },
    Action {
        id: Id::ReadOn,
        doc: "a page down in a dialog that only shows",
        keys: &["Space"],
        group: Group::Dialog,
        places: &[Place::dialog(TEXTS)],
    },
    Action {
        id: Id::Switch,
        doc: "adjust: whom for; cgroup: what; incident: how much; rule: children",
        keys: &["Tab"],
        group: Group::Dialog,
        places: &[Place::dialog(&[
            KeyScope::Adjust,
            KeyScope::Cgroup,
            KeyScope::Incident,
            KeyScope::Rule,
        ])],
    },
    Action {
        id: Id::Whom,
        doc: "cgroup: choose which processes move",
        keys: &["F5"],
        group: Group::Dialog,
        places: &[Place::dialog(&[KeyScope::Cgroup])],
    },
    Action {
        id: Id::Lasting,
        doc: "adjust, cgroup, incident, details: how long systemd keeps it",
        keys: &["BackTab"],
        group: Group::Dialog,
        places: &[Place::dialog(&[
            KeyScope::Adjust,
            KeyScope::Cgroup,
            KeyScope::Incident,
            KeyScope::Process,
        ])],
    },
    Action {
        id: Id::Policy,
        doc: "details: OOMPolicy=continue for the service that would end with the process",
        keys: &["o"],
        group: Group::Dialog,
        places: &[Place::dialog(&[KeyScope::Process])],
    },
    Action {
        id: Id::Rule,
        doc: "adjust: make a rule of the process, for what starts later",
        keys: &["r"],
        group: Group::Dialog,
        places: &[Place::dialog(&[KeyScope::Adjust])],
    },
    Action {
        id: Id::Legacy,
        doc: "adjust: type a legacy oom_adj, or an oom_score_adj again",
        keys: &["o"],
        group: Group::Dialog,
        places: &[Place::dialog(&[KeyScope::Adjust])],
    },
    Action {
        id: Id::NextPage,
        doc: "report: next page",
        keys: &["Tab", "Right"],
        group: Group::Dialog,
        places: &[Place::dialog(&[KeyScope::Report])],
    },
    Action {
        id: Id::PreviousPage,
        doc: "report: previous page",
        keys: &["BackTab", "Left"],
        group: Group::Dialog,
        places: &[Place::dialog(&[KeyScope::Report])],
    },
    Action {
        id: Id::NextValue,
        doc: "settings: next value; columns: wider",
        keys: &["Right"],
        group: Group::Dialog,
        places: &[Place::dialog(&[KeyScope::Setup, KeyScope::Columns])],
    },
    Action {
        id: Id::PreviousValue,
        doc: "settings: previous value; columns: narrower",
        keys: &["Left"],
        group: Group::Dialog,
        places: &[Place::dialog(&[KeyScope::Setup, KeyScope::Columns])],
    },
    Action {
        id: Id::SaveSettings,
        doc: "settings: save to your file (shows the diff first)",
        keys: &["W"],
        group: Group::Dialog,
        places: &[Place::dialog(&[KeyScope::Setup])],
    },
    Action {
        id: Id::ToggleColumn,
        doc: "columns: show the column, or leave it out",
        keys: &["Space"],
        group: Group::Dialog,
        places: &[Place::dialog(&[KeyScope::Columns])],
    },
    Action {
        id: Id::ColumnLeft,
        doc: "columns: move it to the left",
        keys: &["F7", "["],
        group: Group::Dialog,
        places: &[Place::dialog(&[KeyScope::Columns])],
    },
    Action {
        id: Id::ColumnRight,
        doc: "columns: move it to the right",
        keys: &["F8", "]"],
        group: Group::Dialog,
        places: &[Place::dialog(&[KeyScope::Columns])],
    },
    Action {
        id: Id::Save,
        doc: "report: save it, as text and as JSON",
        keys: &["s"],
        group: Group::Dialog,
        places: &[Place::dialog(&[KeyScope::Report])],
    },
];
