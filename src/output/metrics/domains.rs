//! Each OOM domain: how full it is, when it is full, what has happened in it, and who dies there next.

use super::Facts;
use std::collections::HashSet;

use super::exposition::{Family, Kind, Page, escaped};
use crate::app::view::domains::death::Death;
use crate::app::view::domains::watch::Watch;
use crate::model::cgroup::container;
use crate::model::oom_domain::victim::DomainState;

/// Seconds in a microsecond.
const MICRO: f64 = 1e-6;

/// One domain of the page.
struct Row<'a> {
    name: String,
    unit: String,
    domain: &'a DomainState,
    watch: &'a Watch,
}

/// Writes all families; returns how many domains are left out.
pub(super) fn write(page: &mut Page, facts: &Facts<'_>) -> usize {
    let (all, chosen) = (facts.lookout.ranked().len(), facts.lookout.chosen());
    // Names that are equal once they are written, because they are longer than a label, would be one series of two domains.
    let mut written = HashSet::new();
    page.family(
        "oomtop_domains",
        Kind::Gauge,
        "OOM domains: the host, cgroups with a limit, sets of memory nodes.",
    )
    .sample(&[], Some(all));
    let rows: Vec<Row<'_>> = chosen
        .into_iter()
        .map(|(domain, watch)| {
            let path = facts.lookout.path(domain.scope);
            Row {
                name: facts.lookout.name(domain.scope),
                unit: path.and_then(container::label).unwrap_or_default(),
                domain,
                watch,
            }
        })
        .filter(|row| written.insert(escaped(&row.name)))
        .collect();
    let left_out = all.saturating_sub(rows.len());
    sizes(page, &rows);
    states(page, &rows);
    counters(page, &rows, facts);
    victims(page, &rows, facts);
    left_out
}

fn each<V: Into<super::exposition::Value>>(
    mut family: Family<'_>,
    rows: &[Row<'_>],
    value: impl Fn(&Row<'_>) -> Option<V>,
) {
    for row in rows {
        let labels = [("domain", &*row.name), ("unit", &*row.unit)];
        family.sample(&labels, value(row));
    }
}

fn sizes(page: &mut Page, rows: &[Row<'_>]) {
    each(
        page.family(
            "oomtop_domain_limit_bytes",
            Kind::Gauge,
            "Limit of the domain; RAM of the host.",
        ),
        rows,
        |row| Some(row.domain.limit),
    );
    each(
        page.family(
            "oomtop_domain_used_bytes",
            Kind::Gauge,
            "Used of the limit, without what the kernel drops before it kills.",
        ),
        rows,
        |row| row.watch.room.map(|room| room.kept()),
    );
    each(
        page.family(
            "oomtop_domain_left_bytes",
            Kind::Gauge,
            "What the domain can still use before somebody is killed: the least up its path, swap included.",
        ),
        rows,
        |row| {
            let room = row.watch.room?;
            Some(row.watch.tightest.map_or(room, |(_, tightest)| tightest).left())
        },
    );
    each(
        page.family(
            "oomtop_domain_time_left_seconds",
            Kind::Gauge,
            "Time until the domain itself is full; absent unless it grows steadily. Those around it have their own.",
        ),
        rows,
        |row| row.watch.signs.time_left.map(|time| time.as_secs_f64()),
    );
    each(
        page.family(
            "oomtop_domain_time_left_brief",
            Kind::Gauge,
            "1 while the time has not come true for some seconds, or usage has turned back below the limit before: a start that takes memory at once looks like that too.",
        ),
        rows,
        |row| {
            let is_unsure = row.watch.signs.time_left.is_some() && row.watch.forecast.is_unsure();
            is_unsure.then_some(1.0)
        },
    );
}

fn states(page: &mut Page, rows: &[Row<'_>]) {
    each(
        page.family(
            "oomtop_domain_band",
            Kind::Gauge,
            "Band of the domain's own used share: 0 normal, 1 warning, 2 danger, 3 critical.",
        ),
        rows,
        |row| row.watch.room.map(|_| row.watch.own_band as u64),
    );
    each(
        page.family(
            "oomtop_domain_urgency",
            Kind::Gauge,
            "How urgent the domain is: 0 calm, 1 watch, 2 close, 3 imminent, 4 out of memory now or within the last 10 to 20 seconds.",
        ),
        rows,
        |row| Some(row.watch.urgency as u64),
    );
    each(
        page.family(
            "oomtop_domain_stuck",
            Kind::Gauge,
            "1 if nothing goes on in the domain and nobody is killed.",
        ),
        rows,
        |row| Some(row.watch.stuck().is_some()),
    );
}

fn counters(page: &mut Page, rows: &[Row<'_>], facts: &Facts<'_>) {
    let snapshot = &facts.lookout.snapshot;
    let group = |row: &Row<'_>| {
        row.domain
            .scope
            .memcg()
            .and_then(|key| snapshot.cgroup(key))
    };
    let mut family = page.family(
        "oomtop_domain_events",
        Kind::Counter,
        "Events of the cgroup since it was made: throttled (high), stopped at the limit (max), out of memory (oom), processes killed (oom_kill).",
    );
    for row in rows {
        let Some(events) = group(row).map(|group| &group.events) else {
            continue;
        };
        let all = [
            ("high", events.high),
            ("max", events.max),
            ("oom", events.oom),
            ("oom_kill", events.oom_kill),
        ];
        for (event, count) in all {
            let labels = [
                ("domain", &*row.name),
                ("unit", &*row.unit),
                ("event", event),
            ];
            family.sample(&labels, count);
        }
    }
    each(
        page.family(
            "oomtop_domain_pressure_stalled_seconds",
            Kind::Counter,
            "Time in which all tasks of the cgroup waited for memory (PSI full); v2 only.",
        ),
        rows,
        |row| group(row)?.pressure.map(|p| p.full_total as f64 * MICRO),
    );
}

fn victims(page: &mut Page, rows: &[Row<'_>], facts: &Facts<'_>) {
    let snapshot = &facts.lookout.snapshot;
    let mut family = page.family(
        "oomtop_victim",
        Kind::Info,
        "Who dies next in each domain: name and unit of the process, what an OOM there does (dies), and who may die instead (or).",
    );
    for row in rows {
        let death = Death::from_domain(row.domain, snapshot);
        let name_of = |id| {
            let process = snapshot.process(id);
            process.map_or_else(String::new, |process| process.comm.to_string())
        };
        let verdict = death.verdict();
        let command = verdict.map_or_else(String::new, |v| name_of(v.victim.id));
        let other = verdict.and_then(|v| v.or());
        let or = other.map_or_else(String::new, |other| name_of(other.id));
        let victim = verdict.and_then(|v| snapshot.process(v.victim.id));
        let unit = victim.and_then(|victim| unit_of(victim.cgroup, facts));
        let labels = [
            ("domain", &*row.name),
            ("unit", &*row.unit),
            ("command", &*command),
            ("victim_unit", unit.as_deref().unwrap_or("")),
            ("dies", death.word()),
            ("or", &*or),
        ];
        family.sample(&labels, Some(true));
    }
}

/// The unit or container of a group.
pub(super) fn unit_of(
    group: Option<crate::model::cgroup::CgroupKey>,
    facts: &Facts<'_>,
) -> Option<String> {
    let group = facts.lookout.snapshot.cgroup(group?)?;
    let owner = container::nearest_owner(group.path.as_str());
    owner.and_then(|_| {
        let around = std::iter::successors(Some(group.path.as_str()), |path| {
            path.rsplit_once('/').map(|(above, _)| above)
        });
        around.into_iter().find_map(container::label)
    })
}
