//! The Summary page: what happened in plain words, with the numbers, and what to do now. At most a dozen
//! lines that a newcomer understands.

use std::collections::HashMap;

use crate::app::columns::{short_group, short_id};
use crate::app::event_text::{asked_by, cause};
use crate::app::events::Remembered;
use crate::app::format;
use crate::app::text::{Line, Tone};
use crate::domain::oom::analysis::page_kb;
use crate::domain::oom::analysis::ranking::{Ranking, ranking};
use crate::domain::oom::analysis::zones::{ZoneState, ZoneVerdict, is_fragmentation, zones};
use crate::domain::oom::{Kill, OomReport, Outcome};
use crate::domain::process::Pid;

/// Names listed among those who held the memory.
const HOLDERS: usize = 4;

/// All lines of the page.
pub fn lines(report: &OomReport, remembered: &[(Pid, Remembered)]) -> Vec<Line> {
    let ranking = ranking(report);
    let mut lines = vec![Line::of(Tone::Strong, cause(report))];
    if let Some(asker) = asked_by(report) {
        lines.push(point("", capital(&format!("{asker}{}.", gfp(report)))));
    }
    lines.extend(where_it_ran_out(report));
    lines.extend(what_was_left(report));
    lines.extend(who_held_it(ranking.as_ref()));
    lines.extend(victims(report, ranking.as_ref(), remembered));
    lines.extend(oddities(report));
    let advice = advice(report, ranking.as_ref(), remembered);
    if !advice.is_empty() {
        lines.push(Line::new());
        lines.push(Line::of(Tone::Accent, "What to do now"));
        lines.extend(advice);
    }
    lines
}

/// `The database mysqld …`: a labelled sentence.
fn point(label: &str, text: impl Into<String>) -> Line {
    Line::of(Tone::Dim, label).add(Tone::Normal, text)
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

fn kb(value: u64) -> String {
    format::long_size(value.saturating_mul(1024))
}

/// The flags of the request, where the kernel names them.
fn gfp(report: &OomReport) -> String {
    let flags = report.trigger.as_ref().and_then(|t| t.gfp_flags.as_deref());
    flags.map_or_else(String::new, |flags| format!(", {flags}"))
}

/// For the host: which zone, against which mark; or fragmentation.
fn where_it_ran_out(report: &OomReport) -> Option<Line> {
    if report.is_memcg() {
        return None;
    }
    if is_fragmentation(report) == Some(true) {
        let order = report.trigger.as_ref().and_then(|t| t.order).unwrap_or(0);
        return Some(Line::of(
            Tone::Watch,
            format!(
                "There was free memory, but no free block of order {order}: memory was fragmented, not full."
            ),
        ));
    }
    let states = zones(report);
    let asked: Vec<&ZoneState> = states
        .iter()
        .filter(|z| z.verdict != ZoneVerdict::NotAllowed)
        .collect();
    let short = asked
        .iter()
        .filter(|z| matches!(z.verdict, ZoneVerdict::BelowMin | ZoneVerdict::HeldBack));
    let named: Vec<String> = short
        .map(|z| {
            format!(
                "node {} {} had {} free (its reserve is {})",
                z.node,
                z.name,
                kb(z.free_kb),
                kb(z.min_kb + z.held_back_kb)
            )
        })
        .collect();
    (!named.is_empty()).then(|| point("", format!("{}.", capital(&named.join("; ")))))
}

/// Swap, page cache, and the kinds of memory a kill does not free.
fn what_was_left(report: &OomReport) -> Vec<Line> {
    let Some(memory) = &report.memory else {
        return Vec::new();
    };
    let page = page_kb(report).unwrap_or(4);
    let swap = match (memory.total_swap_kb, memory.free_swap_kb) {
        (Some(0), _) => Some("there is no swap".to_owned()),
        (Some(total), Some(free)) if free < total / 50 => {
            Some(format!("swap ({}) was full", kb(total)))
        }
        (Some(total), Some(free)) => Some(format!("{} of {} swap was free", kb(free), kb(total))),
        _ => None,
    };
    let counter = |name: &str| {
        memory
            .counters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, pages)| pages * page)
    };
    let cache = [counter("active_file"), counter("inactive_file")]
        .into_iter()
        .flatten()
        .sum::<u64>();
    let mut parts: Vec<String> = swap.into_iter().collect();
    if counter("inactive_file").is_some() {
        parts.push(format!("{} of page cache was left to reclaim", kb(cache)));
    }
    let mut lines = Vec::new();
    if !parts.is_empty() {
        lines.push(point("", format!("{}.", capital(&parts.join(", ")))));
    }
    let ram = memory.ram_pages.map_or(0, |pages| pages * page);
    for (name, meaning) in [
        (
            "shmem",
            "is tmpfs and shared memory: no process is charged for most of it, and killing one does not free it",
        ),
        (
            "slab_unreclaimable",
            "is kernel memory that cannot be reclaimed: a leak in the kernel or a driver, perhaps",
        ),
    ] {
        if let Some(held) = counter(name).filter(|held| ram > 0 && *held * 5 > ram) {
            lines.push(Line::of(
                Tone::Watch,
                format!("{} of {} {meaning}.", kb(held), kb(ram)),
            ));
        }
    }
    lines
}

