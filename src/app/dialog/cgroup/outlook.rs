//! What the plan's limits would do: when they strike, and whom they kill.

use super::company::used;
use super::prospects::prospects_of;
use super::risk::outlook_lines;
use super::{CgroupDialog, Mode};
use crate::app::dialog::DialogContext;
use crate::model::cgroup::CgroupPath;
use crate::model::cgroup::limits::LimitFile;
use crate::model::oom_domain::whatif::{Onset, Prospect, nearest};
use crate::model::process::Process;
use crate::model::vm_settings::OomAction;
use crate::text::format;
use crate::text::tone::{Line, Tone};
use crate::text::wording;

/// A few lines below the plan; none without a limit.
pub(super) fn lines(
    dialog: &CgroupDialog,
    processes: &[&Process],
    context: &DialogContext<'_>,
) -> Vec<Line> {
    let snapshot = context.cells.snapshot;
    let Some((to, prospects)) = dialog.subject(snapshot).zip(prospects_of(dialog, context)) else {
        return Vec::new();
    };
    let mut lines = first_to_strike(&prospects, &to, processes, context);
    let Some(first) = nearest(&prospects) else {
        return lines;
    };
    if dialog.mode == Mode::Limits {
        lines.extend(outlook_lines(dialog, &prospects, snapshot));
        return lines;
    }
    let used = used(processes, context);
    if let Onset::After(room) = first.onset
        && room < used
    {
        lines.push(Line::of(
            Tone::Watch,
            match processes {
                [_] => format!(
                    "It uses {}, more than fits there: when it touches as much again, that limit is \
                     hit.",
                    format::long_size(used)
                ),
                _ => format!(
                    "Together they use {}, more than fits there: when they touch as much again, that \
                     limit is hit.",
                    format::long_size(used)
                ),
            },
        ));
    }
    lines
}

/// Which limit around `to` strikes first, when, and who dies then.
pub(in crate::app::dialog) fn first_to_strike(
    prospects: &[Prospect],
    to: &CgroupPath,
    moved: &[&Process],
    context: &DialogContext<'_>,
) -> Vec<Line> {
    let Some(first) = nearest(prospects) else {
        return vec![Line::of(
            Tone::Dim,
            match moved {
                [_, _, ..] => {
                    "No limit applies there: only an OOM of the whole host can kill them."
                }
                _ => "No limit applies there: only an OOM of the whole host can kill it.",
            },
        )];
    };
    // A limit that the kernel refuses kills nobody, and the limit around it stays the nearest.
    let refused = prospects.iter().find(|p| p.onset == Onset::Refused);
    let mut lines: Vec<_> = refused.map(|p| strikes(p, to)).into_iter().collect();
    if first.onset != Onset::Refused {
        lines.push(strikes(first, to));
        match host_first(first, context) {
            Some(line) => lines.push(line),
            None => lines.push(dies(first, moved, context)),
        }
    }
    lines
}

/// The host runs out of memory before the limit is reached.
fn host_first(first: &Prospect, context: &DialogContext<'_>) -> Option<Line> {
    let Onset::After(room) = first.onset else {
        return None;
    };
    let snapshot = context.cells.snapshot;
    let memory = &snapshot.memory;
    let left = memory.available?.saturating_add(memory.swap_free);
    if room <= left {
        return None;
    }
    let line = Line::of(
        Tone::Watch,
        format!(
            "The host is out of memory first: it has {} left. Then the OOM killer chooses on the whole host",
            format::long_size(left)
        ),
    );
    let verdict = snapshot.main_domain().and_then(|domain| domain.verdict);
    Some(match verdict {
        Some(verdict) => line
            .add(Tone::Watch, ": ")
            .add(Tone::Critical, wording::victim(&verdict, snapshot))
            .add(Tone::Watch, " dies, as things stand."),
        None => line.add(Tone::Watch, "."),
    })
}

/// When the limit strikes.
fn strikes(first: &Prospect, to: &CgroupPath) -> Line {
    let limit = format::long_size(first.limit);
    let whose = if first.path == *to {
        format!("The limit of {limit}")
    } else {
        format!("The limit of {limit} of {} around it", first.path)
    };
    match first.onset {
        Onset::AtOnce if first.hangs => Line::of(
            Tone::Critical,
            format!("{whose} holds as soon as it is written: more than that is in use there."),
        ),
        Onset::AtOnce => Line::of(
            Tone::Critical,
            format!("{whose} kills as soon as it is written: more than that is in use there."),
        ),
        Onset::Refused => Line::of(
            Tone::Watch,
            format!("{whose} will be refused (EBUSY): more than that is in use there."),
        ),
        Onset::Unknown => Line::of(
            Tone::Watch,
            format!("{whose} holds it; how full that is cannot be read."),
        ),
        Onset::After(0) if first.hangs => Line::of(
            Tone::Critical,
            format!("{whose} is reached already: who needs a page that cannot be reclaimed waits."),
        ),
        Onset::After(0) => Line::of(
            Tone::Critical,
            format!("{whose} is reached already: the next page that cannot be reclaimed kills."),
        ),
        Onset::After(room) => {
            let line = Line::of(Tone::Normal, format!("{whose} is reached after "))
                .add(Tone::Strong, format!("{} more", format::long_size(room)));
            let included = first.room.map_or((0, 0), |r| (r.droppable, r.swap_left));
            let line = match included {
                (0, 0) => line,
                (0, _) => line.add(Tone::Dim, " (swap it may use included)"),
                (_, 0) => line.add(Tone::Dim, " (page cache to drop included)"),
                _ => line.add(
                    Tone::Dim,
                    " (page cache to drop and swap it may use included)",
                ),
            };
            match first.reached_in {
                Some(time) => line
                    .add(Tone::Normal, ", at the present growth in ")
                    .add(Tone::Watch, format::roughly(time)),
                None if first.growth >= 1024.0 => {
                    line.add(Tone::Dim, ", at the present growth not within a day")
                }
                None => line.add(Tone::Dim, "; nothing in it grows now"),
            }
        }
    }
}

/// Who dies when the limit strikes.
fn dies(first: &Prospect, moved: &[&Process], context: &DialogContext<'_>) -> Line {
    let snapshot = context.cells.snapshot;
    let line = Line::of(Tone::Dim, "then ");
    // The kernel checks this before the panic (mm/memcontrol-v1.c `memcg1_oom_prepare`).
    if first.hangs {
        return line.add(
            Tone::Watch,
            "nobody is killed: its tasks hang (oom_kill_disable)",
        );
    }
    if snapshot.vm_settings.action_in_groups() == OomAction::Panic {
        return line.add(Tone::Danger, "the kernel panics (panic_on_oom 2)");
    }
    let Some(verdict) = first.verdict else {
        return line.add(
            Tone::Watch,
            "nobody there can be killed: what asks for memory fails or hangs",
        );
    };
    let id = verdict.victim.id;
    let is_moved = moved.iter().any(|own| own.id == id) && verdict.or().is_none();
    let own = match moved {
        _ if !is_moved => "",
        [_] => " (this one)",
        _ => " (one of these)",
    };
    let line = line
        .add(Tone::Critical, wording::victim(&verdict, snapshot))
        .add(Tone::Normal, format!("{own} dies"));
    match &first.group_kill {
        Some(path) => line.add(
            Tone::Watch,
            format!(
                " and all of {path} with it ({})",
                LimitFile::OomGroup.name()
            ),
        ),
        None if first.reached_in.is_some() => line.add(Tone::Dim, ", grown until then"),
        None => line.add(Tone::Dim, ", as things stand"),
    }
}
