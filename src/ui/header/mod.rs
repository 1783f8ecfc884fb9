//! The header: is an OOM coming, and who dies next.

mod memory_lines;
mod outlook;
mod title;
mod victim;

use crate::app::State;
use crate::app::view::layout::{HeaderLine, Panes};
use crate::ui::canvas::Canvas;

/// Cells of the label in front of each line.
const LABEL: u16 = 6;

/// Draws the lines the layout has room for.
pub fn draw(state: &State, panes: &Panes, canvas: &mut Canvas<'_>) {
    let has = |wanted| panes.header.iter().any(|(line, _)| *line == wanted);
    for (line, area) in &panes.header {
        if area.height == 0 {
            continue;
        }
        match line {
            HeaderLine::Title => title::title(state, *area, canvas),
            HeaderLine::Memory => memory_lines::memory(state, *area, canvas),
            HeaderLine::Breakdown => memory_lines::breakdown(state, *area, canvas),
            HeaderLine::Swap => memory_lines::swap(state, *area, canvas),
            HeaderLine::Pressure => outlook::pressure(state, *area, canvas),
            HeaderLine::Trend => outlook::trend(state, *area, canvas, has(HeaderLine::Pressure)),
            HeaderLine::Victim => victim::victim(state, *area, canvas),
            HeaderLine::Alarm(at) => {
                if let Some(alarm) = state.alarms.get(usize::from(*at)) {
                    canvas.line(*area, alarm);
                }
            }
        }
    }
}
