//! The first line: which machine, how old the sample is, what time it is.

use ratatui::layout::Rect;

use crate::app::State;
use crate::model::snapshot::Snapshot;
use crate::text::format::{self, date};
use crate::text::tone::{Line, Tone};
use crate::ui::canvas::Canvas;

pub(super) fn title(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    let host = &state.host;
    let uptime = std::time::Duration::from_micros(state.now.monotonic.0);
    let mut right = Line::new();
    match (&state.failure, state.stale()) {
        (Some(reason), _) => right.push(Tone::Critical, format!("sample failed: {reason}  ")),
        (None, Some(age)) => {
            right.push(
                Tone::Watch,
                format!("sample {:.1}s old  ", age.as_secs_f64()),
            );
        }
        _ => {}
    }
    let blocked = state.snapshot.processes.iter().find_map(|process| {
        let seconds = process.command_blocks?;
        Some((process.id.pid, seconds))
    });
    if let Some((pid, seconds)) = blocked.filter(|(_, seconds)| *seconds >= 1.0) {
        right.push(
            Tone::Watch,
            format!("cmdline of {pid} blocks {seconds:.0}s  "),
        );
    }
    if state.paused {
        right.push(Tone::Watch, "PAUSED  ");
    }
    if state.settings.read_only && state.replay.is_none() {
        right.push(Tone::Watch, "read-only  ");
    }
    if host.hidepid {
        right.push(Tone::Watch, "hidepid: own only  ");
    }
    right.push(
        Tone::Dim,
        format!("{}  ", counted(&state.snapshot, area.width)),
    );
    // Of a recording the time between its samples, whatever the reader's settings are.
    let recorded = state.replay.as_ref().map(|replay| replay.timeline.usual());
    let period = recorded.unwrap_or_else(|| state.period());
    // Slower than requested: a sample takes more than a tenth of the period.
    let tone = if recorded.is_none() && period > state.settings.delay {
        Tone::Watch
    } else {
        Tone::Dim
    };
    right.push(tone, format!("{:.1}s  ", period.as_secs_f64()));
    match &state.replay {
        Some(_) => right.push(
            Tone::Strong,
            format!("{} {}", date(state.now.wall), state.now.wall),
        ),
        None => right.push(Tone::Normal, state.now.wall.to_string()),
    }
    let room = usize::from(area.width).saturating_sub(right.width() + 2);
    let mut left = match &state.replay {
        // Never to be taken for the running machine.
        Some(replay) => {
            Line::of(Tone::Critical, "REPLAY").add(Tone::Strong, format!(" {}", replay.file))
        }
        None => Line::of(Tone::Accent, "oomtop"),
    };
    let cost = match state.snapshot.own_cost {
        Some(cost) => {
            let size = format::size(cost.resident);
            format!("  self {:.1}% CPU {size}", cost.cpu_percent)
        }
        // Nothing was measured yet. Who reads the /proc of another machine never knows.
        None if host.own_pid.is_some() && state.replay.is_none() => "  self -".to_owned(),
        None => String::new(),
    };
    let backend = match state.snapshot.backend {
        "" => String::new(),
        backend => format!("  via {backend}"),
    };
    let facts = [
        (Tone::Strong, format!("  {}", host.name)),
        (Tone::Dim, format!("  Linux {}", host.release)),
        (Tone::Dim, format!("  {}", host.user)),
        (Tone::Dim, format!("  up {}", format::duration(uptime))),
        (Tone::Dim, cost),
        (Tone::Dim, format!("  {}", host.cgroups.name())),
        (Tone::Dim, backend),
    ];
    for (tone, text) in facts {
        if left.width() + text.chars().count() <= room {
            left.push(tone, text);
        }
    }
    canvas.line(area, &left);
    canvas.line_right(area, &right);
}

/// Processes, and kernel threads beside them: nobody means both by "procs".
fn counted(snapshot: &Snapshot, width: u16) -> String {
    let all = snapshot.processes.len();
    let threads = snapshot
        .processes
        .iter()
        .filter(|p| p.kernel_thread)
        .count();
    match threads {
        0 => format!("{all} procs"),
        threads if width < 80 => format!("{} procs", all - threads),
        threads => format!("{} procs, {threads} kthr", all - threads),
    }
}
