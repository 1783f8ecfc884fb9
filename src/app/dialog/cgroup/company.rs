//! Several processes that move together: who, from where, and who has started since.

use super::CgroupDialog;
use super::whom::{NAMED, group_of};
use crate::app::dialog::{DialogContext, Pinned};
use crate::app::view::processes::targets;
use crate::model::cgroup::CgroupPath;
use crate::model::process::Process;
use crate::model::snapshot::Snapshot;
use crate::text::format;
use crate::text::tone::{Line, Tone};

/// The groups of these, each with the number of processes in it, the largest number first.
pub(super) fn homes<'a>(
    processes: &[&Process],
    snapshot: &'a Snapshot,
) -> Vec<(&'a CgroupPath, usize)> {
    let mut found: Vec<(&CgroupPath, usize)> = Vec::new();
    for path in processes
        .iter()
        .filter_map(|process| group_of(process, snapshot))
    {
        match found.iter_mut().find(|(known, _)| *known == path) {
            Some((_, count)) => *count += 1,
            None => found.push((path, 1)),
        }
    }
    found.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    found
}

/// Several processes, what they use together, and where they are.
pub(super) fn now_of_many(dialog: &CgroupDialog, context: &DialogContext<'_>) -> Line {
    let living = dialog.living(context);
    if living.is_empty() {
        return Line::of(
            Tone::Critical,
            "All of them have ended: nothing will be done.",
        );
    }
    let homes = homes(&living, context.cells.snapshot);
    let named = homes
        .iter()
        .take(2)
        .map(|(path, count)| format!("{path} ({count})"));
    let mut named: Vec<_> = named.collect();
    if let Some(more @ 1..) = homes.len().checked_sub(2) {
        named.push(format!("{more} more groups"));
    }
    Line::of(
        Tone::Strong,
        format::number_of(living.len() as u64, "process", "processes"),
    )
    .add(Tone::Dim, " together use ")
    .add(Tone::Normal, format::long_size(used(&living, context)))
    .add(Tone::Dim, ", now in ")
    .add(Tone::Strong, named.join(", "))
    .add(Tone::Dim, format!("  ({})", dialog.version.name()))
}

/// What they use together.
pub(super) fn used(processes: &[&Process], context: &DialogContext<'_>) -> u64 {
    let pages: u64 = processes
        .iter()
        .map(|process| process.charged_pages())
        .sum();
    pages.saturating_mul(context.cells.rules.page_size)
}

/// Who is moved, from where, and who is not.
pub(super) fn list(
    dialog: &CgroupDialog,
    to: &CgroupPath,
    context: &DialogContext<'_>,
) -> Vec<Line> {
    let snapshot = context.cells.snapshot;
    let all = dialog.living(context);
    let moved = || {
        all.iter()
            .filter(|process| group_of(process, snapshot) != Some(to))
    };
    let count = moved().count();
    let mut lines: Vec<_> = moved()
        .take(NAMED)
        .map(|process| {
            let from = group_of(process, snapshot).map_or("n/a", CgroupPath::as_str);
            Line::of(Tone::Strong, format!("   {}", Pinned::of(process)))
                .add(
                    Tone::Dim,
                    format!("  {}  ", format::size(used(&[process], context))),
                )
                .add(Tone::Normal, from)
                .add(Tone::Accent, " → ")
                .add(Tone::Strong, to.as_str())
        })
        .collect();
    if let Some(more @ 1..) = count.checked_sub(NAMED) {
        lines.push(Line::of(Tone::Dim, format!("   … and {more} more")));
    }
    let ended = dialog.whom.chosen().len() - all.len();
    if ended > 0 {
        let text = format!("{ended} of them ended and will be left out");
        lines.push(Line::of(Tone::Watch, text));
    }
    if count < all.len() {
        let text = format!("{} of them are there already", all.len() - count);
        lines.push(Line::of(Tone::Dim, text));
    }
    lines
}

/// Who belongs to the chosen set by now and is not moved, because nobody has seen them in the list.
pub(super) fn newcomers(dialog: &CgroupDialog, context: &DialogContext<'_>) -> Option<Line> {
    let snapshot = context.cells.snapshot;
    let main = snapshot.process(dialog.target.as_ref()?.id)?;
    // After the move the others have left its group.
    if !dialog.is_for_many() || (dialog.done && dialog.whom.name() == targets::SAME_CGROUP) {
        return None;
    }
    let mut new = dialog.whom.newcomers(main, snapshot, context.host);
    if new.is_empty() {
        return None;
    }
    let to = dialog.subject(snapshot);
    new.retain(|process| {
        group_of(process, snapshot).is_some_and(|group| Some(group) != to.as_ref())
    });
    let (first, others) = new.split_first()?;
    let who = Pinned::of(first);
    let text = match others.len() {
        0 => format!(
            "Started since this list was made: {who}. It stays where it is; open the dialog again to move it, too."
        ),
        more => format!(
            "Started since this list was made: {who} and {more} more. They stay where they are; open the dialog again to move \
             them, too."
        ),
    };
    Some(Line::of(Tone::Watch, text))
}
