//! Actions that write.

use super::{Action, Aim, DOMAINS, EVENTS, Group, PANES, Place, TABLE};
use crate::app::State;
use crate::app::dialog::adjust::Lean;
use crate::app::dialog::history::HistoryDialog;
use crate::app::input::actions::run::act::{adjust, cgroup, signal};
use crate::app::input::actions::run::incident::incident;
use crate::app::input::id::ActionId as Id;
use crate::app::input::scope::KeyScope;
use crate::app::msg::Effect;
use crate::app::undo;

pub(super) const ACT: &[Action] = &[
    Action {
        id: Id::Adjust,
        doc: "adjust oom_score_adj: level, role or value",
        keys: &["a"],
        group: Group::Act,
        places: &[
            Place::new(TABLE, |s| adjust(s, Aim::Tagged, Lean::Present))
                .at(Aim::Tagged)
                .label("Adjust"),
            Place::new(DOMAINS, |s| adjust(s, Aim::Victim, Lean::Present))
                .at(Aim::Victim)
                .label("Adjust"),
            Place::new(EVENTS, |s| adjust(s, Aim::Event, Lean::Present))
                .at(Aim::Event)
                .label("Adjust"),
            Place::dialog(&[KeyScope::Report]),
        ],
    },
    Action {
        id: Id::Protect,
        doc: "adjust, starting one level more protected",
        keys: &["F7", "]"],
        group: Group::Act,
        places: &[
            Place::new(TABLE, |s| adjust(s, Aim::Tagged, Lean::Protect)).at(Aim::Tagged),
            Place::new(DOMAINS, |s| adjust(s, Aim::Victim, Lean::Protect)).at(Aim::Victim),
            Place::new(EVENTS, |s| adjust(s, Aim::Event, Lean::Protect)).at(Aim::Event),
            Place::dialog(&[KeyScope::Adjust]),
        ],
    },
    Action {
        id: Id::Expend,
        doc: "adjust, starting one level more expendable",
        keys: &["F8", "["],
        group: Group::Act,
        places: &[
            Place::new(TABLE, |s| adjust(s, Aim::Tagged, Lean::Expend)).at(Aim::Tagged),
            Place::new(DOMAINS, |s| adjust(s, Aim::Victim, Lean::Expend)).at(Aim::Victim),
            Place::new(EVENTS, |s| adjust(s, Aim::Event, Lean::Expend)).at(Aim::Event),
            Place::dialog(&[KeyScope::Adjust]),
        ],
    },
    Action {
        id: Id::Cgroup,
        doc: "move into a cgroup, make one with a limit, or change its limits",
        keys: &["c"],
        group: Group::Act,
        places: &[
            Place::new(TABLE, |s| cgroup(s, Aim::Tagged))
                .at(Aim::Tagged)
                .label("Cgroup"),
            Place::new(DOMAINS, |s| cgroup(s, Aim::Victim))
                .at(Aim::Victim)
                .label("Cgroup"),
            Place::new(EVENTS, |s| cgroup(s, Aim::Event))
                .at(Aim::Event)
                .label("Cgroup"),
            Place::dialog(&[KeyScope::Report]),
        ],
    },
    Action {
        id: Id::Signal,
        doc: "send a signal",
        keys: &["k", "F9"],
        group: Group::Act,
        places: &[
            Place::new(TABLE, |s| signal(s, Aim::Tagged))
                .at(Aim::Tagged)
                .label("Kill"),
            Place::new(DOMAINS, |s| signal(s, Aim::Victim))
                .at(Aim::Victim)
                .label("Kill"),
            Place::new(EVENTS, |s| signal(s, Aim::Event))
                .at(Aim::Event)
                .label("Kill"),
        ],
    },
    Action {
        id: Id::Incident,
        doc: "fix an incident: freeze, raise the limit, reclaim, expose, stop, kill",
        keys: &["i"],
        group: Group::Act,
        places: &[
            Place::new(TABLE, |s| incident(s, Aim::Selected))
                .at(Aim::Selected)
                .label_of(incident_label),
            Place::new(DOMAINS, |s| incident(s, Aim::Victim))
                .at(Aim::Victim)
                .label_of(incident_label),
            Place::new(EVENTS, |s| incident(s, Aim::Event))
                .at(Aim::Event)
                .label_of(incident_label),
        ],
    },
    Action {
        id: Id::Undo,
        doc: "take back the last write of this session",
        keys: &["u"],
        group: Group::Act,
        places: &[
            Place::new(PANES, undo::ask).label_of(undo_label),
            Place::dialog(&[KeyScope::History]),
        ],
    },
    Action {
        id: Id::History,
        doc: "every write of this session, and the undo of each",
        keys: &["H"],
        group: Group::Act,
        places: &[
            Place::new(PANES, history),
            Place::dialog(&[KeyScope::History]),
        ],
    },
];

fn history(state: &mut State) -> Vec<Effect> {
    let newest = state.undo.history().newest_first().next();
    let newest = newest.map(|past| past.id);
    state.open(HistoryDialog::new(newest))
}

/// What undo would do now.
fn undo_label(state: &State) -> Option<String> {
    state.undo.last().map(|_| "Undo".to_owned())
}

/// Beside the keys of the process table a narrow terminal has no room for it.
fn incident_label(state: &State) -> Option<String> {
    let has_room = state.size.0 >= 100 || state.pane_scope() == KeyScope::Domains;
    has_room.then(|| "Fix".to_owned())
}
