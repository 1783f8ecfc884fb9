//! The screen of `oomtop fleet`: pure state, messages and update.

pub mod keys;
pub mod rows;

use crate::app::dialog::wrap::wrap;
use crate::app::input::key::Key;
use crate::app::input::line::LineInput;
use crate::model::fleet::Host;
use crate::text::tone::{Line, Tone};
use rows::Order;

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
    /// Text from the clipboard.
    Paste(String),
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

/// Lines besides the rows: title, heading, a line for sentences, keys.
const FRAME: u16 = 4;

/// Most lines of a sentence.
const SENTENCE: usize = 3;

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
    /// The filter while it is typed.
    pub prompt: Option<LineInput>,
    /// Only hosts with these words are shown.
    pub filter: String,
    /// How the hosts are ordered.
    pub order: Order,
    /// The other way round.
    pub reversed: bool,
    /// The first line of the help, while it is shown.
    pub help: Option<usize>,
    /// Places of the hosts that are shown, in their order.
    rows: Vec<usize>,
    /// Name of the selected host.
    selected: Option<String>,
    /// First row on the screen.
    offset: usize,
    /// The selection has become another host without a key.
    moved: Option<Moved>,
}

/// A move of the selection that no key made.
#[derive(Debug, Clone)]
struct Moved {
    /// What became of the host that was selected, a sentence.
    why: String,
    /// Seconds since the start.
    at: u64,
}

/// Seconds after such a move in which Enter may still be meant for the host before.
const SURPRISE: u64 = 2;

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
        let more = self.sentence().len().saturating_sub(1);
        let more = u16::try_from(more).unwrap_or(0);
        let taken = FRAME + self.details() + more;
        usize::from(self.size.1.saturating_sub(taken).max(1))
    }

    /// Lines for the selected host; none on a small terminal.
    #[must_use]
    pub fn details(&self) -> u16 {
        if self.size.1 >= 16 { DETAILS } else { 0 }
    }

    /// What is to be said above the keys, in lines of the width of the screen.
    #[must_use]
    pub fn sentence(&self) -> Vec<Line> {
        let line = if let Some(failure) = &self.failure {
            Line::of(Tone::Danger, failure.clone())
        } else if let Some(notice) = &self.notice {
            Line::of(Tone::Watch, notice.clone())
        } else if let Some(note) = self.round.notes.first() {
            Line::of(Tone::Watch, note.clone())
        } else {
            return Vec::new();
        };
        let mut lines = wrap(&line, usize::from(self.size.0));
        lines.truncate(SENTENCE);
        lines
    }

    /// The hosts that are shown, in their order.
    pub fn rows(&self) -> impl Iterator<Item = &Host> {
        let hosts = &self.round.hosts;
        self.rows.iter().filter_map(|at| hosts.get(*at))
    }

    /// Row of the selected host.
    #[must_use]
    pub fn cursor(&self) -> usize {
        let is_it = |host: &Host| Some(&host.name) == self.selected.as_ref();
        self.rows().position(is_it).unwrap_or(0)
    }

    /// The selected host.
    #[must_use]
    pub fn selected(&self) -> Option<&Host> {
        self.rows().nth(self.cursor())
    }

    /// First row on the screen.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    fn select(&mut self, at: usize) {
        let last = self.rows.len().saturating_sub(1);
        let chosen = self.rows().nth(at.min(last)).map(|host| host.name.clone());
        self.selected = chosen;
        self.keep_in_view();
    }

    fn keep_in_view(&mut self) {
        let (cursor, height) = (self.cursor(), self.height());
        let most = self.rows.len().saturating_sub(height);
        let least = (cursor + 1).saturating_sub(height);
        self.offset = self.offset.clamp(least, cursor.max(least)).min(most);
    }

    /// Takes a round in. If another host is selected by it, the next Enter says so.
    fn take(&mut self, round: Round) {
        let cursor = self.cursor();
        let before = self.selected().map(|host| host.name.clone());
        self.round = round;
        self.arrange_from(cursor);
        let now = self.selected().map(|host| &host.name);
        let Some(before) = before.filter(|before| Some(before) != now) else {
            return;
        };
        let is_there = self.rows().any(|host| host.name == before);
        let why = if is_there {
            format!("{before} is not the first any more")
        } else {
            format!("{before} is not among these hosts any more")
        };
        self.moved = Some(Moved { why, at: self.now });
    }

    /// What to say in place of acting on the selected host, if a moment ago it was another one: once.
    fn surprise(&mut self) -> Option<String> {
        let moved = self.moved.take()?;
        let host = self.selected()?;
        let is_recent = self.now.saturating_sub(moved.at) <= SURPRISE;
        is_recent.then(|| {
            format!(
                "{}: {} is selected now; Enter again is for that",
                moved.why, host.name
            )
        })
    }

    /// Chooses and orders the rows anew. The selected host stays selected while it is among them; whoever has not chosen looks
    /// at the first one, whoever that is.
    fn arrange(&mut self) {
        self.arrange_from(self.cursor());
    }

    /// The same, with the row of the selected host before the hosts have changed.
    fn arrange_from(&mut self, cursor: usize) {
        let text = self
            .prompt
            .as_ref()
            .map_or(self.filter.as_str(), LineInput::text);
        self.rows = rows::arranged(&self.round.hosts, text, self.order, self.reversed);
        let is_there = |host: &Host| Some(&host.name) == self.selected.as_ref();
        if cursor == 0 {
            self.select(0);
        } else if self.rows().any(is_there) {
            self.keep_in_view();
        } else {
            self.select(cursor);
        }
    }
}

/// Takes a message in.
pub fn update(state: &mut State, msg: Msg) -> Option<Effect> {
    match msg {
        Msg::Answered {
            asked,
            outcome: Ok(round),
        } => {
            (state.answered, state.failure) = (Some(asked), None);
            state.take(round);
            None
        }
        Msg::Answered {
            outcome: Err(why), ..
        } => {
            state.failure = Some(why);
            state.keep_in_view();
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
        Msg::Paste(text) => {
            if let Some(prompt) = &mut state.prompt {
                prompt.paste(&text);
                state.arrange();
            }
            None
        }
        Msg::Key(key) => keys::press(state, key),
    }
}

#[cfg(test)]
mod tests;