/// The names that held most, with how many processes each.
fn who_held_it(ranking: Option<&Ranking>) -> Option<Line> {
    let ranking = ranking?;
    let mut by_name: HashMap<&str, (u64, u64)> = HashMap::new();
    for row in &ranking.rows {
        let entry = by_name.entry(&row.comm).or_default();
        entry.0 += row.pages;
        entry.1 += 1;
    }
    let mut held: Vec<_> = by_name.into_iter().collect();
    held.sort_by_key(|(name, (pages, _))| (std::cmp::Reverse(*pages), *name));
    let size = |pages: u64| format::size(pages.saturating_mul(ranking.page_kb * 1024));
    let named = held.iter().take(HOLDERS).map(|(name, (pages, count))| {
        if *count > 1 {
            format!("{name} {} in {count} processes", size(*pages))
        } else {
            format!("{name} {}", size(*pages))
        }
    });
    let named: Vec<String> = named.collect();
    (!named.is_empty()).then(|| point("", format!("Memory was held by {}.", named.join(", "))))
}

/// Whom the kernel killed, and why this one.
fn victims(
    report: &OomReport,
    ranking: Option<&Ranking>,
    remembered: &[(Pid, Remembered)],
) -> Vec<Line> {
    let mut lines = Vec::new();
    for kill in report.kills.iter().take(3) {
        let size = kill
            .anon_rss_kb
            .map_or_else(String::new, |anon| format!(" ({} anonymous)", kb(anon)));
        let adj = kill
            .adj
            .map_or_else(String::new, |adj| format!(", oom_score_adj {adj}"));
        lines.push(
            Line::of(Tone::Critical, format!("Killed {} {}", kill.pid, kill.comm)).add(
                Tone::Normal,
                format!("{size}{adj}{}.", why(kill, report, ranking)),
            ),
        );
        if let Some((_, known)) = remembered.iter().find(|(pid, _)| *pid == kill.pid) {
            lines.push(known_before(known));
        }
    }
    if report.kills.len() > 3 {
        lines.push(point(
            "",
            format!("And {} more (Tasks lists them).", report.kills.len() - 3),
        ));
    }
    if let Some(group) = &report.oom_group {
        lines.push(point(
            "",
            format!(
                "All of {} died together: memory.oom.group is set there.",
                short_group(group)
            ),
        ));
    }
    lines
}

fn why(kill: &Kill, report: &OomReport, ranking: Option<&Ranking>) -> String {
    if kill.group_member {
        return ", with its group".to_owned();
    }
    let Some(ranking) = ranking else {
        return String::new();
    };
    let Some(place) = ranking.place(kill.pid) else {
        return String::new();
    };
    let largest = ranking.rows.iter().max_by_key(|row| row.pages);
    match largest {
        _ if place != 1 && report.chosen.as_ref().is_some_and(|c| c.pid != kill.pid) => {
            ", a child sacrificed for the one chosen (kernels before 5.1)".to_owned()
        }
        _ if place != 1 => format!(
            ": place {place} of {} by the table, so something else decided",
            ranking.rows.len()
        ),
        Some(largest) if largest.pid != kill.pid => format!(
            ": first by badness because of its adj; {} {} was larger but had adj {}",
            largest.pid, largest.comm, largest.adj
        ),
        _ => format!(": the largest of {} candidates", ranking.rows.len()),
    }
}

fn known_before(known: &Remembered) -> Line {
    let command = known.command.as_deref().unwrap_or("");
    let growth = known.growth.filter(|growth| *growth > 1 << 20);
    let growing = growth.map_or_else(String::new, |growth| {
        format!("  it was growing by {}", format::rate(growth as f64))
    });
    let group = known
        .cgroup
        .as_ref()
        .map_or_else(String::new, |g| format!("  in {}", short_group(g.as_str())));
    let rank = known
        .rank
        .map_or_else(String::new, |rank| format!("  rank {rank} of the host"));
    let user = known
        .user
        .as_deref()
        .map_or_else(String::new, |user| format!(", user {user}"));
    Line::of(Tone::Dim, "  before: ")
        .add(Tone::Normal, command)
        .add(Tone::Dim, format!("{group}{growing}{rank}{user}"))
}

