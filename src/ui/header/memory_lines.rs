//! The gauge lines: memory, what it is made of, swap.

use ratatui::layout::Rect;

use super::LABEL;
use crate::app::State;
use crate::model::memory::percent;
use crate::model::oom_domain::victim::Scope;
use crate::text::format;
use crate::text::tone::{Line, Tone};
use crate::ui::canvas::Canvas;
use crate::ui::gauge::{bar, mark_cell};
use crate::ui::theme::Theme;

/// A bar between its label and its numbers.
fn gauge_line(
    canvas: &mut Canvas<'_>,
    area: Rect,
    label: &str,
    share: f64,
    tone: Tone,
    marks: &[f64],
    numbers: &Line,
) {
    let style = canvas.theme.style(Tone::Accent);
    canvas.text(area.x, area.y, LABEL.min(area.width), label, style);
    let bar_area = bar_area(area);
    bar(canvas, bar_area, share, tone, marks);
    let x = bar_area.right() + 1;
    canvas.line(
        Rect {
            x,
            width: area.right().saturating_sub(x),
            ..area
        },
        numbers,
    );
}

/// Where the bar of a gauge line is; the numbers get up to 46 cells.
fn bar_area(area: Rect) -> Rect {
    let numbers = (area.width / 2).clamp(24.min(area.width), 46);
    let width = area.width.saturating_sub(LABEL + numbers);
    Rect {
        x: area.x + LABEL.min(area.width),
        width,
        ..area
    }
}

pub(super) fn memory(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    let gauge = &state.gauge;
    let percent = gauge.percent();
    let tone = Theme::band(gauge.band);
    if state.snapshot.seq == 0 {
        canvas.line(area, &Line::of(Tone::Dim, "Mem   reading …"));
        return;
    }
    let numbers = Line::of(tone, format!("{:>6}", format::percent(percent)))
        .add(tone, format!(" {:<9}", gauge.band.name()))
        .add(
            Tone::Normal,
            format!(
                "{} of {}",
                format::size(gauge.used),
                format::long_size(gauge.limit)
            ),
        );
    let mut numbers = numbers;
    numbers.spans.extend(crate::ui::pane::age(state).spans);
    gauge_line(
        canvas,
        area,
        "Mem",
        percent,
        tone,
        &state.settings.thresholds.marks(),
        &numbers,
    );
}

/// Parts of memory, with the thresholds in numbers under the marks of the bar.
pub(super) fn breakdown(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    if state.snapshot.seq == 0 {
        return;
    }
    let memory = &state.snapshot.memory;
    let optional = |value: Option<u64>| value.map_or_else(|| "n/a".to_owned(), format::size);
    let mut parts = Line::new();
    if let Some(Scope::Memcg(key)) = state.gauge.scope {
        let path = state.snapshot.cgroup(key).map_or("", |g| g.path.as_str());
        parts.push(Tone::Watch, format!("limit of {path}  "));
        let cache = state.gauge.room.map_or(0, |room| room.droppable);
        parts.push(Tone::Dim, "cache ");
        parts.push(Tone::Normal, format!("{} ", format::size(cache)));
        parts.push(Tone::Watch, "  host: ");
    }
    if set_aside(memory.huge_pages, memory.total) {
        parts.push(Tone::Dim, "huge pages ");
        let unused = format::size(memory.huge_free);
        parts.push(
            Tone::Watch,
            format!("{} ({unused} unused) ", format::size(memory.huge_pages)),
        );
    }
    for (label, value) in [
        ("avail", optional(memory.available)),
        ("free", format::size(memory.free)),
        ("cache", format::size(memory.cache)),
        ("shmem", optional(memory.shmem)),
        ("slab", optional(memory.slab)),
    ] {
        parts.push(Tone::Dim, format!("{label} "));
        parts.push(Tone::Normal, format!("{value} "));
    }
    let x = area.x + LABEL.min(area.width);
    let width = area.right().saturating_sub(x);
    let used = canvas.line(Rect { x, width, ..area }, &parts);
    mark_figures(state, area, x + used, canvas);
}

/// Draws the thresholds in numbers under the marks of the bar, if all fit to the right of `from`.
fn mark_figures(state: &State, area: Rect, from: u16, canvas: &mut Canvas<'_>) {
    let bar_area = bar_area(area);
    let inner = bar_area.width.saturating_sub(2);
    let place = |mark: &f64| {
        let text = format!("{mark:.0}%");
        let width = u16::try_from(text.len()).unwrap_or(4);
        let x = (bar_area.x + 1 + mark_cell(*mark, inner)).saturating_sub(width / 2);
        (x, width, text)
    };
    let figures: Vec<_> = state
        .settings
        .thresholds
        .marks()
        .iter()
        .map(place)
        .collect();
    let apart = figures
        .windows(2)
        .all(|pair| matches!(pair, [a, b] if a.0 + a.1 < b.0));
    if !apart || figures.first().is_none_or(|first| first.0 <= from) {
        return;
    }
    let dim = canvas.theme.style(Tone::Dim);
    for (x, width, text) in figures {
        canvas.text(x, area.y, width, &text, dim);
    }
}

/// The gauge shows the limit of a group: what is the host's is marked.
pub(super) fn is_group(state: &State) -> bool {
    matches!(state.gauge.scope, Some(Scope::Memcg(_)))
}

pub(super) fn swap(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    if state.snapshot.seq == 0 {
        return;
    }
    let memory = &state.snapshot.memory;
    let room = state.gauge.room.filter(|_| is_group(state));
    let (used, total, whose) = match room {
        // Without swap accounting a group's own share is not known: the host's is shown.
        Some(room) if room.swap_used.is_some() => {
            let used = room.swap_used.unwrap_or(0);
            (used, used.saturating_add(room.swap_left), " of the limit")
        }
        Some(_) => (memory.swap_used(), memory.swap_total, " of the host"),
        None => (memory.swap_used(), memory.swap_total, ""),
    };
    if total == 0 {
        let style = canvas.theme.style(Tone::Accent);
        canvas.text(area.x, area.y, LABEL.min(area.width), "Swap", style);
        let rest = Rect {
            x: area.x + LABEL.min(area.width),
            width: area.width.saturating_sub(LABEL),
            ..area
        };
        canvas.line(
            rest,
            &Line::of(
                Tone::Dim,
                match room {
                    Some(_) => "none for this limit: when it is full, somebody dies",
                    None => "none: when memory is gone, somebody dies",
                },
            ),
        );
        return;
    }
    let share = percent(used, total);
    let tone = if share >= 80.0 {
        Tone::Danger
    } else {
        Tone::Normal
    };
    let numbers = Line::of(tone, format!("{:>6}", format::percent(share)))
        .add(Tone::Normal, format!(" {:<9}", ""))
        .add(
            Tone::Normal,
            format!(
                "{} of {}{whose}",
                format::size(used),
                format::long_size(total)
            ),
        );
    gauge_line(canvas, area, "Swap", share, tone, &[], &numbers);
}

/// From a hundredth of RAM on, memory set aside as huge pages is worth a word: it counts as used, in use or not, and nobody
/// else can have it.
fn set_aside(huge_pages: u64, total: u64) -> bool {
    huge_pages > 0 && huge_pages >= total / 100
}
