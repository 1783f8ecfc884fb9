//! Bars with marks, and sparklines.

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::canvas::Canvas;
use crate::text::meter::{eighths, height, part};
use crate::text::tone::{Line, Tone};

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
            n => (part(n).unwrap_or("█"), style),
        };
        canvas.text(x, area.y, 1, symbol, style);
    }
    figures(canvas, area, marks, filled);
}

/// Writes the marks in numbers behind them, where there is room before the next one.
fn figures(canvas: &mut Canvas<'_>, area: Rect, marks: &[f64], filled: u32) {
    let inner = area.width - 2;
    for (at, mark) in marks.iter().enumerate() {
        let text = format!("{mark:.0}");
        let cells = u16::try_from(text.len()).unwrap_or(u16::MAX);
        let from = mark_cell(*mark, inner) + 1;
        let next = marks
            .get(at + 1)
            .map_or(inner, |next| mark_cell(*next, inner));
        if next < from.saturating_add(cells) {
            continue;
        }
        let tone = canvas.theme.style(Tone::Dim);
        // Where the bar has reached the mark, the number would be a hole in the bar.
        if filled <= u32::from(from - 1) * 8 {
            canvas.text(area.x + 1 + from, area.y, cells, &text, tone);
        }
    }
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
        line.push(tone(percent), height(percent));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::{mark_cell, sparkline};
    use crate::model::memory::band::{Band, Thresholds};
    use crate::ui::theme::Theme;

    #[test]
    fn the_last_cell_is_the_last_mark_s() {
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
