//! The report of `oomtop run` in words: a label and a sentence a line.

use std::time::Duration;

use super::format::{long_size, number_of};
use crate::model::memory::band::Band;
use crate::model::run::advice::{Advice, FEWEST};
use crate::model::run::course::Bound;
use crate::model::run::report::{Ended, RunReport, SwapLimit};

/// Most processes that are named in one line.
const NAMED: usize = 8;

/// The bands, the calmest first.
const BANDS: [Band; 4] = [Band::Normal, Band::Warning, Band::Danger, Band::Critical];

/// The lines of the report: label, sentence. A line without a label goes on from the one before.
#[must_use]
pub fn lines(report: &RunReport) -> Vec<(&'static str, String)> {
    let mut lines = vec![
        ("Command", command(report)),
        ("Group", group(report)),
        ("Peak", peak(report)),
        ("", unreclaimable(report)),
        ("Headroom", headroom(report)),
        ("Bands", bands(report)),
        ("Pressure", pressure(report)),
        ("Kills", kills(report)),
    ];
    if let Some(left) = &report.left_unit {
        // After the group.
        lines.insert(2, ("", format!("oomtop {}", left.words())));
    }
    if !report.log_missing.is_empty() && report.unnamed() > 0 {
        lines.push(("", format!("The log tells less: {}", report.log_missing)));
    }
    lines.extend(growth(report));
    lines.extend(left(report));
    lines.push(("Advice", advice(report)));
    lines
}

/// A span with as many places as it is worth: `31ms`, `12.3s`, `2m50s`.
#[must_use]
pub fn seconds(span: Duration) -> String {
    // Rounded before the unit is chosen.
    let tenths = (span + Duration::from_millis(50)).as_millis() / 100;
    match span.as_micros() {
        0 => "0s".to_owned(),
        1..1000 => "<1ms".to_owned(),
        1000..999_500 => format!("{}ms", (span.as_micros() + 500) / 1000),
        _ if tenths < 600 => format!("{}.{}s", tenths / 10, tenths % 10),
        _ => super::format::duration(span + Duration::from_millis(500)),
    }
}

fn command(report: &RunReport) -> String {
    let ended = match report.ended {
        Ended::Exit(status) => format!("exited with {status}"),
        Ended::Signal(9) if report.counters.kills.unwrap_or(0) > 0 => {
            "ended by SIGKILL, which the kernel sends for lack of memory".to_owned()
        }
        Ended::Signal(signal) => format!("ended by signal {signal}"),
    };
    let words: Vec<_> = report
        .command
        .iter()
        .map(|word| crate::model::shell::quoted(word))
        .collect();
    format!(
        "{}: {ended} after {}",
        words.join(" "),
        seconds(report.took)
    )
}

fn group(report: &RunReport) -> String {
    let limit = match (report.limit, report.swap) {
        (None, _) => "without a limit of its own".to_owned(),
        (Some(limit), SwapLimit::Free) => {
            format!(
                "limit {}, and as much swap as the host has",
                long_size(limit)
            )
        }
        (Some(limit), SwapLimit::Limited { bytes: 0 }) => {
            format!("limit {}, no swap", long_size(limit))
        }
        (Some(limit), SwapLimit::Limited { bytes }) => {
            format!(
                "limit {} and {} of swap",
                long_size(limit),
                long_size(bytes)
            )
        }
        (Some(limit), SwapLimit::Uncounted) => format!(
            "limit {}; the kernel counts no swap of groups here: what is swapped out comes on top of it",
            long_size(limit)
        ),
    };
    format!("{}, {limit}", report.group)
}

fn peak(report: &RunReport) -> String {
    match report.peak() {
        (bytes, true) => format!(
            "{} with page cache, counted by the kernel",
            long_size(bytes)
        ),
        (bytes, false) => format!(
            "{} with page cache, as far as the samples show: this kernel counts no peak",
            long_size(bytes)
        ),
    }
}

