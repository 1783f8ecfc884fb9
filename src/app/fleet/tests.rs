//! What messages and keys make of a fleet.

use crossterm::event::KeyCode;

use super::{Effect, Msg, Round, State, update};
use crate::app::input::key::Key;
use crate::model::fleet::Host;

fn answered(outcome: Result<Round, String>) -> Msg {
    Msg::Answered { asked: 7, outcome }
}

fn round(names: &[&str]) -> Msg {
    let host = |name: &&str| Host {
        name: (*name).to_owned(),
        ..Host::default()
    };
    answered(Ok(Round {
        hosts: names.iter().map(host).collect(),
        ..Round::default()
    }))
}

fn press(state: &mut State, code: KeyCode) -> Option<Effect> {
    update(state, Msg::Key(Key::plain(code)))
}

#[test]
fn the_selection_stays_with_its_host() {
    let mut state = State::new("p".to_owned(), (80, 6));
    assert_eq!(press(&mut state, KeyCode::Enter), None);
    assert!(state.notice.is_some());
    update(&mut state, round(&["a", "b", "c", "-x"]));
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Down);
    assert_eq!((state.cursor(), state.offset()), (2, 1));
    update(&mut state, round(&["c", "a", "b", "-x"]));
    assert_eq!(
        press(&mut state, KeyCode::Enter),
        Some(Effect::Run("c".to_owned()))
    );
    press(&mut state, KeyCode::End);
    assert_eq!(press(&mut state, KeyCode::Enter), None, "an option");
    assert!(
        state
            .notice
            .as_deref()
            .is_some_and(|text| text.contains("not handed"))
    );
    // It is as old as its round, whenever somebody looks at it.
    update(&mut state, Msg::Tick(3600));
    update(&mut state, round(&["c", "a", "b", "-x"]));
    assert_eq!(state.answered, Some(7));
    // Without an answer the last one stays, and its failure is known.
    update(&mut state, answered(Err("gone".to_owned())));
    assert_eq!(
        (state.round.hosts.len(), state.failure.as_deref()),
        (4, Some("gone"))
    );
    update(&mut state, round(&["a"]));
    assert_eq!(
        (state.cursor(), state.offset(), state.failure.is_none()),
        (0, 0, true)
    );
}

#[test]
fn the_first_row_stays_selected_whoever_it_is() {
    let mut state = State::new("p".to_owned(), (80, 24));
    update(&mut state, round(&["a", "b"]));
    update(&mut state, round(&["b", "a"]));
    assert_eq!(state.selected().map(|host| host.name.as_str()), Some("b"));
    update(&mut state, round(&[]));
    assert!(state.selected().is_none());
    assert_eq!(press(&mut state, KeyCode::Char('q')), Some(Effect::Quit));
}
