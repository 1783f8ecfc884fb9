//! Every key of the help, with every preset, in the real program: what the help promises is seen on the screen.

mod cases;
mod hands;

use std::process::Command;

use oomtop::app::input::actions::ACTIONS;
use oomtop::app::input::id::ActionId;
use oomtop::app::input::keymap::{Bindings, Keymap};
use oomtop::app::input::presets::Preset;

use crate::common::measured;
use cases::cases;
use hands::Hands;

/// A row of `--print keys`.
struct Row {
    action: ActionId,
    keys: Vec<String>,
    does: String,
}

/// The keys, as the program itself lists them.
fn listed(preset: Preset) -> Vec<Row> {
    let output = Command::new(env!("CARGO_BIN_EXE_oomtop"))
        .args(["--print", "keys", "--keys", preset.name()])
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let row = |line: &str| {
        let mut cells = line
            .split("  ")
            .map(str::trim)
            .filter(|cell| !cell.is_empty());
        let mut cell = || cells.next().unwrap_or_default();
        Row {
            action: ActionId::named(cell()).expect(line),
            keys: cell().split(' ').map(str::to_owned).collect(),
            does: cell().to_owned(),
        }
    };
    text.lines().skip(1).map(row).collect()
}

fn press_every_key(preset: Preset) {
    let begun = std::time::Instant::now();
    let rows = listed(preset);
    assert_eq!(rows.len(), ActionId::ALL.len(), "each action has a row");
    let keymap = Keymap::in_force(ACTIONS, preset, &Bindings::default());
    let mut hands = Hands::new(preset, keymap);
    hands.help_lists(
        &rows
            .iter()
            .map(|row| (row.keys.join(" "), row.does.clone()))
            .collect::<Vec<_>>(),
    );
    let mut pressed = 0;
    for row in &rows {
        let cases = cases(row.action);
        let elsewhere = [ActionId::Suspend, ActionId::Lasting, ActionId::Policy];
        let is_elsewhere = elsewhere.contains(&row.action);
        assert!(!cases.is_empty() || is_elsewhere, "{}", row.action);
        for (number, key) in row.keys.iter().enumerate() {
            let places = if number == 0 { cases.len() } else { 1 };
            for case in cases.iter().take(places) {
                hands.press(row.action, key, case);
                pressed += 1;
            }
        }
    }
    hands.leave();
    measured(&format!(
        "{}: {pressed} keys in {:.1} s",
        preset.name(),
        begun.elapsed().as_secs_f64()
    ));
}

#[test]
fn every_key_of_the_help_does_what_it_says() {
    press_every_key(Preset::Oomtop);
}

#[test]
fn every_key_of_the_help_does_what_it_says_as_htop_has_it() {
    press_every_key(Preset::Htop);
}

#[test]
fn every_key_of_the_help_does_what_it_says_as_vim_has_it() {
    press_every_key(Preset::Vim);
}