fn unreclaimable(report: &RunReport) -> String {
    let held = report.course.most_held;
    let swap = match held.swap {
        0 => String::new(),
        bytes => format!(", and {} in swap", long_size(bytes)),
    };
    let pauses = report.pauses;
    format!(
        "{} of it unreclaimable: anon {}, shmem {}, kernel {}{swap} ({} every {} to {}ms, longest gap {})",
        long_size(held.unreclaimable()),
        long_size(held.anon),
        long_size(held.shmem),
        long_size(held.kernel),
        number_of(report.course.readings, "sample", "samples"),
        pauses.0.as_millis(),
        pauses.1.as_millis(),
        seconds(report.course.longest_gap),
    )
}

fn headroom(report: &RunReport) -> String {
    let Some(least) = report.course.least_room else {
        return "unknown: the usage could not be read".to_owned();
    };
    let of = match least.of {
        Bound::Group => format!("the limit of {}", long_size(least.limit)),
        Bound::Around => format!(
            "the limit of {} of a group around it",
            long_size(least.limit)
        ),
        Bound::Host => format!(
            "the {} of RAM of the host, and its swap",
            long_size(least.limit)
        ),
    };
    format!("never less than {} below {of}", long_size(least.left))
}

fn bands(report: &RunReport) -> String {
    let each = BANDS.iter().zip(report.course.bands);
    let each = each.map(|(band, time)| format!("{} {}", band.name(), seconds(time)));
    each.collect::<Vec<_>>().join(", ")
}

fn pressure(report: &RunReport) -> String {
    match report.waited {
        None => "unknown: the kernel counts no waits for memory (PSI) here".to_owned(),
        Some(waited) => {
            let whose = if waited.of_group {
                ""
            } else {
                " on the whole host (cgroup v1 counts none of groups)"
            };
            format!(
                "some task waited for memory {}, all tasks {}{whose}",
                seconds(waited.some),
                seconds(waited.full)
            )
        }
    }
}

fn kills(report: &RunReport) -> String {
    let limit = match report.counters.at_limit {
        Some(times @ 1..) => format!("; the limit was met {}", number_of(times, "time", "times")),
        _ => String::new(),
    };
    let Some(kills) = report.counters.kills else {
        return format!("unknown: this kernel counts none of groups{limit}");
    };
    if kills == 0 {
        let out = match report.counters.ooms {
            Some(ooms @ 1..) => {
                format!(
                    "none, though it was out of memory {}",
                    number_of(ooms, "time", "times")
                )
            }
            _ => "none".to_owned(),
        };
        return out + &limit;
    }
    let mut named: Vec<_> = report
        .victims
        .iter()
        .map(|victim| format!("{} ({})", victim.name, victim.pid))
        .collect();
    let more = named.len().saturating_sub(NAMED);
    named.truncate(NAMED);
    if more > 0 {
        named.push(format!("{more} more"));
    }
    let unnamed = match report.unnamed() {
        0 => String::new(),
        count => format!("; the log does not name {count} of them"),
    };
    let who = if named.is_empty() {
        String::new()
    } else {
        format!(": {}", named.join(", "))
    };
    format!(
        "{} by the kernel's counter{who}{unnamed}{}{limit}",
        number_of(kills, "kill", "kills"),
        outside(report, kills)
    )
}

/// Which of the kills no limit of the group has caused.
fn outside(report: &RunReport, kills: u64) -> String {
    let named = report.kills_from_outside();
    let [(_, host), (_, around)] = named;
    if host + around == 0 {
        let whose = if report.hit().is_none() {
            "; whether its own limit ran out is unknown"
        } else if report.was_cut_short() {
            "; not for its own limit: the host or a group around it ran out"
        } else {
            ""
        };
        return whose.to_owned();
    }
    let each = named.iter().filter(|(_, count)| *count > 0);
    let each = each.map(|(of, count)| {
        let of = match of {
            Bound::Host => "because the host ran out",
            Bound::Around | Bound::Group => "because a group around it ran out",
        };
        if *count >= kills {
            of.to_owned()
        } else {
            format!("{count} of them {of}")
        }
    });
    format!("; {}", each.collect::<Vec<_>>().join(", "))
}

