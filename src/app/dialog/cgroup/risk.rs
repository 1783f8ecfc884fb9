//! What a new limit of an existing group can kill at once, and the question before the write.

use std::collections::HashSet;

use super::change::group_at;
use super::company::homes;
use super::prospects::prospects_of;
use super::typed::patch;
use super::{CgroupDialog, Mode};
use crate::app::dialog::{DialogContext, own};
use crate::app::input::id::ActionId;
use crate::app::input::scope::KeyScope;
use crate::model::cgroup::limits::{LimitFile, LimitValue};
use crate::model::cgroup::{CgroupPath, CgroupVersion};
use crate::model::oom_domain::whatif::{MOST_DEATHS, Onset, Prospect, nearest};
use crate::model::process::Process;
use crate::model::snapshot::Snapshot;
use crate::text::format::long_size;
use crate::text::tone::{Line, Tone};
use crate::text::wording;

/// No program runs in a smaller limit: whoever types one has mistyped.
const TINY: u64 = 4 << 20;

/// True if the limit kills or may kill as soon as it is written: the group uses more than the limit allows.
fn may_kill(dialog: &CgroupDialog, own: &Prospect, snapshot: &Snapshot) -> bool {
    let Some(path) = dialog.group.as_ref() else {
        return false;
    };
    let before = group_at(path, snapshot).and_then(|group| group.limits.max);
    if own.path == *path && before != Some(own.limit) && own.limit < TINY {
        return true;
    }
    dialog.version == CgroupVersion::V2
        && own.path == *path
        && before != Some(own.limit)
        && match own.onset {
            Onset::AtOnce | Onset::Unknown => true,
            Onset::After(_) => own.room.is_some_and(|room| room.usage > room.limit),
            Onset::Refused => false,
        }
}

/// True if the write needs a second Enter.
pub(super) fn needs_insisting(dialog: &CgroupDialog, context: &DialogContext<'_>) -> bool {
    if dialog.mode == Mode::Oomd {
        return false;
    }
    if holds_own(dialog, context).is_some() {
        return true;
    }
    let prospects = prospects_of(dialog, context).unwrap_or_default();
    if dialog.mode == Mode::Limits {
        let mut prospects = prospects.iter();
        return prospects.any(|own| may_kill(dialog, own, context.cells.snapshot));
    }
    why_insist(dialog, &prospects, context).is_some()
}

/// True for a limit at which somebody is killed or stands still, and for one that widens a kill.
fn can_strike((file, value): (LimitFile, LimitValue)) -> bool {
    let protects = match file {
        LimitFile::Low | LimitFile::Min | LimitFile::V1Soft | LimitFile::V1Swappiness => true,
        LimitFile::Max
        | LimitFile::High
        | LimitFile::SwapMax
        | LimitFile::OomGroup
        | LimitFile::V1Limit
        | LimitFile::V1Memsw
        | LimitFile::V1OomControl => false,
    };
    !protects && !matches!(value, LimitValue::Unlimited | LimitValue::Switch(false))
}

/// Why a limit or a move can end oomtop itself, in a sentence: who is gone takes nothing back.
pub(super) fn holds_own(dialog: &CgroupDialog, context: &DialogContext<'_>) -> Option<String> {
    match dialog.mode {
        Mode::Oomd => None,
        Mode::Limits => {
            let patch = patch(&dialog.changes).ok()?;
            patch.iter().find(|limit| can_strike(*limit))?;
            let group = dialog.group.as_ref()?;
            let holds = own::within(group, context)?;
            Some(format!(
                "{group}: {holds}. When its limit is reached, this screen can end, and nobody takes the limit back."
            ))
        }
        Mode::Create | Mode::Move => {
            let processes = dialog.living(context);
            // That has words of its own.
            if processes.iter().any(|process| is_init(process)) {
                return None;
            }
            let who = own::among(processes, context)?;
            Some(format!(
                "{who}. If a limit there is reached, this screen can end, and nobody takes the move back."
            ))
        }
    }
}

/// Why a move must be confirmed twice, in a sentence.
fn why_insist(
    dialog: &CgroupDialog,
    prospects: &[Prospect],
    context: &DialogContext<'_>,
) -> Option<String> {
    let processes = dialog.living(context);
    let to = dialog.destination(context.cells.snapshot)?;
    let mut inits = processes.iter().filter(|process| is_init(process));
    if let Some(process) = inits.next() {
        return Some(format!(
            "pid {} runs this machine or container: a limit on it can end everything.",
            process.id.pid
        ));
    }
    let many = processes.len() > 1;
    let own = prospects.iter().find(|own| own.path == to);
    if let Some(own) = own.filter(|own| own.limit < TINY) {
        let whom = if many {
            "the processes no room: the next pages can kill them"
        } else {
            "the process no room: its next pages can kill it"
        };
        let limit = long_size(own.limit);
        return Some(format!("A limit of {limit} leaves {whom}."));
    }
    let left = limits_left(dialog, &processes, context);
    let outermost = left.last().map(|(path, _)| path);
    if !many {
        return outermost
            .map(|path| format!("This takes the process out of {path} and its limit."));
    }
    let homes = homes(&processes, context.cells.snapshot);
    let from = match homes.as_slice() {
        [] => String::new(),
        [(only, _)] => format!(" out of {only}"),
        several => format!(" out of {} groups", several.len()),
    };
    let limit = outermost.map_or_else(String::new, |path| {
        format!(", and out of the limit of {path}")
    });
    let count = processes.len();
    Some(format!("This takes {count} processes{from}{limit}."))
}

