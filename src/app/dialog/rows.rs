//! [`Page`]: the rows of a dialog on a screen of some size, and how many of them fit. Pure arithmetic, used
//! by update (scrolling) and by the screen alike, so that neither must remember what the other did.

use ratatui::layout::Rect;

use super::wrap::wrap;
use super::{DialogView, Section};
use crate::app::input::line::LineInput;
use crate::text::cells::cells;
use crate::text::tone::{Line, Tone};

/// Widest text in a dialog, in cells: longer lines are wrapped.
const MAX_TEXT: u16 = 100;
/// Narrowest dialog a wide screen shows.
const MIN_TEXT: u16 = 56;

/// Cells in front of an item of a list.
pub const ITEM_INDENT: u16 = 2;

/// Rows of a list on a low screen.
const TIGHT_LIST: usize = 3;

/// One row of the dialog, ready to be drawn.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// Its text.
    pub line: Line,
    /// A chosen row of a list.
    pub selected: bool,
    /// Cells before the cursor, if the cursor is in this row.
    pub cursor: Option<u16>,
    /// The row belongs to the focused part and must stay on the screen.
    focused: bool,
    /// What a click on the row means.
    pub pick: Option<Pick>,
}

/// What a click on a row of a dialog means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// This item of the list.
    Choice(usize),
    /// One of the pages: which one depends on the column.
    Tabs,
}

/// All rows of a dialog, and the size of its part of the screen.
#[derive(Debug)]
pub struct Page {
    /// From top to bottom.
    pub rows: Vec<Row>,
    /// Cells of a row.
    pub width: u16,
    /// Rows inside the frame.
    pub height: u16,
    /// Row of the screen that the frame begins in.
    pub top: u16,
}

/// A hint in the bottom line of a dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedHint<'a> {
    /// The keys.
    pub keys: &'a str,
    /// What they do.
    pub what: &'static str,
    /// The first cell, from the left edge of the line.
    pub x: u16,
    /// Cells, blanks included.
    pub width: u16,
}

/// The hints that fit into so many cells. The first is what the dialog is for and the last the way out: all keys of that
/// but one go first, then the hints before it.
pub fn placed_hints(view: &DialogView, width: u16, ascii: bool) -> Vec<PlacedHint<'_>> {
    let all = view.hints.iter();
    let mut shown: Vec<_> = all.map(|(keys, what)| (keys.as_str(), *what)).collect();
    let mut is_brief = false;
    loop {
        let mut x: u16 = 0;
        let placed: Vec<_> = shown
            .iter()
            .map(|(keys, what)| {
                let width = cells(keys, ascii) + cells(what, ascii) + 3;
                let hint = PlacedHint {
                    keys,
                    what,
                    x,
                    width: u16::try_from(width).unwrap_or(u16::MAX),
                };
                x = x.saturating_add(hint.width);
                hint
            })
            .collect();
        if x <= width || (is_brief && shown.len() < 3) {
            return placed;
        }
        match shown.last_mut() {
            Some((keys, _)) if !is_brief => *keys = keys.split(' ').next().unwrap_or(keys),
            _ => {
                shown.remove(shown.len() - 2);
            }
        }
        is_brief = true;
    }
}

/// The tabs of a dialog with pages, each with its first cell and its width.
pub fn placed_tabs(names: &[&'static str]) -> Vec<(u16, u16)> {
    let mut x: u16 = 0;
    let place = |name: &&'static str| {
        let width = u16::try_from(name.len() + 2).unwrap_or(u16::MAX);
        let placed = (x, width);
        x = x.saturating_add(width + 1);
        placed
    };
    names.iter().map(place).collect()
}

impl Page {
    /// Lays a dialog out on a screen of so many columns and rows.
    pub fn of(view: &DialogView, screen: (u16, u16), ascii: bool) -> Self {
        let (room, most) = Self::most(screen);
        // A dialog that always has its full height must not hide what is said about it: the notice below.
        let most = if view.reserved > 0 && screen.1 >= 22 {
            most - 1
        } else {
            most
        };
        // A dialog that shows a part of something longer keeps its width while it scrolls. A dialog with input fields or
        // pages also keeps its first row.
        let steady = is_steady(view);
        let wanted = if view.window.is_some() || steady {
            room
        } else {
            wanted_width(view, ascii)
        };
        let width = wanted.clamp(MIN_TEXT.min(room), room);
        let rows = lay_out(view, width, None);
        let rows = if rows.len() > usize::from(most) && view.window.is_none() {
            let least = lay_out(view, width, Some(TIGHT_LIST));
            // The list has what the rest leaves over.
            match usize::from(most).saturating_sub(least.len()) {
                0 => least,
                spare => lay_out(view, width, Some(TIGHT_LIST + spare)),
            }
        } else {
            rows
        };
        let height = u16::try_from(rows.len()).unwrap_or(u16::MAX);
        let height = height.max(view.reserved).min(most);
        let frame = height + 2;
        let top = if steady {
            (screen.1.saturating_sub(most + 2)) / 2
        } else {
            (screen.1.saturating_sub(frame)) / 2
        };
        Self {
            rows,
            width,
            height,
            top,
        }
    }

