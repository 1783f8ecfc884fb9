//! The gauge: how full memory is, where its bands begin, and swap beside it.

use ratatui::layout::Rect;

use super::{LABEL, behind};
use crate::app::State;
use crate::model::memory::percent;
use crate::model::oom_domain::victim::Scope;
use crate::text::format;
use crate::text::meter;
use crate::text::tone::{Line, Tone};
use crate::ui::canvas::Canvas;
use crate::ui::gauge::bar;
use crate::ui::theme::Theme;

/// Cells that the bar keeps, whatever stands behind it.
const LEAST_BAR: usize = 8;
/// From this width on swap has a bar.
const WIDE: u16 = 110;
/// Cells of that bar.
const SWAP_BAR: u16 = 8;

pub(super) fn memory(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    if state.snapshot.seq == 0 {
        canvas.line(area, &Line::of(Tone::Dim, "Mem   reading …"));
        return;
    }
    let style = canvas.theme.style(Tone::Accent);
    canvas.text(area.x, area.y, LABEL.min(area.width), "Mem", style);
    let rest = behind(area, LABEL);
    let age = crate::app::view::titles::age(state);
    // What does not fit beside the bar goes, swap first.
    let numbers = [(true, true), (true, false), (false, false)].map(|(long, with_swap)| {
        let mut line = used(state, long);
        line.spans.extend(age.spans.iter().cloned());
        if with_swap {
            line.spans.extend(swap(state, area.width >= WIDE).spans);
        }
        line
    });
    let fits = |line: &&Line| line.width() + LEAST_BAR < usize::from(rest.width);
    let [_, _, least] = &numbers;
    let numbers = numbers.iter().find(fits).unwrap_or(least);
    let taken = u16::try_from(numbers.width() + 1).unwrap_or(u16::MAX);
    let width = rest.width.saturating_sub(taken);
    let tone = Theme::band(state.gauge.band);
    let marks = state.settings.thresholds.marks();
    bar(
        canvas,
        Rect { width, ..rest },
        state.gauge.percent(),
        tone,
        &marks,
    );
    canvas.line(behind(rest, width + 1), numbers);
}

/// How much is used: share, band, and of how much.
fn used(state: &State, long: bool) -> Line {
    let gauge = &state.gauge;
    let tone = Theme::band(gauge.band);
    let line = Line::of(tone, format!("{:>5}", format::percent(gauge.percent())))
        .add(tone, format!(" {:<8}", gauge.band.name()));
    let numbers = if long {
        let (part, whole) = format::beside(gauge.used, gauge.limit);
        format!(" {part:>4} of {whole}")
    } else {
        let (used, limit) = (format::size(gauge.used), format::size(gauge.limit));
        format!(" {used}/{limit}")
    };
    line.add(Tone::Normal, numbers)
}

/// The gauge shows the limit of a group: what is the host's is marked.
pub(super) fn is_group(state: &State) -> bool {
    matches!(state.gauge.scope, Some(Scope::Memcg(_)))
}

/// Swap in a few words. Without it, somebody dies when memory is full.
fn swap(state: &State, wide: bool) -> Line {
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
    let line = Line::of(Tone::Accent, "  swap ");
    if total == 0 {
        return line.add(Tone::Dim, "none");
    }
    let share = percent(used, total);
    let tone = if share >= 80.0 {
        Tone::Danger
    } else {
        Tone::Normal
    };
    if !wide {
        let text = format!("{} of {}", format::percent(share), format::size(total));
        return line.add(tone, text);
    }
    let text = format!(" {}{whose}", format::part_of(used, total));
    line.add(Tone::Dim, "[")
        .add(tone, meter::bar(share, SWAP_BAR))
        .add(Tone::Dim, "]")
        .add(tone, format!(" {}", format::percent(share)))
        .add(Tone::Normal, text)
}
