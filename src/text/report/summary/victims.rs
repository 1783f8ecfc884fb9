//! Whom the kernel killed, why this one, and what it freed.

use super::kb;
use crate::model::process::Pid;
use crate::model::recall::Remembered;
use crate::oomlog::analysis::freed::freed;
use crate::oomlog::analysis::ranking::Ranking;
use crate::oomlog::{Kill, OomReport};
use crate::text::format;
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
    if let Some(freed) = freed(report).filter(|freed| freed.counted > 0) {
        let least = kb(freed.at_least_kb());
        let more = if freed.unknown > 0 {
            format!(", and what {} more held", freed.unknown)
        } else {
            String::new()
        };
        lines.push(Line::from(format!("That freed at least {least}{more}.")));
    }
    if let Some(group) = &report.oom_group {
        lines.push(Line::from(format!(
            "All of {} died together: memory.oom.group is set there.",
            short_group(group)
        )));
    }
    lines
}

fn why(kill: &Kill, report: &OomReport, ranking: Option<&Ranking>) -> String {
    if kill.group_member {
        return ", with its group".to_owned();
    }
    if report
        .message
        .as_deref()
        .is_some_and(|text| text.contains("oom_kill_allocating_task"))
    {
        return ": vm.oom_kill_allocating_task is on, so whoever asks dies".to_owned();
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
            ", killed in place of its parent, which was chosen (kernels before 5.1)".to_owned()
        }
        _ if place != 1 => format!(
            ": only number {place} of {} by badness in the table, so something else decided",
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
