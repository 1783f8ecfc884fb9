//! Actions on the program itself.

use super::{Action, Group, PANES, Place};
use crate::app::State;
use crate::app::dialog::help::HelpDialog;
use crate::app::input::actions::run::incident::quit;
use crate::app::input::actions::run::look::{pause, refresh};
use crate::app::input::actions::run::table::plus_or_minus;
use crate::app::input::actions::run::time::save_recording;
use crate::app::input::id::ActionId as Id;
use crate::app::input::scope::KeyScope;
use crate::app::msg::Control;

/// First in the footer.
pub(super) const HELP: &[Action] = &[Action {
    id: Id::Help,
    doc: "help: keys, columns, filter terms",
    keys: &["F1", "?", "h"],
    group: Group::Program,
    places: &[
        Place::new(PANES, |s| s.open(HelpDialog::default())).label("Help"),
        Place::dialog(&[KeyScope::Help]),
    ],
}];

pub(super) const PROGRAM: &[Action] = &[
    Action {
        id: Id::Setup,
        doc: "settings of oomtop itself: theme, keys, bands, delay, columns and more",
        keys: &["F2"],
        group: Group::Program,
        places: &[
            Place::new(PANES, State::open_setup).label("Setup"),
            Place::dialog(&[KeyScope::Setup, KeyScope::SetupField]),
        ],
    },
    Action {
        id: Id::Pause,
        doc: "pause the screen; again: go on",
        keys: &["Z"],
        group: Group::Program,
        places: &[Place::new(PANES, pause)],
    },
    Action {
        id: Id::SaveRecording,
        doc: "save the last minutes, if they are kept (--record-kills DIR)",
        keys: &["s"],
        group: Group::Program,
        places: &[Place::new(PANES, save_recording)],
    },
    Action {
        id: Id::Faster,
        doc: "refresh more often; in the tree: hide what is below the process",
        keys: &["-"],
        group: Group::Program,
        places: &[Place::new(PANES, |s| plus_or_minus(s, false))],
    },
    Action {
        id: Id::Slower,
        doc: "refresh less often; in the tree: show what is below the process",
        keys: &["+", "="],
        group: Group::Program,
        places: &[Place::new(PANES, |s| plus_or_minus(s, true))],
    },
    Action {
        id: Id::Refresh,
        doc: "refresh now and redraw the screen",
        keys: &["Ctrl-l", "r"],
        group: Group::Program,
        places: &[Place::new(PANES, refresh)],
    },
    Action {
        id: Id::Suspend,
        doc: "suspend, as any program",
        keys: &["Ctrl-z"],
        group: Group::Program,
        places: &[Place::new(PANES, |s| s.ask(Control::Suspend))],
    },
    Action {
        id: Id::Quit,
        doc: "quit",
        keys: &["q", "F10", "Ctrl-c"],
        group: Group::Program,
        places: &[
            Place::new(PANES, quit).label("Quit"),
            Place::dialog(&[KeyScope::Leave]),
        ],
    },
];
