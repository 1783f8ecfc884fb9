//! A drop-in before it is written: its path, the lines that change, and when it counts.

use super::{DialogContext, by};
use crate::model::systemd::UnitName;
use crate::model::systemd::drop_in::{DropInWrite, Mark};
use crate::text::tone::{Line, Tone};

/// Most lines of the change that are shown.
const LINES: usize = 8;

/// The change of a drop-in, line by line.
pub(super) fn lines(write: &DropInWrite) -> Vec<Line> {
    let mut lines = vec![Line::of(Tone::Strong, format!("write {}", write.path()))];
    let diff = write.diff();
    let changed = diff.iter().filter(|(mark, _)| *mark != Mark::Same);
    for (mark, text) in changed.take(LINES) {
        lines.push(match mark {
            Mark::In => Line::of(Tone::Good, format!("  + {text}")),
            _ => Line::of(Tone::Danger, format!("  - {text}")),
        });
    }
    if write.was == write.text {
        lines.push(Line::of(Tone::Dim, "  it says so already"));
    }
    let counts = if write.setting.counts_at_once() {
        "it counts at once".to_owned()
    } else {
        format!("it counts from the next start of {}", write.unit)
    };
    lines.push(Line::of(
        Tone::Dim,
        format!(
            "  then daemon-reload: systemd loads all unit files again, and may write its limits over those set past it; \
             {counts}"
        ),
    ));
    lines
}

/// A service for which the user of oomtop may have a drop-in.
pub(super) fn is_own(unit: &UnitName, context: &DialogContext<'_>) -> bool {
    context.host.systemd && by::is_asked(unit, context) && unit.is_service()
}
