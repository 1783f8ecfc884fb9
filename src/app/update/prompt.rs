//! What a prompt does on each key: filters apply at once, searches and pids jump.

use crate::app::State;
use crate::app::input::prompt::{Prompt, PromptKind};
use crate::app::msg::Effect;
use crate::app::replay::{Travel, moment};
use crate::app::view::events::EventFilter;
use crate::app::view::layout::Pane;
use crate::model::filter::{Filter, contains};
use crate::model::process::Process;
use crate::text::tone::Tone;

impl State {
    /// Opens a prompt; a filter prompt starts with the present filter.
    pub(in crate::app) fn prompt_for(&mut self, kind: PromptKind) -> Vec<Effect> {
        let text = match kind {
            PromptKind::Filter => self.table.filter.text().to_owned(),
            PromptKind::Events => self.events.filter_text.clone(),
            PromptKind::Domains => self.domains.filter.clone(),
            PromptKind::Search | PromptKind::Pid | PromptKind::Time => String::new(),
        };
        if matches!(
            kind,
            PromptKind::Events | PromptKind::Domains | PromptKind::Time
        ) {
            self.prompt = Some(Prompt::new(kind, &text));
            return Vec::new();
        }
        self.focus = Pane::Processes;
        self.prompt = Some(Prompt::new(kind, &text));
        // From now on the filter needs the command lines of all processes.
        self.request_sample()
    }

    /// Closes the prompt and drops its filter.
    pub(in crate::app) fn cancel_prompt(&mut self) -> Vec<Effect> {
        match self.prompt.take().map(|prompt| prompt.kind) {
            Some(PromptKind::Filter) => {
                self.table.filter = Filter::default();
            }
            Some(PromptKind::Events) => self.events.set_filter("", EventFilter::default()),
            Some(PromptKind::Domains) => self.domains.filter.clear(),
            Some(PromptKind::Search | PromptKind::Pid | PromptKind::Time) | None => {}
        }
        self.arrange()
    }

    /// Closes the prompt and keeps its filter in force. Invalid input keeps the prompt open, with the reason
    /// beside it: closing would leave an older filter in force that looks like this one.
    pub(in crate::app) fn accept_prompt(&mut self) -> Vec<Effect> {
        if self.prompt.as_ref().is_some_and(|p| p.error.is_some()) {
            return Vec::new();
        }
        if let Some(text) = self.typed_time() {
            return self.go_to_time(&text);
        }
        self.prompt = None;
        self.arrange()
    }

    fn typed_time(&self) -> Option<String> {
        let prompt = self
            .prompt
            .as_ref()
            .filter(|p| p.kind == PromptKind::Time)?;
        Some(prompt.input.text().to_owned())
    }

    /// Goes to the time that was typed, or says beside it why not.
    fn go_to_time(&mut self, text: &str) -> Vec<Effect> {
        let span = self
            .replay
            .as_ref()
            .and_then(|replay| replay.timeline.span());
        match moment::parse(text, self.recorded_wall(), span.unwrap_or_default()) {
            Ok(time) => {
                self.prompt = None;
                self.travel(Travel::To(time))
            }
            Err(why) => {
                if let Some(prompt) = &mut self.prompt {
                    prompt.error = Some(why);
                }
                Vec::new()
            }
        }
    }

    /// Applies what the prompt holds now.
    pub(in crate::app) fn on_prompt_change(&mut self) -> Vec<Effect> {
        let Some(prompt) = &mut self.prompt else {
            return Vec::new();
        };
        let text = prompt.input.text().to_owned();
        match prompt.kind {
            PromptKind::Filter => match Filter::parse(&text) {
                Ok(filter) => {
                    prompt.error = None;
                    self.table.filter = filter;
                    return self.arrange();
                }
                Err(error) => prompt.error = Some(error),
            },
            PromptKind::Events => match EventFilter::parse(&text) {
                Ok(filter) => {
                    prompt.error = None;
                    self.events.set_filter(&text, filter);
                }
                Err(error) => prompt.error = Some(error),
            },
            // While it is typed it is seldom a time.
            PromptKind::Time => prompt.error = None,
            PromptKind::Domains => {
                self.domains.filter = text;
                return self.arrange();
            }
            PromptKind::Search => {
                self.searched = text.to_lowercase();
                self.jump_to_match(false, true);
            }
            PromptKind::Pid => {
                let row = text.parse().ok().and_then(|pid: u32| {
                    (0..self.table.rows().len()).find(|row| {
                        self.table
                            .process_at(*row, &self.snapshot)
                            .is_some_and(|p| p.id.pid == pid)
                    })
                });
                if let Some(row) = row {
                    self.table.select_row(row, &self.snapshot);
                }
            }
        }
        Vec::new()
    }

    /// Next or previous match of the last search.
    pub(in crate::app) fn find(&mut self, backwards: bool) -> Vec<Effect> {
        if self.searched.is_empty() {
            return self.prompt_for(PromptKind::Search);
        }
        self.jump_to_match(backwards, false);
        Vec::new()
    }

    fn jump_to_match(&mut self, backwards: bool, stay: bool) {
        let wanted = self.searched.clone();
        if wanted.is_empty() {
            return;
        }
        let fits = |p: &Process| {
            contains(&p.comm.text(), &wanted)
                || p.command.as_ref().is_some_and(|c| contains(c, &wanted))
        };
        if stay
            && self
                .table
                .selected_process(&self.snapshot)
                .is_some_and(fits)
        {
            return;
        }
        match self.table.find_next(backwards, &self.snapshot, fits) {
            Some(row) => self.table.select_row(row, &self.snapshot),
            None => self.say(Tone::Watch, format!("no process matches '{wanted}'")),
        }
    }
}
