//! The columns of the domains view themselves.

use super::cells::{band, dash, event, na, outer, past};
use super::{DomainColumn, DomainSort, branch, tone, urgency_tone};
use crate::app::view::columns::{Align, Width, cell, path_cell};
use crate::app::view::domains::death::{Death, Reach};
use crate::app::view::domains::name;
use crate::app::view::domains::pace::Count;
use crate::app::view::gauge::trend::Rate;
use crate::model::cgroup::limits::LimitFile;
use crate::model::memory::band::Band;
use crate::model::oom_domain::urgency::{Acute, Urgency};
use crate::text::format;
use crate::text::joined::joined;
use crate::text::meter;
use crate::text::tone::Tone;
use crate::text::wording;

/// The columns.
pub static COLUMNS: &[DomainColumn] = &[
    DomainColumn {
        id: "domain",
        title: "DOMAIN",
        doc: "the host, a cgroup with a limit, memory nodes; └ lies inside the one above",
        width: Width::AtLeast(19),
        align: Align::Left,
        rank: 0,
        sort: DomainSort::Text,
        cell: |c| {
            let own = name(c.domain.scope, c.parent, &c.host.name, c.snapshot);
            let text = format!("{}{own}", branch(c.depth));
            match c.group {
                Some(_) => path_cell(Tone::Strong, text),
                None => cell(Tone::Strong, text),
            }
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
        sort: DomainSort::Number(|c| Some(f64::from(c.watch.urgency as u8))),
        cell: |c| match (c.watch.acute(), c.watch.room) {
            _ if c.watch.stuck().is_some() => cell(Tone::Critical, "STUCK"),
            // A past kill hides no band but the one of rest: KILLS says when it was.
            (Some(Acute::Killed), Some(_)) if c.watch.band > Band::Normal => {
                cell(tone(c.watch.band), band(c))
            }
            (Some(acute), _) => cell(urgency_tone(c.watch.urgency), acute.word()),
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
        sort: DomainSort::Number(|c| Some(c.watch.room?.percent())),
        cell: |c| match c.watch.room {
            Some(room) => cell(tone(c.watch.own_band), format::percent(room.percent())),
            None => na(),
        },
    },
    DomainColumn {
        id: "bar",
        title: "",
        doc: "USED% as a bar",
        width: Width::Fixed(8),
        align: Align::Left,
        rank: 4,
        sort: DomainSort::Number(|c| Some(c.watch.room?.percent())),
        cell: |c| match c.watch.room {
            Some(room) => cell(tone(c.watch.own_band), meter::bar(room.percent(), 8)),
            None => dash(),
        },
    },
    DomainColumn {
        id: "past",
        title: "LATELY",
        doc: "USED% of the last samples, 0 to 100 %, the newest at the right",
        width: Width::Fixed(8),
        align: Align::Right,
        rank: 6,
        sort: DomainSort::Number(|c| Some(c.watch.room?.percent())),
        cell: past,
    },
    DomainColumn {
        id: "usage",
        title: "USAGE",
        doc: "memory used, page cache included (the host: without it)",
        width: Width::Fixed(5),
        align: Align::Right,
        rank: 4,
        sort: DomainSort::Number(|c| Some(c.domain.usage? as f64)),
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
        sort: DomainSort::Number(|c| Some(c.domain.limit as f64)),
        cell: |c| cell(Tone::Normal, format::size(c.domain.limit)),
    },
    DomainColumn {
        id: "left",
        title: "LEFT",
        doc: "room before somebody dies, swap included; ^: of an enclosing domain",
        width: Width::Fixed(6),
        align: Align::Right,
        rank: 3,
        sort: DomainSort::Number(|c| Some(-(c.watch.tightest?.1.left() as f64))),
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
        sort: DomainSort::Number(|c| Some(c.group?.stat?.droppable() as f64)),
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
        sort: DomainSort::Number(|c| Some(c.watch.room?.swap_used? as f64)),
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
        doc: "growth of what it keeps; ?: by the last seconds; unsteady: no trend; frozen",
        width: Width::Fixed(8),
        align: Align::Right,
        rank: 3,
        sort: DomainSort::Number(|c| match c.watch.forecast.rate() {
            Rate::Steady(rate) | Rate::Lately(rate, _) => Some(rate),
            Rate::Unknown | Rate::Unsteady | Rate::Frozen => None,
        }),
        cell: |c| match c.watch.forecast.rate() {
            Rate::Unknown => cell(Tone::Dim, "…"),
            Rate::Unsteady => cell(Tone::Dim, "unsteady"),
            Rate::Frozen => cell(Tone::Dim, "frozen"),
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
        doc: "until full, at that growth; ^: an enclosing domain, ?: not proven yet",
        width: Width::Fixed(7),
        align: Align::Right,
        rank: 2,
        sort: DomainSort::Number(|c| Some(-c.watch.first_full?.1.as_secs_f64())),
        cell: |c| match c.watch.first_full {
            // It is nearly full itself: a later time, of a domain around it, would belie that.
            Some((scope, _)) if scope != c.domain.scope && c.watch.own_band > Band::Normal => {
                dash()
            }
            Some((scope, left)) => {
                let tone = if left.as_secs() < 300 {
                    Tone::Critical
                } else {
                    Tone::Watch
                };
                let time = format::forecast(left, c.watch.first_is_unsure);
                cell(tone, format!("{time}{}", outer(c, scope)))
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
        sort: DomainSort::Number(|c| Some(f64::from(c.watch.signs.stalled))),
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
            " (v2 only); +3/m: more a minute; +3: so far"
        ),
        width: Width::Fixed(11),
        align: Align::Right,
        rank: 8,
        sort: DomainSort::Number(|c| Some(c.group?.events.high? as f64)),
        cell: |c| event(c, Count::High, |group| group.events.high),
    },
    DomainColumn {
        id: "max",
        title: "MAX",
        doc: "times stopped at its limit (memory.events max, v1 memory.failcnt)",
        width: Width::Fixed(11),
        align: Align::Right,
        rank: 7,
        sort: DomainSort::Number(|c| Some(c.group?.events.max? as f64)),
        cell: |c| event(c, Count::Max, |group| group.events.max),
    },
    DomainColumn {
        id: "oom",
        title: "OOM",
        doc: "times out of memory, with a kill or without (v2 only)",
        width: Width::Fixed(9),
        align: Align::Right,
        rank: 8,
        sort: DomainSort::Number(|c| Some(c.group?.events.oom? as f64)),
        cell: |c| event(c, Count::Oom, |group| group.events.oom),
    },
    DomainColumn {
        id: "kills",
        title: "KILLS",
        doc: "processes killed in it (the host: since boot); (16s): the last, 16 s ago",
        width: Width::Fixed(9),
        align: Align::Right,
        rank: 2,
        sort: DomainSort::Number(|c| match c.group {
            Some(group) => Some(group.events.oom_kill? as f64),
            None => Some(c.snapshot.kills.host? as f64),
        }),
        cell: |c| match (c.group, c.snapshot.kills.host) {
            (Some(group), _) if c.watch.acute() == Some(Acute::Killed) => {
                let since = c.watch.signs.since_kill.unwrap_or_default();
                let kills = group.events.oom_kill.map(format::count).unwrap_or_default();
                let ago = format::duration(since);
                cell(
                    urgency_tone(c.watch.urgency),
                    format!("{kills} ({ago})").trim_start(),
                )
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
        sort: DomainSort::Text,
        cell: |c| {
            let death = Death::from_domain(c.domain, c.snapshot);
            let tone = match death {
                Death::Kill(_, Reach::One) => Tone::Normal,
                Death::Kill(..) | Death::Hangs | Death::Panics => Tone::Danger,
                Death::Asker | Death::Dying(_) => Tone::Watch,
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
        sort: DomainSort::Number(|c| {
            let verdict = Death::from_domain(c.domain, c.snapshot).verdict()?;
            Some(verdict.victim.points as f64 / c.domain.total_pages.max(1) as f64)
        }),
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
        sort: DomainSort::Text,
        cell: |c| {
            let near = c.watch.urgency >= Urgency::Close;
            match Death::from_domain(c.domain, c.snapshot) {
                Death::Hangs => cell(Tone::Danger, "nobody: tasks hang"),
                Death::Empty => cell(Tone::Dim, "empty"),
                Death::Throttles => cell(Tone::Dim, "slowed down, not killed"),
                Death::Panics => cell(Tone::Danger, "the kernel panics"),
                Death::Asker => cell(Tone::Watch, "whoever asks"),
                Death::Dying(id) => cell(Tone::Watch, wording::dying(id, c.snapshot)),
                Death::Nobody => cell(Tone::Watch, "nobody can be killed"),
                Death::Kill(verdict, _) => cell(
                    if near { Tone::Critical } else { Tone::Normal },
                    wording::victim(&verdict, c.snapshot),
                ),
            }
        },
    },
];
