//! Programs that kill before the kernel does: their conditions in words, and how far away each is.

use crate::app::dialog::DialogContext;
use crate::app::format;
use crate::app::text::{Line, Tone};
use crate::app::wording;
use crate::domain::killers::systemd::swap_choice;
use crate::domain::killers::{
    Act, Amount, Choice, Killer, Rule, RunningKiller, Trigger, first_to_act, kernel_room,
};
use crate::domain::memory::{Stall, percent};
use crate::domain::process::Process;
use crate::domain::snapshot::Snapshot;
use crate::domain::victim::Scope;
use crate::domain::vm_settings::OomAction;

/// A rule of memory as the header says it: `avail ≤ 10%`.
pub fn short_rule(rule: &Rule) -> Option<String> {
    match rule.when {
        Trigger::Low { memory, .. } => Some(format!("avail ≤ {}", amount(memory, None))),
        Trigger::Pressure { .. } | Trigger::Zram { .. } => None,
    }
}

pub(super) fn lines(context: &DialogContext<'_>) -> Vec<Line> {
    let snapshot = context.cells.snapshot;
    let memory = &snapshot.memory;
    let mut lines = Vec::new();
    match first_to_act(&snapshot.killers, memory) {
        Some((killer, _, 0)) => lines.push(Line::of(
            Tone::Critical,
            format!("  {} acts now, before the kernel.", killer.killer.name()),
        )),
        Some((killer, _, room)) => lines.push(
            Line::of(Tone::Watch, format!("  {}", killer.killer.name()))
                .add(Tone::Normal, " acts before the kernel: when about ")
                .add(Tone::Strong, format::long_size(room))
                .add(
                    Tone::Normal,
                    if memory.swap_total > 0 {
                        " more are used (RAM first, then swap)"
                    } else {
                        " more are used"
                    },
                ),
        ),
        None if snapshot.killers.is_empty() => lines.push(Line::of(
            Tone::Normal,
            "  The kernel: neither systemd-oomd, earlyoom, nohang nor oomd runs as a service here.",
        )),
        None => lines.push(Line::of(
            Tone::Normal,
            "  The kernel, unless memory pressure makes one of these act.",
        )),
    }
    for killer in snapshot.killers.iter() {
        lines.extend(killer_lines(killer, snapshot));
    }
    lines.push(kernel_line(snapshot));
    lines
}

fn killer_lines(killer: &RunningKiller, snapshot: &Snapshot) -> Vec<Line> {
    let user = snapshot
        .process(killer.id)
        .and_then(|process| snapshot.user(process.uid))
        .unwrap_or("?");
    let mut head = Line::of(Tone::Strong, format!("  {}", killer.killer.name()))
        .add(Tone::Dim, format!("  pid {} ({user})", killer.id.pid));
    if !killer.source.is_empty() {
        head.push(Tone::Dim, format!(", set by {}", killer.source));
    }
    if killer.dry_run {
        head.push(Tone::Watch, "  dry run: it kills nobody");
    }
    let mut lines = vec![head];
    for rule in &killer.rules {
        lines.push(rule_line(rule, snapshot));
    }
    if !killer.rules.is_empty() {
        lines.push(Line::of(
            Tone::Dim,
            format!("    it would choose {}", choice(killer, snapshot)),
        ));
    }
    lines.extend(newer_base(killer, snapshot));
    for note in &killer.notes {
        lines.push(Line::of(Tone::Watch, format!("    {note}")));
    }
    lines
}

/// earlyoom 1.8 takes its percentage of `MemAvailable` + `AnonPages` and no longer of `MemTotal`
/// (earlyoom(1)); which version runs cannot be seen. Said where it makes a difference.
fn newer_base(killer: &RunningKiller, snapshot: &Snapshot) -> Option<Line> {
    let memory = &snapshot.memory;
    let base = memory.obtainable().saturating_add(memory.anon?);
    let differs = base < memory.total / 10 * 9;
    (killer.killer == Killer::Earlyoom && differs && !killer.rules.is_empty()).then(|| {
        let text = format!(
            "    from version 1.8 on its percentage is of {} (available + anonymous), so that \
             it acts later",
            format::long_size(base)
        );
        Line::of(Tone::Dim, text)
    })
}

fn rule_line(rule: &Rule, snapshot: &Snapshot) -> Line {
    let act = match rule.act {
        Act::Terminate => "SIGTERM",
        Act::Kill => "SIGKILL",
        Act::KillGroup => "kills a cgroup",
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

/// `10%`, `300.0 MiB`, with the bytes of a share where the whole is known.
fn amount(amount: Amount, whole: Option<u64>) -> String {
    let share = |share: crate::domain::killers::Share| {
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

fn choice(killer: &RunningKiller, snapshot: &Snapshot) -> String {
    match killer.choice {
        Choice::HighestScore => {
            let host = snapshot.domain(Scope::Host).and_then(|host| host.verdict);
            let mut text = "the largest oom_score".to_owned();
            if let Some(verdict) = host {
                text.push_str(": ");
                text.push_str(&wording::process(verdict.victim.id, snapshot));
                if let (true, Some(other)) = (verdict.close, verdict.runner_up) {
                    text.push_str(" or ");
                    text.push_str(&wording::process(other.id, snapshot));
                }
            }
            text
        }
        Choice::LargestRss => {
            let rss = |process: &&Process| process.memory.map_or(0, |memory| memory.rss);
            let largest = snapshot
                .processes
                .iter()
                .filter(|process| !process.global_init)
                .max_by_key(rss);
            let name =
                largest.map_or_else(|| "n/a".to_owned(), |p| wording::process(p.id, snapshot));
            format!("the largest resident memory: {name}")
        }
        Choice::ScoreAndPatterns => {
            "the largest oom_score, changed by patterns of names (not evaluated here)".to_owned()
        }
        Choice::Group => {
            let swap = swap_choice(
                &killer.watched,
                &snapshot.cgroups,
                snapshot.memory.swap_total,
            );
            match (killer.watched.is_empty(), swap) {
                (false, Some(group)) => format!(
                    "for swap {} ({} of swap); for pressure the group that reclaims most",
                    group.path,
                    format::size(group.swap_usage.unwrap_or(0))
                ),
                (false, None) => "for swap no group yet: none has more than 5% of it".to_owned(),
                (true, _) => {
                    "the group below that reclaims most, not the largest process".to_owned()
                }
            }
        }
        Choice::Unknown => "n/a".to_owned(),
    }
}

fn kernel_line(snapshot: &Snapshot) -> Line {
    let room = format::long_size(kernel_room(&snapshot.memory));
    let line = Line::of(Tone::Strong, "  the kernel").add(
        Tone::Normal,
        format!(
            "  when {room} more are used ({})",
            if snapshot.memory.swap_total > 0 {
                "all available memory and free swap"
            } else {
                "all available memory"
            }
        ),
    );
    match snapshot.vm_settings.action(Scope::Host) {
        OomAction::Panic => line.add(Tone::Danger, "; then it panics"),
        OomAction::KillAsker => line.add(Tone::Watch, "; then it kills whoever asks for memory"),
        OomAction::KillWorst => match snapshot.domain(Scope::Host).and_then(|d| d.verdict) {
            Some(verdict) => line.add(
                Tone::Normal,
                format!(
                    "; then it kills {}",
                    wording::process(verdict.victim.id, snapshot)
                ),
            ),
            None => line.add(Tone::Watch, "; then there is nobody it may kill"),
        },
    }
}
