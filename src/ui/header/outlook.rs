//! Pressure and trend: is an OOM coming?

use ratatui::layout::Rect;

use super::LABEL;
use crate::app::State;
use crate::app::dialog::settings::short_rule;
use crate::app::view::gauge::PAST;
use crate::app::view::gauge::trend::{Rate, time_at};
use crate::model::killers::first_to_act;
use crate::model::memory::percent;
use crate::model::oom_domain::victim::Scope;
use crate::text::format;
use crate::text::tone::{Line, Tone};
use crate::text::wording;
use crate::ui::canvas::Canvas;
use crate::ui::gauge::sparkline;
use crate::ui::header::memory_lines::is_group;
use crate::ui::theme::Theme;

fn labelled<'a>(
    canvas: &mut Canvas<'_>,
    area: Rect,
    label: &str,
    line: impl Into<std::borrow::Cow<'a, Line>>,
) {
    let style = canvas.theme.style(Tone::Accent);
    canvas.text(area.x, area.y, LABEL.min(area.width), label, style);
    let x = area.x + LABEL.min(area.width);
    canvas.line(
        Rect {
            x,
            width: area.right().saturating_sub(x),
            ..area
        },
        &line.into(),
    );
}

impl From<Line> for std::borrow::Cow<'_, Line> {
    fn from(line: Line) -> Self {
        Self::Owned(line)
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
            let tone = |value: f32| match value {
                v if v >= 10.0 => Tone::Danger,
                v if v >= 1.0 => Tone::Watch,
                _ => Tone::Normal,
            };
            line.push(Tone::Dim, "some ");
            line.push(
                tone(psi.some.avg10),
                format::percent(f64::from(psi.some.avg10)),
            );
            line.push(Tone::Dim, "  full ");
            line.push(
                tone(psi.full.avg10),
                format::percent(f64::from(psi.full.avg10)),
            );
            line.push(Tone::Dim, " of the last 10 s");
        }
        None => line.push(
            Tone::Dim,
            "n/a (this kernel has no PSI, or it is off: boot with psi=1)",
        ),
    }
    let memory = &snapshot.memory;
    if let (Some(committed), Some(limit)) = (memory.committed, memory.commit_limit) {
        line.push(Tone::Dim, "   commit ");
        line.push(Tone::Normal, format!("{:.0}%", percent(committed, limit)));
    }
    if let Some(dirty) = memory.dirty {
        line.push(Tone::Dim, "   dirty ");
        line.push(Tone::Normal, format::size(dirty));
    }
    labelled(canvas, area, "PSI", line);
}

pub(super) fn trend(state: &State, area: Rect, canvas: &mut Canvas<'_>, has_pressure_line: bool) {
    if state.snapshot.seq == 0 {
        return;
    }
    let gauge = &state.gauge;
    let cells = usize::from(area.width / 4).min(PAST);
    let marks = &state.settings.thresholds;
    let tone = |percent| Theme::band(marks.band(percent));
    let mut line = sparkline(gauge.past(), cells, tone);
    line.push(Tone::Dim, " 0–100%  ");
    match gauge.rate() {
        Rate::Unknown => line.push(Tone::Dim, "watching …"),
        Rate::Unsteady => line.push(Tone::Dim, "no steady trend"),
        Rate::Lately(rate, over) => {
            let seconds = over.as_secs_f64().round();
            let lately = format!("{} in the last {seconds} s", format::rate(rate));
            line.push(Tone::Normal, lately);
            if let Some(left) = gauge.time_to_exhaustion() {
                line.push(
                    Tone::Critical,
                    format!(
                        "  if that goes on, exhausted in about {}",
                        format::about(left)
                    ),
                );
            }
        }
        Rate::Steady(rate) => {
            line.push(
                Tone::Normal,
                if rate == 0.0 {
                    "steady".to_owned()
                } else {
                    format::rate(rate)
                },
            );
            match gauge.time_to_exhaustion() {
                Some(left) => {
                    let tone = if left.as_secs() < 300 {
                        Tone::Critical
                    } else {
                        Tone::Watch
                    };
                    line.push(
                        tone,
                        format!(
                            "  {}exhausted in about {}",
                            binding(state),
                            format::about(left)
                        ),
                    );
                }
                None if time_at(rate, gauge.left).is_some() => {
                    line.push(Tone::Dim, "  too early to say when it is exhausted");
                }
                None if rate > 0.0 => line.push(Tone::Dim, "  more than a day left"),
                None => {}
            }
        }
    }
    if !has_pressure_line && let Some(psi) = state.snapshot.pressure {
        line.push(
            Tone::Dim,
            format!("   PSI full {}", format::percent(f64::from(psi.full.avg10))),
        );
    }
    if let Some((tone, text)) = acts_first(state) {
        line.push(Tone::Normal, "   ");
        line.push(tone, text);
    }
    labelled(canvas, area, "Trend", line);
}

/// Whose room is used up before that of the gauge, if one is: `host `.
fn binding(state: &State) -> String {
    let outer = state.gauge.binding;
    outer.map_or_else(String::new, |scope| match scope {
        Scope::Host | Scope::Nodes(_) => "the host ".to_owned(),
        Scope::Memcg(_) => format!("{} ", wording::domain(scope, &state.snapshot)),
    })
}

/// A program that acts before the kernel does: its rule, and how far the rule is from acting.
fn acts_first(state: &State) -> Option<(Tone, String)> {
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
