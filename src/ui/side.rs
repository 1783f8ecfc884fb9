//! The pane on the right of a wide screen: history, pressure, domains, what is selected.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::header::{facts, outlook};
use super::history::graph;
use super::pane;
use crate::app::State;
use crate::app::view::domains::summary::Widths;
use crate::app::view::layout::{Panes, Side};
use crate::app::view::said::Said;
use crate::app::view::title_keys::Title;
use crate::model::memory::Pressure;
use crate::text::format;
use crate::text::meter::stall;
use crate::text::tone::{Line, Tone};

/// Draws the pane, if there is one.
pub(super) fn draw(state: &State, panes: &Panes, canvas: &mut Canvas<'_>) {
    let side = &panes.side;
    let style = canvas.theme.style(Tone::Dim);
    for y in side.edge.top()..side.edge.bottom() {
        canvas.text(side.edge.x, y, side.edge.width, "│", style);
    }
    if state.snapshot.seq > 0 {
        history(state, side.history, canvas);
        stalls(state, side.stalls, canvas);
        domains(state, side, canvas);
        details(state, side.details, canvas);
    }
}

/// Draws the title of a part and returns what is below it.
fn titled(
    (state, title): (&State, Option<Title>),
    area: Rect,
    said: Said,
    canvas: &mut Canvas<'_>,
) -> Rect {
    let first = Rect {
        height: area.height.min(1),
        ..area
    };
    match title {
        Some(title) => pane::title(state, (title, first), said, false, canvas),
        None => canvas.rule(first, (&said.words(), &said.remark()), 0, false),
    }
    Rect {
        x: area.x + 1.min(area.width),
        y: area.y + first.height,
        width: area.width.saturating_sub(2),
        height: area.height - first.height,
    }
}

/// The rows of an area.
fn rows(area: Rect) -> impl Iterator<Item = Rect> {
    (area.y..area.bottom()).map(move |y| Rect {
        y,
        height: 1,
        ..area
    })
}

pub(super) fn history(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    if area.height < 3 {
        return;
    }
    let head = (state, Some(Title::History));
    let inner = titled(head, area, state.history_said(), canvas);
    let plot = Rect {
        height: inner.height - 1,
        ..inner
    };
    graph(state, plot, canvas);
    let mut words = outlook::words(state);
    if let Some((tone, text)) = outlook::acts_first(state) {
        words.push(Tone::Normal, "  ");
        words.push(tone, text);
    }
    canvas.line(
        Rect {
            y: plot.bottom(),
            height: 1,
            ..inner
        },
        &words,
    );
}

/// One of the averages of the pressure.
type Average = fn(Pressure) -> f32;

fn stalls(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    if area.height == 0 {
        return;
    }
    let words = Line::of(Tone::Strong, "Stalled on memory (PSI)");
    let said = Said::of(words, Line::of(Tone::Dim, "0.1, 1, 10, 50%"));
    let inner = titled((state, None), area, said, canvas);
    let kinds: [(&str, Average); 2] = [
        ("some", |psi| psi.some.avg10),
        ("full", |psi| psi.full.avg10),
    ];
    for (area, (label, of)) in rows(inner).zip(kinds) {
        let Some(now) = state.snapshot.pressure.map(of) else {
            canvas.line(
                area,
                &Line::of(Tone::Dim, format!("{label} n/a (no PSI: boot with psi=1)")),
            );
            continue;
        };
        let mut line = Line::of(Tone::Dim, format!("{label} "));
        line.push(
            facts::stalled_tone(now),
            format!("{:>5} ", format::percent(now.into())),
        );
        let cells = usize::from(area.width).saturating_sub(line.width());
        let past = state.gauge.past(cells);
        line.push(Tone::Dim, "·".repeat(cells.saturating_sub(past.len())));
        for reading in past {
            match reading.pressure.map(of) {
                Some(value) => line.push(facts::stalled_tone(value), stall(value.into())),
                None => line.push(Tone::Dim, "·"),
            }
        }
        canvas.line(area, &line);
    }
}

fn domains(state: &State, side: &Side, canvas: &mut Canvas<'_>) {
    let area = side.domains;
    if area.height == 0 {
        return;
    }
    let all = &state.attention.nearest;
    let shown = all.get(..side.domain_count()).unwrap_or(all);
    let said = state.nearest_said(side.domain_count());
    let inner = titled((state, Some(Title::Domains)), area, said, canvas);
    let widths = Widths::of_cards(shown, &state.snapshot, inner.width);
    let lines = shown.iter().flat_map(|scope| {
        let card = state.domains.card(*scope, &widths, &state.snapshot);
        card.unwrap_or_default()
    });
    for (area, line) in rows(inner).zip(lines) {
        canvas.line(area, &line);
    }
}

fn details(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    if area.height == 0 {
        return;
    }
    let (title, lines) = state.selected_lines(area.width.saturating_sub(2));
    let said = Said::of(Line::of(Tone::Strong, title), Line::new());
    let inner = titled((state, Some(Title::Selected)), area, said, canvas);
    for (area, line) in rows(inner).zip(lines) {
        canvas.line(area, &line);
    }
}
