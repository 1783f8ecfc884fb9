//! The trend: is an OOM coming, and when?

use ratatui::layout::Rect;

use super::{LABEL, labelled};
use crate::app::State;
use crate::app::dialog::settings::short_rule;
use crate::app::view::gauge::PAST;
use crate::app::view::gauge::trend::{Rate, no_time};
use crate::model::killers::first_to_act;
use crate::model::oom_domain::victim::Scope;
use crate::text::format;
use crate::text::tone::{Line, Tone};
use crate::text::wording;
use crate::ui::canvas::Canvas;
use crate::ui::history::sparkline;

/// Cells of the words beside the sparkline, so that it keeps its width while they change.
const WORDS: usize = 28;
/// Cells of the sparkline, whatever stands beside it.
pub(super) const LEAST: usize = 12;

pub(super) fn trend(state: &State, area: Rect, canvas: &mut Canvas<'_>, has_pressure_line: bool) {
    if state.snapshot.seq == 0 {
        return;
    }
    let mut words = Line::of(Tone::Dim, " 0–100%  ");
    words.spans.extend(self::words(state).spans);
    if !has_pressure_line && let Some(psi) = state.snapshot.pressure {
        words.push(
            Tone::Dim,
            format!("   PSI full {}", format::percent(f64::from(psi.full.avg10))),
        );
    }
    if let Some((tone, text)) = acts_first(state) {
        words.push(Tone::Normal, "   ");
        words.push(tone, text);
    }
    let room = usize::from(area.width.saturating_sub(LABEL));
    let cells = room.saturating_sub(words.width().max(WORDS)).max(LEAST);
    let mut line = sparkline(state, cells.min(PAST));
    line.spans.extend(words.spans);
    labelled(canvas, area, "Trend", &line);
}

/// The rate, and the time left: those of the limit's row among the domains.
pub(in crate::ui) fn words(state: &State) -> Line {
    let mut line = rate_words(state);
    let left = time_words(state);
    if !left.spans.is_empty() {
        line.push(Tone::Normal, "  ");
        line.spans.extend(left.spans);
    }
    line
}

/// How fast memory goes.
pub(super) fn rate_words(state: &State) -> Line {
    let scope = state.gauge.scope;
    let Some(watch) = scope.and_then(|scope| state.domains.watch(scope)) else {
        return Line::of(Tone::Dim, WATCHING);
    };
    let mut line = Line::new();
    match watch.forecast.rate() {
        Rate::Unknown => line.push(Tone::Dim, WATCHING),
        Rate::Unsteady => line.push(Tone::Dim, "no steady trend"),
        Rate::Frozen => line.push(Tone::Dim, "frozen"),
        Rate::Lately(rate, over) => {
            let seconds = over.as_secs_f64().round();
            let lately = format!("{} in the last {seconds} s", format::rate(rate));
            line.push(Tone::Normal, lately);
        }
        Rate::Steady(rate) if rate.abs() < 1024.0 => line.push(Tone::Normal, "steady"),
        Rate::Steady(rate) => line.push(Tone::Normal, format::rate(rate)),
    }
    line
}

/// How long it lasts, or why nobody can tell.
pub(super) fn time_words(state: &State) -> Line {
    let mut line = Line::new();
    let scope = state.gauge.scope;
    let Some(watch) = scope.and_then(|scope| state.domains.watch(scope)) else {
        return line;
    };
    match (watch.first_full, watch.forecast.rate()) {
        (Some((scope, left)), _) => {
            let tone = if left.as_secs() < 300 {
                Tone::Critical
            } else {
                Tone::Watch
            };
            let left = format::forecast(left, watch.first_is_unsure);
            line.push(tone, format!("{}full in {left}", whose(scope, state)));
        }
        (None, Rate::Steady(rate)) => {
            if let Some(why) = no_time(rate, state.gauge.left) {
                line.push(Tone::Dim, why);
            }
        }
        (None, _) => {}
    }
    line
}

const WATCHING: &str = "watching …";

/// Whose room is used up first, if that is not the gauge's own: `the host `.
fn whose(first: Scope, state: &State) -> String {
    match first {
        first if Some(first) == state.gauge.scope => String::new(),
        Scope::Host | Scope::Nodes(_) => "the host ".to_owned(),
        Scope::Memcg(_) => format!("{} ", wording::domain(first, &state.snapshot)),
    }
}

/// A program that acts before the kernel does: its rule, and how far the rule is from acting.
pub(in crate::ui) fn acts_first(state: &State) -> Option<(Tone, String)> {
    let snapshot = &state.snapshot;
    let (killer, rule, room) = first_to_act(&snapshot.killers, &snapshot.memory)?;
    let name = killer.killer.name();
    let rule = short_rule(rule)?;
    if room == 0 {
        return Some((Tone::Critical, format!("{name} acts now ({rule})")));
    }
    let near = room < snapshot.memory.total / 20;
    let tone = if near { Tone::Danger } else { Tone::Dim };
    let text = format!(
        "{name} acts first, in about {} ({rule})",
        format::size(room)
    );
    Some((tone, text))
}
