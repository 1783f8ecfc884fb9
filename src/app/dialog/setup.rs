//! The settings dialog: what can change while oomtop runs, with its effect at once on the screen behind.

use super::{Dialog, DialogContext, DialogView, Outcome, Section, step};
use crate::app::input::id::ActionId as Id;
use crate::app::input::key::Key;
use crate::app::input::line::LineInput;
use crate::app::input::scope::KeyScope;
use crate::app::msg::Effect;
use crate::app::settings::Settings;
use crate::app::settings::draft::{Changed, Draft};
use crate::app::settings::live::{LIVE, Live, differences};
use crate::text::tone::{Line, Tone};

/// Changes settings.
#[derive(Debug)]
pub struct SetupDialog {
    /// Those that the dialog was opened with.
    before: Settings,
    /// Those in force now.
    now: Settings,
    /// Those that oomtop was started with: what differs from them can be saved.
    started: Settings,
    chosen: usize,
    /// What is typed into the chosen setting.
    typed: Option<LineInput>,
    /// The end of it was pasted, and is not in force yet.
    pasted: bool,
    /// Why what is typed is wrong, or why nothing was saved.
    error: Option<String>,
    saving: Saving,
}

/// How far saving has come.
#[derive(Debug, PartialEq, Eq)]
enum Saving {
    No,
    /// Waits for the draft.
    Asked,
    /// Shows the draft.
    Shown(Draft),
    /// Waits for the end of the write.
    Writing,
}

/// Cells of a row.
const WIDTH: usize = 46;

/// Most lines of a change that are shown.
const SHOWN: usize = 16;

impl SetupDialog {
    /// Opens with the settings in force, and those that oomtop was started with.
    pub fn new(now: Settings, started: Settings) -> Self {
        Self {
            before: now.clone(),
            now,
            started,
            chosen: 0,
            typed: None,
            pasted: false,
            error: None,
            saving: Saving::No,
        }
    }

    fn live(&self) -> &'static Live {
        &LIVE[self.chosen.min(LIVE.len() - 1)]
    }

    fn choose(&mut self, at: usize) -> Outcome {
        self.chosen = at;
        self.error = None;
        self.pasted = false;
        let live = self.live();
        // Letters would be text in a field that is open: only the filter is nothing but text.
        let is_text = live.is_typed && (live.offers)(&self.now).is_empty();
        self.typed = is_text.then(|| LineInput::new((live.show)(&self.now)));
        Outcome::Stay
    }

    /// The next value that is offered, or the one before.
    fn turn(&mut self, forward: bool) -> Outcome {
        let live = self.live();
        let offers = (live.offers)(&self.now);
        let shown = (live.show)(&self.now);
        let at = offers.iter().position(|offer| *offer == shown);
        let count = offers.len();
        let next = match at {
            Some(at) if forward => (at + 1) % count,
            Some(at) => (at + count - 1) % count,
            None => 0,
        };
        let Some(offer) = offers.get(next) else {
            return Outcome::Stay;
        };
        self.typed = None;
        self.put(offer)
    }

    fn put(&mut self, text: &str) -> Outcome {
        match (self.live().put)(&mut self.now, text) {
            Ok(()) => {
                self.error = None;
                Outcome::Configure(Box::new(self.now.clone()))
            }
            Err(why) => {
                self.error = Some(why);
                Outcome::Stay
            }
        }
    }

    fn save(&mut self, context: &DialogContext<'_>) -> Outcome {
        let changes = differences(&self.started, &self.now);
        if context.settings.read_only {
            self.error = Some("oomtop is read-only: no file is written".to_owned());
        } else if changes.is_empty() {
            self.error =
                Some("nothing differs from the settings that oomtop started with".to_owned());
        } else {
            self.error = None;
            self.saving = Saving::Asked;
            return Outcome::Perform(vec![Effect::DraftSettings(changes)]);
        }
        Outcome::Stay
    }

    fn rows(&self) -> Vec<Line> {
        let row = |(at, live): (usize, &Live)| {
            let value = (live.show)(&self.now);
            let changed = value != (live.show)(&self.started);
            let tone = if changed { Tone::Watch } else { Tone::Strong };
            let value = match &self.typed {
                Some(input) if at == self.chosen => input.text().to_owned(),
                _ if value.is_empty() => "-".to_owned(),
                _ => value,
            };
            let arrows = if at == self.chosen && self.typed.is_none() {
                ("<", ">")
            } else {
                (" ", " ")
            };
            let line = Line::of(Tone::Normal, format!("{:<15}", live.key))
                .add(Tone::Dim, arrows.0)
                .add(tone, format!(" {value} "))
                .add(Tone::Dim, arrows.1);
            // One width, whatever is chosen and typed: the screen behind should be seen.
            let gap = WIDTH.saturating_sub(line.width());
            line.add(Tone::Normal, " ".repeat(gap))
        };
        LIVE.iter().enumerate().map(row).collect()
    }
}