fn growth(report: &RunReport) -> Vec<(&'static str, String)> {
    let mut grown = report.grown();
    // One is told in any case.
    let growing = grown.iter().filter(|grown| grown.growth() > 0).count();
    grown.truncate(growing.max(1));
    let mut lines: Vec<_> = grown
        .iter()
        .enumerate()
        .map(|(nth, grown)| {
            let label = if nth == 0 { "Growth" } else { "" };
            let text = format!(
                "{} ({}): {} more, to {}",
                grown.name,
                grown.id.pid,
                long_size(grown.growth()),
                long_size(grown.most)
            );
            (label, text)
        })
        .collect();
    if lines.is_empty() {
        lines.push((
            "Growth",
            "no process lived long enough to be seen".to_owned(),
        ));
    }
    let more = report.growth.seen().saturating_sub(grown.len() as u64);
    if more > 0 {
        lines.push((
            "",
            format!("{} grew less", number_of(more, "process", "processes")),
        ));
    }
    let moved_in = report.growth.moved_in();
    if !moved_in.is_empty() {
        let named = moved_in.iter().take(NAMED);
        let named: Vec<_> = named
            .map(|process| format!("{} ({})", process.name, process.id.pid))
            .collect();
        let more = match moved_in.len().saturating_sub(NAMED) {
            0 => "",
            _ => " and more",
        };
        let text = format!(
            "without {}{more}: older than the command, moved into its group by somebody",
            named.join(", ")
        );
        lines.push(("", text));
    }
    lines
}

fn left(report: &RunReport) -> Vec<(&'static str, String)> {
    if report.left.is_empty() {
        return Vec::new();
    }
    let named = report.left.iter().take(NAMED);
    let named: Vec<_> = named
        .map(|left| format!("{} ({})", left.name, left.pid))
        .collect();
    let more = match report.left.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let count = number_of(report.left.len() as u64, "process", "processes");
    let then = if report.left_killed {
        "killed".to_owned()
    } else {
        "they keep the group; it goes at the next oomtop run after them (--kill-left kills them)"
            .to_owned()
    };
    let then = if report.left_unread && !report.left_killed {
        format!(
            "{then}; nobody reads their output any more: the next write to it ends the writer (SIGPIPE; --log FILE keeps a place \
             to write to)"
        )
    } else {
        then
    };
    vec![(
        "Left",
        format!(
            "{count} still in the group: {}{more}; {then}",
            named.join(", ")
        ),
    )]
}

fn advice(report: &RunReport) -> String {
    match report.advice() {
        None => "none: the memory of the group could not be read".to_owned(),
        Some(Advice::TooShort { readings }) => format!(
            "too short: {}; a limit can be named from {FEWEST} on",
            number_of(readings, "sample", "samples")
        ),
        Some(Advice::CutShort { bytes }) => format!(
            "none: it held {} until the kernel killed in it because others ran out of memory, and nobody knows what more it \
             would have taken",
            long_size(bytes)
        ),
        Some(Advice::Unknown { bytes }) => format!(
            "none: it held {} until the kernel killed in it, and nobody knows whether its limit ran out",
            long_size(bytes)
        ),
        Some(Advice::More { bytes }) => format!(
            "more than {} is needed: it ran out of memory there, and nobody knows how much more it would have taken",
            long_size(bytes)
        ),
        Some(Advice::Enough {
            bytes,
            need,
            unseen,
            margin,
        }) => {
            let unseen = match unseen {
                0 => String::new(),
                unseen => format!(
                    ", {} that the kernel counted between two samples",
                    long_size(unseen)
                ),
            };
            format!(
                "a limit of {} (--limit {}M) would do without swap: {} that no reclaim gets back{unseen}, and a margin of {}",
                long_size(bytes),
                bytes >> 20,
                long_size(need),
                long_size(margin)
            )
        }
    }
}
