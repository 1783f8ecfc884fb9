//! The plain table of `--once`: no escape codes, for pipes, logs and eyes.

use std::fmt::Write;

use super::json::ranked;
use super::printable;
use crate::app::settings::Settings;
use crate::app::view::events::EventLog;
use crate::app::view::events::row::row as event_row;
use crate::app::view::processes::columns::{Align, Width};
use crate::app::view::processes::columns::{COLUMNS, CellContext, column};
use crate::app::view::processes::marks::Marks;
use crate::model::process::Process;
use crate::model::snapshot::{Host, Snapshot};
use crate::model::time::Now;
use crate::text::cells::prefix;
use crate::text::format;
use crate::text::wording;

/// Widest line of the table, in cells. Command lines can have megabytes; `--json` holds them whole.
const WIDEST: usize = 300;

/// The whole output, ending with a newline. Control characters of names are replaced.
pub fn plain(
    snapshot: &Snapshot,
    host: &Host,
    marks: &Marks,
    events: &EventLog,
    settings: &Settings,
    now: Now,
) -> String {
    let total = snapshot.memory.host_total_pages(host.rules.page_size);
    let context = CellContext {
        snapshot,
        rules: &host.rules,
        total,
        marks,
    };
    let mut out = head(snapshot, host, settings);
    out.push('\n');
    line(
        &mut out,
        COLUMNS
            .iter()
            .map(|c| (c.title.to_owned(), c.width, c.align)),
    );
    if host.hidepid {
        out.push_str(
            "Only this user's processes are visible (hidepid): the victim marked is the first of those, another may die \
             before.\n",
        );
    }
    let filtering = context.filtering();
    let shown = |p: &&Process| {
        // oomtop's own command line holds the filter's text.
        let own = host.own_pid == Some(p.id.pid) && !settings.filter.is_empty();
        let nameless = own.then(|| Process {
            command: None,
            ..(*p).clone()
        });
        (settings.kernel_threads || !p.kernel_thread)
            && settings
                .filter
                .matches(nameless.as_ref().unwrap_or(p), &filtering)
    };
    let mut processes = ranked(snapshot, total);
    if let Some(by) = settings.sort.and_then(column) {
        processes.sort_by(|a, b| {
            let order = by.sort.compare(a, b, &context);
            if by.sort.largest_first {
                order.reverse()
            } else {
                order
            }
        });
    }
    for process in processes.into_iter().filter(shown) {
        line(
            &mut out,
            COLUMNS
                .iter()
                .map(|c| ((c.cell)(process, &context).text, c.width, c.align)),
        );
    }
    event_lines(&mut out, snapshot, events, now);
    out
}

/// The lines above the table: memory, and who dies next where.
fn head(snapshot: &Snapshot, host: &Host, settings: &Settings) -> String {
    let mut out = String::new();
    let memory = &snapshot.memory;
    let (used, limit, whose) = snapshot.gauge();
    let whose = whose.and_then(|key| snapshot.cgroup(key));
    let whose = whose.map_or_else(String::new, |group| format!(" of {}", group.path));
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
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
    );
    for domain in &snapshot.domains {
        let who = domain.verdict.map_or_else(
            || "nobody can be killed".to_owned(),
            |verdict| wording::victim(&verdict, snapshot),
        );
        let place = wording::domain(domain.scope, snapshot);
        let group = domain.scope.memcg().and_then(|key| snapshot.cgroup(key));
        let full = group.and_then(|group| Some((group.usage?, group.limits.max?)));
        let full = full.map_or_else(String::new, |(usage, limit)| {
            format!("  {} of {}", format::size(usage), format::size(limit))
        });
        let text = format!("next victim of {place}: {who}{full}");
        let _ = writeln!(out, "{}", printable(&text));
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

/// One line of cells; only the last column may exceed its width.
fn line(out: &mut String, cells: impl Iterator<Item = (String, Width, Align)>) {
    let mut text = String::new();
    for (cell, width, align) in cells {
        let width = match width {
            Width::Fixed(w) | Width::AtLeast(w) => usize::from(w),
        };
        let cell = printable(&cell);
        let _ = match align {
            Align::Left => write!(text, "{cell:<width$} "),
            Align::Right => write!(text, "{cell:>width$} "),
        };
    }
    let text = text.trim_end();
    let (bytes, _) = prefix(text, WIDEST, false);
    if bytes < text.len() {
        // The sign of the cut counts, too.
        let (bytes, _) = prefix(text, WIDEST - 1, false);
        out.push_str(text.get(..bytes).unwrap_or(text));
        out.push('…');
    } else {
        out.push_str(text);
    }
    out.push('\n');
}
