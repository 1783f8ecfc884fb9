//! Programs that kill before the kernel does: what each would do, nearest first, with the kernel last.

mod expression;
mod first;
mod held;
mod nearest;
mod rule;

use crate::app::dialog::DialogContext;
use crate::model::killers::systemd::swap_choice;
use crate::model::killers::{Choice, Preference, Rule, RunningKiller, Trigger, kernel_room};
use crate::model::oom_domain::victim::{DomainState, Scope};
use crate::model::process::Process;
use crate::model::snapshot::Snapshot;
use crate::model::vm_settings::OomAction;
use crate::text::format;
use crate::text::tone::{Line, Tone};
use crate::text::wording;

pub use rule::short_rule;

pub(super) fn lines(context: &DialogContext<'_>) -> Vec<Line> {
    let snapshot = context.cells.snapshot;
    let mut lines = Vec::from_iter(nearest::line(context));
    lines.extend(first::lines(snapshot));
    let mut killers: Vec<_> = snapshot.killers.iter().collect();
    // A killer that kills nobody, or not by memory, comes after the others.
    killers.sort_by_key(|killer| {
        let room = killer.room(&snapshot.memory);
        (killer.dry_run, room.is_none(), room)
    });
    for killer in killers {
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
        lines.push(rule::line(rule, snapshot));
    }
    // A rule of OOMRules= says itself whom it takes.
    let is_named = |rule: &Rule| matches!(rule.when, Trigger::Ruleset { .. });
    if !killer.rules.iter().all(is_named) {
        lines.push(Line::of(
            Tone::Dim,
            format!("    it would choose {}", choice(killer, snapshot)),
        ));
    }
    lines.extend(spared(killer));
    lines.extend(held::lines(killer, snapshot));
    for note in &killer.notes {
        lines.push(Line::of(Tone::Watch, format!("    {note}")));
    }
    lines
}

/// Groups that are named of each kind.
const SPARED: usize = 4;

/// Whom it takes last, and whom never.
fn spared(killer: &RunningKiller) -> Vec<Line> {
    let kinds = [
        (Preference::Omit, "never takes"),
        (Preference::Avoid, "takes only where there is no other:"),
    ];
    let mut lines = Vec::new();
    for (preference, words) in kinds {
        let such = killer.spared.iter().filter(|(_, of)| *of == preference);
        let all: Vec<&str> = such.map(|(path, _)| path.as_str()).collect();
        if all.is_empty() {
            continue;
        }
        let named = all
            .iter()
            .take(SPARED)
            .copied()
            .collect::<Vec<_>>()
            .join(", ");
        let more = match all.len().saturating_sub(SPARED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let text = format!("    it {words} {named}{more} (ManagedOOMPreference=)");
        lines.push(Line::of(Tone::Dim, text));
    }
    if let Some(first) = killer.not_for_swap.first() {
        let more = match killer.not_for_swap.len() {
            1 => String::new(),
            all => format!(" and {} more", all - 1),
        };
        let text = format!(
            "    of these {first}{more} only from pressure: for swap the word of a user does not count"
        );
        lines.push(Line::of(Tone::Dim, text));
    }
    lines
}

fn choice(killer: &RunningKiller, snapshot: &Snapshot) -> String {
    match killer.choice {
        Choice::HighestScore => {
            let host = snapshot.domain(Scope::Host).and_then(|host| host.verdict);
            let mut text = "the largest oom_score".to_owned();
            if let Some(verdict) = host {
                text.push_str(": ");
                text.push_str(&wording::victim(&verdict, snapshot));
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
            let for_swap: Vec<_> = killer
                .spared
                .iter()
                .filter(|(group, _)| !killer.not_for_swap.contains(group))
                .cloned()
                .collect();
            let swap = swap_choice(
                &killer.watched,
                &for_swap,
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
        Choice::Pod => {
            "a pod: first those above their request, of them the lowest priority".to_owned()
        }
        Choice::Ranking => {
            let ranked = killer.rules.iter().find_map(|rule| match &rule.when {
                Trigger::Expression {
                    ranking, by_class, ..
                } => Some(expression::choice(ranking, *by_class, snapshot)),
                _ => None,
            });
            ranked.unwrap_or_else(|| "n/a".to_owned())
        }
        Choice::Kernel => "nobody itself: the kernel does, as at the end of this list".to_owned(),
        Choice::Unknown => "n/a".to_owned(),
    }
}

fn kernel_line(snapshot: &Snapshot) -> Line {
    let room = format::long_size(kernel_room(&snapshot.memory));
    let line = Line::of(Tone::Strong, "  the kernel").add(
        Tone::Normal,
        format!(
            "  when {room} more are used ({})",
            if snapshot.memory.zram_cost > 0 {
                "all available memory, and free swap as far as it is worth more than the RAM that zram takes for it"
            } else if snapshot.memory.swap_total > 0 {
                "all available memory and free swap"
            } else {
                "all available memory"
            }
        ),
    );
    match snapshot.vm_settings.action(Scope::Host) {
        OomAction::Panic => line.add(Tone::Danger, "; then it panics"),
        OomAction::KillAsker => line.add(Tone::Watch, "; then it kills whoever asks for memory"),
        OomAction::KillWorst => match snapshot.domain(Scope::Host).and_then(DomainState::next) {
            Some(verdict) => line.add(
                Tone::Normal,
                format!("; then it kills {}", wording::victim(&verdict, snapshot)),
            ),
            None => match snapshot.domain(Scope::Host).and_then(|d| d.dying) {
                Some(id) => line.add(
                    Tone::Watch,
                    format!("; then it kills {}", wording::dying(id, snapshot)),
                ),
                None => line.add(Tone::Watch, "; then there is nobody it may kill"),
            },
        },
    }
}
