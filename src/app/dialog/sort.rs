//! The sort dialog: what the rows can be sorted by, each with what it shows. One for the processes and the domains.

use super::rows::Page;
use super::{Dialog, DialogContext, DialogView, Outcome, Section, step};
use crate::app::input::id::ActionId as Id;
use crate::app::input::scope::KeyScope;
use crate::app::view::domains::columns as of_domains;
use crate::app::view::domains::{Domains, Order, Sorting};
use crate::app::view::processes::columns::{COLUMNS, Column};
use crate::text::cells::prefix;
use crate::text::tone::{Line, Tone};

/// What was chosen.
#[derive(Debug, Clone, Copy)]
pub enum SortChoice {
    /// The column of the processes.
    Processes(&'static Column),
    /// The order of the domains.
    Domains(Sorting),
}

/// One line of the list.
#[derive(Debug)]
struct Offer {
    heading: String,
    doc: &'static str,
    choice: SortChoice,
}

/// Chooses the order of one of the tables.
#[derive(Debug)]
pub struct SortDialog {
    offers: Vec<Offer>,
    chosen: usize,
}

impl SortDialog {
    /// Opens at the present column of the processes.
    pub fn of_processes(present: &'static Column) -> Self {
        let place = COLUMNS.iter().position(|c| std::ptr::eq(c, present));
        let offers = COLUMNS.iter().map(|column| Offer {
            heading: column.heading(),
            doc: column.doc,
            choice: SortChoice::Processes(column),
        });
        Self {
            offers: offers.collect(),
            chosen: place.unwrap_or(0),
        }
    }

    /// Opens at the present order of the domains.
    pub fn of_domains(domains: &Domains) -> Self {
        let trees = Order::ALL.map(|order| Offer {
            heading: order.name().to_owned(),
            doc: order.doc(),
            choice: SortChoice::Domains(Sorting::Tree(order)),
        });
        let columns = of_domains::COLUMNS.iter();
        let place = match domains.by {
            None => Order::ALL.iter().position(|order| *order == domains.order),
            Some(by) => columns
                .clone()
                .position(|column| std::ptr::eq(column, by.column))
                .map(|at| at + trees.len()),
        };
        let columns = columns.map(|column| Offer {
            heading: column.heading(),
            doc: column.doc,
            choice: SortChoice::Domains(Sorting::Column(column)),
        });
        Self {
            offers: trees.into_iter().chain(columns).collect(),
            chosen: place.unwrap_or(0),
        }
    }

    /// What is offered, aligned: the name and what it shows.
    fn items(&self) -> Vec<Line> {
        let widths = self.offers.iter().map(|o| o.heading.chars().count());
        let width = widths.max().unwrap_or(0) + 2;
        let item = |offer: &Offer| {
            Line::of(Tone::Strong, format!("{:<width$}", offer.heading)).add(Tone::Dim, offer.doc)
        };
        self.offers.iter().map(item).collect()
    }
}

/// The words of a line that so many cells do not show whole.
fn rest_of(line: &Line, room: usize) -> String {
    let text = line.plain();
    let (shown, _) = prefix(&text, room.saturating_sub(1), false);
    let whole = text.get(..shown).and_then(|shown| shown.rfind(' '));
    let rest = text.get(whole.map_or(0, |at| at + 1)..).unwrap_or_default();
    format!("… {rest}")
}

impl Dialog for SortDialog {
    fn scope(&self) -> KeyScope {
        KeyScope::Sort
    }

    fn on_action(&mut self, action: Id, _: &DialogContext<'_>) -> Outcome {
        if let Some(at) = step(self.chosen, self.offers.len(), action) {
            self.chosen = at;
            return Outcome::Stay;
        }
        match action {
            Id::Back | Id::Sort => Outcome::Close,
            Id::Commit => match self.offers.get(self.chosen) {
                Some(offer) => Outcome::SortBy(offer.choice),
                None => Outcome::Close,
            },
            _ => Outcome::Stay,
        }
    }

    fn view(&self, context: &DialogContext<'_>) -> DialogView {
        let items = self.items();
        // What stands whole in the list is not said twice.
        let room = usize::from(Page::most(context.screen).0).saturating_sub(2);
        let is_cut = |item: &Line| item.width() > room;
        let rest = items.iter().any(is_cut).then(|| {
            let cut = items.get(self.chosen).filter(|item| is_cut(item));
            cut.map_or_else(Line::new, |cut| Line::of(Tone::Dim, rest_of(cut, room)))
        });
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
            height: items.len(),
            items,
            selected: Some(self.chosen),
        })
        .text(rest.into_iter().collect())
    }
}