/// The lines that a draft changes, and what to know of it.
fn change(draft: &Draft) -> Vec<Line> {
    let mut lines: Vec<_> = draft
        .diff()
        .into_iter()
        .map(|line| match line {
            Changed::Kept(text) => Line::of(Tone::Dim, format!("  {text}")),
            Changed::Gone(text) => Line::of(Tone::Danger, format!("- {text}")),
            Changed::New(text) => Line::of(Tone::Good, format!("+ {text}")),
        })
        .collect();
    if lines.len() > SHOWN {
        let more = lines.len() - SHOWN;
        lines.truncate(SHOWN);
        lines.push(Line::of(Tone::Dim, format!("… and {more} more lines")));
    }
    let notes = draft.notes.iter();
    lines.extend(notes.map(|note| Line::of(Tone::Watch, note.as_str())));
    lines
}

impl Dialog for SetupDialog {
    fn scope(&self) -> KeyScope {
        if self.typed.is_some() && self.saving == Saving::No {
            KeyScope::SetupField
        } else {
            KeyScope::Setup
        }
    }

    fn on_action(&mut self, action: Id, context: &DialogContext<'_>) -> Outcome {
        match (&self.saving, action) {
            (Saving::Shown(draft), Id::Commit) => {
                let effect = Effect::WriteSettings(draft.clone());
                self.saving = Saving::Writing;
                Outcome::Perform(vec![effect])
            }
            (Saving::Asked | Saving::Shown(_), Id::Back) => {
                self.saving = Saving::No;
                Outcome::Stay
            }
            (Saving::Asked | Saving::Shown(_) | Saving::Writing, _) => Outcome::Stay,
            (Saving::No, Id::Back) => Outcome::Restore(Box::new(self.before.clone())),
            // A paste confirms nothing, so nobody has looked at its text yet.
            (Saving::No, Id::Commit | Id::SaveSettings) if self.pasted => {
                self.pasted = false;
                let text = self.typed.as_ref().map(|input| input.text().to_owned());
                self.put(&text.unwrap_or_default())
            }
            (Saving::No, Id::Commit | Id::Setup) => Outcome::Close,
            (Saving::No, Id::SaveSettings) => self.save(context),
            (Saving::No, Id::NextValue) => self.turn(true),
            (Saving::No, Id::PreviousValue) => self.turn(false),
            (Saving::No, action) => match step(self.chosen, LIVE.len(), action) {
                Some(at) => self.choose(at),
                None => Outcome::Stay,
            },
        }
    }

    fn on_text(&mut self, key: Key, _: &DialogContext<'_>) -> Outcome {
        if self.saving != Saving::No || !self.live().is_typed {
            return Outcome::Stay;
        }
        let input = self.typed.get_or_insert_default();
        if !input.on_key(key) {
            return Outcome::Stay;
        }
        let text = input.text().to_owned();
        self.pasted = false;
        self.put(&text)
    }

    fn on_paste(&mut self, text: &str) {
        if let Some(input) = &mut self.typed {
            input.paste(text);
            self.pasted = true;
        }
    }

    fn question(&self) -> usize {
        usize::from(matches!(self.saving, Saving::Shown(_)))
    }

    fn on_settings_draft(&mut self, draft: &Result<Draft, String>) {
        if self.saving != Saving::Asked {
            return;
        }
        match draft {
            Ok(draft) if draft.is_idle() => {
                self.saving = Saving::No;
                self.error = Some(format!("{} says so already", draft.path.display()));
            }
            Ok(draft) => self.saving = Saving::Shown(draft.clone()),
            Err(why) => {
                self.saving = Saving::No;
                self.error = Some(why.clone());
            }
        }
    }

    fn on_settings_written(&mut self, written: &Result<String, String>) {
        if self.saving != Saving::Writing {
            return;
        }
        self.saving = Saving::No;
        match written {
            // The file has them: the next start begins with these, and nothing of them is taken back.
            Ok(_) => {
                self.started = self.now.clone();
                self.before = self.now.clone();
            }
            Err(why) => self.error = Some(why.clone()),
        }
    }

    fn view(&self, context: &DialogContext<'_>) -> DialogView {
        let hints = context.hints(self.scope());
        if let Saving::Shown(draft) = &self.saving {
            let what = if draft.before.is_some() {
                "Change"
            } else {
                "Create"
            };
            return DialogView {
                title: format!("{what} {}", draft.path.display()),
                hints: hints
                    .on(&[Id::Commit], "write it")
                    .on(&[Id::Back], "back")
                    .list(),
                ..DialogView::default()
            }
            .text(change(draft));
        }
        let error = self.error.as_ref();
        let error = error.map(|why| Line::of(Tone::Watch, format!("{}: {why}", self.live().key)));
        let doc = Line::of(Tone::Dim, self.live().doc);
        let waits = matches!(self.saving, Saving::Asked | Saving::Writing);
        let wait = waits.then(|| Line::of(Tone::Dim, "a moment …"));
        DialogView {
            title: "Settings of oomtop".to_owned(),
            hints: hints
                .on(&[Id::Commit], "keep")
                .on(&[Id::PreviousValue, Id::NextValue], "change")
                .on(&[Id::Up, Id::Down], "choose")
                .on_if(self.typed.is_none(), &[Id::SaveSettings], "save")
                .on(&[Id::Back], "undo all")
                .list(),
            ..DialogView::default()
        }
        .with(Section::Choices {
            items: self.rows(),
            selected: Some(self.chosen),
            height: LIVE.len(),
        })
        .text(vec![error.or(wait).unwrap_or(doc)])
    }
}
