//! The columns of the domains view themselves.

use super::{DomainCell, DomainColumn, branch, counted, tone};
use crate::app::view::columns::{Align, Cell, Width, cell};
use crate::app::view::domains::death::{Death, Reach};
use crate::app::view::domains::name;
use crate::app::view::domains::pace::Count;
use crate::app::view::gauge::trend::Rate;
use crate::model::cgroup::Cgroup;
use crate::model::cgroup::limits::LimitFile;
use crate::model::memory::band::Band;
use crate::model::oom_domain::urgency::{Acute, Urgency};
use crate::model::oom_domain::victim::Scope;
use crate::text::format;
use crate::text::joined::joined;
use crate::text::tone::Tone;
use crate::text::wording;

fn na() -> Cell {
    cell(Tone::Dim, "n/a")
}

/// The cell of a domain that has no such value.
fn dash() -> Cell {
    cell(Tone::Dim, "-")
}

fn event(c: &DomainCell<'_>, count: Count, pick: fn(&Cgroup) -> Option<u64>) -> Cell {
    let Some(group) = c.group else {
        return dash();
    };
    let value = pick(group);
    let rate = c.watch.pace.per_second(count);
    let text = counted(value, rate);
    match value {
        None => na(),
        Some(0) => cell(Tone::Dim, "0"),
        Some(_) if rate.is_some_and(|rate| rate > 0.01) => {
            let bad = matches!(count, Count::Oom | Count::OomKill);
            cell(if bad { Tone::Critical } else { Tone::Watch }, text)
        }
        Some(_) => cell(Tone::Normal, text),
    }
}

