//! What has grown between the mark and the moment on the screen.

use std::sync::Arc;

use super::scroll::Scroll;
use super::{Dialog, DialogContext, DialogView, Outcome};
use crate::app::input::id::ActionId as Id;
use crate::app::input::scope::KeyScope;
use crate::app::replay::growth::{Change, between};
use crate::model::snapshot::Snapshot;
use crate::text::format;
use crate::text::tone::{Line, Tone};

/// Most rows of each table.
const ROWS: usize = 200;

/// Compares the marked sample with the newest.
#[derive(Debug)]
pub struct CompareDialog {
    mark: Arc<Snapshot>,
    scroll: Scroll,
}

impl CompareDialog {
    /// Opens for a mark.
    pub fn new(mark: Arc<Snapshot>) -> Self {
        Self {
            mark,
            scroll: Scroll::default(),
        }
    }
}

impl Dialog for CompareDialog {
    fn scope(&self) -> KeyScope {
        KeyScope::Compare
    }

    fn on_action(&mut self, action: Id, context: &DialogContext<'_>) -> Outcome {
        match action {
            Id::Back | Id::Commit | Id::Close | Id::Compare => return Outcome::Close,
            _ => {
                self.scroll.on_action(action, &self.view(context), context);
            }
        }
        Outcome::Stay
    }

    fn view(&self, context: &DialogContext<'_>) -> DialogView {
        let now = context.cells.snapshot;
        let is_later = now.taken.monotonic >= self.mark.taken.monotonic;
        let (before, after) = if is_later {
            (&*self.mark, now)
        } else {
            (now, &*self.mark)
        };
        let span = after.taken.monotonic.since(before.taken.monotonic);
        let growth = between(before, after, context.cells.rules.page_size);
        let view = DialogView {
            title: format!(
                "From {} to {} ({})",
                before.taken.wall,
                after.taken.wall,
                format::duration(span)
            ),
            hints: context
                .hints(self.scope())
                .on(&[Id::Up, Id::Down], "scroll")
                .leave(),
            scroll: self.scroll.first(),
            ..DialogView::default()
        };
        view.text(vec![Line::of(Tone::Strong, "OOM domains, by usage")])
            .text(rows(&growth.domains))
            .gap()
            .text(vec![Line::of(
                Tone::Strong,
                "Processes, by resident memory + swap + page tables",
            )])
            .text(rows(&growth.processes))
    }
}

fn rows(changes: &[Change]) -> Vec<Line> {
    if changes.is_empty() {
        return vec![Line::of(Tone::Dim, "nothing has changed")];
    }
    let size = |bytes: Option<u64>| bytes.map_or_else(|| "-".to_owned(), format::size);
    let row = |change: &Change| {
        let by = change.by();
        let sign = if by > 0 { '+' } else { '-' };
        let bytes = u64::try_from(by.unsigned_abs()).unwrap_or(u64::MAX);
        let tone = if by > 0 { Tone::Watch } else { Tone::Good };
        let note = match (change.before, change.after) {
            (None, Some(_)) => "  new",
            (Some(_), None) => "  gone",
            _ => "",
        };
        Line::of(
            tone,
            format!("{:>8}", format!("{sign}{}", format::size(bytes))),
        )
        .add(
            Tone::Dim,
            format!(
                "  {:>6} to {:>6}  ",
                size(change.before),
                size(change.after)
            ),
        )
        .add(Tone::Normal, change.name.clone())
        .add(Tone::Dim, note)
    };
    let mut lines: Vec<Line> = changes.iter().take(ROWS).map(row).collect();
    if changes.len() > ROWS {
        let more = changes.len() - ROWS;
        lines.push(Line::of(Tone::Dim, format!("and {more} smaller changes")));
    }
    lines
}
