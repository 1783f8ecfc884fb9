//! The sort dialog: every column with what it shows.

use crossterm::event::KeyCode;

use super::{Dialog, DialogContext, DialogView, Outcome, Section, step};
use crate::app::input::key::Key;
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
    fn on_key(&mut self, key: Key, _: &DialogContext<'_>) -> Outcome {
        if let Some(at) = step(self.chosen, COLUMNS.len(), key) {
            self.chosen = at;
            return Outcome::Stay;
        }
        match key.code {
            KeyCode::Esc | KeyCode::F(6) => Outcome::Close,
            KeyCode::Enter => COLUMNS
                .get(self.chosen)
                .map_or(Outcome::Close, Outcome::SortBy),
            _ => Outcome::Stay,
        }
    }

    fn view(&self, _: &DialogContext<'_>) -> DialogView {
        let items = COLUMNS
            .iter()
            .map(|c| Line::of(Tone::Strong, format!("{:<11}", c.id)).add(Tone::Dim, c.doc))
            .collect();
        DialogView {
            title: "Sort by".to_owned(),
            hints: vec![
                ("Enter", "sort; the same column again inverts"),
                ("↑↓", "choose"),
                ("Esc", "leave"),
            ],
            ..DialogView::default()
        }
        .with(Section::Choices {
            items,
            selected: Some(self.chosen),
            height: COLUMNS.len(),
        })
    }
}
