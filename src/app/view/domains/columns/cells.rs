//! Cells that several columns of the domains view share.

use super::{DomainCell, counted, tone};
use crate::app::view::columns::{Cell, cell};
use crate::app::view::domains::pace::Count;
use crate::model::cgroup::Cgroup;
use crate::model::oom_domain::victim::Scope;
use crate::text::meter;
use crate::text::tone::Tone;

pub(super) fn na() -> Cell {
    cell(Tone::Dim, "n/a")
}

/// The cell of a domain that has no such value.
pub(super) fn dash() -> Cell {
    cell(Tone::Dim, "-")
}

pub(super) fn event(c: &DomainCell<'_>, count: Count, pick: fn(&Cgroup) -> Option<u64>) -> Cell {
    let Some(group) = c.group else {
        return dash();
    };
    let value = pick(group);
    let recent = c.watch.pace.recent(count);
    let text = counted(value, recent);
    match value {
        None => na(),
        Some(0) => cell(Tone::Dim, "0"),
        Some(_) if recent.is_some_and(|recent| recent.by > 0) => {
            let bad = matches!(count, Count::Oom | Count::OomKill);
            cell(if bad { Tone::Critical } else { Tone::Watch }, text)
        }
        Some(_) => cell(Tone::Normal, text),
    }
}

/// The mark behind a number that is an enclosing domain's.
pub(super) fn outer(c: &DomainCell<'_>, scope: Scope) -> &'static str {
    if scope == c.domain.scope { "" } else { "^" }
}

/// The band, marked where it is an enclosing domain's.
pub(super) fn band(c: &DomainCell<'_>) -> String {
    let own = c.watch.band == c.watch.own_band;
    format!("{}{}", c.watch.band.name(), if own { "" } else { "^" })
}

/// Used share in the last samples, as a sparkline.
pub(super) fn past(c: &DomainCell<'_>) -> Cell {
    let steps = c
        .watch
        .past()
        .map(|percent| meter::height(f64::from(percent)));
    cell(tone(c.watch.own_band), steps.collect::<String>())
}
