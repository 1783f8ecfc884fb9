//! Columns of the domains view. [`COLUMNS`] is the list: adding a column is adding a row there.

use super::pace::Count;
use super::watch::Watch;
use super::{dies, name};
use crate::app::columns::{Align, Cell, Width, fitted};
use crate::app::format;
use crate::app::text::Tone;
use crate::app::trend::Rate;
use crate::domain::band::Band;
use crate::domain::cgroup::Cgroup;
use crate::domain::process::Process;
use crate::domain::snapshot::{Host, Snapshot};
use crate::domain::urgency::Urgency;
use crate::domain::victim::{DomainState, Scope};

/// What a cell looks at.
#[derive(Debug, Clone, Copy)]
pub struct DomainCell<'a> {
    /// The domain.
    pub domain: &'a DomainState,
    /// Its group; `None` for the host.
    pub group: Option<&'a Cgroup>,
    /// What is remembered of it.
    pub watch: &'a Watch,
    /// The domain around it.
    pub parent: Option<Scope>,
    /// Depth in the tree.
    pub depth: u16,
    /// The sample.
    pub snapshot: &'a Snapshot,
    /// The machine.
    pub host: &'a Host,
}

/// A column of the view.
#[derive(Debug)]
pub struct DomainColumn {
    /// Its name.
    pub id: &'static str,
    /// Its header.
    pub title: &'static str,
    /// Width.
    pub width: Width,
    /// Side.
    pub align: Align,
    /// Columns with the smallest rank stay longest when the screen is narrow; 0 stays always.
    pub rank: u8,
    /// Text and tone.
    pub cell: fn(&DomainCell<'_>) -> Cell,
}

fn cell(tone: Tone, text: impl Into<String>) -> Cell {
    Cell {
        text: text.into(),
        tone,
    }
}

fn na() -> Cell {
    cell(Tone::Dim, "n/a")
}

/// Dim where there is none to speak of.
fn dash() -> Cell {
    cell(Tone::Dim, "-")
}

/// The tone of a band, as the gauge has it.
pub fn tone(band: Band) -> Tone {
    match band {
        Band::Normal => Tone::Good,
        Band::Warning => Tone::Watch,
        Band::Danger => Tone::Danger,
        Band::Critical => Tone::Critical,
    }
}

/// The tone of an urgency.
pub fn urgency_tone(urgency: Urgency) -> Tone {
    match urgency {
        Urgency::Calm => Tone::Normal,
        Urgency::Watch => Tone::Watch,
        Urgency::Close => Tone::Danger,
        Urgency::Imminent | Urgency::Killing => Tone::Critical,
    }
}

/// A counter and how fast it rises, a minute: `12`, `12 +3/m`.
pub fn counted(value: Option<u64>, per_second: Option<f64>) -> String {
    let Some(value) = value else {
        return "n/a".to_owned();
    };
    let per_minute = per_second.unwrap_or(0.0) * 60.0;
    let total = format::count(value);
    if per_minute < 0.5 {
        total
    } else {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "not negative; `as` saturates"
        )]
        let whole = per_minute.round() as u64;
        format!("{total} +{}/m", format::count(whole))
    }
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

fn victim<'a>(c: &DomainCell<'a>) -> Option<&'a Process> {
    c.snapshot.process(c.domain.verdict?.victim.id)
}

