//! How a process ended that the pane still shows: the cause, what proves it, what would have told.

use crate::app::dialog::DialogContext;
use crate::model::process::ProcessId;
use crate::text::death::{sentence, source, would_tell};
use crate::text::tone::{Line, Tone};

/// Most lines of evidence, the newest.
const LINES: usize = 16;

/// What oomtop saw of the end.
pub(super) fn lines(id: ProcessId, context: &DialogContext<'_>) -> Vec<Line> {
    let mut lines = vec![Line::of(Tone::Critical, "This process has ended.")];
    let Some(death) = context.aftermath.death(id) else {
        return lines;
    };
    lines.push(Line::of(Tone::Strong, sentence(&death)));
    let wall = |at| crate::model::time::Wall {
        unix_micros: at,
        ..context.aftermath.now.wall
    };
    for clause in would_tell(&death) {
        lines.push(Line::of(Tone::Dim, "What would tell: ").add(Tone::Normal, clause));
    }
    if let Some(group) = &death.cgroup {
        lines.push(super::pair("cgroup", group.as_str()));
    }
    lines.push(Line::of(Tone::Accent, "Evidence"));
    let skipped = death.evidence.len().saturating_sub(LINES);
    for fact in death.evidence.iter().skip(skipped) {
        lines.push(
            Line::of(
                Tone::Dim,
                format!("  {}  {:<16} ", wall(fact.at), source(fact)),
            )
            .add(Tone::Normal, fact.text.as_str()),
        );
    }
    lines
}
