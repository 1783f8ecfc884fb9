//! The trend where there are three rows for it: two for the shape, one for the time with the kills.

use ratatui::layout::Rect;

use super::outlook::{LEAST, acts_first, rate_words, time_words};
use super::{LABEL, labelled};
use crate::app::State;
use crate::app::view::gauge::PAST;
use crate::text::format;
use crate::text::meter::{eighths, rise};
use crate::text::tone::{Line, Tone};
use crate::ui::canvas::Canvas;
use crate::ui::history::{BASE, time_axis};
use crate::ui::past::Past;
use crate::ui::theme::Theme;

/// Cells of the words beside the graph of a high trend.
const BESIDE: usize = 42;

/// The trend as a graph: beside it the rate, the time left, and how far back it reaches.
pub(super) fn draw(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    if state.snapshot.seq == 0 {
        return;
    }
    let mut lines = [" 100%  ", "   0%  ", " "].map(|text| Line::of(Tone::Dim, text));
    let [top, middle, bottom] = &mut lines;
    top.spans.extend(rate_words(state).spans);
    middle.spans.extend(time_words(state).spans);
    let acts = acts_first(state);
    if let Some((tone, text)) = &acts {
        bottom.push(*tone, text.clone());
    }
    let words = lines.iter().map(Line::width).max().unwrap_or(0).max(BESIDE);
    let room = usize::from(area.width.saturating_sub(LABEL));
    let cells = room.saturating_sub(words).clamp(LEAST, PAST);
    let width = u16::try_from(cells)
        .unwrap_or(0)
        .min(area.width.saturating_sub(LABEL));
    let past = Past::new(state, usize::from(width));
    if acts.is_none()
        && let Some(span) = past.span()
    {
        let [_, _, bottom] = &mut lines;
        bottom.push(Tone::Dim, format!("last {}", format::duration(span)));
        if past.kills > 0 {
            let kills = format::number_of(past.kills as u64, "kill", "kills");
            bottom.push(Tone::Dim, "  ");
            bottom.push(Tone::Critical, format!("× {kills}"));
        }
    }
    labelled(canvas, area, "Trend", &Line::new());
    let graph = Rect {
        x: area.x + LABEL.min(area.width),
        width,
        ..area
    };
    low_graph(state, &past, graph, canvas);
    for (y, line) in (area.y..area.bottom()).zip(&lines) {
        let beside = Rect {
            x: graph.right(),
            y,
            width: area.right() - graph.right(),
            height: 1,
        };
        canvas.line(beside, line);
    }
}

/// Draws the newest readings as columns, each in the tone of its band, and below them the time with the kills: a graph that is
/// too low for an axis of its own.
fn low_graph(state: &State, past: &Past<'_>, area: Rect, canvas: &mut Canvas<'_>) {
    let Some(rows) = area.height.checked_sub(1).filter(|rows| *rows > 0) else {
        return;
    };
    let count = u16::try_from(past.len()).unwrap_or(area.width);
    let missing = area.width.saturating_sub(count);
    let marks = &state.settings.thresholds;
    let dim = canvas.theme.style(Tone::Dim);
    let floor = area.y + rows - 1;
    for x in area.x..area.x + missing {
        canvas.text(x, floor, 1, BASE, dim);
    }
    for (x, (reading, _)) in (area.x + missing..area.right()).zip(past.cells()) {
        let filled = eighths(reading.percent, rows);
        let style = canvas.theme.style(Theme::band(marks.band(reading.percent)));
        for row in 0..rows {
            let level = filled.saturating_sub(u32::from(row) * 8);
            match rise(level) {
                Some(sign) => canvas.text(x, floor - row, 1, sign, style),
                None if row == 0 => canvas.text(x, floor, 1, BASE, dim),
                None => break,
            };
        }
    }
    let below = Rect {
        y: floor + 1,
        height: 1,
        ..area
    };
    time_axis(past, below, canvas);
}
