//! The screen of `oomtop fleet`: pure state, messages and update.

use crossterm::event::{KeyCode, KeyModifiers};

use crate::app::input::key::Key;
use crate::model::fleet::Host;

/// What came of one round of queries.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Round {
    /// The hosts, the most urgent first.
    pub hosts: Vec<Host>,
    /// Hosts that there was no room for.
    pub left_out: usize,
    /// Queries that failed while others did not, and values that were no numbers: a sentence each.
    pub notes: Vec<String>,
    /// Milliseconds that Prometheus took.
    pub waited_millis: u64,
    /// Milliseconds of work on the answers.
    pub worked_millis: f64,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Msg {
    /// Answers, or why there are none.
    Answered {
        /// Seconds since the start at which they were asked for.
        asked: u64,
        /// What came.
        outcome: Result<Round, String>,
    },
    /// A key.
    Key(Key),
    /// Columns and rows of the terminal.
    Resized(u16, u16),
    /// Seconds since the start.
    Tick(u64),
    /// The command for a host has ended, or could not be run.
    Ran(Result<(), String>),
}

/// What the runtime is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Ask Prometheus now.
    Refresh,
    /// Run the command with this host.
    Run(String),
    /// End.
    Quit,
}

/// Lines besides the rows: title, heading, rule, footer.
const FRAME: u16 = 4;

/// Lines for the domains of the selected host.
const DETAILS: u16 = 6;

/// What is shown.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Where Prometheus is.
    pub source: String,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The last round that had an answer.
    pub round: Round,
    /// Seconds since the start at which that was asked for; `None` before the first.
    pub answered: Option<u64>,
    /// Why there was no answer since.
    pub failure: Option<String>,
    /// What came of the last key.
    pub notice: Option<String>,
    /// Seconds since the start.
    pub now: u64,
    /// Name of the selected host.
    selected: Option<String>,
    /// First row on the screen.
    offset: usize,
}

impl State {
    /// Before the first answer.
    #[must_use]
    pub fn new(source: String, size: (u16, u16)) -> Self {
        Self {
            source,
            size,
            ..Self::default()
        }
    }

    /// Rows that there is room for.
    #[must_use]
    pub fn height(&self) -> usize {
        usize::from(self.size.1.saturating_sub(FRAME + self.details()).max(1))
    }

    /// Lines for the selected host; none on a small terminal.
    #[must_use]
    pub fn details(&self) -> u16 {
        if self.size.1 >= 16 { DETAILS } else { 0 }
    }

    /// Place of the selected host.
    #[must_use]
    pub fn cursor(&self) -> usize {
        let is_it = |host: &Host| Some(&host.name) == self.selected.as_ref();
        self.round.hosts.iter().position(is_it).unwrap_or(0)
    }

    /// The selected host.
    #[must_use]
    pub fn selected(&self) -> Option<&Host> {
        self.round.hosts.get(self.cursor())
    }

    /// First row on the screen.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    fn select(&mut self, at: usize) {
        let last = self.round.hosts.len().saturating_sub(1);
        let chosen = self.round.hosts.get(at.min(last));
        self.selected = chosen.map(|host| host.name.clone());
        self.keep_in_view();
    }

    fn keep_in_view(&mut self) {
        let (cursor, height) = (self.cursor(), self.height());
        let most = self.round.hosts.len().saturating_sub(height);
        let least = (cursor + 1).saturating_sub(height);
        self.offset = self.offset.clamp(least, cursor.max(least)).min(most);
    }
}

/// A name or an address: letters, digits, `.`, `_`, `-` and `:`. What begins with `-` would be an option of the command, and
/// whoever sets the labels of a target is not trusted with more.
fn is_plain(name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || "._-:".contains(c);
    !name.starts_with('-') && !name.is_empty() && name.chars().all(is_part)
}

/// Takes a message in.
pub fn update(state: &mut State, msg: Msg) -> Option<Effect> {
    match msg {
        Msg::Answered {
            asked,
            outcome: Ok(round),
        } => {
            // Whoever has not chosen looks at the first one, whoever that is.
            let cursor = state.cursor();
            let was_first = cursor == 0;
            let chosen = state.selected.clone();
            state.round = round;
            (state.answered, state.failure) = (Some(asked), None);
            let is_there = |host: &Host| Some(&host.name) == chosen.as_ref();
            if was_first {
                state.select(0);
            } else if !state.round.hosts.iter().any(is_there) {
                state.select(cursor);
            } else {
                state.keep_in_view();
            }
            None
        }
        Msg::Answered {
            outcome: Err(why), ..
        } => {
            state.failure = Some(why);
            None
        }
        Msg::Resized(columns, rows) => {
            state.size = (columns, rows);
            state.keep_in_view();
            None
        }
        Msg::Tick(now) => {
            state.now = now;
            None
        }
        Msg::Ran(outcome) => {
            state.notice = outcome.err();
            None
        }
        Msg::Key(key) => on_key(state, key),
    }
}

fn on_key(state: &mut State, key: Key) -> Option<Effect> {
    state.notice = None;
    let (cursor, page) = (state.cursor(), state.height());
    let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Char('c') if ctrl => return Some(Effect::Quit),
        KeyCode::Char('l') if ctrl => return Some(Effect::Refresh),
        KeyCode::Char('q') | KeyCode::F(10) => return Some(Effect::Quit),
        KeyCode::Char('r') => return Some(Effect::Refresh),
        KeyCode::Enter => match state.selected() {
            None => state.notice = Some("there is no host to look at".to_owned()),
            Some(host) if !is_plain(&host.name) => {
                state.notice = Some("such a host name is not handed to a command".to_owned());
            }
            Some(host) => return Some(Effect::Run(host.name.clone())),
        },
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

#[cfg(test)]
mod tests {
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
}
