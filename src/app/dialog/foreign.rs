//! What to say before a write to a process of another user.

use super::DialogContext;
use crate::model::process::Process;
use crate::text::tone::{Line, Tone};

/// A line if one of these is another user's and oomtop does not run as root; the result of the write names the command.
pub(super) fn line<'a>(
    mut processes: impl Iterator<Item = &'a Process>,
    context: &DialogContext<'_>,
) -> Option<Line> {
    let host = context.host;
    let is_foreign = host.uid != 0 && processes.any(|process| process.uid != host.uid);
    let text = || {
        format!(
            "The process belongs to another user than {}: this will be refused. As root: sudo oomtop",
            host.user
        )
    };
    is_foreign.then(|| Line::of(Tone::Watch, text()))
}
