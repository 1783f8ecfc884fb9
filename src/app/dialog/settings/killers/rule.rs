//! The conditions of a killer in words, and how far away each is.

use std::time::Duration;

use crate::model::killers::{Act, Amount, Rule, Share, Trigger};
use crate::model::memory::{Stall, percent};
use crate::model::snapshot::Snapshot;
use crate::text::format;
use crate::text::tone::{Line, Tone};

/// A memory rule as the header shows it: `avail ≤ 10%`.
pub fn short_rule(rule: &Rule) -> Option<String> {
    match rule.when {
        Trigger::Low { memory, .. } => Some(format!("avail ≤ {}", amount(memory, None))),
        Trigger::Eviction { limit, .. } => Some(format!("eviction < {}", amount(limit, None))),
        Trigger::Pressure { .. } | Trigger::Zram { .. } => None,
    }
}

pub(super) fn line(rule: &Rule, snapshot: &Snapshot) -> Line {
    let act = match rule.act {
        Act::Terminate => "SIGTERM",
        Act::Kill => "SIGKILL",
        Act::KillGroup => "kills a cgroup",
        Act::Evict => "evicts a pod",
    };
    let mut line = Line::of(Tone::Normal, format!("    {act} when "));
    let memory = &snapshot.memory;
    match &rule.when {
        Trigger::Low {
            memory: low,
            swap,
            needs_swap,
        } => {
            line.push(
                Tone::Normal,
                format!("available ≤ {}", amount(*low, Some(memory.total))),
            );
            if memory.swap_total > 0 || *needs_swap {
                line.push(
                    Tone::Normal,
                    format!(
                        " and free swap ≤ {}",
                        amount(*swap, Some(memory.swap_total))
                    ),
                );
            }
            line.push(
                Tone::Dim,
                format!("; now {:.0}%", percent(memory.obtainable(), memory.total)),
            );
            if memory.swap_total > 0 {
                let free = percent(memory.swap_free, memory.swap_total);
                line.push(Tone::Dim, format!(" and {free:.0}%"));
            }
            match rule.when.room(memory) {
                Some(0) => line.push(Tone::Critical, ": it holds now"),
                Some(room) => {
                    line.push(
                        Tone::Strong,
                        format!(": about {} left", format::long_size(room)),
                    );
                }
                None => line.push(Tone::Watch, ": never, there is no swap"),
            }
        }
        Trigger::Pressure {
            group,
            measure,
            limit,
            lasting,
        } => {
            let of = group
                .as_ref()
                .map_or_else(|| "the host".to_owned(), ToString::to_string);
            let now = match group {
                Some(path) if !path.is_root() => snapshot
                    .cgroups
                    .iter()
                    .find(|g| g.present && g.path == *path)
                    .and_then(|g| g.pressure)
                    .map(|pressure| f64::from(pressure.full) / 100.0),
                _ => host_pressure(snapshot, measure),
            };
            line.push(
                Tone::Normal,
                format!(
                    "memory pressure of {of} ({measure}) > {} for {}",
                    format::percent(limit.as_percent()),
                    format::duration(*lasting)
                ),
            );
            match now {
                Some(now) => {
                    let above = now > limit.as_percent();
                    line.push(
                        if above { Tone::Critical } else { Tone::Strong },
                        format!("; now {}", format::percent(now)),
                    );
                }
                None => line.push(Tone::Watch, "; now n/a"),
            }
        }
        Trigger::Eviction { limit, lasting } => {
            line.spans
                .extend(eviction(*limit, *lasting, rule, snapshot).spans);
        }
        Trigger::Zram { limit } => line.push(
            Tone::Normal,
            format!(
                "zram holds more than {} of RAM",
                amount(*limit, Some(memory.total))
            ),
        ),
    }
    line
}

/// kubelet's condition, by its own measure.
fn eviction(limit: Amount, lasting: Duration, rule: &Rule, snapshot: &Snapshot) -> Line {
    let memory = &snapshot.memory;
    let wait = if lasting.is_zero() {
        String::new()
    } else {
        format!(" for {}", format::duration(lasting))
    };
    let limit = amount(limit, Some(memory.total));
    let now = memory.evictable();
    let now = now.map_or_else(|| "n/a".to_owned(), format::long_size);
    let line = Line::of(Tone::Normal, format!("memory.available < {limit}{wait}"))
        .add(Tone::Dim, format!("; now {now}"));
    match rule.when.room(memory) {
        Some(0) => line.add(Tone::Critical, ": it holds now"),
        Some(room) => line.add(
            Tone::Strong,
            format!(": about {} left", format::long_size(room)),
        ),
        None => line,
    }
}

fn host_pressure(snapshot: &Snapshot, measure: &str) -> Option<f64> {
    let psi = snapshot.pressure?;
    let (kind, span) = measure.split_once(' ')?;
    let Stall {
        avg10,
        avg60,
        avg300,
        ..
    } = if kind == "full" { psi.full } else { psi.some };
    Some(f64::from(match span {
        "avg60" => avg60,
        "avg300" => avg300,
        _ => avg10,
    }))
}

/// `10%`, `300.0 MiB`; a share also in bytes if the total is known.
fn amount(amount: Amount, whole: Option<u64>) -> String {
    let share = |share: Share| {
        let percent = share.as_percent();
        if share.0.is_multiple_of(100) {
            format!("{percent:.0}%")
        } else {
            format!("{percent:.1}%")
        }
    };
    match (amount, whole) {
        (Amount::Bytes(bytes), _) => format::long_size(bytes),
        (Amount::Share(part), Some(whole)) => {
            format!("{} ({})", share(part), format::long_size(part.of(whole)))
        }
        (Amount::Share(part), None) => share(part),
        (Amount::Lower(part, bytes), Some(whole)) => {
            format!(
                "{} (the lower of {} and {})",
                format::long_size(amount.of(whole)),
                share(part),
                format::long_size(bytes)
            )
        }
        (Amount::Lower(part, bytes), None) => {
            format!("{} or {}", share(part), format::long_size(bytes))
        }
    }
}
