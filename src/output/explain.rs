//! `oomtop explain`: every report of a log in words, then all kills as a list.

mod tally;

use std::fmt::Write;

use super::printable;
use crate::oomlog::analysis::page_kb;
use crate::oomlog::analysis::ranking::ranking;
use crate::oomlog::{Kill, OomReport, UserspaceKill};
use crate::text::event::{kill_facts, scope_word};
use crate::text::format::{self, number_of};
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
    let (_, adj) = kill_facts(kill);
    // The number of the report above: there is room for the long form.
    let anon = kill.anon_rss_kb.map(|kb| kb.saturating_mul(1024));
    let anon = anon.map_or_else(|| "n/a".to_owned(), format::long_size);
    let group = report.oom_memcg.as_deref().unwrap_or("");
    let row = format!(
        "{:<28} {:<10} {:>8} {:<16} {anon:>10} anon  adj {adj:>5}  {group}",
        when(report),
        scope_word(report),
        kill.pid,
        kill.comm
    );
    printable(row.trim_end())
}

/// One kill by another program as a row of the list: with its reason, which is what one looks for.
pub fn userspace(kill: &UserspaceKill) -> String {
    let stamp = match (&kill.stamp, kill.at) {
        (Some(stamp), _) => stamp.clone(),
        (None, Some(at)) => format!("{:.6} s after boot", at.0 as f64 / 1e6),
        (None, None) => String::new(),
    };
    let pid = kill.pid.map_or_else(String::new, |pid| pid.to_string());
    let mut row = format!(
        "{stamp:<28} {:<10} {pid:>8} {:<16}",
        kill.killer.name(),
        name_of(kill).unwrap_or("?")
    );
    // Writing to a String cannot fail.
    if let Some(kb) = kill.rss_kb {
        let _ = write!(row, " {:>7} rss", format::size(kb.saturating_mul(1024)));
    }
    if let Some(signal) = &kill.signal {
        let _ = write!(row, "  {signal}");
    }
    if let Some(processes) = kill.processes {
        let dead = number_of(processes, "process", "processes");
        let _ = write!(row, "  {dead}");
    }
    if kill.survived {
        row.push_str("  it did not die");
    }
    if let Some(reason) = &kill.reason {
        let _ = write!(row, "  {reason}");
    }
    printable(row.trim_end())
}

/// The process, or the last part of the group's path.
fn name_of(kill: &UserspaceKill) -> Option<&str> {
    let group = || kill.cgroup.as_deref()?.rsplit('/').next();
    kill.comm.as_deref().or_else(group)
}

/// One kill by another program as `explain --json` prints it.
#[derive(Debug, serde::Serialize)]
pub struct UserKill<'a> {
    /// Short name of the process, or the unit or group without its path.
    pub name: Option<&'a str>,
    /// What the log said.
    #[serde(flatten)]
    pub kill: &'a UserspaceKill,
}

impl<'a> UserKill<'a> {
    /// The record of this kill.
    pub fn new(kill: &'a UserspaceKill) -> Self {
        Self {
            name: name_of(kill),
            kill,
        }
    }
}

/// `5 killed in 2 reports`; programs kill without a report of the kernel: `3 killed by other programs`.
fn killed(kills: u64, by_programs: u64, reports: u64) -> String {
    let reports = number_of(reports, "report", "reports");
    let programs = if by_programs == 1 {
        "another program"
    } else {
        "other programs"
    };
    match (kills.saturating_sub(by_programs), by_programs) {
        (kernel, 0) => format!("{kernel} killed in {reports}"),
        (0, by_programs) => format!("{by_programs} killed by {programs}"),
        (kernel, by_programs) => {
            format!("{kernel} killed in {reports}, {by_programs} by {programs}")
        }
    }
}

