//! The settings dialog: what can change while oomtop runs, with its effect at once on the screen behind.

mod columns;
mod saving;

use super::{Dialog, DialogContext, DialogView, Outcome, Section, step};
use crate::app::input::id::ActionId as Id;
use crate::app::input::key::Key;
use crate::app::input::line::LineInput;
use crate::app::input::scope::KeyScope;
use crate::app::msg::FileId;
use crate::app::settings::Settings;
use crate::app::settings::draft::Draft;
use crate::app::settings::live::{LIVE, Live, differences};
use crate::text::tone::{Line, Tone};
use columns::{ColumnsPage, Turn};
use saving::Saving;

/// Changes settings.
#[derive(Debug)]
pub struct SetupDialog {
    /// Those that the dialog was opened with, and whether the table was sorted against the column's own direction.
    before: (Settings, bool),
    /// Those in force now.
    now: Settings,
    /// Those that oomtop was started with: what differs from them can be saved.
    started: Settings,
    chosen: usize,
    /// What is typed into the chosen setting.
    typed: Option<LineInput>,
    /// The end of it was pasted, and is not in force yet.
    pasted: bool,
    /// A sentence: why what is typed is wrong, or why nothing was saved.
    error: Option<String>,
    saving: Saving,
    /// The write that has not ended, and the settings that it writes.
    in_writing: Option<(FileId, Settings, bool)>,
    /// The columns that the table showed when the dialog was opened.
    visible: Vec<&'static str>,
    /// The page of the columns, while it is open.
    columns: Option<ColumnsPage>,
}

/// Cells of a row.
const WIDTH: usize = 46;

/// Cells in front of the value of a row.
const NAME: usize = 15;

/// The setting that has a page of its own.
const COLUMNS: &str = "columns";

impl SetupDialog {
    /// Opens with the settings in force, and those that oomtop was started with. `inverted`: the table is sorted against the
    /// column's own direction; `visible`: the columns that it shows.
    pub fn new(
        now: Settings,
        started: Settings,
        inverted: bool,
        visible: Vec<&'static str>,
    ) -> Self {
        Self {
            before: (now.clone(), inverted),
            now,
            started,
            chosen: 0,
            typed: None,
            pasted: false,
            error: None,
            saving: Saving::No,
            in_writing: None,
            visible,
            columns: None,
        }
    }

