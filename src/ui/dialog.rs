//! Draws any [`DialogView`]: a frame in the middle, as large as its content needs and the screen allows.

use ratatui::layout::{Position, Rect};

use super::canvas::Canvas;
use crate::app::dialog::DialogView;
use crate::app::dialog::rows::{Page, placed_hints};
use crate::text::tone::{Line, Tone};

/// Draws the dialog on top of the panes; returns the position of its cursor.
pub fn draw(view: &DialogView, screen: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
    if screen.width < 4 || screen.height < 3 {
        return None;
    }
    let page = Page::of(view, (screen.width, screen.height), canvas.ascii);
    let frame = page.frame(screen.width);
    let inner = Page::inner(frame);
    // Halves of the words below would look like text of the dialog.
    canvas.clear(Rect {
        x: screen.x,
        width: screen.width,
        ..frame
    });
    let first = page.first(view.scroll);
    let more = page.rows.len() > usize::from(inner.height);
    draw_frame(
        view,
        frame,
        canvas,
        view.window
            .or_else(|| more.then_some((first, page.rows.len()))),
    );
    let mut cursor = None;
    for (y, row) in (inner.y..inner.bottom()).zip(page.rows.iter().skip(first)) {
        let area = Rect {
            y,
            height: 1,
            ..inner
        };
        if row.selected {
            let selected = canvas.theme.selected(true);
            canvas.shade(area, selected.ground());
            canvas.themed(&selected).line(area, &row.line);
        } else {
            canvas.line(area, &row.line);
        }
        if let Some(at) = row.cursor {
            cursor = Some(Position::new(
                (inner.x + at).min(inner.right().saturating_sub(1)),
                y,
            ));
        }
    }
    cursor
}

fn draw_frame(
    view: &DialogView,
    frame: Rect,
    canvas: &mut Canvas<'_>,
    scrolled: Option<(usize, usize)>,
) {
    let style = canvas.theme.style(Tone::Accent);
    let across = "─".repeat(usize::from(frame.width.saturating_sub(2)));
    canvas.text(frame.x, frame.y, frame.width, &format!("┌{across}┐"), style);
    canvas.text(
        frame.x,
        frame.bottom() - 1,
        frame.width,
        &format!("└{across}┘"),
        style,
    );
    for y in frame.y + 1..frame.bottom() - 1 {
        canvas.text(frame.x, y, 1, "│", style);
        canvas.text(frame.right() - 1, y, 1, "│", style);
    }
    let inside = Rect {
        x: frame.x + 2,
        y: frame.y,
        width: frame.width.saturating_sub(4),
        height: 1,
    };
    canvas.line(inside, &Line::of(Tone::Strong, format!(" {} ", view.title)));
    if let Some((first, all)) = scrolled {
        canvas.line_right(
            inside,
            &Line::of(Tone::Dim, format!(" row {} of {all} ", first + 1)),
        );
    }
    canvas.line(
        Rect {
            y: frame.bottom() - 1,
            ..inside
        },
        &hints(view, inside.width, canvas.ascii),
    );
}

/// The line of hints.
fn hints(view: &DialogView, width: u16, ascii: bool) -> Line {
    let mut line = Line::new();
    for hint in placed_hints(view, width, ascii) {
        line.push(Tone::Normal, " ");
        line.push(Tone::Accent, hint.keys);
        line.push(Tone::Dim, format!(" {} ", hint.what));
    }
    line
}