/// Counts over all logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Reports of the kernel.
    pub reports: u64,
    /// Kills, those by other programs too.
    pub kills: u64,
    /// Kills by other programs alone: no report tells of them.
    pub by_programs: u64,
    /// Processes that the list has, though they did not die.
    pub survivors: u64,
    /// Places where records of the log are missing.
    pub gaps: u64,
    /// Reports whose writer the log does not prove.
    pub unproven: u64,
    /// Kills that the list has no room for, the oldest ones.
    pub left_out: u64,
    /// Not one log could be read to its end: that no kill was found says nothing.
    pub is_blind: bool,
    /// Lines in the kernel's words that programs wrote.
    pub refused: u64,
    /// Kills that an earlier log has too: they are not counted again.
    pub repeated: u64,
}

impl Totals {
    /// The line above the list of kills.
    pub fn heading(self) -> String {
        let reports = number_of(self.reports, "report", "reports");
        match (self.kills, self.reports) {
            (0, 0) if self.is_blind => {
                "No log could be read: whether there was an OOM kill is not known.".to_owned()
            }
            (0, 0) if self.survivors > 0 => {
                format!("No OOM kill was found, {} did not die:", self.survivors)
            }
            (0, 0) => "No OOM kill was found.".to_owned(),
            (0, _) => format!("{reports}, but the log holds no kill."),
            _ => {
                let killed = killed(self.kills, self.by_programs, self.reports);
                match self.survivors {
                    0 => killed + ":",
                    lived => format!("{killed}, {lived} did not die:"),
                }
            }
        }
    }

    /// The line below the list; `None` if the log is whole.
    pub fn doubt(self) -> Option<String> {
        let gaps = number_of(self.gaps, "gap", "gaps");
        (self.gaps > 0).then(|| format!("{gaps} in the log: kills may be missing."))
    }

    /// How far the log can be trusted; `None` if it says itself who wrote it.
    pub fn trust(self) -> Option<String> {
        let which = match (self.unproven, self.reports) {
            (0, _) => return None,
            (1, 1) => "the report".to_owned(),
            (unproven, all) if unproven == all => format!("the {all} reports"),
            (unproven, all) => format!("{unproven} of the {all} reports"),
        };
        Some(format!(
            "The log does not prove that the kernel wrote {which}: whoever can write to it can forge them."
        ))
    }

    /// Which kills two logs have; `None` if there are none.
    pub fn repeats(self) -> Option<String> {
        let kills = match self.repeated {
            0 => return None,
            1 => "1 kill is in more than one log".to_owned(),
            kills => format!("{kills} kills are in more than one log"),
        };
        Some(format!("{kills}: counted once."))
    }

    /// What was not believed; `None` if there was nothing.
    pub fn refusals(self) -> Option<String> {
        let lines = match self.refused {
            0 => return None,
            1 => "1 line says what the kernel says, but a program wrote it".to_owned(),
            lines => format!("{lines} lines say what the kernel says, but programs wrote them"),
        };
        Some(format!("{lines}: not counted as kills."))
    }

    /// The beginning of the JSON document; the reports follow, separated by commas.
    pub fn json_head() -> String {
        format!("{{\"format\":{FORMAT},\"reports\":[")
    }

    /// The end of the JSON document, with the records of kills by other programs. The number of kills is null if
    /// no log could be read.
    pub fn json_end<'l>(self, user_kills: impl Iterator<Item = &'l str>) -> String {
        let user_kills: Vec<&str> = user_kills.collect();
        let kills = if self.is_blind && self.kills == 0 {
            "null".to_owned()
        } else {
            self.kills.to_string()
        };
        let repeated = match self.repeated {
            0 => String::new(),
            kills => format!(",\"repeated\":{kills}"),
        };
        format!(
            "],\n\"user_kills\":[{}],\n\"kills\":{kills},\"gaps\":{},\"left_out\":{},\"refused\":{}{repeated}}}",
            user_kills.join(",\n"),
            self.gaps,
            self.left_out,
            self.refused
        )
    }
}
