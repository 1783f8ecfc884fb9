//! Whom the kernel killed, why this one, and what it freed.

use super::kb;
use crate::model::cgroup::limits::LimitFile;
use crate::model::process::Pid;
use crate::model::recall::Remembered;
use crate::oomlog::analysis::advice::allocating_task_dies;
use crate::oomlog::analysis::evidence::{Table, table};
use crate::oomlog::analysis::freed::{Freed, freed};
use crate::oomlog::analysis::ranking::{Ranked, Ranking};
use crate::oomlog::{Chosen, Kill, OomReport};
use crate::text::format;
use crate::text::format::number_of;
use crate::text::tone::{Line, Tone};
use crate::text::wording::short_group;

/// Victims named one by one.
const NAMED: usize = 3;

/// Whom the kernel killed, and why this one.
pub(super) fn lines(
    report: &OomReport,
    ranking: Option<&Ranking>,
    remembered: &[(Pid, Remembered)],
) -> Vec<Line> {
    let mut lines = Vec::new();
    for kill in report.kills.iter().take(NAMED) {
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
    if report.kills.len() > NAMED {
        lines.push(Line::from(format!(
            "And {} more (Tasks lists them).",
            report.kills.len() - NAMED
        )));
    }
    lines.extend(freed(report).map(|freed| freed_at_most(&freed)));
    if let Some(group) = &report.oom_group {
        lines.push(Line::from(format!(
            "All of {} died together: {} is set there.",
            short_group(group),
            LimitFile::OomGroup.name()
        )));
    } else if report.kills.iter().any(|kill| kill.group_member) {
        lines.push(Line::from(format!(
            "They may have died together, as {} wants it; the log does not name their cgroup.",
            LimitFile::OomGroup.name()
        )));
    }
    lines
}

/// A bound from above: see [`Freed`].
fn freed_at_most(freed: &Freed) -> Line {
    let most = kb(freed.at_most_kb());
    let more = match freed.unknown {
        0 => String::new(),
        unknown => format!(", and what {} held", number_of(unknown, "other", "others")),
    };
    let shmem = freed.shmem_kb.filter(|kb| *kb >= 1024);
    let shared = shmem.map_or_else(String::new, |shmem| {
        format!(
            ", and {} of shared memory if nobody else and no file holds it",
            kb(shmem)
        )
    });
    Line::from(format!(
        "That freed up to {most}{more}{shared}; pages shared with others after a fork stay."
    ))
}

fn why(kill: &Kill, report: &OomReport, ranking: Option<&Ranking>) -> String {
    if kill.group_member {
        let is_sure = report.oom_group.is_some();
        return if is_sure {
            ", with its group"
        } else {
            ", perhaps with its group"
        }
        .to_owned();
    }
    if let Some(parent) = sacrificed_for(kill, report) {
        return format!(
            ", killed in place of its parent {} {}, which was chosen (kernels before 5.1)",
            parent.pid, parent.comm
        );
    }
    if allocating_task_dies(report) {
        return ": vm.oom_kill_allocating_task is on, so whoever asks dies".to_owned();
    }
    let Some(ranking) = ranking else {
        return String::new();
    };
    let Some(own) = ranking.rows.iter().find(|row| row.pid == kill.pid) else {
        return String::new();
    };
    let place = ranking.place(kill.pid).unwrap_or(1);
    let whole = table(report) == Table::Whole;
    if place != 1 {
        let rows = ranking.rows.len();
        return if ranking.total_exact {
            format!(
                ": only number {place} of {rows} by badness in the table, so something else decided"
            )
        } else {
            format!(
                ": only number {place} of {rows} by badness in the table; how much adj weighs is not sure, because the \
                 log does not say how much memory and swap there was"
            )
        };
    }
    let count = number_of(ranking.rows.len() as u64, "candidate", "candidates");
    match ranking.rows.iter().max_by_key(|row| row.pages) {
        Some(largest) if largest.pages > own.pages => {
            format!(": first by badness; {}", passed_over(own, largest))
        }
        _ if ranking.rows.len() == 1 && whole => ": the only candidate".to_owned(),
        _ if whole => format!(": the largest of {count}"),
        _ => format!(": the largest of the {count} in the log, whose table is not whole"),
    }
}

/// The chosen process, where a child died for it (mm/oom_kill.c `oom_kill_process`, up to 5.0: those print the score).
fn sacrificed_for<'r>(kill: &Kill, report: &'r OomReport) -> Option<&'r Chosen> {
    let chosen = report.chosen.as_ref().filter(|c| c.score.is_some())?;
    let is_it = chosen.pid == kill.pid || kill.thread == Some(chosen.pid);
    (!is_it).then_some(chosen)
}

/// Why a larger process was passed over: whose adj did it.
fn passed_over(own: &Ranked, larger: &Ranked) -> String {
    let name = format!("{} {}", larger.pid, larger.comm);
    match (own.adj, larger.adj) {
        (own, other) if own > 0 && other < 0 => {
            format!("its adj offered it, and adj {other} protected the larger {name}")
        }
        (own, _) if own > 0 => format!("its adj offered it, though {name} was larger"),
        (_, other) if other < 0 => format!("adj {other} protected the larger {name}"),
        // Equal adjs: the kernel's discount for root's processes made the difference.
        _ => format!("{name} was larger"),
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
