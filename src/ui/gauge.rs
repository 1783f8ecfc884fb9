//! Bars with marks, and sparklines.

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::canvas::Canvas;
use crate::text::tone::{Line, Tone};

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
            0 if is_mark => ("│", canvas.theme.mark()),
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

/// A sparkline of the newest percentages in so many cells, each in the tone of its band. The axis is fixed, 0 to 100 %:
/// rest looks like rest, and the same height is always as near to the end.
pub fn sparkline(
    percents: impl ExactSizeIterator<Item = f64>,
    cells: usize,
    tone: impl Fn(f64) -> Tone,
) -> Line {
    let skip = percents.len().saturating_sub(cells);
    let mut line = Line::new();
    for percent in percents.skip(skip) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 7; `as` saturates"
        )]
        let level = (percent.clamp(0.0, 99.0) / 100.0 * 8.0) as usize;
        line.push(tone(percent), HEIGHTS.get(level).copied().unwrap_or("█"));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::{eighths, mark_cell, sparkline};
    use crate::model::memory::band::{Band, Thresholds};
    use crate::ui::theme::Theme;

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
    fn sparklines_have_a_fixed_axis_and_the_tones_of_the_bands() {
        let marks = Thresholds::default();
        let tone = |percent| Theme::band(marks.band(percent));
        for (percents, cells, expected) in [
            // What rests or moves by a little is flat, wherever it is.
            (&[10.8, 10.8, 10.9, 10.8][..], 9, "▁▁▁▁"),
            (&[50.0, 50.4, 51.0, 52.0], 9, "▅▅▅▅"),
            (&[0.0, 50.0, 100.0, 250.0], 9, "▁▅██"),
            (&[1.0, 60.0, 80.0], 2, "▅▇"),
            (&[f64::NAN], 2, "▁"),
            (&[], 5, ""),
        ] {
            let line = sparkline(percents.iter().copied(), cells, tone);
            assert_eq!(line.plain(), expected, "{percents:?}");
        }
        let line = sparkline([69.0, 71.0, 86.0, 96.0].into_iter(), 9, tone);
        let tones: Vec<_> = line.spans.iter().map(|span| span.tone).collect();
        let bands = [Band::Normal, Band::Warning, Band::Danger, Band::Critical];
        assert_eq!(tones, bands.map(Theme::band));
    }
}