/// It runs the machine or a container.
pub(super) fn is_init(process: &Process) -> bool {
    process.id.pid == 1 || process.global_init
}

/// The limited groups around the processes that the new group would not be in, innermost first: their limit no longer
/// applies to them, and their OOM no longer finds them.
pub(super) fn limits_left<'a>(
    dialog: &CgroupDialog,
    processes: &[&Process],
    context: &DialogContext<'a>,
) -> Vec<(&'a CgroupPath, u64)> {
    let Some(to) = dialog.destination(context.cells.snapshot) else {
        return Vec::new();
    };
    let snapshot = context.cells.snapshot;
    let mut keys: Vec<_> = processes
        .iter()
        .filter_map(|process| process.cgroup)
        .collect();
    keys.sort_unstable();
    keys.dedup();
    let around = keys.into_iter().flat_map(|key| snapshot.ancestry(key));
    let left = around
        .filter_map(|(_, group)| Some((&group.path, group.limits.max?)))
        .filter(|(path, _)| !to.is_within(path));
    let mut seen = HashSet::new();
    left.filter(|(path, _)| seen.insert(*path)).collect()
}

/// What to say besides when the limit strikes and who dies.
pub(super) fn outlook_lines(
    dialog: &CgroupDialog,
    prospects: &[Prospect],
    snapshot: &Snapshot,
) -> Vec<Line> {
    let Some(path) = dialog.group.as_ref() else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    let own = prospects.iter().find(|prospect| prospect.path == *path);
    if let Some(own) = own
        && may_kill(dialog, own, snapshot)
    {
        lines.extend(danger(own));
    } else if let (Some(own), Some(first)) = (own, nearest(prospects))
        && first.path != *path
        && own.onset != Onset::Refused
    {
        lines.push(Line::of(
            Tone::Watch,
            format!(
                "The limit of {} is nearer than its own {}: it decides until it is raised too.",
                first.path,
                long_size(own.limit)
            ),
        ));
    }
    lines
}

fn danger(own: &Prospect) -> Vec<Line> {
    let mut lines = Vec::new();
    match own.onset {
        Onset::AtOnce if own.toll >= MOST_DEATHS => lines.push(Line::of(
            Tone::Critical,
            format!("One is not enough: {MOST_DEATHS} or more die until what is left fits."),
        )),
        Onset::AtOnce if own.toll > 1 => lines.push(Line::of(
            Tone::Critical,
            format!(
                "In all about {} processes die until what is left fits.",
                own.toll
            ),
        )),
        Onset::AtOnce => {}
        Onset::Unknown => lines.push(Line::of(
            Tone::Danger,
            "Below what is in use it kills as soon as it is written.",
        )),
        _ => lines.push(Line::of(
            Tone::Danger,
            "More than that is in use: page cache and swap must make room at once, and it kills if they \
             cannot.",
        )),
    }
    let high = format!("{} {}", LimitFile::High.name(), long_size(own.limit));
    let text = if own.room.is_some_and(|room| room.swap_left == 0) {
        format!(
            "{high} first kills nobody, but without swap it can slow the group down without end."
        )
    } else {
        format!("Safer first: {high} slows the group down and kills nobody.")
    };
    lines.push(Line::of(Tone::Normal, text));
    lines
}

/// The question before Enter writes such a limit: above everything else, where the lowest screen shows it.
pub(super) fn question(dialog: &CgroupDialog, context: &DialogContext<'_>) -> Option<Line> {
    if !dialog.insisted {
        return None;
    }
    let prospects = prospects_of(dialog, context).unwrap_or_default();
    let key = context.keymap.name_in(KeyScope::Cgroup, ActionId::Commit);
    let (whom, what) = if dialog.mode == Mode::Limits {
        (strikes(dialog, &prospects, context), "write")
    } else {
        (why_insist(dialog, &prospects, context), "do")
    };
    let again = format!("Press {key} again to {what} it; any other key cancels.");
    let parts: Vec<String> = whom.into_iter().chain(holds_own(dialog, context)).collect();
    (!parts.is_empty()).then(|| Line::of(Tone::Critical, format!("{} {again}", parts.join(" "))))
}

/// Whom the limit kills when it is written, in a sentence.
fn strikes(
    dialog: &CgroupDialog,
    prospects: &[Prospect],
    context: &DialogContext<'_>,
) -> Option<String> {
    let snapshot = context.cells.snapshot;
    let own = prospects
        .iter()
        .find(|own| may_kill(dialog, own, snapshot))?;
    let victim = own.verdict.as_ref();
    let victim = victim.map(|verdict| wording::victim(verdict, snapshot));
    Some(match (own.onset, victim) {
        (Onset::AtOnce, Some(who)) => {
            format!("This kills {who} at once.")
        }
        (_, Some(who)) => format!("This can kill {who} at once."),
        (_, None) => "This can kill at once.".to_owned(),
    })
}
