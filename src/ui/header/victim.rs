//! Who dies first, and who just died.

use ratatui::layout::Rect;

use crate::app::State;
use crate::app::columns::{score, short_group};
use crate::app::format;
use crate::app::text::{Line, Tone};
use crate::domain::memory::percent;
use crate::domain::process::{Process, ProcessId};
use crate::domain::victim::{Scope, Verdict};
use crate::domain::vm_settings::OomAction;
use crate::ui::canvas::Canvas;

pub(super) fn victim(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
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
    let settings = &state.snapshot.vm_settings;
    let action = domain.map_or(OomAction::KillWorst, |d| settings.action(d.scope));
    match domain.and_then(|d| d.verdict.map(|v| (d, v))) {
        _ if action == OomAction::Panic => {
            let value = settings.panic_on_oom.unwrap_or(0);
            line.push(Tone::Danger, "nobody: the kernel panics");
            line.push(Tone::Dim, format!("  (panic_on_oom {value})"));
        }
        _ if action == OomAction::KillAsker => {
            line.push(Tone::Critical, "whoever asks for memory");
            line.push(Tone::Dim, "  (oom_kill_allocating_task)");
        }
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
        line.push(Tone::Dim, format!("  {}", short_group(group.path.as_str())));
    }
}

fn find(state: &State, id: ProcessId) -> Option<&Process> {
    state.snapshot.process(id)
}
