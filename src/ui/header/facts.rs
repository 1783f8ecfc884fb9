//! Memory pressure, and what memory is made of.

use ratatui::layout::Rect;

use super::memory_lines::is_group;
use super::{behind, labelled};
use crate::app::State;
use crate::app::view::gauge::Reading;
use crate::model::memory::percent;
use crate::model::oom_domain::victim::Scope;
use crate::text::format;
use crate::text::meter::stall;
use crate::text::tone::{Line, Tone};
use crate::text::wording::short_group;
use crate::ui::canvas::Canvas;

/// Most cells of the history of the pressure.
const HISTORY: usize = 60;
/// Cells of it before other facts have their room.
const LEAST_HISTORY: usize = 10;

/// The tone of a share of stalled time in percent.
pub(in crate::ui) fn stalled_tone(value: f32) -> Tone {
    match value {
        v if v >= 10.0 => Tone::Danger,
        v if v >= 1.0 => Tone::Watch,
        _ => Tone::Normal,
    }
}

pub(super) fn pressure(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    let snapshot = &state.snapshot;
    if snapshot.seq == 0 {
        return;
    }
    let mut line = Line::new();
    if is_group(state) {
        line.push(Tone::Watch, "host: ");
    }
    match snapshot.pressure {
        Some(psi) => {
            let (some, full) = (psi.some.avg10, psi.full.avg10);
            line.push(Tone::Dim, "some ");
            line.push(
                stalled_tone(some),
                format!("{:>4}", format::percent(some.into())),
            );
            line.push(Tone::Dim, " full ");
            line.push(
                stalled_tone(full),
                format!("{:>4}", format::percent(full.into())),
            );
            line.push(Tone::Normal, " ");
        }
        None => line.push(Tone::Dim, "n/a (no PSI: boot with psi=1)"),
    }
    let own = own_limit(state);
    let mut room = usize::from(area.width)
        .saturating_sub(usize::from(super::LABEL) + line.width() + own.width() + 1);
    let has_history = snapshot.pressure.is_some() && room >= LEAST_HISTORY;
    if has_history {
        room -= LEAST_HISTORY;
    }
    let mut facts = Line::new();
    for (tone, label, value) in parts(state) {
        if facts.width() + label.len() + value.len() + 3 <= room {
            facts.push(Tone::Dim, format!("  {label} "));
            facts.push(tone, value);
        }
    }
    if has_history {
        let more = (room - facts.width()).min(HISTORY - LEAST_HISTORY);
        line.spans
            .extend(history(state, LEAST_HISTORY + more).spans);
    }
    line.spans.extend(facts.spans);
    let used = labelled(canvas, area, "PSI", &line);
    canvas.line_right(behind(area, used), &own);
}

/// The newest shares of time in which all tasks waited, each in a cell.
fn history(state: &State, cells: usize) -> Line {
    let mut line = Line::new();
    let past = state.gauge.past(cells);
    line.push(Tone::Dim, "·".repeat(cells.saturating_sub(past.len())));
    for reading in past {
        line.spans.extend(step(reading).spans);
    }
    line
}

fn step(reading: &Reading) -> Line {
    match reading.pressure {
        Some(psi) => Line::of(stalled_tone(psi.full.avg10), stall(psi.full.avg10.into())),
        None => Line::of(Tone::Dim, "·"),
    }
}

/// The group whose limit the gauge shows, and the page cache that it gives back first.
fn own_limit(state: &State) -> Line {
    let Some(Scope::Memcg(key)) = state.gauge.scope else {
        return Line::new();
    };
    let path = state.snapshot.cgroup(key).map_or("", |g| g.path.as_str());
    let name = if path.len() > 32 {
        short_group(path)
    } else {
        path.to_owned()
    };
    let cache = state.gauge.room.map_or(0, |room| room.droppable);
    Line::of(Tone::Watch, format!("  limit of {name}"))
        .add(Tone::Dim, "  cache ")
        .add(Tone::Normal, format::size(cache))
}

/// What memory is made of, the most important first: a narrow screen shows the first of them.
fn parts(state: &State) -> Vec<(Tone, &'static str, String)> {
    let memory = &state.snapshot.memory;
    let optional = |value: Option<u64>| value.map_or_else(|| "n/a".to_owned(), format::size);
    let mut parts = vec![(Tone::Normal, "avail", optional(memory.available))];
    if set_aside(memory.huge_pages, memory.total) {
        let (all, unused) = (
            format::size(memory.huge_pages),
            format::size(memory.huge_free),
        );
        parts.push((
            Tone::Watch,
            "huge pages",
            format!("{all} ({unused} unused)"),
        ));
    }
    parts.push((Tone::Normal, "cache", format::size(memory.cache)));
    if let (Some(committed), Some(limit)) = (memory.committed, memory.commit_limit) {
        let share = format!("{:.0}%", percent(committed, limit));
        parts.push((Tone::Normal, "commit", share));
    }
    parts.push((Tone::Normal, "free", format::size(memory.free)));
    for (label, value) in [
        ("dirty", memory.dirty),
        ("shmem", memory.shmem),
        ("slab", memory.slab),
    ] {
        parts.push((Tone::Normal, label, optional(value)));
    }
    parts
}

/// From a hundredth of RAM on, memory set aside as huge pages is worth a word: it counts as used, in use or not, and nobody
/// else can have it.
fn set_aside(huge_pages: u64, total: u64) -> bool {
    huge_pages > 0 && huge_pages >= total / 100
}
