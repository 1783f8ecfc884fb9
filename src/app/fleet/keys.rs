//! The keys of `oomtop fleet`.

use crossterm::event::{KeyCode, KeyModifiers};

use super::{Effect, State};
use crate::app::input::key::Key;
use crate::app::input::line::LineInput;

/// A key in the bar at the bottom, its word there, and what the help says about it. A word that is empty is in the help alone.
pub const KEYS: [(&str, &str, &str); 11] = [
    ("F1", "Help", "this help; also ? and h"),
    (
        "Enter",
        "Look",
        "runs --command for it (ssh -t HOST oomtop), or goes on with that",
    ),
    (
        "/",
        "Filter",
        "hosts with these words (state, name, domains, victims); !word: not",
    ),
    (
        "F6",
        "Sort",
        "by the next column; also >, and < for the one before",
    ),
    ("I", "Reverse", "the other way round"),
    ("r", "Refresh", "asks Prometheus now; also F5 and Ctrl-l"),
    ("Esc", "", "all hosts again"),
    ("Up Down PgUp PgDn Home End", "", "move"),
    ("Ctrl-z", "", "suspend, as any program"),
    ("Ctrl-c", "", "quit"),
    ("q", "Quit", "quit; also F10"),
];

/// What the columns mean, for the help.
pub const COLUMNS: [(&str, &str); 7] = [
    (
        "STATE",
        "calm, watch, close, imminent, OOM; STUCK: nobody is killed either",
    ),
    (
        "",
        "DOWN: it cannot be scraped; OLD, UNKNOWN: no new numbers, none",
    ),
    (
        "USED%",
        "of the limit there, without cache that can be dropped",
    ),
    ("LEFT", "what can still be taken before somebody is killed"),
    (
        "FULL IN",
        "at the present growth, the least of host and domains",
    ),
    ("K/H", "killed in the last hour"),
    ("NEXT VICTIM", "of the most urgent domain, or of the host"),
];

/// Lines of the help: a title, the keys and the columns, each after an empty line.
pub const HELP_LINES: usize = 2 + KEYS.len() + 1 + COLUMNS.len();

/// Takes a key.
pub(super) fn press(state: &mut State, key: Key) -> Option<Effect> {
    state.notice = None;
    if key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c') {
        return Some(Effect::Quit);
    }
    if state.help.is_some() {
        return in_help(state, key);
    }
    if state.prompt.is_some() {
        in_prompt(state, key);
        return None;
    }
    in_list(state, key)
}

fn in_help(state: &mut State, key: Key) -> Option<Effect> {
    // The last line belongs to the keys.
    let page = usize::from(state.size.1.saturating_sub(1));
    let last = HELP_LINES.saturating_sub(page);
    let at = state.help.unwrap_or(0).min(last);
    match key.code {
        KeyCode::F(10) => return Some(Effect::Quit),
        KeyCode::Down => state.help = Some((at + 1).min(last)),
        KeyCode::Up => state.help = Some(at.saturating_sub(1)),
        KeyCode::PageDown => state.help = Some((at + page).min(last)),
        KeyCode::End => state.help = Some(last),
        KeyCode::PageUp => state.help = Some(at.saturating_sub(page)),
        KeyCode::Home => state.help = Some(0),
        _ => state.help = None,
    }
    None
}

fn in_prompt(state: &mut State, key: Key) {
    let Some(prompt) = &mut state.prompt else {
        return;
    };
    match key.code {
        KeyCode::Enter => {
            prompt.text().clone_into(&mut state.filter);
            state.prompt = None;
        }
        KeyCode::Esc => {
            state.filter.clear();
            state.prompt = None;
        }
        _ => {
            prompt.on_key(key);
        }
    }
    state.arrange();
}

fn in_list(state: &mut State, key: Key) -> Option<Effect> {
    if key.code != KeyCode::Enter {
        // Whoever moves or looks for hosts has seen who is selected.
        state.moved = None;
    }
    let (cursor, page) = (state.cursor(), state.height());
    let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Char('l') if ctrl => return Some(Effect::Refresh),
        KeyCode::Char('f') if ctrl => state.select(cursor + page),
        KeyCode::Char('b') if ctrl => state.select(cursor.saturating_sub(page)),
        _ if ctrl => {}
        KeyCode::Char('q') | KeyCode::F(10) => return Some(Effect::Quit),
        KeyCode::Char('r') | KeyCode::F(5) => return Some(Effect::Refresh),
        KeyCode::Char('?' | 'h') | KeyCode::F(1) => state.help = Some(0),
        KeyCode::Char('/' | '\\') | KeyCode::F(4) => {
            state.prompt = Some(LineInput::new(state.filter.clone()));
        }
        KeyCode::Esc => {
            state.filter.clear();
            state.arrange();
        }
        KeyCode::Char('>' | '.') | KeyCode::F(6) => sort(state, true),
        KeyCode::Char('<' | ',') => sort(state, false),
        KeyCode::Char('I') => {
            state.reversed = !state.reversed;
            state.arrange();
        }
        KeyCode::Enter => return enter(state),
        KeyCode::Up => state.select(cursor.saturating_sub(1)),
        KeyCode::Down => state.select(cursor + 1),
        KeyCode::PageUp => state.select(cursor.saturating_sub(page)),
        KeyCode::PageDown => state.select(cursor + page),
        KeyCode::Home | KeyCode::Char('g') => state.select(0),
        KeyCode::End | KeyCode::Char('G') => state.select(usize::MAX),
        _ => {}
    }
    None
}

fn sort(state: &mut State, onward: bool) {
    (state.order, state.reversed) = (state.order.beside(onward), false);
    state.arrange();
}

fn enter(state: &mut State) -> Option<Effect> {
    state.notice = state.surprise();
    if state.notice.is_some() {
        return None;
    }
    match state.selected() {
        None => state.notice = Some("there is no host to look at".to_owned()),
        Some(host) if !is_plain(&host.name) => {
            state.notice = Some("such a host name is not handed to a command".to_owned());
        }
        Some(host) => return Some(Effect::Run(host.name.clone())),
    }
    None
}

/// A name or an address: letters, digits, `.`, `_`, `-` and `:`. What begins with `-` would be an option of the command, and
/// whoever sets the labels of a target is not trusted with more.
fn is_plain(name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || "._-:".contains(c);
    !name.starts_with('-') && !name.is_empty() && name.chars().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::{COLUMNS, KEYS};

    #[test]
    fn the_help_fits_into_eighty_columns() {
        let keys = KEYS.iter().map(|(key, _, does)| (*key, *does));
        for (name, says) in keys.chain(COLUMNS) {
            let width = if name.len() > 11 { name.len() + 2 } else { 13 } + says.len();
            assert!(width <= 80, "{name}: {width}");
        }
    }
}
