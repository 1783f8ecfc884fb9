//! What a remedy does and does not do, below its plan.

use super::IncidentDialog;
use super::offer::{domain, exposed, freezer_of, group_at, members};
use super::plan::{limits as limits_of, raised_to};
use super::remedy::Remedy;
use crate::app::dialog::cgroup::outlook::first_to_strike;
use crate::app::dialog::managed::ManagedUnit;
use crate::app::dialog::{DialogContext, by, foreign};
use crate::app::input::scope::KeyScope;
use crate::model::incident::plans::raised;
use crate::model::oom_domain::whatif::{Plan, Present, nearest, prospects};
use crate::model::process::Process;
use crate::text::format::long_size;
use crate::text::tone::{Line, Tone};
use crate::text::wording;

/// Most processes that are named before all of them are killed.
const NAMED: usize = 8;

/// What the remedy does and does not do.
pub(super) fn notes(
    dialog: &IncidentDialog,
    remedy: Remedy,
    context: &DialogContext<'_>,
) -> Vec<Line> {
    let snapshot = context.cells.snapshot;
    let dim = |text: &str| Line::of(Tone::Dim, text);
    let unit = dialog
        .group
        .as_ref()
        .and_then(|path| ManagedUnit::of(path, context));
    match remedy {
        Remedy::Freeze => {
            let mut lines = vec![dim(
                "Frees nothing: it wins time. What waits for it (clients, health checks, watchdogs) may give up. A task \
                 that is in the kernel stops when it comes out. Undo thaws it.",
            )];
            if freezer_of(dialog).is_none() {
                lines.push(dim(
                    "No freezer of cgroup v1 has exactly these processes: each is stopped by a signal, and what starts \
                     meanwhile runs.",
                ));
            }
            lines.extend(unit.map(|unit| unit.freeze_line()));
            lines
        }
        Remedy::Thaw | Remedy::Continue => Vec::new(),
        Remedy::Raise => raise_notes(dialog, unit.as_ref(), context),
        Remedy::Reclaim => {
            let group = dialog
                .group
                .as_ref()
                .and_then(|path| group_at(path, snapshot));
            let droppable = group
                .and_then(|group| group.stat)
                .map(|stat| stat.droppable());
            let cache = match droppable {
                Some(bytes) => format!(
                    "{} of it is page cache that can be dropped",
                    long_size(bytes)
                ),
                None => "how much of it is page cache is not known".to_owned(),
            };
            let swap = snapshot.memory.swap_free;
            let swap = if swap == 0 {
                "no swap is free".to_owned()
            } else {
                format!("{} of swap are free", long_size(swap))
            };
            vec![dim(&format!(
                "{cache}; {swap}. It comes back as soon as it is used. Takes at most a few seconds; nothing takes it back."
            ))]
        }
        Remedy::Expose => expose_notes(dialog, context),
        Remedy::Stop => vec![dim(
            "Frees nothing: it wins time. Its parent (a shell, a supervisor) sees that it stopped. Undo lets it continue.",
        )],
        Remedy::Reap => {
            let mut lines = vec![dim("Nothing is saved, and nothing takes it back.")];
            lines.extend(unit.map(|unit| unit.kill_line()));
            lines
        }
        Remedy::KillGroup => {
            let mut lines = vec![Line::of(
                Tone::Watch,
                format!(
                    "{} Nothing is saved, and nothing takes it back.",
                    whom(dialog, context)
                ),
            )];
            lines.extend(unit.map(|unit| unit.kill_line()));
            lines
        }
    }
}

fn raise_notes(
    dialog: &IncidentDialog,
    unit: Option<&ManagedUnit>,
    context: &DialogContext<'_>,
) -> Vec<Line> {
    let snapshot = context.cells.snapshot;
    let (Some(path), Ok(limit)) = (&dialog.group, raised_to(dialog, context)) else {
        return Vec::new();
    };
    let Some(now) = limits_of(path, context) else {
        return Vec::new();
    };
    let limits = raised(&now, limit, dialog.version);
    let planned = Plan {
        targets: &[],
        to: path,
        limits: Some(limits.applied_to(now)),
        known: (None, None),
        version: dialog.version,
    };
    let present = Present {
        processes: &snapshot.processes,
        cgroups: &snapshot.cgroups,
        memory: &snapshot.memory,
        rules: context.cells.rules,
    };
    let after = prospects(&planned, &present);
    let mut lines = first_to_strike(&after, path, &[], context);
    if let Some(first) = nearest(&after).filter(|first| first.path != *path) {
        lines.push(Line::of(
            Tone::Watch,
            format!(
                "{} runs out first, so raise that one too, or this wins little.",
                first.path
            ),
        ));
    }
    if limit > snapshot.memory.total {
        lines.push(Line::of(
            Tone::Watch,
            format!(
                "That is more than the host has ({}).",
                long_size(snapshot.memory.total)
            ),
        ));
    }
    let by_systemd = by::unit_of(Some(path), context);
    let note = by_systemd.as_ref().and_then(|unit| dialog.by.note(unit));
    lines.extend(by_systemd.map(|unit| dialog.by.line(&unit, KeyScope::Incident, context)));
    let past = || unit.map(|unit| unit.limits_line(&limits, dialog.version));
    lines.extend(note.or_else(past));
    lines
}

fn expose_notes(dialog: &IncidentDialog, context: &DialogContext<'_>) -> Vec<Line> {
    let snapshot = context.cells.snapshot;
    let Some((id, _, is_enough)) = exposed(dialog, context) else {
        return Vec::new();
    };
    let domain = domain(dialog.group.as_ref(), snapshot);
    let instead = domain.and_then(|domain| domain.verdict);
    let instead = instead.map(|verdict| wording::process(verdict.victim.id, snapshot));
    let who = wording::process(id, snapshot);
    let mut lines = vec![if is_enough {
        Line::of(
            Tone::Dim,
            format!(
                "{who} then dies before {}, as things stand. Its children inherit the value.",
                instead.unwrap_or_default()
            ),
        )
    } else {
        Line::of(
            Tone::Watch,
            format!(
                "Not enough: {} still dies first.",
                instead.unwrap_or_default()
            ),
        )
    }];
    let foreign = foreign::line(context.process(id).into_iter(), context);
    if foreign.is_none() && !context.host.may_lower_adj {
        lines.push(Line::of(
            Tone::Dim,
            "Raising needs no privilege over a process of the same user; lowering the value of the others takes \
             CAP_SYS_RESOURCE, which oomtop does not have here.",
        ));
    }
    lines
}

/// Whom the kill of the group hits, the largest first.
pub(super) fn whom(dialog: &IncidentDialog, context: &DialogContext<'_>) -> String {
    let Some(path) = &dialog.group else {
        return String::new();
    };
    let mut all: Vec<&Process> = members(path, context.cells.snapshot).collect();
    all.sort_by_key(|process| std::cmp::Reverse(process.charged_pages()));
    let named: Vec<_> = all
        .iter()
        .take(NAMED)
        .map(|process| format!("{} {}", process.id.pid, process.comm))
        .collect();
    let more = all.len().saturating_sub(NAMED);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("Ends {}{more}.", named.join(", "))
}
