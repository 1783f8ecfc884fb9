//! Draws any [`DialogView`]: a frame in the middle, as large as its content needs and the screen allows.

mod wrap;

use ratatui::layout::{Position, Rect};

use super::canvas::{Canvas, cells};
use crate::app::dialog::{DialogView, Section};
use crate::app::input::LineInput;
use crate::app::text::{Line, Tone};
use wrap::wrap;

/// Widest text in a dialog, in cells: longer lines are wrapped.
const MAX_TEXT: u16 = 100;
/// Narrowest dialog a wide screen shows.
const MIN_TEXT: u16 = 56;

/// Rows of a list where the screen is low.
const TIGHT_LIST: usize = 3;

/// One row of the dialog, ready to be drawn.
#[derive(Debug, Default)]
struct Drawn {
    line: Line,
    /// A chosen row of a list.
    selected: bool,
    /// Cells before the cursor, where this row has it.
    cursor: Option<u16>,
    /// It belongs to what has the keyboard: it must be on the screen.
    focused: bool,
}

/// Draws the dialog over whatever is there; returns where its cursor is.
pub fn draw(view: &DialogView, screen: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
    if screen.width < 4 || screen.height < 3 {
        return None;
    }
    let room = screen.width.saturating_sub(4).min(MAX_TEXT);
    // What shows a part of something longer keeps its width while it scrolls.
    let wanted = if view.window.is_some() {
        room
    } else {
        wanted_width(view, canvas.ascii)
    };
    let width = wanted.clamp(MIN_TEXT.min(room), room);
    // One row of the screen stays free above and below, where it has them to spare.
    let most = screen
        .height
        .saturating_sub(if screen.height > 16 { 4 } else { 2 });
    let rows = lay_out(view, width, false);
    let rows = if rows.len() > usize::from(most) && view.window.is_none() {
        lay_out(view, width, true)
    } else {
        rows
    };
    let height = u16::try_from(rows.len())
        .unwrap_or(u16::MAX)
        .min(most.max(1));
    let frame = Rect {
        x: screen.x + (screen.width - (width + 4).min(screen.width)) / 2,
        y: screen.y + (screen.height - (height + 2).min(screen.height)) / 2,
        width: (width + 4).min(screen.width),
        height: (height + 2).min(screen.height),
    };
    let inner = Rect {
        x: frame.x + 2,
        y: frame.y + 1,
        width: frame.width - 4,
        height: frame.height - 2,
    };
    canvas.clear(frame);
    let first = first_row(&rows, usize::from(inner.height), view.scroll);
    let more = rows.len() > usize::from(inner.height);
    draw_frame(
        view,
        frame,
        canvas,
        view.window.or_else(|| more.then_some((first, rows.len()))),
    );
    let mut cursor = None;
    for (y, row) in (inner.y..inner.bottom()).zip(rows.iter().skip(first)) {
        let area = Rect {
            y,
            height: 1,
            ..inner
        };
        canvas.line(area, &row.line);
        if row.selected {
            canvas.shade(area, canvas.theme.selection(true));
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
    let mut hints = Line::new();
    for (key, what) in &view.hints {
        hints.push(Tone::Normal, " ");
        hints.push(Tone::Accent, *key);
        hints.push(Tone::Dim, format!(" {what} "));
    }
    canvas.line(
        Rect {
            y: frame.bottom() - 1,
            ..inside
        },
        &hints,
    );
}

/// The width the content would like, in cells.
fn wanted_width(view: &DialogView, ascii: bool) -> u16 {
    let title = cells(&view.title, ascii) + 4;
    let hints: usize = view
        .hints
        .iter()
        .map(|(key, what)| cells(key, ascii) + cells(what, ascii) + 3)
        .sum();
    let widest = view.sections.iter().map(section_width).max().unwrap_or(0);
    u16::try_from(widest.max(title).max(hints)).unwrap_or(MAX_TEXT)
}

fn section_width(section: &Section) -> usize {
    match section {
        Section::Text(lines) => lines.iter().map(Line::width).max().unwrap_or(0),
        Section::Choices { items, .. } => items.iter().map(Line::width).max().unwrap_or(0) + 2,
        Section::Field {
            label,
            input,
            note,
            error,
            ..
        } => {
            let beside = error.as_ref().or(note.as_ref());
            label.len() + 1 + input.text().len() + beside.map_or(0, |text| text.len() + 4) + 2
        }
        Section::Gap => 0,
    }
}

/// Cells the labels take: as much as the longest, so that inputs stand under each other.
fn label_width(view: &DialogView) -> usize {
    let labels = view.sections.iter().filter_map(|s| match s {
        Section::Field { label, .. } => Some(label.len() + 1),
        _ => None,
    });
    labels.max().unwrap_or(0)
}

/// `tight`: the screen is too low for everything. What is chosen and what will be done stays; the rest
/// of long lists, fields without the cursor and empty lines give way.
fn lay_out(view: &DialogView, width: u16, tight: bool) -> Vec<Drawn> {
    let mut rows = Vec::new();
    let name = label_width(view);
    for section in &view.sections {
        match section {
            Section::Gap | Section::Field { focused: false, .. } if tight => {}
            Section::Gap => rows.push(Drawn::default()),
            Section::Text(lines) => {
                for line in lines {
                    rows.extend(
                        wrap(line, usize::from(width))
                            .into_iter()
                            .map(|line| Drawn {
                                line,
                                ..Drawn::default()
                            }),
                    );
                }
            }
            Section::Field {
                label,
                input,
                focused,
                note,
                error,
            } => {
                let mut row = field(name, label, input, *focused, error.as_deref());
                if let (Some(note), None) = (note, error) {
                    row.line.push(Tone::Dim, format!("  {note}"));
                }
                rows.push(row);
            }
            Section::Choices {
                items,
                selected,
                height,
            } => choices(
                items,
                *selected,
                if tight {
                    (*height).min(TIGHT_LIST)
                } else {
                    *height
                },
                &mut rows,
            ),
        }
    }
    rows
}

fn field(name: usize, label: &str, input: &LineInput, focused: bool, error: Option<&str>) -> Drawn {
    let mut line = Line::of(
        if focused { Tone::Accent } else { Tone::Dim },
        format!("{label:<name$}"),
    );
    line.push(Tone::Strong, input.text());
    if input.text().is_empty() && !focused {
        line.push(Tone::Dim, "-");
    }
    if let Some(error) = error {
        line.push(Tone::Critical, format!("  {error}"));
    }
    let at = name + cells(input.before_cursor(), false);
    Drawn {
        line,
        selected: false,
        cursor: focused.then(|| u16::try_from(at).unwrap_or(u16::MAX)),
        focused,
    }
}

/// The part of a list around its selection.
fn choices(items: &[Line], selected: Option<usize>, height: usize, rows: &mut Vec<Drawn>) {
    let at = selected.unwrap_or(0);
    let first = at
        .saturating_sub(height / 2)
        .min(items.len().saturating_sub(height));
    for (index, item) in items.iter().enumerate().skip(first).take(height) {
        let chosen = selected == Some(index);
        let mut line = Line::of(Tone::Accent, if chosen { "> " } else { "  " });
        line.spans.extend(item.spans.iter().cloned());
        rows.push(Drawn {
            line,
            selected: chosen,
            cursor: None,
            focused: chosen,
        });
    }
}

/// The first row shown: as scrolled, but never past the end, and moved so that a focused row is seen.
fn first_row(rows: &[Drawn], height: usize, scroll: usize) -> usize {
    let last = rows.len().saturating_sub(height);
    let first = scroll.min(last);
    if scroll > 0 {
        // The user looks at something else on purpose.
        return first;
    }
    match rows.iter().position(|r| r.focused) {
        Some(at) if at >= first + height => (at + 1 - height).min(last),
        Some(at) if at < first => at,
        _ => first,
    }
}