    /// The frame on a screen of so many columns.
    pub fn frame(&self, columns: u16) -> Rect {
        let width = (self.width + 4).min(columns);
        Rect {
            x: (columns - width) / 2,
            y: self.top,
            width,
            height: self.height + 2,
        }
    }

    /// The part of a frame that shows rows.
    pub fn inner(frame: Rect) -> Rect {
        Rect {
            x: frame.x + 2,
            y: frame.y + 1,
            width: frame.width.saturating_sub(4),
            height: frame.height.saturating_sub(2),
        }
    }

    /// Columns and rows inside the frame of the largest dialog on this screen; at least one row.
    pub fn most((columns, rows): (u16, u16)) -> (u16, u16) {
        // Keep one row of the screen free above and below, if there are rows to spare.
        let frame = if rows > 16 { 4 } else { 2 };
        (
            columns.saturating_sub(4).min(MAX_TEXT),
            rows.saturating_sub(frame).max(1),
        )
    }

    /// The first row when scrolled to the end.
    pub fn last_first(&self) -> usize {
        self.rows.len().saturating_sub(usize::from(self.height))
    }

    /// The first row shown: the scroll position, but never past the end, and moved to keep a focused row on
    /// the screen.
    pub fn first(&self, scroll: usize) -> usize {
        let (last, height) = (self.last_first(), usize::from(self.height));
        let first = scroll.min(last);
        if scroll > 0 {
            // The user scrolled away from the focus on purpose.
            return first;
        }
        match self.rows.iter().position(|row| row.focused) {
            Some(at) if at >= first + height => (at + 1 - height).min(last),
            Some(at) if at < first => at,
            _ => first,
        }
    }
}

/// The content changes with every key.
fn is_steady(view: &DialogView) -> bool {
    let is_field = |section: &Section| matches!(section, Section::Field { .. });
    view.steady || view.sections.iter().any(is_field)
}

/// The width that the content prefers, in cells.
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
        Section::Tabs { names, note, .. } => {
            names.iter().map(|name| name.len() + 3).sum::<usize>() + note.len()
        }
        Section::Gap => 0,
    }
}

/// Cells for the labels: as many as the longest label takes, so that the inputs line up.
fn label_width(view: &DialogView) -> usize {
    let labels = view.sections.iter().filter_map(|s| match s {
        Section::Field { label, .. } => Some(label.len() + 1),
        _ => None,
    });
    labels.max().unwrap_or(0)
}

/// `tight`: the screen is too low for everything, and a list has so many rows. The choice and the planned write stay; the
/// rest of long lists, fields without the cursor and empty lines go.
fn lay_out(view: &DialogView, width: u16, tight: Option<usize>) -> Vec<Row> {
    let mut rows = Vec::new();
    let name = label_width(view);
    for section in &view.sections {
        match section {
            Section::Gap | Section::Field { focused: false, .. } if tight.is_some() => {}
            Section::Gap => rows.push(Row::default()),
            Section::Text(lines) => {
                for line in lines {
                    rows.extend(wrap(line, usize::from(width)).into_iter().map(|line| Row {
                        line,
                        ..Row::default()
                    }));
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
            Section::Tabs {
                names,
                selected,
                note,
            } => rows.push(tabs(names, *selected, note)),
            Section::Choices {
                items,
                selected,
                height,
            } => choices(
                items,
                *selected,
                tight.map_or(*height, |rows| rows.min(*height)),
                &mut rows,
            ),
        }
    }
    rows
}

fn field(name: usize, label: &str, input: &LineInput, focused: bool, error: Option<&str>) -> Row {
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
    Row {
        line,
        selected: false,
        cursor: focused.then(|| u16::try_from(at).unwrap_or(u16::MAX)),
        focused,
        pick: None,
    }
}

fn tabs(names: &[&'static str], selected: usize, note: &str) -> Row {
    let mut line = Line::new();
    for (at, name) in names.iter().enumerate() {
        if at == selected {
            line.push(Tone::Accent, format!("[{name}]"));
        } else {
            line.push(Tone::Dim, format!(" {name} "));
        }
        line.push(Tone::Dim, " ");
    }
    line.push(Tone::Dim, note);
    Row {
        line,
        pick: Some(Pick::Tabs),
        ..Row::default()
    }
}

/// The part of a list around its selection.
fn choices(items: &[Line], selected: Option<usize>, height: usize, rows: &mut Vec<Row>) {
    let at = selected.unwrap_or(0);
    let first = at
        .saturating_sub(height / 2)
        .min(items.len().saturating_sub(height));
    for (index, item) in items.iter().enumerate().skip(first).take(height) {
        let chosen = selected == Some(index);
        let mut line = Line::of(Tone::Accent, if chosen { "> " } else { "  " });
        line.spans.extend(item.spans.iter().cloned());
        rows.push(Row {
            line,
            selected: chosen,
            cursor: None,
            focused: chosen,
            pick: Some(Pick::Choice(index)),
        });
    }
    let below = items.len().saturating_sub(first + height);
    let hidden = match (first, below) {
        (0, 0) => return,
        (0, below) => format!("  {below} more below"),
        (above, 0) => format!("  {above} more above"),
        (above, below) => format!("  {above} more above, {below} more below"),
    };
    rows.push(Row {
        line: Line::of(Tone::Dim, hidden),
        ..Row::default()
    });
}
