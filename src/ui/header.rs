//! The header: is an OOM coming, and who dies first.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::gauge::{bar, mark_cell, sparkline};
use super::theme::Theme;
use crate::app::State;
use crate::app::columns::score;
use crate::app::format;
use crate::app::layout::{HeaderLine, Panes};
use crate::app::text::{Line, Tone};
use crate::app::trend::Rate;
use crate::domain::memory::percent;
use crate::domain::process::{Process, ProcessId};
use crate::domain::victim::{Scope, Verdict};

/// Cells of the label in front of each line.
const LABEL: u16 = 6;

/// Draws the lines the layout has room for.
pub fn draw(state: &State, panes: &Panes, canvas: &mut Canvas<'_>) {
    let has = |wanted| panes.header.iter().any(|(line, _)| *line == wanted);
    for (line, area) in &panes.header {
        if area.height == 0 {
            continue;
        }
        match line {
            HeaderLine::Title => title(state, *area, canvas),
            HeaderLine::Memory => memory(state, *area, canvas),
            HeaderLine::Breakdown => breakdown(state, *area, canvas),
            HeaderLine::Swap => swap(state, *area, canvas),
            HeaderLine::Pressure => pressure(state, *area, canvas),
            HeaderLine::Trend => trend(state, *area, canvas, has(HeaderLine::Pressure)),
            HeaderLine::Victim => victim(state, *area, canvas),
        }
    }
}

fn title(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    let host = &state.host;
    let uptime = std::time::Duration::from_micros(state.now.monotonic.0);
    let mut right = Line::new();
    match (&state.failure, state.sample_age()) {
        (Some(reason), _) => right.push(Tone::Critical, format!("sample failed: {reason}  ")),
        (None, Some(age)) if age > state.settings.delay * 2 && !state.paused => {
            right.push(
                Tone::Watch,
                format!("sample {:.1}s old  ", age.as_secs_f64()),
            );
        }
        _ => {}
    }
    if state.paused {
        right.push(Tone::Watch, "PAUSED  ");
    }
    if state.settings.read_only {
        right.push(Tone::Watch, "read-only  ");
    }
    if host.hidepid {
        right.push(Tone::Watch, "hidepid: own only  ");
    }
    right.push(
        Tone::Dim,
        format!("{} procs  ", state.snapshot.processes.len()),
    );
    right.push(
        Tone::Dim,
        format!("{:.1}s  ", state.settings.delay.as_secs_f64()),
    );
    right.push(Tone::Normal, state.now.wall.to_string());
    let room = usize::from(area.width).saturating_sub(right.width() + 2);
    let mut left = Line::of(Tone::Accent, "oomtop");
    let facts = [
        (Tone::Strong, format!("  {}", host.name)),
        (Tone::Dim, format!("  Linux {}", host.release)),
        (Tone::Dim, format!("  {}", host.user)),
        (Tone::Dim, format!("  up {}", format::duration(uptime))),
        (Tone::Dim, format!("  {}", host.cgroups.name())),
    ];
    for (tone, text) in facts {
        if left.width() + text.chars().count() <= room {
            left.push(tone, text);
        }
    }
    canvas.line(area, &left);
    canvas.line_right(area, &right);
}

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

fn memory(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
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

/// Parts of memory, and the marks' figures under the bar's marks.
fn breakdown(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    if state.snapshot.seq == 0 {
        return;
    }
    let memory = &state.snapshot.memory;
    let bar_area = bar_area(area);
    let inner = bar_area.width.saturating_sub(2);
    let dim = canvas.theme.style(Tone::Dim);
    // Right to left, so that where marks are close the higher one keeps its figure.
    let mut free_to = bar_area.right();
    for mark in state.settings.thresholds.marks().iter().rev() {
        let text = format!("{mark:.0}%");
        let width = u16::try_from(text.len()).unwrap_or(4);
        let x = bar_area.x + 1 + mark_cell(*mark, inner);
        let x = x.saturating_sub(width / 2);
        if bar_area.width > 20 && x + width <= free_to {
            canvas.text(x, area.y, width, &text, dim);
            free_to = x.saturating_sub(1);
        }
    }
    let optional = |value: Option<u64>| value.map_or_else(|| "n/a".to_owned(), format::size);
    let mut parts = Line::new();
    if let Some(Scope::Memcg(key)) = state.gauge.scope {
        let path = state.snapshot.cgroup(key).map_or("", |g| g.path.as_str());
        parts.push(Tone::Watch, format!("limit of {path}  "));
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
    // On a narrow screen the parts may start further left, over the unused space before the marks.
    let needed = u16::try_from(parts.width()).unwrap_or(u16::MAX);
    let right_of_bar = area.right().saturating_sub(bar_area.right() + 2);
    if needed <= right_of_bar {
        let x = bar_area.right() + 2;
        canvas.line(
            Rect {
                x,
                width: area.right() - x,
                ..area
            },
            &parts,
        );
    } else {
        canvas.clear(area);
        let x = area.x + LABEL.min(area.width);
        canvas.line(
            Rect {
                x,
                width: area.right().saturating_sub(x),
                ..area
            },
            &parts,
        );
    }
}

fn swap(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    if state.snapshot.seq == 0 {
        return;
    }
    let memory = &state.snapshot.memory;
    if memory.swap_total == 0 {
        let style = canvas.theme.style(Tone::Accent);
        canvas.text(area.x, area.y, LABEL.min(area.width), "Swap", style);
        let rest = Rect {
            x: area.x + LABEL.min(area.width),
            width: area.width.saturating_sub(LABEL),
            ..area
        };
        canvas.line(
            rest,
            &Line::of(Tone::Dim, "none: when memory is gone, somebody dies"),
        );
        return;
    }
    let share = percent(memory.swap_used(), memory.swap_total);
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
                "{} of {}",
                format::size(memory.swap_used()),
                format::long_size(memory.swap_total)
            ),
        );
    gauge_line(canvas, area, "Swap", share, tone, &[], &numbers);
}

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