/// What a reader would otherwise stumble over.
fn oddities(report: &OomReport) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut say = |tone, text: String| lines.push(Line::of(tone, text));
    match report.outcome {
        Outcome::NobodyKillable => say(
            Tone::Critical,
            "Nobody could be killed: every process there has oom_score_adj -1000, or is dying already.".to_owned(),
        ),
        Outcome::Panic => {
            let why = report.panic.as_deref().unwrap_or("");
            say(Tone::Critical, format!("The kernel panicked: {why}"));
        }
        Outcome::Ignored => say(Tone::Watch, "SysRq-f found nobody to kill.".to_owned()),
        Outcome::Pending | Outcome::Killed => {}
    }
    if report.repeats > 0 {
        say(
            Tone::Watch,
            format!("The same came {} times more.", report.repeats),
        );
    }
    if !report.shared_memory.is_empty() {
        say(
            Tone::Watch,
            format!(
                "{} more processes died because they shared its memory.",
                report.shared_memory.len()
            ),
        );
    }
    if report.gap {
        say(
            Tone::Watch,
            "Log records were lost within this report.".to_owned(),
        );
    }
    if !report.has_header && !report.kills.is_empty() {
        say(
            Tone::Dim,
            "Only the \"Killed process\" line is there: the kernel prints at most 10 reports in 5 s, or the log has lost \
             the rest."
                .to_owned(),
        );
    }
    lines
}

/// Find, who was hit, root cause, protect now, fix for good: the last two as steps with their keys.
fn advice(
    report: &OomReport,
    ranking: Option<&Ranking>,
    remembered: &[(Pid, Remembered)],
) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut step = |key: &str, text: String| {
        lines.push(Line::of(Tone::Strong, format!("  {key:<8}")).add(Tone::Normal, text));
    };
    let victim = report.kills.first();
    let leaked = |kill: &&Kill| {
        remembered.iter().any(|(pid, known)| {
            *pid == kill.pid && known.growth.is_some_and(|growth| growth > 1 << 20)
        })
    };
    if report.outcome == Outcome::NobodyKillable {
        step("a", "give at least one process of that group an adj above -1000, or raise the group's limit".to_owned());
        return lines;
    }
    if let Some(kill) = victim.filter(leaked) {
        step(
            "fix",
            format!(
                "{} was growing steadily: look for a leak in it before anything else",
                kill.comm
            ),
        );
    }
    if report.is_memcg() {
        let group = report
            .oom_memcg
            .as_deref()
            .map_or("the cgroup", |path| path);
        let limit = report
            .limit_kb
            .map_or_else(String::new, |limit| format!(" (now {})", kb(limit)));
        let name = short_id(group.rsplit('/').next().unwrap_or(group));
        step(
            "limit",
            format!(
                "if {name} needs what it used, raise its limit{limit}: systemctl set-property, the container's memory option, or memory.max"
            ),
        );
        if victim.is_some_and(|kill| kill.adj.is_some_and(|adj| adj <= 0)) {
            step("a", "if the wrong one died, protect it with a lower adj, or make a helper in the group more expendable".to_owned());
        }
        return lines;
    }
    let swapless = report
        .memory
        .as_ref()
        .is_some_and(|m| m.total_swap_kb == Some(0));
    if is_fragmentation(report) == Some(true) {
        step("fix", "memory was fragmented: raise vm.min_free_kbytes, or echo 1 > /proc/sys/vm/compact_memory".to_owned());
    }
    if let Some(largest) = ranking.and_then(|r| r.rows.iter().max_by_key(|row| row.pages)) {
        step(
            "c",
            format!(
                "fence {} in with a memory limit, so that it runs out alone",
                largest.comm
            ),
        );
        if let Some(kill) =
            victim.filter(|kill| kill.pid != largest.pid && kill.adj.is_none_or(|adj| adj <= 0))
        {
            step(
                "a",
                format!("protect {}: it was not the largest", kill.comm),
            );
        }
    }
    if swapless {
        step(
            "fix",
            "add some swap or zram: without it there is no time between full and dead".to_owned(),
        );
    }
    lines
}