    /// The text in the open field is no value of it; the error says why.
    fn is_refused(&self) -> bool {
        self.typed.is_some() && self.error.is_some()
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
    fn turn(&mut self, forward: bool, context: &DialogContext<'_>) -> Outcome {
        let live = self.live();
        if live.key == COLUMNS {
            self.error = None;
            let columns = self.now.columns.clone();
            self.columns = Some(ColumnsPage::new(columns, &self.visible));
            return Outcome::Stay;
        }
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
        self.put(offer, context)
    }

    fn put(&mut self, text: &str, context: &DialogContext<'_>) -> Outcome {
        let mut wanted = self.now.clone();
        let put = (self.live().put)(&mut wanted, text);
        let put = put.and_then(|()| context.keymap.suits(wanted.keys, &wanted.bind));
        match put {
            Ok(()) => {
                self.error = None;
                self.now = wanted;
                Outcome::Configure(Box::new(self.now.clone()))
            }
            Err(why) => {
                self.error = Some(format!("{}: {why}", self.live().key));
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
            return Outcome::DraftSettings(changes);
        }
        Outcome::Stay
    }

    fn on_columns(&mut self, turn: Turn) -> Outcome {
        let (columns, stays) = match turn {
            Turn::Stay => return Outcome::Stay,
            Turn::Show(columns) => (columns, true),
            Turn::Leave(columns) => (columns, false),
        };
        if !stays {
            self.columns = None;
        }
        self.now.columns = columns;
        Outcome::Configure(Box::new(self.now.clone()))
    }

    /// The value of a row as it stands there.
    fn value(&self, at: usize, live: &Live) -> String {
        let value = (live.show)(&self.now);
        match &self.typed {
            Some(input) if at == self.chosen => input.text().to_owned(),
            _ if live.key == COLUMNS && value.is_empty() => "those that fit".to_owned(),
            _ if live.key == COLUMNS => short(&value),
            _ if value.is_empty() => "-".to_owned(),
            _ => value,
        }
    }

    fn rows(&self) -> Vec<Line> {
        let row = |(at, live): (usize, &Live)| {
            let changed = (live.show)(&self.now) != (live.show)(&self.started);
            let tone = if changed { Tone::Watch } else { Tone::Strong };
            let arrows = if at == self.chosen && self.typed.is_none() {
                ("<", ">")
            } else {
                (" ", " ")
            };
            let line = Line::of(Tone::Normal, format!("{:<NAME$}", live.key))
                .add(Tone::Dim, arrows.0)
                .add(tone, format!(" {} ", self.value(at, live)))
                .add(Tone::Dim, arrows.1);
            // One width, whatever is chosen and typed: the screen behind should be seen.
            let gap = WIDTH.saturating_sub(line.width());
            line.add(Tone::Normal, " ".repeat(gap))
        };
        LIVE.iter().enumerate().map(row).collect()
    }
}

/// A list of columns in the room of a value.
fn short(columns: &str) -> String {
    let most = WIDTH - NAME - 4;
    if columns.len() <= most {
        return columns.to_owned();
    }
    let mut kept = String::new();
    for id in columns.split(',') {
        if kept.len() + id.len() + 2 > most {
            break;
        }
        kept.push_str(id);
        kept.push(',');
    }
    kept + "…"
}

impl Dialog for SetupDialog {
    fn scope(&self) -> KeyScope {
        if self.columns.is_some() {
            KeyScope::Columns
        } else if self.typed.is_some() && self.saving == Saving::No {
            KeyScope::SetupField
        } else {
            KeyScope::Setup
        }
    }

    fn on_action(&mut self, action: Id, context: &DialogContext<'_>) -> Outcome {
        if let Some(page) = &mut self.columns {
            let turn = page.on_action(action);
            return self.on_columns(turn);
        }
        match (&self.saving, action) {
            (Saving::Shown(draft), Id::Commit) => Outcome::WriteSettings(draft.clone()),
            // A write goes on, and says so when it has ended: nobody waits for a disk.
            (Saving::Asked(_) | Saving::Shown(_) | Saving::Writing(_), Id::Back) => {
                self.saving = Saving::No;
                Outcome::Stay
            }
            (Saving::Asked(_) | Saving::Shown(_) | Saving::Writing(_), _) => Outcome::Stay,
            (Saving::No, Id::Back) => {
                let (settings, inverted) = self.before.clone();
                Outcome::Restore(Box::new(settings), inverted)
            }
            // A paste confirms nothing, so nobody has looked at its text yet.
            (Saving::No, Id::Commit | Id::SaveSettings) if self.pasted => {
                self.pasted = false;
                let text = self.typed.as_ref().map(|input| input.text().to_owned());
                self.put(&text.unwrap_or_default(), context)
            }
            // What was typed is not in force: to close would lose it in silence.
            (Saving::No, Id::Commit | Id::Setup) if self.is_refused() => Outcome::Stay,
            (Saving::No, Id::Commit | Id::Setup) => Outcome::Close,
            (Saving::No, Id::SaveSettings) => self.save(context),
            (Saving::No, Id::NextValue) => self.turn(true, context),
            (Saving::No, Id::PreviousValue) => self.turn(false, context),
            (Saving::No, action) => match step(self.chosen, LIVE.len(), action) {
                Some(at) => self.choose(at),
                None => Outcome::Stay,
            },
        }
    }

    fn on_text(&mut self, key: Key, context: &DialogContext<'_>) -> Outcome {
        if let Some(page) = &mut self.columns {
            let turn = page.on_text(key);
            return self.on_columns(turn);
        }
        if self.saving != Saving::No || !self.live().is_typed {
            return Outcome::Stay;
        }
        let input = self.typed.get_or_insert_default();
        if !input.on_key(key) {
            return Outcome::Stay;
        }
        let text = input.text().to_owned();
        self.pasted = false;
        self.put(&text, context)
    }

    fn on_paste(&mut self, text: &str) {
        if let Some(input) = &mut self.typed {
            input.paste(text);
            self.pasted = true;
        }
    }

    fn question(&self) -> usize {
        if self.columns.is_some() {
            return 2;
        }
        usize::from(matches!(self.saving, Saving::Shown(_)))
    }

    fn asked_file(&mut self, id: FileId) {
        if matches!(self.saving, Saving::Shown(_)) {
            // Another order begins along its column's own direction.
            let inverted = self.before.1 && self.now.sort == self.before.0.sort;
            self.in_writing = Some((id, self.now.clone(), inverted));
            self.saving = Saving::Writing(id);
        } else {
            self.saving = Saving::Asked(id);
        }
    }

    fn on_settings_draft(&mut self, id: FileId, draft: &Result<Draft, String>) {
        if self.saving != Saving::Asked(id) {
            return;
        }
        match draft {
            Ok(draft) if draft.is_idle() => {
                self.saving = Saving::No;
                self.error = Some(format!("{} already has these values", draft.path.display()));
            }
            Ok(draft) => self.saving = Saving::Shown(draft.clone()),
            Err(why) => {
                self.saving = Saving::No;
                self.error = Some(why.clone());
            }
        }
    }

    fn on_settings_written(&mut self, id: FileId, written: &Result<String, String>) -> bool {
        if self.saving == Saving::Writing(id) {
            self.saving = Saving::No;
        }
        let Some((_, settings, inverted)) = self.in_writing.take_if(|(writing, ..)| *writing == id)
        else {
            return false;
        };
        match written {
            // The file has them: the next start begins with these, and nothing of them is taken back.
            Ok(_) => {
                self.started = settings.clone();
                self.before = (settings, inverted);
            }
            Err(why) => self.error = Some(why.clone()),
        }
        self.error.is_some() && self.columns.is_none()
    }

    fn clicked(&self, item: usize, x: u16) -> Option<Id> {
        if self.columns.is_some() {
            return ColumnsPage::clicked(x);
        }
        let live = LIVE.get(item).filter(|_| self.saving == Saving::No)?;
        let is_text = item == self.chosen && self.typed.is_some();
        let value = Line::of(Tone::Normal, self.value(item, live)).width();
        // The blanks beside the arrows are theirs: one cell is small for a pointer.
        let (x, right) = (usize::from(x), NAME + 2 + value);
        match x {
            _ if is_text => None,
            x if (NAME..NAME + 2).contains(&x) => Some(Id::PreviousValue),
            x if (right..right + 2).contains(&x) => Some(Id::NextValue),
            _ => None,
        }
    }

    fn view(&self, context: &DialogContext<'_>) -> DialogView {
        if let Some(page) = &self.columns {
            return page.view(context);
        }
        if let Saving::Shown(draft) = &self.saving {
            return saving::question(draft, context);
        }
        let error = self.error.as_ref();
        let error = error.map(|why| Line::of(Tone::Watch, why.as_str()));
        let doc = Line::of(Tone::Dim, self.live().doc);
        let waits = self.saving.waits();
        let wait = waits.then(|| Line::of(Tone::Dim, "a moment …"));
        let change = if self.live().key == COLUMNS {
            "choose columns"
        } else {
            "change"
        };
        let hints = context.hints(self.scope());
        DialogView {
            title: "Settings of oomtop".to_owned(),
            hints: hints
                .on(&[Id::Commit], "keep")
                .on(&[Id::PreviousValue, Id::NextValue], change)
                .on(&[Id::Up, Id::Down], "choose")
                .on_if(self.typed.is_none(), &[Id::SaveSettings], "save")
                .back(if waits { "go on" } else { "undo all" })
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
