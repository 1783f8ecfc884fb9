//! What has grown between the mark and the moment on the screen.

use std::sync::Arc;

use super::scroll::Scroll;
use super::{Dialog, DialogContext, DialogView, Outcome};
use crate::app::input::id::ActionId as Id;
use crate::app::input::scope::KeyScope;
use crate::app::replay::growth::{Change, Usage, between};
use crate::model::snapshot::Snapshot;
use crate::model::time::Wall;
use crate::text::format;
use crate::text::tone::{Line, Tone};

/// Most rows of each table.
const ROWS: usize = 200;

/// Most characters of a name: a row is one line on a screen of 80.
const NAME: usize = 38;

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
            Id::Back | Id::Commit | Id::Compare => return Outcome::Close,
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
                "From {} {} to {}{} ({})",
                format::date(before.taken.wall),
                before.taken.wall,
                later_date(before.taken.wall, after.taken.wall),
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

/// The date of the later moment, if it is another one.
fn later_date(before: Wall, after: Wall) -> String {
    if before.day() == after.day() {
        String::new()
    } else {
        format!("{} ", format::date(after))
    }
}

/// A name that fits in one line: of a path the end tells more than its start.
fn cut(name: &str) -> String {
    let count = name.chars().count();
    if count <= NAME {
        return name.to_owned();
    }
    let end: String = name.chars().skip(count - (NAME - 1)).collect();
    format!("…{end}")
}

fn rows(changes: &[Change]) -> Vec<Line> {
    if changes.is_empty() {
        return vec![Line::of(Tone::Dim, "nothing has changed")];
    }
    let size = |usage: Usage| match usage {
        Usage::Absent => "-".to_owned(),
        Usage::Unknown => "?".to_owned(),
        Usage::Bytes(bytes) => format::size(bytes),
    };
    let row = |change: &Change| {
        let (tone, by) = match change.by() {
            None => (Tone::Dim, "?".to_owned()),
            Some(by) => {
                let sign = if by > 0 { '+' } else { '-' };
                let bytes = u64::try_from(by.unsigned_abs()).unwrap_or(u64::MAX);
                let tone = if by > 0 { Tone::Watch } else { Tone::Good };
                (tone, format!("{sign}{}", format::size(bytes)))
            }
        };
        let note = match (change.before, change.after) {
            (Usage::Absent, _) => "  new",
            (_, Usage::Absent) => "  gone",
            _ => "",
        };
        Line::of(tone, format!("{by:>8}"))
            .add(
                Tone::Dim,
                format!(
                    "  {:>6} to {:>6}  ",
                    size(change.before),
                    size(change.after)
                ),
            )
            .add(Tone::Normal, cut(&change.name))
            .add(Tone::Dim, note)
    };
    let mut lines: Vec<Line> = changes.iter().take(ROWS).map(row).collect();
    if changes.len() > ROWS {
        let more = changes.len() - ROWS;
        lines.push(Line::of(Tone::Dim, format!("and {more} smaller changes")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{cut, rows};
    use crate::app::replay::growth::{Change, Usage};

    #[test]
    fn a_row_is_one_line_and_says_what_is_not_known() {
        let change = |before, after| Change {
            name: "/system.slice/".repeat(9),
            before,
            after,
        };
        let row = |before, after| {
            let line = rows(&[change(before, after)]).remove(0);
            assert!(line.width() <= 76, "{}", line.width());
            let spans = line.spans.iter().map(|span| span.text.clone());
            spans.collect::<String>()
        };
        let name = cut(&"/system.slice/".repeat(9));
        let known = Usage::Bytes(2 << 20);
        assert_eq!(
            row(Usage::Unknown, known),
            format!("       ?       ? to   2.0M  {name}")
        );
        assert_eq!(
            row(Usage::Absent, known),
            format!("   +2.0M       - to   2.0M  {name}  new")
        );
        assert_eq!(
            row(known, Usage::Absent),
            format!("   -2.0M    2.0M to      -  {name}  gone")
        );
    }
}
