//! `oomtop explain`: every report of a log in words, then all kills as a list.

mod tally;

use std::fmt::Write;

use super::printable;
use crate::oomlog::analysis::page_kb;
use crate::oomlog::analysis::ranking::ranking;
use crate::oomlog::{Kill, OomReport, UserspaceKill};
use crate::text::event::{kill_facts, scope_word};
use crate::text::format::number_of;
use crate::text::report::{memory_page, summary, tasks_page};

pub use tally::Tally;

/// Version of the layout of `explain --json`.
const FORMAT: u32 = 1;
/// Tasks printed of each table.
const TASKS: usize = 10;

/// One report in full: Summary, Memory, the first rows of Tasks.
pub fn report(report: &OomReport, number: u64) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "=== {number}. {}", printable(&when(report)));
    let page = page_kb(report).unwrap_or(4);
    let mut lines: Vec<String> = summary::lines(report, &[])
        .iter()
        .map(crate::text::tone::Line::plain)
        .collect();
    if report.memory.is_some() || report.memcg.is_some() {
        lines.push(String::new());
        lines.extend(
            memory_page::lines(report, page)
                .iter()
                .map(crate::text::tone::Line::plain),
        );
    }
    if let Some(table) = report.tasks.as_ref().filter(|table| table.listed() > 0) {
        let of_row = tasks_page::badness(table, ranking(report).as_ref());
        let first = tasks_page::order(table, &of_row, tasks_page::TaskOrder::Badness)
            .into_iter()
            .take(TASKS);
        let rows: Vec<_> = first
            .filter_map(|at| Some((table.rows.get(at)?, *of_row.get(at)?)))
            .collect();
        lines.push(String::new());
        lines.push(format!(
            "{}  ({} of {})",
            tasks_page::head().plain(),
            rows.len(),
            number_of(table.listed(), "task", "tasks")
        ));
        lines.extend(
            rows.iter()
                .map(|(row, badness)| tasks_page::line(row, *badness, page, report).plain()),
        );
    }
    for line in lines {
        let _ = writeln!(out, "{}", printable(line.trim_end()));
    }
    out.push('\n');
    out
}

/// When it happened, as the log says it.
fn when(report: &OomReport) -> String {
    match (&report.stamp, report.at) {
        (Some(stamp), _) => stamp.clone(),
        (None, Some(at)) => format!("{:.6} s after boot", at.0 as f64 / 1e6),
        (None, None) => "time unknown".to_owned(),
    }
}

/// One kill as a row of the list.
pub fn kill(report: &OomReport, kill: &Kill) -> String {
    let (anon, adj) = kill_facts(kill);
    let group = report.oom_memcg.as_deref().unwrap_or("");
    let row = format!(
        "{:<28} {:<10} {:>8} {:<16} {anon:>7} anon  adj {adj:>5}  {group}",
        when(report),
        scope_word(report),
        kill.pid,
        kill.comm
    );
    printable(row.trim_end())
}

/// One kill by another program as a row of the list.
pub fn userspace(kill: &UserspaceKill) -> String {
    let stamp = kill.stamp.clone().unwrap_or_default();
    let pid = kill.pid.map_or_else(String::new, |pid| pid.to_string());
    let who = kill
        .comm
        .as_deref()
        .or(kill.cgroup.as_deref())
        .unwrap_or("?");
    printable(&format!(
        "{stamp:<28} {:<10} {pid:>8} {who}",
        kill.killer.name()
    ))
}

/// Counts over all logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Reports of the kernel.
    pub reports: u64,
    /// Kills, those by other programs too.
    pub kills: u64,
    /// Places where records of the log are missing.
    pub gaps: u64,
}

impl Totals {
    /// The line above the list of kills.
    pub fn heading(self) -> String {
        let reports = number_of(self.reports, "report", "reports");
        match (self.kills, self.reports) {
            (0, 0) => "No OOM kill was found.".to_owned(),
            (0, _) => format!("{reports}, but the log holds no kill."),
            (kills, _) => format!("{kills} killed in {reports}:"),
        }
    }

    /// The line below the list; `None` if the log is whole.
    pub fn doubt(self) -> Option<String> {
        let gaps = number_of(self.gaps, "gap", "gaps");
        (self.gaps > 0).then(|| format!("{gaps} in the log: kills may be missing."))
    }

    /// The beginning of the JSON document; the reports follow, separated by commas.
    pub fn json_head() -> String {
        format!("{{\"format\":{FORMAT},\"reports\":[")
    }

    /// The end of the JSON document.
    pub fn json_end(self) -> String {
        format!("],\n\"kills\":{},\"gaps\":{}}}", self.kills, self.gaps)
    }
}
