//! The Summary page: what happened in plain words, with the numbers, and what to do now. At most a dozen
//! lines that a newcomer understands.

mod cause;
mod victims;

use crate::model::process::Pid;
use crate::model::recall::Remembered;
use crate::oomlog::analysis::gfp::purpose;
use crate::oomlog::analysis::holders::by_name;
use crate::oomlog::analysis::ranking::ranking;
use crate::oomlog::analysis::root_cause::root_cause;
use crate::oomlog::{OomReport, Outcome};
use crate::text::event::{asked_by, cause as what_ran_out};
use crate::text::format;
use crate::text::report::advice::{self, KeyOf};
use crate::text::tone::{Line, Tone};

/// How many names are listed as holders of the memory.
const HOLDERS: usize = 4;

/// All lines of the page for printing, without keys.
pub fn lines(report: &OomReport, remembered: &[(Pid, Remembered)]) -> Vec<Line> {
    lines_with_keys(report, remembered, &|_| None)
}

/// All lines of the page, with `key` in front of each step of the advice that has one.
pub fn lines_with_keys(
    report: &OomReport,
    remembered: &[(Pid, Remembered)],
    key: KeyOf<'_>,
) -> Vec<Line> {
    let ranking = ranking(report);
    let root = root_cause(report);
    let mut lines = vec![Line::of(Tone::Strong, what_ran_out(report))];
    if let Some(asker) = asked_by(report) {
        lines.push(Line::from(capital(&format!(
            "{asker}{}.",
            asked_for(report)
        ))));
    }
    lines.extend(
        root.as_ref()
            .map(|root| Line::of(Tone::Watch, cause::sentence(root))),
    );
    lines.extend(cause::what_was_left(report));
    lines.extend(who_held_it(report));
    lines.extend(victims::lines(report, ranking.as_ref(), remembered));
    lines.extend(oddities(report));
    let advice = advice::lines(report, root.as_ref(), remembered, key);
    if !advice.is_empty() {
        lines.push(Line::new());
        lines.push(Line::of(Tone::Accent, "What to do now"));
        lines.extend(advice);
    }
    lines
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

fn kb(value: u64) -> String {
    format::long_size(value.saturating_mul(1024))
}

/// The purpose of the request, from its GFP flags: `, for memory of a program`.
fn asked_for(report: &OomReport) -> String {
    let known = report
        .trigger
        .as_ref()
        .and_then(|trigger| purpose(trigger, report.kernel.as_deref()));
    known.map_or_else(String::new, |purpose| format!(", for {}", purpose.words()))
}

/// The process names that held most memory, and how many processes each name has.
fn who_held_it(report: &OomReport) -> Option<Line> {
    let held = by_name(report)?;
    let size = |kb: u64| format::size(kb.saturating_mul(1024));
    let named = held.iter().take(HOLDERS).map(|holder| {
        let swap = holder.swap_kb.unwrap_or(0);
        let swapped = if swap > holder.rss_kb / 10 {
            format!(" and {} in swap", size(swap))
        } else {
            String::new()
        };
        let many = if holder.processes > 1 {
            format!(" in {} processes", holder.processes)
        } else {
            String::new()
        };
        format!("{} {}{swapped}{many}", holder.comm, size(holder.rss_kb))
    });
    let named: Vec<String> = named.collect();
    // Pages that processes share count once for each process.
    let shared = held
        .iter()
        .take(HOLDERS)
        .any(|holder| report.limit_kb.is_some_and(|limit| holder.rss_kb > limit));
    let note = if shared {
        " (pages they share count each time)"
    } else {
        ""
    };
    (!named.is_empty())
        .then(|| Line::from(format!("Memory was held by {}{note}.", named.join(", "))))
}

/// Notes about what would puzzle a reader: no victim, a panic, repeats, lost records.
fn oddities(report: &OomReport) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut say = |tone, text: String| lines.push(Line::of(tone, text));
    match report.outcome {
        Outcome::NobodyKillable => say(
            Tone::Critical,
            "Nobody could be killed: every process there has oom_score_adj -1000, or is dying already.".to_owned(),
        ),
        Outcome::Panic => {
            let why = report.panic.as_deref().unwrap_or("");
            say(Tone::Critical, format!("The kernel panicked: {why}"));
        }
        Outcome::Ignored => say(Tone::Watch, "SysRq-f found nobody to kill.".to_owned()),
        Outcome::Pending | Outcome::Killed => {}
    }
    if report.repeats > 0 {
        say(
            Tone::Watch,
            match report.repeats {
                1 => "Repeated once more.".to_owned(),
                repeats => format!("Repeated {repeats} more times."),
            },
        );
    }
    if !report.shared_memory.is_empty() {
        say(
            Tone::Watch,
            format!(
                "{} more processes died because they shared its memory.",
                report.shared_memory.len()
            ),
        );
    }
    if report.gap {
        say(
            Tone::Watch,
            "Log records were lost within this report.".to_owned(),
        );
    }
    if !report.has_header && !report.kills.is_empty() {
        say(
            Tone::Dim,
            "Only the \"Killed process\" line is there: the kernel prints at most 10 reports in 5 s, or the log has lost \
             the rest."
                .to_owned(),
        );
    }
    lines
}
