//! What to say before a write to oomtop itself, to what its terminal hangs from, or to a group that holds them: who ends these
//! cannot take anything back.

use super::DialogContext;
use crate::model::cgroup::CgroupPath;
use crate::model::incident::spared::{Spared, first_within, spared};
use crate::model::process::Process;
use crate::text::wording;

/// The first of these processes that is oomtop or that it hangs from, and why, as a sentence without its end:
/// `31 bash is what oomtop and its terminal hang from`.
pub(super) fn among<'a>(
    processes: impl IntoIterator<Item = &'a Process>,
    context: &DialogContext<'_>,
) -> Option<String> {
    let all = spared(context.cells.snapshot, context.host.own_pid);
    let mut processes = processes.into_iter();
    let found = processes.find_map(|process| all.iter().find(|one| one.id == process.id));
    found.map(|one| sentence(*one, context))
}

/// The first one in a group or below it: `it holds 31 bash, which is what oomtop and its terminal hang from`.
pub(super) fn within(group: &CgroupPath, context: &DialogContext<'_>) -> Option<String> {
    let snapshot = context.cells.snapshot;
    let found = first_within(group, snapshot, context.host.own_pid)?;
    Some(format!("it holds {}", named(found, context)))
}

/// `31 bash, which is what oomtop and its terminal hang from`.
pub(super) fn named(one: Spared, context: &DialogContext<'_>) -> String {
    let who = wording::process(one.id, context.cells.snapshot);
    format!("{who}, which {}", one.why.words())
}

fn sentence(one: Spared, context: &DialogContext<'_>) -> String {
    let who = wording::process(one.id, context.cells.snapshot);
    format!("{who} {}", one.why.words())
}