/// The mark behind a number that is an enclosing domain's.
fn outer(c: &DomainCell<'_>, scope: Scope) -> &'static str {
    if scope == c.domain.scope { "" } else { "^" }
}

/// The band, marked where it is an enclosing domain's.
fn band(c: &DomainCell<'_>) -> String {
    let own = c.watch.band == c.watch.own_band;
    format!("{}{}", c.watch.band.name(), if own { "" } else { "^" })
}

/// The columns.
pub static COLUMNS: &[DomainColumn] = &[
    DomainColumn {
        id: "domain",
        title: "DOMAIN",
        doc: "the host, a cgroup with a limit, memory nodes; └ lies inside the one above",
        width: Width::AtLeast(19),
        align: Align::Left,
        rank: 0,
        sort: (),
        cell: |c| {
            let own = name(c.domain.scope, c.parent, &c.host.name, c.snapshot);
            cell(Tone::Strong, format!("{}{own}", branch(c.depth)))
        },
    },
    DomainColumn {
        id: "state",
        title: "STATE",
        doc: joined!(
            "band (^: an outer domain's), KILLED, OOM, STUCK, THROTTLED (",
            LimitFile::High.row().name,
            ")"
        ),
        width: Width::Fixed(9),
        align: Align::Left,
        rank: 1,
        sort: (),
        cell: |c| match (c.watch.acute(), c.watch.room) {
            _ if c.watch.stuck().is_some() => cell(Tone::Critical, "STUCK"),
            // A past kill hides no band but the one of rest: KILLS says when it was.
            (Some(Acute::Killed), Some(_)) if c.watch.band > Band::Normal => {
                cell(tone(c.watch.band), band(c))
            }
            (Some(acute), _) => cell(Tone::Critical, acute.word()),
            (None, _) if c.watch.is_throttled() => cell(Tone::Danger, "THROTTLED"),
            (_, None) => na(),
            (_, Some(_)) => cell(tone(c.watch.band), band(c)),
        },
    },
    DomainColumn {
        id: "kept",
        title: "USED%",
        doc: "usage without page cache that can be dropped, as a share of LIMIT",
        width: Width::Fixed(6),
        align: Align::Right,
        rank: 0,
        sort: (),
        cell: |c| match c.watch.room {
            Some(room) => cell(tone(c.watch.own_band), format::percent(room.percent())),
            None => na(),
        },
    },
    DomainColumn {
        id: "usage",
        title: "USAGE",
        doc: "memory used, page cache included (the host: without it)",
        width: Width::Fixed(5),
        align: Align::Right,
        rank: 4,
        sort: (),
        cell: |c| match c.domain.usage {
            Some(usage) => cell(Tone::Normal, format::size(usage)),
            None => na(),
        },
    },
    DomainColumn {
        id: "limit",
        title: "LIMIT",
        doc: "its limit (the host: RAM)",
        width: Width::Fixed(5),
        align: Align::Right,
        rank: 2,
        sort: (),
        cell: |c| cell(Tone::Normal, format::size(c.domain.limit)),
    },
    DomainColumn {
        id: "left",
        title: "LEFT",
        doc: "room before somebody dies, swap included; ^: of an enclosing domain",
        width: Width::Fixed(6),
        align: Align::Right,
        rank: 3,
        sort: (),
        cell: |c| match c.watch.tightest {
            Some((scope, room)) => {
                let text = format!("{}{}", format::size(room.left()), outer(c, scope));
                cell(Tone::Normal, text)
            }
            None => na(),
        },
    },
    DomainColumn {
        id: "cache",
        title: "CACHE",
        doc: "page cache dropped first; -: the host, or not read (far from the limit)",
        width: Width::Fixed(5),
        align: Align::Right,
        rank: 8,
        sort: (),
        cell: |c| match c.group {
            None => dash(),
            Some(group) => group
                .stat
                .map_or_else(dash, |stat| cell(Tone::Dim, format::size(stat.droppable()))),
        },
    },
    DomainColumn {
        id: "swap",
        title: "SWAP",
        doc: "swap used / all it may use; none: there is none for it",
        width: Width::Fixed(11),
        align: Align::Right,
        rank: 7,
        sort: (),
        cell: |c| {
            let Some(room) = c.watch.room else {
                return na();
            };
            let Some(used) = room.swap_used else {
                return na();
            };
            match used.saturating_add(room.swap_left) {
                0 => cell(Tone::Dim, "none"),
                all => {
                    let text = format!("{}/{}", format::size(used), format::size(all));
                    cell(if used > 0 { Tone::Normal } else { Tone::Dim }, text)
                }
            }
        },
    },
    DomainColumn {
        id: "growth",
        title: "GROWTH",
        doc: "growth of what it keeps; ?: of the last seconds alone; unsteady: no trend",
        width: Width::Fixed(8),
        align: Align::Right,
        rank: 3,
        sort: (),
        cell: |c| match c.watch.forecast.rate() {
            Rate::Unknown => cell(Tone::Dim, "…"),
            Rate::Unsteady => cell(Tone::Dim, "unsteady"),
            Rate::Steady(rate) if rate.abs() < 1024.0 => cell(Tone::Dim, "0"),
            Rate::Lately(rate, _) => cell(Tone::Watch, format!("{}?", format::rate(rate))),
            Rate::Steady(rate) => {
                let rising = if rate > 0.0 {
                    Tone::Watch
                } else {
                    Tone::Normal
                };
                cell(rising, format::rate(rate))
            }
        },
    },
    DomainColumn {
        id: "full-in",
        title: "FULL IN",
        doc: "until full, at that growth; ^: an enclosing domain, ?: by the last seconds",
        width: Width::Fixed(7),
        align: Align::Right,
        rank: 2,
        sort: (),
        cell: |c| match c.watch.first_full {
            Some((scope, left)) => {
                let tone = if left.as_secs() < 300 {
                    Tone::Critical
                } else {
                    Tone::Watch
                };
                let doubt = if c.watch.forecast.is_brief() { "?" } else { "" };
                cell(
                    tone,
                    format!("{}{doubt}{}", format::roughly(left), outer(c, scope)),
                )
            }
            None => dash(),
        },
    },
    DomainColumn {
        id: "psi-full",
        title: "STALL%",
        doc: "share of the last 10 s in which all tasks waited for memory (PSI full)",
        width: Width::Fixed(6),
        align: Align::Right,
        rank: 6,
        sort: (),
        cell: |c| {
            let known = match c.group {
                Some(group) => group.pressure.is_some(),
                None => c.snapshot.pressure.is_some(),
            };
            let full = c.watch.signs.stalled;
            let tone = match full {
                _ if !known => return na(),
                0 => Tone::Dim,
                1..100 => Tone::Normal,
                100..1000 => Tone::Watch,
                _ => Tone::Danger,
            };
            cell(tone, format::percent(f64::from(full) / 100.0))
        },
    },
    DomainColumn {
        id: "high",
        title: "HIGH",
        doc: joined!(
            "times throttled at ",
            LimitFile::High.row().name,
            " (v2 only); +3/m: three more a minute"
        ),
        width: Width::Fixed(11),
        align: Align::Right,
        rank: 8,
        sort: (),
        cell: |c| event(c, Count::High, |group| group.events.high),
    },
    DomainColumn {
        id: "max",
        title: "MAX",
        doc: "times stopped at its limit (memory.events max, v1 memory.failcnt)",
        width: Width::Fixed(11),
        align: Align::Right,
        rank: 7,
        sort: (),
        cell: |c| event(c, Count::Max, |group| group.events.max),
    },
    DomainColumn {
        id: "oom",
        title: "OOM",
        doc: "times out of memory, with a kill or without (v2 only)",
        width: Width::Fixed(9),
        align: Align::Right,
        rank: 8,
        sort: (),
        cell: |c| event(c, Count::Oom, |group| group.events.oom),
    },
    DomainColumn {
        id: "kills",
        title: "KILLS",
        doc: "processes killed in it (the host: since boot); (16s): the last, 16 s ago",
        width: Width::Fixed(9),
        align: Align::Right,
        rank: 2,
        sort: (),
        cell: |c| match (c.group, c.snapshot.kills.host) {
            (Some(group), _) if c.watch.acute() == Some(Acute::Killed) => {
                let since = c.watch.signs.since_kill.unwrap_or_default();
                let kills = group.events.oom_kill.map(format::count).unwrap_or_default();
                let ago = format::duration(since);
                cell(Tone::Critical, format!("{kills} ({ago})").trim_start())
            }
            (Some(_), _) => event(c, Count::OomKill, |group| group.events.oom_kill),
            (None, Some(kills)) => {
                let tone = if kills == 0 { Tone::Dim } else { Tone::Normal };
                cell(tone, format::count(kills))
            }
            (None, None) => na(),
        },
    },
    DomainColumn {
        id: "dies",
        title: "DIES",
        doc: "one, shared (memory), whole (group), unit, pidns, nobody, hangs, none",
        width: Width::Fixed(6),
        align: Align::Left,
        rank: 5,
        sort: (),
        cell: |c| {
            let death = Death::from_domain(c.domain, c.snapshot);
            let tone = match death {
                Death::Kill(_, Reach::One) => Tone::Normal,
                Death::Kill(..) | Death::Hangs | Death::Panics => Tone::Danger,
                Death::Asker => Tone::Watch,
                Death::Nobody | Death::Empty | Death::Throttles => Tone::Dim,
            };
            cell(tone, death.word())
        },
    },
    DomainColumn {
        id: "badness",
        title: "BAD‰",
        doc: "badness of the next victim in per mille of this domain",
        width: Width::Fixed(5),
        align: Align::Right,
        rank: 5,
        sort: (),
        cell: |c| match Death::from_domain(c.domain, c.snapshot).verdict() {
            Some(verdict) => {
                let (points, total) = (verdict.victim.points, c.domain.total_pages);
                cell(Tone::Normal, format::permille(points, total))
            }
            None => dash(),
        },
    },
    DomainColumn {
        id: "victim",
        title: "NEXT VICTIM",
        doc: "who dies next; 'or': too close to call",
        width: Width::AtLeast(12),
        align: Align::Left,
        rank: 2,
        sort: (),
        cell: |c| {
            let near = c.watch.urgency >= Urgency::Close;
            match Death::from_domain(c.domain, c.snapshot) {
                Death::Hangs => cell(Tone::Danger, "kill disabled: tasks hang"),
                Death::Empty => cell(Tone::Dim, "empty"),
                Death::Throttles => cell(Tone::Dim, "slowed down, not killed"),
                Death::Panics => cell(Tone::Danger, "the kernel panics"),
                Death::Asker => cell(Tone::Watch, "whoever asks"),
                Death::Nobody => cell(Tone::Watch, "nobody can be killed"),
                Death::Kill(verdict, _) => cell(
                    if near { Tone::Critical } else { Tone::Normal },
                    wording::victim(&verdict, c.snapshot),
                ),
            }
        },
    },
];
