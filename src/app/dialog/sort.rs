//! The sort dialog: every column with what it shows.

use super::{Dialog, DialogContext, DialogView, Outcome, Section, step};
use crate::app::input::id::ActionId as Id;
use crate::app::input::scope::KeyScope;
use crate::app::view::processes::columns::{COLUMNS, Column};
use crate::text::tone::{Line, Tone};

/// Chooses the sort column.
#[derive(Debug)]
pub struct SortDialog {
    chosen: usize,
}

impl SortDialog {
    /// Opens at the present column.
    pub fn new(present: &'static Column) -> Self {
        Self {
            chosen: COLUMNS
                .iter()
                .position(|c| std::ptr::eq(c, present))
                .unwrap_or(0),
        }
    }
}

impl Dialog for SortDialog {
    fn scope(&self) -> KeyScope {
        KeyScope::Sort
    }

    fn on_action(&mut self, action: Id, _: &DialogContext<'_>) -> Outcome {
        if let Some(at) = step(self.chosen, COLUMNS.len(), action) {
            self.chosen = at;
            return Outcome::Stay;
        }
        match action {
            Id::Back | Id::Sort => Outcome::Close,
            Id::Commit => COLUMNS
                .get(self.chosen)
                .map_or(Outcome::Close, Outcome::SortBy),
            _ => Outcome::Stay,
        }
    }

    fn view(&self, context: &DialogContext<'_>) -> DialogView {
        let items = offered(COLUMNS.iter().map(|column| (column.heading(), column.doc)));
        DialogView {
            title: "Sort by".to_owned(),
            hints: context
                .hints(self.scope())
                .on(&[Id::Commit], "sort; the same column again inverts")
                .on(&[Id::Up, Id::Down], "choose")
                .leave(),
            ..DialogView::default()
        }
        .with(Section::Choices {
            items,
            selected: Some(self.chosen),
            height: COLUMNS.len(),
        })
        .text(
            // The list may be too narrow for it.
            COLUMNS
                .get(self.chosen)
                .map(|column| Line::of(Tone::Dim, column.doc))
                .into_iter()
                .collect(),
        )
    }
}

/// Headings with what the columns show, aligned.
pub(super) fn offered(columns: impl Iterator<Item = (String, &'static str)> + Clone) -> Vec<Line> {
    let widths = columns.clone().map(|(heading, _)| heading.chars().count());
    let width = widths.max().unwrap_or(0) + 2;
    columns
        .map(|(heading, doc)| {
            Line::of(Tone::Strong, format!("{heading:<width$}")).add(Tone::Dim, doc)
        })
        .collect()
}
