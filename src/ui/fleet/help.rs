//! The help of `oomtop fleet`.

use ratatui::layout::Rect;

use crate::app::fleet::keys::{COLUMNS, KEYS};
use crate::text::tone::{Line, Tone};
use crate::ui::canvas::Canvas;

/// Draws the help from this line on, or its end.
pub(super) fn draw(first: usize, area: Rect, canvas: &mut Canvas<'_>) {
    let lines = lines();
    let rows = usize::from(area.height.saturating_sub(1));
    let first = first.min(lines.len().saturating_sub(rows));
    for (y, line) in (area.y..area.bottom() - 1).zip(lines.iter().skip(first)) {
        canvas.line(Rect::new(area.x, y, area.width, 1), line);
    }
    let more = if lines.len() > rows {
        "Up Down PgUp PgDn: more   any other key: back"
    } else {
        "any key: back"
    };
    let bottom = Rect::new(area.x, area.bottom() - 1, area.width, 1);
    canvas.line(bottom, &Line::of(Tone::Dim, more));
}

fn lines() -> Vec<Line> {
    let mut lines = vec![
        Line::of(
            Tone::Strong,
            "oomtop fleet: many hosts, as Prometheus knows them",
        ),
        Line::new(),
    ];
    for (key, _, does) in KEYS {
        lines.push(row(key, does));
    }
    lines.push(Line::new());
    for (column, says) in COLUMNS {
        lines.push(row(column, says));
    }
    lines
}

fn row(name: &str, text: &str) -> Line {
    if name.len() > 11 {
        return Line::of(Tone::Accent, format!("{name}  ")).add(Tone::Normal, text);
    }
    Line::of(Tone::Accent, format!("{name:<12} ")).add(Tone::Normal, text)
}

#[cfg(test)]
mod tests {
    use crate::app::fleet::keys::HELP_LINES;

    #[test]
    fn the_keys_know_how_long_the_help_is() {
        assert_eq!(super::lines().len(), HELP_LINES);
    }
}
