//! The line above the table for a domain that is about to be full: when, where, who fills it, and who dies of it.

use std::time::Duration;

use super::Domains;
use super::alarm::Alarm;
use super::columns::tone;
use super::death::{Death, Reach};
use super::rise::Filling;
use super::watch::Watch;
use crate::app::view::gauge::trend::Rate;
use crate::model::oom_domain::headroom::Room;
use crate::model::oom_domain::leak::Leak;
use crate::model::oom_domain::urgency::Urgency;
use crate::model::oom_domain::victim::{DomainState, Scope};
use crate::model::process::ProcessId;
use crate::model::snapshot::Snapshot;
use crate::model::time::Monotonic;
use crate::text::format;
use crate::text::meter::bar;
use crate::text::tone::{Line, Tone};
use crate::text::wording;

/// A domain that is full later than this has no line.
const NEAR: Duration = Duration::from_mins(2);

/// What a narrow line leaves out, one more thing at each level, the least important first.
const LEVELS: u8 = 9;

impl Watch {
    /// Notes whether the domain is about to be full. A kill makes room, and ends the line at once. True if what looked like
    /// it is over and was none: nobody need look there any longer.
    pub(super) fn note_filling(&mut self, at: Monotonic, killed: bool) -> bool {
        let left = self.signs.time_left;
        let fills = left.is_some_and(|left| left <= NEAR);
        let percent = self.room.as_ref().map(Room::percent);
        let was = self.filled;
        self.filled = if fills {
            Some(Filling::goes_on(was, at))
        } else {
            was.and_then(|was| was.after(at, killed, percent))
        };
        !fills && was.is_some_and(|was| was.was_a_start(percent))
    }

    /// True while the domain has its line.
    fn is_filling(&self) -> bool {
        self.filled.is_some()
    }
}

impl Domains {
    /// Domains that are about to be full, the first to be so at the front. Of nested ones only the one that decides.
    pub fn filling(&self) -> Vec<Scope> {
        let decides =
            |scope: Scope, watch: &Watch| watch.first_full.is_none_or(|(first, _)| first == scope);
        let found = self
            .watches
            .iter()
            .filter(|(scope, watch)| watch.is_filling() && decides(**scope, watch));
        let mut found: Vec<_> = found
            .map(|(scope, watch)| {
                let left = watch.signs.time_left.unwrap_or(Duration::MAX);
                (left, watch.place(), *scope)
            })
            .collect();
        found.sort();
        found.into_iter().map(|(_, _, scope)| scope).collect()
    }

    /// The line of the first of them, no wider than the screen if that is possible. The names of keys: to the domains,
    /// and to what ends an incident.
    pub(super) fn filling_line(
        &self,
        snapshot: &Snapshot,
        (details, end): (&str, &str),
        width: usize,
    ) -> Option<Alarm> {
        let filling = self.filling();
        let scope = *filling.first()?;
        let (domain, watch) = (snapshot.domain(scope)?, self.watch(scope)?);
        let others = filling.len() - 1;
        let line = |level| {
            let mut line = self::line(domain, watch, snapshot, level);
            if others > 0 {
                line.push(Tone::Dim, format!("  and {others} more ({details})"));
            } else if level == 0 {
                line.push(Tone::Dim, format!("  {details} {end}: act"));
            }
            line
        };
        let fits = (0..LEVELS).map(&line).find(|line| line.width() <= width);
        Some(Alarm {
            line: fits.unwrap_or_else(|| line(LEVELS - 1)),
            scope: Some(scope),
        })
    }
}

