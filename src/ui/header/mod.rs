//! The header: is an OOM coming, and who dies next.

pub(super) mod facts;
mod high_trend;
mod memory_lines;
pub(super) mod outlook;
mod title;
mod victim;

use ratatui::layout::Rect;

use crate::app::State;
use crate::app::view::domains::alarm::Alarm;
use crate::app::view::layout::{HeaderLine, Panes};
use crate::text::tone::{Line, Tone};
use crate::ui::canvas::Canvas;

/// Cells of the label in front of each line.
const LABEL: u16 = 6;

/// Draws the lines the layout has room for.
pub fn draw(state: &State, panes: &Panes, canvas: &mut Canvas<'_>) {
    let has = |wanted| panes.header.iter().any(|(line, _)| *line == wanted);
    let attention = &state.attention;
    for (line, area) in &panes.header {
        if area.height == 0 {
            continue;
        }
        match line {
            HeaderLine::Title => title::title(state, *area, canvas),
            HeaderLine::Memory => memory_lines::memory(state, *area, canvas),
            HeaderLine::Pressure => facts::pressure(state, *area, canvas),
            HeaderLine::Trend if area.height >= 3 => high_trend::draw(state, *area, canvas),
            HeaderLine::Trend => outlook::trend(state, *area, canvas, has(HeaderLine::Pressure)),
            HeaderLine::Victim => victim::victim(state, *area, canvas),
            HeaderLine::Alarm(at) => alarm(attention.alarms.get(usize::from(*at)), *area, canvas),
            HeaderLine::Domain(at) => alarm(attention.calm.get(usize::from(*at)), *area, canvas),
        }
    }
}

fn alarm(alarm: Option<&Alarm>, area: Rect, canvas: &mut Canvas<'_>) {
    if let Some(alarm) = alarm {
        canvas.line(area, &alarm.line);
    }
}

/// Writes a label and what comes behind it; returns the cells used.
fn labelled(canvas: &mut Canvas<'_>, area: Rect, label: &str, line: &Line) -> u16 {
    let style = canvas.theme.style(Tone::Accent);
    let used = LABEL.min(area.width);
    canvas.text(area.x, area.y, used, label, style);
    used + canvas.line(behind(area, used), line)
}

/// The area without its first cells.
fn behind(area: Rect, used: u16) -> Rect {
    let used = used.min(area.width);
    Rect {
        x: area.x + used,
        width: area.width - used,
        ..area
    }
}