/// The columns.
pub static COLUMNS: &[DomainColumn] = &[
    DomainColumn {
        id: "domain",
        title: "DOMAIN",
        width: Width::AtLeast(20),
        align: Align::Left,
        rank: 0,
        cell: |c| {
            let own = name(c.domain.scope, c.parent, &c.host.name, c.snapshot);
            // Below the host there is nothing to indent by.
            let indent = match c.depth {
                0 | 1 => String::new(),
                deep => format!("{}└ ", "  ".repeat(usize::from(deep.min(12)) - 2)),
            };
            cell(Tone::Strong, format!("{indent}{own}"))
        },
    },
    DomainColumn {
        id: "state",
        title: "STATE",
        width: Width::Fixed(8),
        align: Align::Left,
        rank: 1,
        cell: |c| match (c.watch.urgency, c.watch.room) {
            (Urgency::Killing, _) if c.watch.signs.hangs => cell(Tone::Critical, "HANGS"),
            (Urgency::Killing, _) => cell(Tone::Critical, "OOM NOW"),
            (_, None) => na(),
            (_, Some(_)) => cell(tone(c.watch.band), c.watch.band.name()),
        },
    },
    DomainColumn {
        id: "kept",
        title: "USED%",
        width: Width::Fixed(6),
        align: Align::Right,
        rank: 0,
        cell: |c| match c.watch.room {
            Some(room) => cell(tone(c.watch.band), format::percent(room.percent())),
            None => na(),
        },
    },
    DomainColumn {
        id: "usage",
        title: "USAGE",
        width: Width::Fixed(5),
        align: Align::Right,
        rank: 3,
        cell: |c| match c.domain.usage {
            Some(usage) => cell(Tone::Normal, format::size(usage)),
            None => na(),
        },
    },
    DomainColumn {
        id: "limit",
        title: "LIMIT",
        width: Width::Fixed(5),
        align: Align::Right,
        rank: 2,
        cell: |c| cell(Tone::Normal, format::size(c.domain.limit)),
    },
    DomainColumn {
        id: "left",
        title: "LEFT",
        width: Width::Fixed(5),
        align: Align::Right,
        rank: 4,
        cell: |c| match c.watch.room {
            Some(room) => cell(Tone::Normal, format::size(room.left())),
            None => na(),
        },
    },
    DomainColumn {
        id: "cache",
        title: "CACHE",
        width: Width::Fixed(5),
        align: Align::Right,
        rank: 7,
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
        width: Width::Fixed(11),
        align: Align::Right,
        rank: 6,
        cell: |c| {
            let Some(room) = c.watch.room else {
                return na();
            };
            let used = room.swap_used.unwrap_or(0);
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
        width: Width::Fixed(8),
        align: Align::Right,
        rank: 5,
        cell: |c| match c.watch.forecast.rate() {
            Rate::Unknown => cell(Tone::Dim, "…"),
            Rate::Unsteady => cell(Tone::Dim, "unsteady"),
            Rate::Steady(rate) if rate.abs() < 1024.0 => cell(Tone::Dim, "0"),
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
        width: Width::Fixed(7),
        align: Align::Right,
        rank: 2,
        cell: |c| match c.watch.signs.time_left {
            Some(left) => {
                let tone = if left.as_secs() < 300 {
                    Tone::Critical
                } else {
                    Tone::Watch
                };
                cell(tone, format!("~{}", format::about(left)))
            }
            None => dash(),
        },
    },
    DomainColumn {
        id: "psi-full",
        title: "STALL%",
        width: Width::Fixed(6),
        align: Align::Right,
        rank: 5,
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
        width: Width::Fixed(11),
        align: Align::Right,
        rank: 7,
        cell: |c| event(c, Count::High, |group| group.events.high),
    },
    DomainColumn {
        id: "max",
        title: "MAX",
        width: Width::Fixed(11),
        align: Align::Right,
        rank: 6,
        cell: |c| event(c, Count::Max, |group| group.events.max),
    },
    DomainColumn {
        id: "oom",
        title: "OOM",
        width: Width::Fixed(9),
        align: Align::Right,
        rank: 7,
        cell: |c| event(c, Count::Oom, |group| group.events.oom),
    },
    DomainColumn {
        id: "kills",
        title: "KILLS",
        width: Width::Fixed(9),
        align: Align::Right,
        rank: 3,
        cell: |c| match (c.group, c.snapshot.kills.host) {
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
        width: Width::Fixed(6),
        align: Align::Left,
        rank: 4,
        cell: |c| {
            let word = dies(c.domain, c.snapshot);
            let tone = match word {
                "whole" | "hangs" => Tone::Danger,
                "nobody" => Tone::Dim,
                _ => Tone::Normal,
            };
            cell(tone, word)
        },
    },
    DomainColumn {
        id: "badness",
        title: "BAD‰",
        width: Width::Fixed(5),
        align: Align::Right,
        rank: 4,
        cell: |c| match c.domain.verdict {
            Some(verdict) => {
                let total = c.domain.total_pages.max(1);
                let share = verdict.victim.points as f64 * 1000.0 / total as f64;
                cell(Tone::Normal, format!("{share:.0}"))
            }
            None => dash(),
        },
    },
    DomainColumn {
        id: "victim",
        title: "NEXT VICTIM",
        width: Width::AtLeast(16),
        align: Align::Left,
        rank: 2,
        cell: |c| {
            let Some(process) = victim(c) else {
                return match dies(c.domain, c.snapshot) {
                    "hangs" => cell(Tone::Danger, "kill disabled: tasks hang"),
                    _ if c.domain.members == 0 => cell(Tone::Dim, "empty"),
                    _ => cell(Tone::Watch, "nobody can be killed"),
                };
            };
            let or = match c.domain.verdict {
                Some(verdict) if verdict.close => verdict
                    .runner_up
                    .and_then(|other| c.snapshot.process(other.id)),
                _ => None,
            };
            let or = or.map_or_else(String::new, |p| format!(" or {} {}", p.id.pid, p.comm));
            let text = format!("{} {}{or}", process.id.pid, process.comm);
            let near = c.watch.urgency >= Urgency::Close;
            cell(if near { Tone::Critical } else { Tone::Normal }, text)
        },
    },
];

/// The columns that fit into `width` cells, with the cells each takes.
pub fn fit(width: u16) -> Vec<(&'static DomainColumn, u16)> {
    fitted(COLUMNS, width, |c| (c.width, c.rank), |c| c.id == "domain")
}

#[cfg(test)]
mod tests {
    use super::{COLUMNS, counted, fit};

    #[test]
    fn what_matters_most_stays_when_it_gets_narrow() {
        let ids = |width| fit(width).iter().map(|(c, _)| c.id).collect::<Vec<_>>();
        assert_eq!(ids(30), ["domain", "kept"]);
        assert_eq!(ids(40), ["domain", "state", "kept"]);
        for id in ["usage", "limit", "full-in", "kills", "victim"] {
            assert!(ids(90).contains(&id), "{id}");
        }
        for id in ["limit", "full-in", "victim"] {
            assert!(ids(80).contains(&id), "{id}");
        }
        assert_eq!(ids(200).len(), COLUMNS.len());
        for width in 27..300 {
            let used: u16 = fit(width).iter().map(|(_, w)| w + 1).sum::<u16>() - 1;
            assert_eq!(used, width, "the view fills its width");
        }
    }

    #[test]
    fn counters_have_a_rate_when_they_rise() {
        assert_eq!(counted(Some(12), Some(0.05)), "12 +3/m");
        assert_eq!(counted(Some(12), None), "12");
        assert_eq!(counted(Some(1_234_567), Some(0.0)), "1.2M");
        assert_eq!(counted(None, Some(5.0)), "n/a");
    }
}
