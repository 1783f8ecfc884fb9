//! Bars with marks, and sparklines.

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::canvas::Canvas;
use crate::text::tone::Tone;

/// Eighths of a cell, from nearly empty to full.
const EIGHTHS: [&str; 8] = ["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];
/// Heights of a sparkline.
const HEIGHTS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// Draws `[████▊···|··|·]` over the width of `area`: `percent` filled in `tone`, a mark at each of
/// `marks`.
pub fn bar(canvas: &mut Canvas<'_>, area: Rect, percent: f64, tone: Tone, marks: &[f64]) {
    if area.width < 4 || area.height == 0 {
        return;
    }
    let inner = area.width - 2;
    let dim = canvas.theme.style(Tone::Dim);
    canvas.text(area.x, area.y, 1, "[", dim);
    canvas.text(area.right() - 1, area.y, 1, "]", dim);
    let filled = eighths(percent, inner);
    let style = canvas.theme.style(tone);
    for at in 0..inner {
        let x = area.x + 1 + at;
        let level = filled.saturating_sub(u32::from(at) * 8).min(8);
        let is_mark = marks.iter().any(|mark| mark_cell(*mark, inner) == at);
        let (symbol, style): (&str, Style) = match level {
            0 if is_mark => ("│", canvas.theme.style(Tone::Watch)),
            // A mark that has been passed still shows, as a line cut into the bar.
            8 if is_mark => ("│", style.add_modifier(Modifier::REVERSED)),
            0 => ("·", dim),
            n => (EIGHTHS.get(n as usize - 1).copied().unwrap_or("█"), style),
        };
        canvas.text(x, area.y, 1, symbol, style);
    }
}

/// Filled eighths of a bar of so many cells; anything above 0 shows.
fn eighths(percent: f64, cells: u16) -> u32 {
    let share = if percent.is_finite() {
        (percent / 100.0).clamp(0.0, 1.0)
    } else {
        0.0
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 8 times the cells"
    )]
    let filled = (share * f64::from(cells) * 8.0).round() as u32;
    if share > 0.0 { filled.max(1) } else { 0 }
}

/// The cell of a mark.
pub fn mark_cell(mark: f64, cells: u16) -> u16 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the cells; `as` saturates"
    )]
    let at = (mark / 100.0 * f64::from(cells)).floor() as u16;
    at.min(cells.saturating_sub(1))
}

/// A sparkline of the newest values in so many cells, scaled from the smallest to the largest.
pub fn sparkline(values: impl ExactSizeIterator<Item = u64>, cells: usize) -> String {
    let skip = values.len().saturating_sub(cells);
    let shown: Vec<u64> = values.skip(skip).collect();
    let (Some(low), Some(high)) = (shown.iter().min(), shown.iter().max()) else {
        return String::new();
    };
    // Rest must look like rest: a range under 1 % of the value is not stretched to full height.
    let range = (high - low).max(high / 100).max(1);
    shown
        .iter()
        .map(|value| {
            let level = (value - low).saturating_mul(7) / range;
            usize::try_from(level)
                .ok()
                .and_then(|l| HEIGHTS.get(l))
                .copied()
                .unwrap_or(HEIGHTS[7])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{eighths, mark_cell, sparkline};

    #[test]
    fn bars_fill_in_eighths_and_never_overflow() {
        assert_eq!(eighths(0.0, 10), 0);
        assert_eq!(eighths(0.01, 10), 1);
        assert_eq!(eighths(50.0, 10), 40);
        assert_eq!(eighths(250.0, 10), 80);
        assert_eq!(eighths(f64::NAN, 10), 0);
        assert_eq!(mark_cell(100.0, 10), 9);
    }

    #[test]
    fn sparklines_show_movement_and_rest() {
        assert_eq!(sparkline([0, 50, 100].into_iter(), 10), "▁▄█");
        assert_eq!(sparkline([1000, 1001, 1000].into_iter(), 10), "▁▁▁");
        assert_eq!(sparkline([1, 2, 3].into_iter(), 2), "▁█");
        assert_eq!(sparkline(std::iter::empty(), 5), "");
    }
}
