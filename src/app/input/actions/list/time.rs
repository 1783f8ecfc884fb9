//! Actions on the time of a recording. They exist in every pane, and say where they belong while nothing is replayed.

use super::{Action, Group, PANES, Place};
use crate::app::State;
use crate::app::input::actions::run::time::{compare, to_time};
use crate::app::input::id::ActionId as Id;
use crate::app::input::scope::KeyScope;
use crate::app::replay::Travel;

/// In the footer while something is replayed.
fn word(state: &State, word: &str) -> Option<String> {
    state.replay.as_ref().map(|_| word.to_owned())
}

pub(super) const TIME: &[Action] = &[
    Action {
        id: Id::StepBack,
        doc: "replay: a sample back",
        keys: &["b"],
        group: Group::Time,
        places: &[Place::new(PANES, |s| s.travel(Travel::Samples(-1)))],
    },
    Action {
        id: Id::StepForward,
        doc: "replay: a sample forward",
        keys: &["f"],
        group: Group::Time,
        places: &[Place::new(PANES, |s| s.travel(Travel::Samples(1))).label_of(|s| word(s, "Step"))],
    },
    Action {
        id: Id::SecondsBack,
        doc: "replay: 10 seconds back",
        keys: &["("],
        group: Group::Time,
        places: &[Place::new(PANES, |s| s.travel(Travel::Seconds(-10)))],
    },
    Action {
        id: Id::SecondsForward,
        doc: "replay: 10 seconds forward",
        keys: &[")"],
        group: Group::Time,
        places: &[Place::new(PANES, |s| s.travel(Travel::Seconds(10))).label_of(|s| word(s, "10s"))],
    },
    Action {
        id: Id::MinuteBack,
        doc: "replay: a minute back",
        keys: &["{"],
        group: Group::Time,
        places: &[Place::new(PANES, |s| s.travel(Travel::Seconds(-60)))],
    },
    Action {
        id: Id::MinuteForward,
        doc: "replay: a minute forward",
        keys: &["}"],
        group: Group::Time,
        places: &[
            Place::new(PANES, |s| s.travel(Travel::Seconds(60))).label_of(|s| word(s, "1min"))
        ],
    },
    Action {
        id: Id::PreviousKill,
        doc: "replay: to the kill before",
        keys: &["J"],
        group: Group::Time,
        places: &[Place::new(PANES, |s| s.travel(Travel::PreviousKill))],
    },
    Action {
        id: Id::NextKill,
        doc: "replay: to the next kill",
        keys: &["j"],
        group: Group::Time,
        places: &[Place::new(PANES, |s| s.travel(Travel::NextKill)).label_of(|s| word(s, "Kill"))],
    },
    Action {
        id: Id::ToTime,
        doc: "replay: to a clock time",
        keys: &[":"],
        group: Group::Time,
        places: &[Place::new(PANES, to_time).label_of(|s| word(s, "Time"))],
    },
    Action {
        id: Id::PlayFaster,
        doc: "replay: faster",
        keys: &["v"],
        group: Group::Time,
        places: &[Place::new(PANES, |s| s.change_speed(true)).label_of(|s| word(s, "Faster"))],
    },
    Action {
        id: Id::PlaySlower,
        doc: "replay: slower",
        keys: &["V"],
        group: Group::Time,
        places: &[Place::new(PANES, |s| s.change_speed(false))],
    },
    Action {
        id: Id::Mark,
        doc: "replay: mark this moment",
        keys: &["M"],
        group: Group::Time,
        places: &[Place::new(PANES, State::set_mark).label_of(|s| word(s, "Mark"))],
    },
    Action {
        id: Id::Compare,
        doc: "replay: what has grown between the mark and now",
        keys: &["C"],
        group: Group::Time,
        places: &[
            Place::new(PANES, compare),
            Place::dialog(&[KeyScope::Compare]),
        ],
    },
];
