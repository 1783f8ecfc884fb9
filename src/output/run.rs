//! The report of `oomtop run` as text and as JSON.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use serde::Serialize;

use super::printable;
use super::safe_json::escaped;
use crate::model::cgroup::CgroupPath;
use crate::model::run::advice::Advice;
use crate::model::run::course::{Headroom, Held};
use crate::model::run::growth::{Grown, MovedIn};
use crate::model::run::place::LeftUnit;
use crate::model::run::report::{Counters, Ended, Left, RunReport, SwapLimit, Victim};
use crate::text::run::lines;

/// Version of the layout.
const FORMAT: u32 = 1;

/// As text.
#[must_use]
pub fn text(report: &RunReport) -> String {
    let mut out = String::from("oomtop run\n");
    for (label, sentence) in lines(report) {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "  {label:<9} {}", printable(&sentence));
    }
    out
}

/// The document. Sizes are in bytes, times in microseconds. Null means that a number could not be read, or that this kernel
/// does not count it; each field says which.
#[derive(Debug, Serialize)]
struct Document<'a> {
    /// Version of this layout.
    format: u32,
    /// The command and its arguments.
    command: &'a [String],
    /// How it ended: `exit` with its status, or `signal` with the number.
    ended: Ended,
    /// The exit status as a shell has it, before `--fail-on-oom`.
    status: u8,
    /// When it was started: microseconds since 1970 (UTC).
    began_unix_micros: i64,
    /// How long it ran.
    took_micros: u64,
    /// Its group in the memory hierarchy.
    group: &'a CgroupPath,
    /// The unit that oomtop has left for a scope of its own, to have a place for the group; null if it has left none.
    left_unit: Option<&'a LeftUnit>,
    /// The limit that the kernel has kept; null without `--limit`.
    limit: Option<u64>,
    /// What holds for swap.
    swap: SwapLimit,
    /// The most that was used.
    peak: PeakFacts,
    /// The smallest room before an OOM; null if no room could be read.
    least_headroom: Option<Headroom>,
    /// How long it was in each band of the nearest limit, in microseconds.
    bands_micros: BandFacts,
    /// Waits for memory; null without PSI.
    pressure: Option<PressureFacts>,
    /// Counters of the group.
    counters: Counters,
    /// The limit of the group or of one below it ran out: what `--fail-on-oom` asks. Kills for lack of memory of the host or
    /// of a group around it do not count. Null if nobody can tell: v1, and a log that does not name a kill.
    hit: Option<bool>,
    /// Those whom the kernel's log names.
    victims: &'a [Victim],
    /// Kills that the counter has and the log does not name.
    unnamed_kills: u64,
    /// What is missing in the log, as a sentence; empty if nothing is.
    log_missing: &'a str,
    /// The processes that grew most.
    growth: Vec<Grown>,
    /// How many processes of the command were seen in the group.
    processes_seen: u64,
    /// Processes in the group that are older than the command: somebody has moved them there. At most 16.
    moved_in: &'a [MovedIn],
    /// Who was in the group after the command had ended.
    left: &'a [Left],
    /// They were killed.
    left_killed: bool,
    /// They still have the pipe of the output, which nobody reads any more: the next write to it ends the writer.
    left_unread: bool,
    /// The limit that would do, or why none can be named; null if nothing of the group could be read.
    advice: Option<Advice>,
}

/// The most that was used.
#[derive(Debug, Serialize)]
struct PeakFacts {
    /// With page cache.
    usage: u64,
    /// The kernel has counted it; otherwise readings have shown it.
    counted: bool,
    /// anon + shmem + kernel when most was held.
    unreclaimable: u64,
    /// Its parts, and what was in swap then.
    held: Held,
    /// How many readings there were.
    readings: u64,
    /// Pauses between them: at least and, unless the machine was slow, at most.
    pause_micros: [u64; 2],
    /// The longest that there was.
    longest_gap_micros: u64,
}

/// Times in bands.
#[derive(Debug, Serialize)]
struct BandFacts {
    normal: u64,
    warning: u64,
    danger: u64,
    critical: u64,
}

/// Waits for memory.
#[derive(Debug, Serialize)]
struct PressureFacts {
    /// Of the group alone; otherwise of the whole host.
    of_group: bool,
    /// At least one task waited.
    some_micros: u64,
    /// All tasks waited.
    full_micros: u64,
}

/// As JSON, fit for a terminal.
///
/// # Errors
/// If a value cannot be written, which none of these can.
pub fn json(report: &RunReport) -> io::Result<String> {
    let (usage, counted) = report.peak();
    let course = &report.course;
    let [normal, warning, danger, critical] = course.bands.map(micros);
    let document = Document {
        format: FORMAT,
        command: &report.command,
        ended: report.ended,
        status: report.ended.status(),
        began_unix_micros: report.began_unix_micros,
        took_micros: micros(report.took),
        group: &report.group,
        left_unit: report.left_unit.as_ref(),
        limit: report.limit,
        swap: report.swap,
        peak: PeakFacts {
            usage,
            counted,
            unreclaimable: course.most_held.unreclaimable(),
            held: course.most_held,
            readings: course.readings,
            pause_micros: [micros(report.pauses.0), micros(report.pauses.1)],
            longest_gap_micros: micros(course.longest_gap),
        },
        least_headroom: course.least_room,
        bands_micros: BandFacts {
            normal,
            warning,
            danger,
            critical,
        },
        pressure: report.waited.map(|waited| PressureFacts {
            of_group: waited.of_group,
            some_micros: micros(waited.some),
            full_micros: micros(waited.full),
        }),
        counters: report.counters,
        hit: report.hit(),
        victims: &report.victims,
        unnamed_kills: report.unnamed(),
        log_missing: &report.log_missing,
        growth: report.grown(),
        processes_seen: report.growth.seen(),
        moved_in: report.growth.moved_in(),
        left: &report.left,
        left_killed: report.left_killed,
        left_unread: report.left_unread,
        advice: report.advice(),
    };
    let text = serde_json::to_string_pretty(&document)?;
    Ok(format!("{}\n", escaped(&text)))
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
