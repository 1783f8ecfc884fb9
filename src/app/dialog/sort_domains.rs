//! The sort dialog of the domains view: the tree, and every column with what it shows.

use super::sort::offered;
use super::{Dialog, DialogContext, DialogView, Outcome, Section, step};
use crate::app::input::id::ActionId as Id;
use crate::app::input::scope::KeyScope;
use crate::app::view::domains::By;
use crate::app::view::domains::columns::{COLUMNS, DomainColumn};
use crate::text::tone::{Line, Tone};

/// What the first choice does.
const TREE: &str = "a tree, the most urgent first, calm siblings folded";

/// Chooses the sort column.
#[derive(Debug)]
pub struct DomainSortDialog {
    chosen: usize,
}

impl DomainSortDialog {
    /// Opens at the present column.
    pub fn new(present: Option<By>) -> Self {
        let column = present.and_then(|by| {
            let mut columns = COLUMNS.iter();
            columns.position(|c| std::ptr::eq(c, by.column))
        });
        Self {
            chosen: column.map_or(0, |at| at + 1),
        }
    }

    /// What is chosen; `None` is the tree.
    fn column(&self) -> Option<&'static DomainColumn> {
        COLUMNS.get(self.chosen.checked_sub(1)?)
    }
}

impl Dialog for DomainSortDialog {
    fn scope(&self) -> KeyScope {
        KeyScope::Sort
    }

    fn on_action(&mut self, action: Id, _: &DialogContext<'_>) -> Outcome {
        if let Some(at) = step(self.chosen, COLUMNS.len() + 1, action) {
            self.chosen = at;
            return Outcome::Stay;
        }
        match action {
            Id::Back | Id::Sort => Outcome::Close,
            Id::Commit => Outcome::SortDomains(self.column()),
            _ => Outcome::Stay,
        }
    }

    fn view(&self, context: &DialogContext<'_>) -> DialogView {
        let tree = std::iter::once(("urgency".to_owned(), TREE));
        let columns = COLUMNS.iter().map(|column| (column.heading(), column.doc));
        let items = offered(tree.chain(columns));
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
            height: COLUMNS.len() + 1,
        })
        .text(
            // The list may be too narrow for it.
            vec![Line::of(
                Tone::Dim,
                self.column().map_or(TREE, |column| column.doc),
            )],
        )
    }
}