fn line(domain: &DomainState, watch: &Watch, snapshot: &Snapshot, level: u8) -> Line {
    let loud = if watch.urgency >= Urgency::Imminent {
        Tone::Critical
    } else {
        Tone::Danger
    };
    let mut line = match watch.signs.time_left {
        Some(left) => {
            let left = format::forecast(left, watch.forecast.is_unsure());
            Line::of(loud, format!("FULL IN {left}"))
        }
        None if is_full(watch) => Line::of(Tone::Watch, "FILLED, now at rest"),
        None => Line::of(Tone::Watch, "WAS FILLING"),
    };
    line.push(
        Tone::Strong,
        format!(" {}", called(domain.scope, snapshot, level)),
    );
    if let Some(room) = watch.room {
        let percent = room.percent();
        if level < 7 {
            line.push(Tone::Dim, " [");
            line.push(
                tone(watch.own_band),
                bar(percent, if level < 2 { 12 } else { 8 }),
            );
            line.push(Tone::Dim, "]");
        }
        if level < 6 {
            let share = format!(" {percent:.0}% of {}", format::size(domain.limit));
            line.push(Tone::Normal, share);
        }
    }
    let rate = match watch.forecast.rate() {
        _ if watch.signs.time_left.is_none() => None,
        Rate::Lately(rate, over) => {
            let seconds = over.as_secs_f64().round();
            let basis = match level {
                0..2 => format!(" {} in the last {seconds} s", format::rate(rate)),
                2..5 => format!(" {}", format::rate(rate)),
                _ => String::new(),
            };
            line.push(Tone::Watch, basis);
            Some(rate)
        }
        Rate::Steady(rate) => {
            let steady = format!(" {}", format::rate(rate));
            line.push(Tone::Watch, if level < 5 { steady } else { String::new() });
            Some(rate)
        }
        Rate::Unknown | Rate::Unsteady | Rate::Frozen => None,
    };
    let leak = rate.and_then(|rate| Leak::new(domain.scope, snapshot, rate));
    let death = Death::from_domain(domain, snapshot);
    let fate = fate(death, snapshot, level);
    let certain = death.verdict().filter(|verdict| verdict.or().is_none());
    match leak {
        Some(Leak::One(id, rate)) if certain.is_some_and(|verdict| verdict.victim.id == id) => {
            let words = if level < 8 {
                "  grows and dies: "
            } else {
                "  dies: "
            };
            line.push(Tone::Dim, words);
            line.push(Tone::Critical, with_rate(id, rate, snapshot, level));
            line.push(Tone::Critical, along(death));
            return line;
        }
        Some(leak) if level < 8 => {
            line.push(Tone::Dim, "  grows: ");
            line.push(Tone::Watch, leaker(leak, snapshot, level));
        }
        Some(_) | None => {}
    }
    line.push(Tone::Dim, "  dies: ");
    line.push(Tone::Critical, fate);
    line
}

/// The name of the domain: on a narrow line the last level of its path.
pub(super) fn called(scope: Scope, snapshot: &Snapshot, level: u8) -> String {
    let Some(group) = scope.memcg().and_then(|key| snapshot.cgroup(key)) else {
        return wording::domain(scope, snapshot);
    };
    let name = wording::short_group(group.path.as_str());
    match name.rsplit_once('/') {
        Some((_, last)) if level >= 3 && !last.is_empty() => format!("…/{last}"),
        _ => name,
    }
}

fn leaker(leak: Leak, snapshot: &Snapshot, level: u8) -> String {
    match leak {
        Leak::One(id, rate) => with_rate(id, rate, snapshot, level),
        Leak::Several { count, first, rate } => {
            let most = with_rate(first, rate, snapshot, level);
            let all = format::number_of(count as u64, "process", "processes");
            format!("{all}, most {most}")
        }
        Leak::Elsewhere if level < 6 => {
            "no process: page cache, tmpfs or kernel memory grows".to_owned()
        }
        Leak::Elsewhere => "no process".to_owned(),
    }
}

fn with_rate(id: ProcessId, rate: f64, snapshot: &Snapshot, level: u8) -> String {
    let who = named(id, snapshot, level);
    if level < 2 {
        format!("{who} {}", format::rate(rate))
    } else {
        who
    }
}

/// A process with its pid, on a narrow line without.
fn named(id: ProcessId, snapshot: &Snapshot, level: u8) -> String {
    match snapshot.process(id) {
        Some(process) if level >= 4 => process.comm.to_string(),
        _ => wording::process(id, snapshot),
    }
}

/// Share in percent from which a domain is called full.
const FULL: f64 = 90.0;

fn is_full(watch: &Watch) -> bool {
    let percent = watch.room.as_ref().map(Room::percent);
    percent.is_some_and(|percent| percent >= FULL)
}

/// Who ends with the victim.
fn along(death: Death) -> &'static str {
    let Death::Kill(_, reach) = death else {
        return "";
    };
    match reach {
        Reach::One => "",
        Reach::Shared => " and who shares its memory",
        Reach::Group => " and its group",
        Reach::Unit => " and its unit",
        Reach::Namespace => " and its PID namespace",
    }
}

pub(super) fn fate(death: Death, snapshot: &Snapshot, level: u8) -> String {
    let of = |verdict: crate::model::oom_domain::victim::Verdict| {
        let first = named(verdict.victim.id, snapshot, level);
        match verdict.or() {
            Some(other) => format!("{first} or {}", named(other.id, snapshot, level)),
            None => first,
        }
    };
    match death {
        Death::Kill(verdict, _) => format!("{}{}", of(verdict), along(death)),
        Death::Hangs => "nobody, its tasks hang".to_owned(),
        Death::Throttles => "nobody, its tasks are slowed down".to_owned(),
        Death::Panics => "nobody, the kernel panics".to_owned(),
        Death::Asker => "whoever asks for memory".to_owned(),
        Death::Dying(id) => wording::dying(id, snapshot),
        Death::Empty | Death::Nobody => "nobody can be killed".to_owned(),
    }
}
