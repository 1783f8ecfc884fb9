//! [`ColumnsPage`]: which columns the table has, in which order and how wide, with the table behind as it will be.

use crate::app::dialog::wrap::wrap;
use crate::app::dialog::{DialogContext, DialogView, Section, step};
use crate::app::input::id::ActionId as Id;
use crate::app::input::key::Key;
use crate::app::input::line::LineInput;
use crate::app::input::scope::KeyScope;
use crate::app::view::columns::Width;
use crate::app::view::processes::columns::Column;
use crate::app::view::processes::columns::chosen::{ChosenColumns, WIDEST};
use crate::text::tone::{Line, Tone};

/// Cells of the mark of a column that is shown.
const MARK: usize = 4;

/// Cells and, at least, rows of what is said of a column.
const DOC_WIDTH: usize = 52;
const DOC_ROWS: usize = 2;

/// Rows of the list.
const HEIGHT: usize = 12;

/// The page of the settings dialog that chooses columns.
#[derive(Debug)]
pub(super) struct ColumnsPage {
    /// The columns when the page was opened.
    before: ChosenColumns,
    /// The same, as the list began.
    start: ChosenColumns,
    /// The columns in force now.
    now: ChosenColumns,
    /// Id of the column that the keys act on.
    at: &'static str,
    /// The width, while it is typed.
    typed: LineInput,
}

/// What became of a key.
pub(super) enum Turn {
    /// Nothing.
    Stay,
    /// These columns.
    Show(ChosenColumns),
    /// These columns, and back to the list of settings.
    Leave(ChosenColumns),
}

impl ColumnsPage {
    /// Opens with the columns in force. Where nobody chose, these are the `visible` ones: whoever takes one away wants to
    /// keep what else is there.
    pub(super) fn new(before: ChosenColumns, visible: &[&'static str]) -> Self {
        let now = if before.is_empty() {
            ChosenColumns::of(visible)
        } else {
            before.clone()
        };
        let at = now.all().first().map_or("", |(column, _)| column.id);
        Self {
            before,
            start: now.clone(),
            now,
            at,
            typed: LineInput::default(),
        }
    }

    fn place(&self) -> usize {
        let all = self.now.all();
        let is_it = |(column, _): &(&'static Column, bool)| column.id == self.at;
        all.iter().position(is_it).unwrap_or(0)
    }

    fn column(&self) -> Option<(&'static Column, bool)> {
        self.now.all().get(self.place()).copied()
    }

    pub(super) fn on_action(&mut self, action: Id) -> Turn {
        let all = self.now.all();
        if let Some(to) = step(self.place(), all.len(), action) {
            self.at = all.get(to).map_or(self.at, |(column, _)| column.id);
            self.typed = LineInput::default();
            return Turn::Stay;
        }
        match action {
            Id::Back => Turn::Leave(self.before.clone()),
            Id::Commit => Turn::Leave(self.wanted()),
            Id::ToggleColumn => self.show(self.now.toggled(self.at)),
            Id::ColumnLeft => self.show(self.now.moved(self.at, false)),
            Id::ColumnRight => self.show(self.now.moved(self.at, true)),
            Id::NextValue => self.widen(true),
            Id::PreviousValue => self.widen(false),
            _ => Turn::Stay,
        }
    }

    fn show(&mut self, columns: ChosenColumns) -> Turn {
        self.typed = LineInput::default();
        self.now = columns;
        Turn::Show(self.wanted())
    }

    /// The columns for the table: what is as it was is nobody's choice.
    fn wanted(&self) -> ChosenColumns {
        if self.now == self.start {
            self.before.clone()
        } else {
            self.now.clone()
        }
    }

    /// A cell more or less. A column has its own width before its first key, and again below one cell.
    fn widen(&mut self, wider: bool) -> Turn {
        let Some((column, true)) = self.column() else {
            return Turn::Stay;
        };
        let own = match column.width {
            Width::Fixed(width) | Width::AtLeast(width) | Width::Roomy(width, _) => width,
            Width::Within(_, most) => most,
        };
        let width = self.now.width(column.id).unwrap_or(own);
        let width = if wider {
            width.saturating_add(1).min(WIDEST)
        } else {
            width.saturating_sub(1)
        };
        self.show(self.now.widened(self.at, (width > 0).then_some(width)))
    }

    /// A digit of a width, or a key that edits it: nothing left is the column's own width.
    pub(super) fn on_text(&mut self, key: Key) -> Turn {
        let is_digit = key.typed().is_none_or(|c| c.is_ascii_digit());
        if !is_digit || !matches!(self.column(), Some((_, true))) {
            return Turn::Stay;
        }
        let mut typed = self.typed.clone();
        if typed.text().is_empty()
            && key.typed().is_none()
            && let Some(width) = self.now.width(self.at)
        {
            typed.set(width.to_string());
        }
        if !typed.on_key(key) {
            return Turn::Stay;
        }
        let width = typed.text().parse::<u16>().ok();
        let width = width.filter(|width| (1..=WIDEST).contains(width));
        if width.is_none() && !typed.text().is_empty() {
            // A digit too many.
            return Turn::Stay;
        }
        self.typed = typed;
        self.now = self.now.widened(self.at, width);
        Turn::Show(self.wanted())
    }

    /// The action that a click on this cell of an item means.
    pub(super) fn clicked(x: u16) -> Option<Id> {
        (usize::from(x) < MARK).then_some(Id::ToggleColumn)
    }

    pub(super) fn view(&self, context: &DialogContext<'_>) -> DialogView {
        let row = |(column, shown): &(&'static Column, bool)| {
            let (mark, tone) = if *shown {
                ("[x]", Tone::Strong)
            } else {
                ("[ ]", Tone::Dim)
            };
            let width = self.now.width(column.id);
            let width = width.map_or_else(String::new, |width| format!("width {width}"));
            Line::of(Tone::Normal, format!("{mark:<MARK$}"))
                .add(tone, format!("{:<20}", column.heading()))
                .add(Tone::Watch, format!("{width:<10}"))
        };
        let doc = self.column().map_or("", |(column, _)| column.doc);
        let is_shown = matches!(self.column(), Some((_, true)));
        let hints = context
            .hints(KeyScope::Columns)
            .on(&[Id::Commit], "done")
            .on(&[Id::ToggleColumn], if is_shown { "hide" } else { "show" })
            .on_if(is_shown, &[Id::ColumnLeft, Id::ColumnRight], "move")
            .on_if(is_shown, &[Id::PreviousValue, Id::NextValue], "width")
            .back("undo")
            .list();
        DialogView {
            title: "Columns of the process table".to_owned(),
            hints,
            ..DialogView::default()
        }
        .with(Section::Choices {
            items: self.now.all().iter().map(row).collect(),
            selected: Some(self.place()),
            height: HEIGHT,
        })
        .text(self::doc(doc))
    }
}

/// What a column shows, in lines as wide as the list: the table behind should be seen.
fn doc(text: &str) -> Vec<Line> {
    let mut lines = wrap(&Line::of(Tone::Dim, text), DOC_WIDTH);
    lines.resize_with(DOC_ROWS.max(lines.len()), Line::new);
    lines
}
