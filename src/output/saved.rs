//! A report as files: text for people, JSON for programs.

use std::fmt::Write;

use serde::Serialize;

use super::printable;
use super::safe_json::escaped;
use crate::model::process::Pid;
use crate::model::recall::Remembered;
use crate::oomlog::OomReport;
use crate::oomlog::analysis::advice::{Advice, advice};
use crate::oomlog::analysis::evidence::Table;
use crate::oomlog::analysis::freed::{Freed, freed};
use crate::oomlog::analysis::holders::{GroupHolder, NameHolder, by_cgroup, by_name};
use crate::oomlog::analysis::ledger::{Ledger, Prospect};
use crate::oomlog::analysis::page_kb;
use crate::oomlog::analysis::purpose::Purpose;
use crate::oomlog::analysis::ranking::{Ranking, ranking};
use crate::oomlog::analysis::root_cause::RootCause;
use crate::oomlog::analysis::swap::SwapState;
use crate::oomlog::analysis::verdict::{RanOut, Verdict};
use crate::oomlog::analysis::zones::{ZoneState, is_fragmentation, zones};
use crate::text::report::{memory_page, summary, tasks_page};
use crate::text::tone::Line;

/// One report as `s` saves it and `explain --json` prints it.
#[derive(Debug, Serialize)]
pub struct ReportDocument<'a> {
    /// Version of this layout.
    pub format: u32,
    /// The Summary page, line by line.
    pub summary: Vec<String>,
    /// What ran out: `limit`, `host`, `blocks`, …; `unknown` where the report cannot tell.
    pub ran_out: RanOut,
    /// Why there was no memory; null where the report cannot tell.
    pub cause: Option<RootCause>,
    /// What the memory was for that could not be had; null where neither call trace nor flags tell.
    pub asked_for: Option<Purpose>,
    /// What to do, in this order. Advice that needs oomtop's own samples of the victims is not included.
    pub advice: Vec<Advice>,
    /// Swap of the host or of the cgroup when memory ran out; null if the report does not tell.
    pub swap: Option<SwapState>,
    /// How far the table of tasks can be trusted: `whole`, `partial`, `missing`.
    pub table: Table,
    /// Who held the memory, summed by process name, the largest first; null without a table of tasks.
    pub held_by_name: Option<Vec<NameHolder>>,
    /// Who held the memory, by cgroup; null unless the log has statistics of cgroups.
    pub held_by_cgroup: Option<Vec<GroupHolder>>,
    /// Where the memory was, in bytes, and what the log does not tell of it; null if it tells nothing.
    pub ledger: Option<Ledger>,
    /// What kills could free at most, in bytes; null without the numbers or the table of tasks.
    pub prospect: Option<Prospect>,
    /// Memory that the killed processes held; null if the log does not give their sizes.
    pub freed: Option<Freed>,
    /// The parsed report; sizes are in the kernel's units, named in the field (`_kb`, `_pages`).
    pub report: &'a OomReport,
    /// The kernel's ranking, computed again from the table of tasks; null without one.
    pub ranking: Option<Ranking>,
    /// True if the victim is first in that ranking.
    pub ranking_explains_victim: Option<bool>,
    /// Each zone against its watermarks.
    pub zones: Vec<ZoneState>,
    /// True if memory was fragmented, not full.
    pub fragmented: Option<bool>,
}

/// Where and when a report was saved.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Provenance {
    /// Version of oomtop.
    pub oomtop: &'static str,
    /// Name of the host.
    pub host: String,
    /// Release of the kernel that ran when it was saved. The report has the release of the kernel that printed it,
    /// as far as the log told it.
    pub running_kernel: String,
    /// Local date, time and offset when it was saved.
    pub saved_at: String,
    /// The same of the report's first line; null if the log did not tell.
    pub happened_at: Option<String>,
}

impl Provenance {
    /// The lines above a saved text.
    fn lines(&self) -> Vec<Line> {
        let mut lines = vec![Line::from(format!(
            "saved {} on {}, Linux {}, by oomtop {}",
            self.saved_at, self.host, self.running_kernel, self.oomtop
        ))];
        if let Some(happened_at) = &self.happened_at {
            lines.push(Line::from(format!("happened {happened_at}")));
        }
        lines
    }
}

/// A document with its provenance.
#[derive(Serialize)]
struct SavedDocument<'a> {
    provenance: &'a Provenance,
    #[serde(flatten)]
    document: ReportDocument<'a>,
}

/// Puts the document together.
pub fn document<'a>(report: &'a OomReport, remembered: &[(Pid, Remembered)]) -> ReportDocument<'a> {
    let ranking = ranking(report);
    let verdict = Verdict::new(report);
    ReportDocument {
        format: 1,
        summary: summary::lines(report, remembered)
            .iter()
            .map(Line::plain)
            .collect(),
        advice: advice(report, &verdict),
        ran_out: verdict.ran_out,
        cause: verdict.cause,
        asked_for: verdict.purpose,
        swap: verdict.swap,
        table: verdict.table,
        ledger: verdict.ledger,
        prospect: verdict.prospect,
        held_by_name: by_name(report),
        held_by_cgroup: by_cgroup(report),
        freed: freed(report),
        report,
        ranking_explains_victim: ranking.as_ref().and_then(|r| r.explains(report)),
        ranking,
        zones: zones(report),
        fragmented: is_fragmentation(report),
    }
}

/// The document as text; an empty object if it cannot be written (it always can).
pub fn json(
    report: &OomReport,
    remembered: &[(Pid, Remembered)],
    provenance: &Provenance,
) -> String {
    let saved = SavedDocument {
        provenance,
        document: document(report, remembered),
    };
    serde_json::to_string_pretty(&saved)
        .map_or_else(|_| "{}".to_owned(), |text| escaped(&text).into_owned())
}

/// All pages but the table's order of the dialog, without control characters.
pub fn text(
    report: &OomReport,
    remembered: &[(Pid, Remembered)],
    provenance: &Provenance,
) -> String {
    let page = page_kb(report).unwrap_or(4);
    let mut out = String::new();
    let mut part = |title: &str, lines: &[Line]| {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "== {title}");
        for line in lines {
            let _ = writeln!(out, "{}", printable(line.plain().trim_end()));
        }
        let _ = writeln!(out);
    };
    part("OOM report", &provenance.lines());
    part("Summary", &summary::lines(report, remembered));
    part("Memory", &memory_page::lines(report, page));
    if let Some(table) = &report.tasks {
        let of_row = tasks_page::badness(table, ranking(report).as_ref());
        let rows = tasks_page::order(table, &of_row, tasks_page::TaskOrder::Badness);
        let lines = rows.iter().filter_map(|at| {
            Some(tasks_page::line(
                table.rows.get(*at)?,
                *of_row.get(*at)?,
                page,
                report,
            ))
        });
        part(
            "Tasks",
            &std::iter::once(tasks_page::head())
                .chain(lines)
                .collect::<Vec<_>>(),
        );
    }
    part(
        "Raw",
        &report.raw.lines().map(Line::from).collect::<Vec<_>>(),
    );
    out
}

/// A file name without its ending: `oomtop-java-1892`. Only letters, digits, `-` and `_`.
pub fn file_stem(report: &OomReport) -> String {
    let name = report.kills.first().map_or_else(
        || format!("report-{}", report.key.0),
        |kill| format!("{}-{}", kill.comm, kill.pid),
    );
    let kept = name
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_')
        .take(60);
    format!("oomtop-{}", kept.collect::<String>())
}
