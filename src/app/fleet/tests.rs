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

#[test]
fn enter_for_a_host_that_is_another_by_now_asks_once() {
    let run = |name: &str| Some(Effect::Run(name.to_owned()));
    let said = |state: &State| state.notice.clone().unwrap_or_default();
    let mut state = State::new("p".to_owned(), (80, 24));
    update(&mut state, Msg::Tick(10));
    update(&mut state, round(&["a", "b", "c"]));
    // Another one is first.
    update(&mut state, round(&["b", "a", "c"]));
    assert_eq!(press(&mut state, KeyCode::Enter), None);
    assert!(said(&state).starts_with("a is not the first any more: b is selected now"));
    assert_eq!(press(&mut state, KeyCode::Enter), run("b"));
    // The selected one is gone, and its neighbour is there.
    press(&mut state, KeyCode::Down);
    update(&mut state, round(&["b", "c"]));
    assert_eq!(press(&mut state, KeyCode::Enter), None);
    assert!(said(&state).starts_with("a is not among these hosts any more: c is"));
    assert_eq!(press(&mut state, KeyCode::Enter), run("c"));
    // A key that moves, and time, say who is meant.
    update(&mut state, round(&["b", "d"]));
    press(&mut state, KeyCode::Up);
    assert_eq!(press(&mut state, KeyCode::Enter), run("b"));
    update(&mut state, round(&["d", "b"]));
    update(&mut state, Msg::Tick(13));
    assert_eq!(press(&mut state, KeyCode::Enter), run("d"));
}

#[test]
fn the_help_goes_back_from_its_end_at_once() {
    let mut state = State::new("p".to_owned(), (80, 10));
    press(&mut state, KeyCode::Char('?'));
    press(&mut state, KeyCode::End);
    let end = state.help.expect("help");
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::PageDown);
    assert_eq!(state.help, Some(end));
    press(&mut state, KeyCode::Up);
    assert_eq!(state.help, Some(end - 1));
    update(&mut state, Msg::Resized(80, 40));
    press(&mut state, KeyCode::Down);
    assert_eq!(state.help, Some(0), "all of it is shown");
}
