//! Actions that move around.

use super::{Action, DIALOGS, Group, PANES, PROMPTS, Place, TEXTS};
use crate::app::input::id::ActionId as Id;

pub(super) const MOVE: &[Action] = &[
    Action {
        id: Id::Up,
        doc: "up",
        keys: &["Up"],
        group: Group::Move,
        places: &[
            Place::new(PANES, |s| s.go(-1)),
            Place::new(PROMPTS, |s| s.go(-1)),
            Place::dialog(DIALOGS),
        ],
    },
    Action {
        id: Id::Down,
        doc: "down",
        keys: &["Down"],
        group: Group::Move,
        places: &[
            Place::new(PANES, |s| s.go(1)),
            Place::new(PROMPTS, |s| s.go(1)),
            Place::dialog(DIALOGS),
        ],
    },
    Action {
        id: Id::PageUp,
        doc: "a page up",
        keys: &["PgUp", "Ctrl-b"],
        group: Group::Move,
        places: &[
            Place::new(PANES, |s| s.go(-s.page())),
            Place::new(PROMPTS, |s| s.go(-s.page())),
            Place::dialog(DIALOGS),
        ],
    },
    Action {
        id: Id::PageDown,
        doc: "a page down",
        keys: &["PgDn", "Ctrl-f"],
        group: Group::Move,
        places: &[
            Place::new(PANES, |s| s.go(s.page())),
            Place::new(PROMPTS, |s| s.go(s.page())),
            Place::dialog(DIALOGS),
        ],
    },
    Action {
        id: Id::Home,
        doc: "to the top",
        keys: &["Home", "g"],
        group: Group::Move,
        places: &[
            Place::new(PANES, |s| s.go(isize::MIN)),
            Place::dialog(TEXTS),
        ],
    },
    Action {
        id: Id::End,
        doc: "to the end",
        keys: &["End", "G"],
        group: Group::Move,
        places: &[
            Place::new(PANES, |s| s.go(isize::MAX)),
            Place::dialog(TEXTS),
        ],
    },
];
