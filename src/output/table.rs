//! The plain table of `--once`: no escape codes, for pipes, logs and eyes.

use std::fmt::Write;

use super::fate::fates;
use super::listed::{context, listed};
use super::printable;
use crate::app::settings::Settings;
use crate::app::view::events::EventLog;
use crate::app::view::events::row::row as event_row;
use crate::app::view::processes::columns::{Align, CellContext, Column};
use crate::app::view::processes::marks::Marks;
use crate::model::process::Process;
use crate::model::snapshot::{Host, Snapshot};
use crate::model::time::Now;
use crate::text::cells::{cells as cells_of, prefix};
use crate::text::format;

/// Widest line of chosen columns, in cells. Command lines can have megabytes; `--json` holds them whole.
const WIDEST: usize = 4096;

/// Widest cell before the last one.
const WIDEST_CELL: usize = 48;

/// What the output may leave out.
#[derive(Debug, Clone, Copy)]
pub struct Paper {
    /// Cells of a line; chosen columns may take more.
    pub width: usize,
    /// The events are told, too.
    pub events: bool,
}

impl Paper {
    /// Lines as long as a file has them, and all that there is to tell.
    pub const WHOLE: Self = Self {
        width: 200,
        events: true,
    };
}

/// The whole output, ending with a newline. Control characters of names are replaced.
pub fn plain(
    snapshot: &Snapshot,
    host: &Host,
    marks: &Marks,
    events: &EventLog,
    settings: &Settings,
    (now, paper): (Now, Paper),
) -> String {
    let context = context(snapshot, host, marks, settings);
    let chosen = !settings.columns.is_empty();
    let width = if chosen { WIDEST } else { paper.width };
    let mut out = String::new();
    for text in head(snapshot, host, settings) {
        // Who dies next is worth a longer line.
        push_cut(&mut out, &printable(&text), WIDEST);
    }
    out.push('\n');
    let rows = listed(&context, host, settings);
    if host.hidepid {
        out.push_str(
            "Only this user's processes are visible (hidepid): the victim marked is the first of those, another may die \
             before.\n",
        );
    }
    let columns = columns(settings, &rows, &context);
    let asked: Vec<_> = settings.columns.choices().map(|(_, width)| width).collect();
    for text in lines(&columns, &asked, &rows, &context) {
        push_cut(&mut out, &text, width);
    }
    if rows.is_empty() {
        out.push_str("no process passes the filter\n");
    }
    if paper.events {
        event_lines(&mut out, snapshot, events, now);
    }
    out
}

/// The chosen columns; otherwise those with text that have something to say about these rows.
fn columns(
    settings: &Settings,
    rows: &[&Process],
    context: &CellContext<'_>,
) -> Vec<&'static Column> {
    let mut columns = settings.columns.columns();
    if settings.columns.is_empty() {
        let says = |column: &&Column| {
            let says = column.cell.says;
            says.is_none_or(|says| rows.iter().any(|process| says(process, context)))
        };
        columns.retain(|column| column.cell.raw.is_some() && says(column));
    }
    columns
}

/// The heads and the rows, each cell as wide as the widest of its column.
fn lines(
    columns: &[&Column],
    asked: &[Option<u16>],
    rows: &[&Process],
    context: &CellContext<'_>,
) -> Vec<String> {
    let cells = |process: &&Process| -> Vec<String> {
        let cell = |column: &&Column| printable(&(column.cell.cell)(process, context).text);
        columns.iter().map(cell).collect()
    };
    let heads = columns.iter().map(|column| column.title.to_owned());
    let table: Vec<Vec<String>> = std::iter::once(heads.collect())
        .chain(rows.iter().map(cells))
        .collect();
    let last = columns.len().saturating_sub(1);
    let asked = |at: usize| asked.get(at).copied().flatten().map(usize::from);
    let widths: Vec<_> = widest(columns, &table)
        .into_iter()
        .enumerate()
        .map(|(at, width)| asked(at).unwrap_or(width))
        .collect();
    let put = |row: &Vec<String>| {
        let mut text = String::new();
        let cells = row.iter().zip(columns.iter().zip(&widths));
        for (at, (cell, (column, width))) in cells.enumerate() {
            if at > 0 {
                text.push(' ');
            }
            // The last one is cut with its line.
            let cell = if at == last && asked(at).is_none() {
                cell.as_str()
            } else {
                cell.get(..prefix(cell, *width, false).0).unwrap_or(cell)
            };
            let blanks = " ".repeat(width.saturating_sub(cells_of(cell, false)));
            match column.align {
                Align::Left if at == last => text.push_str(cell),
                Align::Left => text.extend([cell, &blanks]),
                Align::Right => text.extend([&blanks, cell]),
            }
        }
        text.trim_end().to_owned()
    };
    table.iter().map(put).collect()
}

/// The widest cell of each column.
fn widest(columns: &[&Column], table: &[Vec<String>]) -> Vec<usize> {
    let width = |at: usize| {
        let cells = table.iter().filter_map(|row| row.get(at));
        let widest = cells.map(|cell| cells_of(cell, false)).max();
        widest.unwrap_or(0).min(WIDEST_CELL)
    };
    (0..columns.len()).map(width).collect()
}

/// Adds a line, cut to so many cells.
fn push_cut(out: &mut String, text: &str, width: usize) {
    let (bytes, _) = prefix(text, width, false);
    if bytes < text.len() {
        // The sign of the cut counts, too.
        let (bytes, _) = prefix(text, width.saturating_sub(1), false);
        out.push_str(text.get(..bytes).unwrap_or(text));
        out.push('…');
    } else {
        out.push_str(text);
    }
    out.push('\n');
}

/// The lines above the table: memory, and who dies next where.
pub(super) fn head(snapshot: &Snapshot, host: &Host, settings: &Settings) -> Vec<String> {
    let mut out = Vec::new();
    let memory = &snapshot.memory;
    let (used, limit, whose) = snapshot.gauge();
    let whose = whose.and_then(|key| snapshot.cgroup(key));
    let whose = whose.map_or_else(String::new, |group| format!(" of {}", group.path));
    out.push(format!(
        "{}  Linux {}  {}  memory{} {} used of {} ({})  swap {} of {}",
        printable(&host.name),
        printable(&host.release),
        host.cgroups.name(),
        printable(&whose),
        format::percent(used),
        format::long_size(limit),
        settings.thresholds.band(used).name(),
        format::long_size(memory.swap_used()),
        format::long_size(memory.swap_total),
    ));
    for fate in fates(snapshot) {
        let full = fate.full.map_or_else(String::new, |(kept, limit)| {
            format!("  {} of {}", format::size(kept), format::size(limit))
        });
        let who = fate.who(snapshot);
        out.push(format!("next victim of {}: {who}{full}", fate.place));
    }
    out
}

/// The events below the table, and what is missing among them.
fn event_lines(out: &mut String, snapshot: &Snapshot, events: &EventLog, now: Now) {
    let acting = snapshot.killers.iter().filter(|killer| !killer.dry_run);
    let gap = events.source.gap(acting.map(|killer| killer.killer.name()));
    if let Some(gap) = gap {
        let _ = writeln!(
            out,
            "\nOOM events from {}: {}",
            printable(&events.source.name),
            printable(&gap)
        );
    } else if !events.is_empty() {
        let _ = writeln!(
            out,
            "\nOOM events from {}, newest first:",
            printable(&events.source.name)
        );
    }
    for row in events.rows() {
        let _ = writeln!(out, "{}", printable(&event_row(row, now, u16::MAX).plain()));
    }
}
