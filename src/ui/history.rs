//! Memory used over time, with a mark where somebody was killed.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::past::Past;
use super::theme::Theme;
use crate::app::State;
use crate::text::format;
use crate::text::meter::{eighths, height, rise};
use crate::text::tone::{Line, Tone};

/// The mark of a kill.
const KILL: &str = "×";
/// The lowest row of a graph where nothing is drawn.
pub(super) const BASE: &str = "·";
/// Cells of the axis on the left of a graph: `100% `.
const AXIS: u16 = 5;
/// A graph of so many rows has a mark for the half.
const HALF: u16 = 6;

/// The newest readings in so many cells, the newest at the right end; a kill in the place of its reading.
pub(super) fn sparkline(state: &State, cells: usize) -> Line {
    let past = Past::new(state, cells);
    let marks = &state.settings.thresholds;
    let missing = cells.saturating_sub(past.len());
    let mut line = Line::of(Tone::Dim, "·".repeat(missing));
    for (reading, killed) in past.cells() {
        if killed {
            line.push(Tone::Critical, KILL);
        } else {
            let tone = Theme::band(marks.band(reading.percent));
            line.push(tone, height(reading.percent));
        }
    }
    line
}

/// Draws the newest readings as columns, a line across where each band begins, and below them the time with the kills.
pub(super) fn graph(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    let Some(rows) = area.height.checked_sub(1).filter(|rows| *rows > 0) else {
        return;
    };
    if area.width <= AXIS {
        return;
    }
    let plot = Rect {
        x: area.x + AXIS,
        width: area.width - AXIS,
        height: rows,
        ..area
    };
    let past = Past::new(state, usize::from(plot.width));
    let missing = plot.width - u16::try_from(past.len()).unwrap_or(plot.width);
    let marks = state.settings.thresholds.marks();
    for row in 0..rows {
        let y = plot.bottom() - 1 - row;
        let from = f64::from(row) * 100.0 / f64::from(rows);
        let to = f64::from(row + 1) * 100.0 / f64::from(rows);
        // The lowest band that begins in this row.
        let mark = marks.iter().find(|mark| (from..to).contains(*mark));
        let band = state.settings.thresholds.band(to);
        let tone = Theme::band(band);
        let has_half = rows >= HALF && (from..to).contains(&50.0);
        let stands_for = match mark {
            Some(mark) => Some(*mark),
            None if row + 1 == rows => Some(100.0),
            None if row == 0 => Some(0.0),
            None => has_half.then_some(50.0),
        };
        axis(area, y, stands_for, canvas);
        // Where nothing has been read yet, and where next to nothing is used, the axis shows that this is a graph.
        let line = match mark {
            Some(_) => "┈",
            None if row == 0 => BASE,
            None => " ",
        };
        let dim = canvas.theme.style(Tone::Dim);
        for x in plot.x..plot.x + missing {
            canvas.text(x, y, 1, line, dim);
        }
        for (x, (reading, _)) in (plot.x + missing..).zip(past.cells()) {
            let filled = eighths(reading.percent, rows).saturating_sub(u32::from(row) * 8);
            match rise(filled) {
                Some(sign) => canvas.text(x, y, 1, sign, canvas.theme.style(tone)),
                None => canvas.text(x, y, 1, line, dim),
            };
        }
    }
    let below = Rect {
        y: plot.bottom(),
        height: 1,
        ..plot
    };
    time_axis(&past, below, canvas);
    time_ends(state, &past, below, canvas);
}

/// Writes what a row stands for, in percent.
fn axis(area: Rect, y: u16, percent: Option<f64>, canvas: &mut Canvas<'_>) {
    if let Some(percent) = percent {
        let style = canvas.theme.style(Tone::Dim);
        let text = format!("{percent:>3.0}%");
        canvas.text(area.x, y, AXIS - 1, &text, style);
    }
}

/// Writes when the axis begins and ends, where no kill stands there.
fn time_ends(state: &State, past: &Past<'_>, area: Rect, canvas: &mut Canvas<'_>) {
    let Some(span) = past.span() else {
        return;
    };
    let is_now = !state.paused && state.replay.is_none() && state.stale().is_none();
    let span = format::duration(span);
    // What is measured to the newest reading is "ago" only where that reading is of now.
    let (first, last) = if is_now {
        (format!("{span} ago "), " now")
    } else {
        (format!("{span} before "), "")
    };
    if past.len() < first.len() + last.len() + 2 {
        return;
    }
    let killed: Vec<bool> = past.cells().map(|(_, killed)| killed).collect();
    let from = area.right()
        - u16::try_from(past.len())
            .unwrap_or(area.width)
            .min(area.width);
    let style = canvas.theme.style(Tone::Dim);
    for (at, text) in [(0, first.as_str()), (past.len() - last.len(), last)] {
        let is_free = killed
            .get(at..at + text.len())
            .is_some_and(|part| !part.contains(&true));
        if is_free {
            let x = from + u16::try_from(at).unwrap_or(0);
            canvas.text(x, area.y, area.right().saturating_sub(x), text, style);
        }
    }
}

/// Draws the axis of time, with each kill under its reading.
pub(super) fn time_axis(past: &Past<'_>, area: Rect, canvas: &mut Canvas<'_>) {
    let dim = canvas.theme.style(Tone::Dim);
    let line = "─".repeat(usize::from(area.width));
    canvas.text(area.x, area.y, area.width, &line, dim);
    let count = u16::try_from(past.len()).unwrap_or(area.width);
    let from = area.right() - count.min(area.width);
    let style = canvas.theme.style(Tone::Critical);
    for (x, (_, killed)) in (from..).zip(past.cells()) {
        if killed {
            canvas.text(x, area.y, 1, KILL, style);
        }
    }
}
