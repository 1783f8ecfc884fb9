//! What each number of a process is, and the file that it is from.

use super::{groups, pair};
use crate::app::dialog::DialogContext;
use crate::model::kernel::{RssSource, ScoreFormula};
use crate::model::process::Process;
use crate::model::process::badness::{badness, score};
use crate::model::process::protection::Protection;
use crate::model::snapshot::Detail;
use crate::text::format;
use crate::text::tone::{Line, Tone};
use crate::text::wording;

/// The formula of `oom_score` with the numbers of the process.
fn score_by_numbers(process: &Process, context: &DialogContext<'_>) -> String {
    let rules = context.cells.rules;
    let memory = &context.cells.snapshot.memory;
    let total = memory.host_total_pages(rules.page_size);
    let points = badness(process, total).points();
    let score = score(process, memory, rules);
    match (points, score, rules.score) {
        (Some(points), Some(score), ScoreFormula::Scaled) => {
            let share = format::permille(points, total);
            format!("here (1000 + {share}) * 2/3 is {score}: one badness on two scales")
        }
        (Some(points), Some(score), ScoreFormula::Permille) => {
            let share = format::permille(points, total);
            format!("here {share} is shown as {score}: one badness on two scales")
        }
        (None, ..) => "it is never chosen: the file shows 0".to_owned(),
        (_, None, _) => "its memory could not be read".to_owned(),
    }
}

/// What each number is, and its file.
pub(super) fn sources(
    process: &Process,
    detail: Option<&Detail>,
    context: &DialogContext<'_>,
) -> Vec<Line> {
    let pid = process.id.pid;
    let rules = context.cells.rules;
    let computed = score(process, &context.cells.snapshot.memory, rules)
        .map_or_else(|| "n/a".to_owned(), |s| s.to_string());
    let read = match detail.and_then(|d| d.kernel_score) {
        Some(score) => format!("the kernel says {score}"),
        None => "not read".to_owned(),
    };
    let rss = match rules.rss {
        RssSource::Stat => format!("/proc/{pid}/stat field 24: what badness reads on this kernel"),
        RssSource::Status => format!(
            "/proc/{pid}/status RssAnon + RssFile + RssShmem: what badness reads on this kernel"
        ),
    };
    let adj = process.adj.map_or_else(
        || "n/a".to_owned(),
        |a| {
            let legacy = detail.and_then(|d| d.legacy_adj).unwrap_or(a.to_legacy());
            format!(
                "{a} ({}), legacy oom_adj {legacy}",
                Protection::from_adj(a).name()
            )
        },
    );
    let mut lines = vec![
        Line::of(Tone::Accent, "Where the numbers are from"),
        pair("  score", format!("{computed} computed; {read}")),
        pair("", wording::score_formula(rules.score)),
        pair("", score_by_numbers(process, context)),
        pair("  adj", adj),
        pair("  rss", rss),
    ];
    if let Some((stat, status)) = detail.and_then(|d| Some((d.stat_rss?, d.status_rss?))) {
        let size = |pages: u64| format::size(pages * rules.page_size);
        lines.push(pair(
            "",
            format!(
                "stat {}, status {}; reading error up to {}",
                size(stat),
                size(status),
                size(rules.rss_error)
            ),
        ));
    }
    if let Some(detail) = detail {
        lines.extend(groups::lines(&detail.cgroup_lines));
    }
    let snapshot = context.cells.snapshot;
    let note = snapshot
        .backend_note
        .as_deref()
        .map_or_else(String::new, |note| format!(" ({note})"));
    lines.push(pair("  scan", format!("{}{note}", snapshot.backend)));
    lines.extend(groups::read_by(snapshot));
    if process.unreadable {
        lines.push(Line::of(
            Tone::Watch,
            "  Its status could not be read: no permission. Run oomtop with sudo.",
        ));
    }
    lines
}
