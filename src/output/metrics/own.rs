//! The rules of `oomtop protect`, and oomtop's own cost.

use super::exposition::{Kind, Page};
use super::{Facts, RULES};

/// Seconds in a microsecond.
const MICRO: f64 = 1e-6;

/// Writes what is known of rules; returns how many of them are left out.
pub(super) fn rules(page: &mut Page, facts: &Facts<'_>) -> usize {
    let Some(book) = facts.rules else {
        return 0;
    };
    page.family(
        "oomtop_rule_faults",
        Kind::Gauge,
        "Things that are wrong with files of rules: oomtop protect takes no rule then.",
    )
    .sample(&[], Some(book.faults.len()));
    if book.unread.is_some() {
        return 0;
    }
    let named: Vec<_> = book
        .rules
        .iter()
        .zip(&book.standings)
        .map(|((id, rule), standing)| {
            // Two rules may have one title.
            let name = match rule.title.as_str() {
                "" => rule.origin.to_string(),
                title => title.to_owned(),
            };
            (name, (id.0 + 1).to_string(), standing)
        })
        .collect();
    let mut family = page.family(
        "oomtop_protected_processes",
        Kind::Gauge,
        "Processes that a rule of oomtop protect holds.",
    );
    for (name, number, standing) in named.iter().take(RULES) {
        let labels = [("rule", &**name), ("number", &**number)];
        family.sample(&labels, Some(standing.holds));
    }
    let mut family = page.family(
        "oomtop_protection_drift_processes",
        Kind::Gauge,
        "Processes that a rule holds and whose oom_score_adj or memory cgroup is not what the rule says.",
    );
    for (name, number, standing) in named.iter().take(RULES) {
        let labels = [("rule", &**name), ("number", &**number)];
        family.sample(&labels, Some(standing.adrift));
    }
    let mut family = page.family(
        "oomtop_protection_drift_limits",
        Kind::Gauge,
        "Limits of a rule that its memory cgroup does not have.",
    );
    for (name, number, standing) in named.iter().take(RULES) {
        let labels = [("rule", &**name), ("number", &**number)];
        family.sample(&labels, Some(standing.limits.len()));
    }
    named.len().saturating_sub(RULES)
}

/// Writes what oomtop is and what it costs.
pub(super) fn write(page: &mut Page, facts: &Facts<'_>) {
    let snapshot = &facts.lookout.snapshot;
    let labels = [
        ("version", env!("CARGO_PKG_VERSION")),
        ("kernel", &*facts.host.release),
        ("cgroups", facts.host.cgroups.name()),
        ("backend", snapshot.backend),
    ];
    page.family(
        "oomtop_build",
        Kind::Info,
        "Version of oomtop, and what it runs on.",
    )
    .sample(&labels, Some(true));
    let own = snapshot.own_cost;
    page.family(
        "oomtop_own_cpu_seconds",
        Kind::Counter,
        "Processor time that oomtop has used.",
    )
    .sample(&[], facts.own_cpu_seconds);
    page.family(
        "oomtop_own_memory_bytes",
        Kind::Gauge,
        "Resident memory of oomtop.",
    )
    .sample(&[], own.map(|own| own.resident));
    let sampled = snapshot.seq > 0;
    page.family(
        "oomtop_sample_duration_seconds",
        Kind::Gauge,
        "How long the newest sample took.",
    )
    .sample(&[], sampled.then_some(snapshot.took_micros as f64 * MICRO));
    page.family(
        "oomtop_sample_timestamp_seconds",
        Kind::Gauge,
        "When the newest sample was taken, since 1970: numbers of an old one are old.",
    )
    .sample(
        &[],
        sampled.then_some(snapshot.taken.wall.unix_micros as f64 * MICRO),
    );
    page.family(
        "oomtop_samples_failed",
        Kind::Counter,
        "Samples that could not be taken.",
    )
    .sample(&[], Some(facts.lookout.failed));
}
