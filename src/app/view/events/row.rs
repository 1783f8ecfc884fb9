//! One row of the events pane: when it happened, and its words.

use crate::app::view::events::{Entry, EventRow};
use crate::model::time::{Now, Wall};
use crate::text::event::{kill_row, report_row, userspace_row};
use crate::text::tone::{Line, Tone};
use crate::text::traced::{sigkill_row, traced_row};

/// Below this width the parts of a row are not aligned: the reason needs the cells.
const NARROW: u16 = 110;

/// Microseconds. The kernel names the victim at once, and a log hands the line over within seconds, on a machine without memory later.
/// What has not come by then does not come: it was overwritten, or the machine died before.
const NAMED_WITHIN: i64 = 60_000_000;

/// One row of a pane of this width.
pub fn row(row: EventRow<'_>, now: Now, width: u16) -> Line {
    let when = stamp(row.wall(now), now);
    match (row.entry, row.kill) {
        (Entry::Report { report, scope, .. }, Some(kill)) => {
            kill_row(report, scope, kill, when, width < NARROW)
        }
        (Entry::Report { report, scope, .. }, None) => {
            let age = |at: Wall| now.wall.unix_micros.saturating_sub(at.unix_micros);
            let awaited = row.wall(now).is_none_or(|at| age(at) <= NAMED_WITHIN);
            report_row(report, scope, awaited, when)
        }
        (
            Entry::Traced {
                kill,
                traced,
                remembered,
            },
            _,
        ) => {
            let known = remembered
                .as_deref()
                .and_then(|known| known.cgroup.as_ref());
            let group = traced.cgroup.as_ref().or(known);
            traced_row(kill, traced, group, when, width < NARROW)
        }
        (Entry::Sigkill(sigkill), _) => sigkill_row(sigkill, when),
        (Entry::Userspace(kill), _) => userspace_row(kill, when),
        (Entry::Unlogged { kills, groups, .. }, _) => {
            let place = groups
                .first()
                .map_or_else(String::new, |g| format!(" in {g}"));
            when.add(Tone::Critical, format!("{kills} killed{place}"))
                .add(
                    Tone::Dim,
                    "  no line in the log; the kernel's oom_kill counter rose",
                )
        }
        (Entry::Gap { lost, .. }, _) => {
            let many = if *lost == 0 {
                "some".to_owned()
            } else {
                lost.to_string()
            };
            when.add(
                Tone::Watch,
                format!("gap: {many} log records were overwritten unread; kills may be missing"),
            )
        }
    }
}

/// `14:01:12 `, or how many days ago.
pub fn stamp(at: Option<Wall>, now: Now) -> Line {
    let Some(at) = at else {
        return Line::of(Tone::Dim, "--:--:-- ");
    };
    let wall = at;
    let days = now.wall.day() - wall.day();
    match days {
        ..=0 => Line::of(Tone::Dim, format!("{wall} ")),
        1 => Line::of(Tone::Dim, format!("yesterday {wall} ")),
        _ => Line::of(Tone::Dim, format!("{days}d ago {wall} ")),
    }
}