fn pressure(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    let snapshot = &state.snapshot;
    if snapshot.seq == 0 {
        return;
    }
    let mut line = Line::new();
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

fn trend(state: &State, area: Rect, canvas: &mut Canvas<'_>, has_pressure_line: bool) {
    if state.snapshot.seq == 0 {
        return;
    }
    let gauge = &state.gauge;
    let cells = usize::from(area.width / 4).min(60);
    let mut line = Line::of(
        Theme::band(gauge.band),
        sparkline(gauge.trend.values(), cells),
    );
    line.push(Tone::Normal, " ");
    match gauge.rate() {
        Rate::Unknown => line.push(Tone::Dim, "watching …"),
        Rate::Unsteady => line.push(Tone::Dim, "no steady trend"),
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
                        format!("  exhausted in about {}", format::duration(left)),
                    );
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
    labelled(canvas, area, "Trend", line);
}

fn victim(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    if state.snapshot.seq == 0 {
        return;
    }
    let scope = state.snapshot.own_limit.unwrap_or(Scope::Host);
    let domain = state
        .snapshot
        .domain(scope)
        .or_else(|| state.snapshot.main_domain());
    let mut right = Line::new();
    let kills = state.events.kills();
    if kills > 0 {
        right.push(Tone::Dim, "kills ");
        right.push(Tone::Critical, kills.to_string());
        if let Some((kill, at)) = state.events.last_kill().and_then(|k| Some((k, k.at?))) {
            let ago = state.now.monotonic.since(at);
            right.push(
                Tone::Dim,
                format!(", last {} {} ago", kill.comm, format::duration(ago)),
            );
        }
    }
    let mut line = Line::of(Tone::Accent, "Next victim ");
    match domain.and_then(|d| d.verdict.map(|v| (d, v))) {
        Some((domain, verdict)) => describe(state, domain.total_pages, verdict, &mut line),
        None => line.push(
            Tone::Watch,
            "nobody: there is no process the kernel may kill",
        ),
    }
    if line.width() + right.width() + 2 <= usize::from(area.width) {
        canvas.line_right(area, &right);
    }
    canvas.line(area, &line);
}

fn describe(state: &State, total: u64, verdict: Verdict, line: &mut Line) {
    let Some(process) = state.snapshot.process(verdict.victim.id) else {
        return;
    };
    line.push(
        Tone::Critical,
        format!("{} {}", process.id.pid, process.comm),
    );
    if verdict.close
        && let Some(other) = verdict.runner_up.and_then(|c| find(state, c.id))
    {
        line.push(Tone::Dim, " or ");
        line.push(Tone::Critical, format!("{} {}", other.id.pid, other.comm));
    }
    if let Some(score) = score(process, &state.cells()) {
        line.push(Tone::Dim, "  score ");
        line.push(Tone::Normal, score.to_string());
    }
    let of = match state.snapshot.own_limit {
        Some(_) => "of the limit",
        None => "of RAM+swap",
    };
    line.push(
        Tone::Normal,
        format!("  {:.1}%", percent(process.charged_pages(), total)),
    );
    line.push(Tone::Dim, format!(" {of}"));
    let adj = process
        .adj
        .map_or_else(|| "n/a".to_owned(), |a| a.to_string());
    line.push(Tone::Dim, "  adj ");
    line.push(Tone::Normal, adj);
    if let Some(group) = process.cgroup.and_then(|key| state.snapshot.cgroup(key)) {
        line.push(
            Tone::Dim,
            format!(
                "  {}",
                crate::app::columns::short_group(group.path.as_str())
            ),
        );
    }
}

fn find(state: &State, id: ProcessId) -> Option<&Process> {
    state.snapshot.process(id)
}
