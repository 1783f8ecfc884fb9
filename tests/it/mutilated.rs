//! Reports as people post them: through a pager, a mail program, a grep, a web form. The whole report is the oracle:
//! what is left has the same value, what is not there is not claimed, and no kill whose line is there is lost.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::common::corpus::reports;
use crate::oom_transports::{kmsg_cases, records};
use crate::partial::contradictions;
use oomtop::oomlog::{MemoryState, OomReport};
use oomtop::text::event::scope_word;

/// What a poster does to the lines of a log.
type Mutilation = fn(&[String]) -> String;

fn joined(lines: impl Iterator<Item = String>) -> String {
    lines.map(|line| line + "\n").collect()
}

/// The lines with one of these words, as `grep -i` gives them.
fn grepped(lines: &[String], words: &[&str]) -> String {
    let has = |line: &&String| {
        let line = line.to_lowercase();
        words.iter().any(|word| line.contains(word))
    };
    joined(lines.iter().filter(has).cloned())
}

/// Broken between words at a width, as mail programs do, each line behind `quote`.
fn wrapped(lines: &[String], width: usize, quote: &str) -> String {
    let mut out = Vec::new();
    for line in lines {
        let mut part = String::new();
        for word in line.split(' ') {
            let is_first = part.is_empty();
            if !is_first && part.chars().count() + 1 + word.chars().count() > width {
                out.push(format!("{quote}{part}"));
                part.clear();
            } else if !is_first {
                part.push(' ');
            }
            part.push_str(word);
        }
        out.push(format!("{quote}{part}"));
    }
    joined(out.into_iter())
}

/// Without the stamp in brackets.
fn bare(line: &str) -> &str {
    line.split_once("] ").map_or(line, |(_, rest)| rest)
}

/// Those that keep every value.
const LOSSLESS: &[(&str, Mutilation)] = &[
    ("CRLF", |l| joined(l.iter().map(|line| format!("{line}\r")))),
    ("blank lines between", |l| {
        joined(l.iter().map(|line| format!("{line}\n")))
    }),
    ("tabs for runs of blanks", |l| {
        joined(l.iter().map(|line| line.replace("  ", "\t")))
    }),
    ("coloured", |l| {
        joined(l.iter().map(|line| match line.split_once("] ") {
            Some((stamp, rest)) => format!("\u{1b}[32m{stamp}] \u{1b}[0m\u{1b}[31m{rest}\u{1b}[0m"),
            None => line.clone(),
        }))
    }),
    ("journalctl -o cat", |l| {
        joined(l.iter().map(|line| bare(line).to_owned()))
    }),
    ("journalctl -o with-unit", |l| {
        joined(
            l.iter()
                .map(|line| format!("Fri 2026-11-27 12:11:52 UTC pc kernel: {}", bare(line))),
        )
    }),
    ("journalctl -o short-full", |l| {
        joined(
            l.iter()
                .map(|line| format!("Fri 2026-11-27 12:11:52 CET pc kernel: {line}")),
        )
    }),
    ("journalctl -o json", |l| {
        joined(l.iter().map(|line| {
            let text = serde_json::to_string(bare(line)).expect("text");
            format!("{{\"_TRANSPORT\":\"kernel\",\"__REALTIME_TIMESTAMP\":\"1795000000000000\",\"MESSAGE\":{text}}}")
        }))
    }),
    ("kubectl logs --timestamps", |l| {
        joined(
            l.iter()
                .map(|line| format!("2026-11-27T12:11:52.123456789Z {line}")),
        )
    }),
    ("kubectl logs --prefix", |l| {
        joined(
            l.iter()
                .map(|line| format!("[pod/watch-7d9f/kmsg] 2026-11-27T12:11:52.123456789Z {line}")),
        )
    }),
    ("a tool nobody knows", |l| {
        joined(
            l.iter()
                .enumerate()
                .map(|(at, line)| format!("qz~7 {at:05} | {line}")),
        )
    }),
    ("a code block with line numbers", |l| {
        joined(
            l.iter()
                .enumerate()
                .map(|(at, line)| format!("{:>4}  {line}", at + 1)),
        )
    }),
    ("quoted twice", |l| {
        joined(l.iter().map(|line| format!("> > {line}")))
    }),
];

/// Those that lose some.
const LOSSY: &[(&str, Mutilation)] = &[
    ("the first lines lost", |l| {
        joined(l[l.len() / 5..].iter().cloned())
    }),
    ("half", |l| joined(l[..l.len() / 2].iter().cloned())),
    ("the other half", |l| {
        joined(l[l.len() / 2..].iter().cloned())
    }),
    ("grep -i kill", |l| grepped(l, &["kill"])),
    ("grep -i oom", |l| grepped(l, &["oom"])),
    ("grep -iE 'oom|memory'", |l| grepped(l, &["oom", "memory"])),
    ("grep -iE 'killed process|invoked'", |l| {
        grepped(l, &["killed process", "invoked"])
    }),
    ("grep -v constraint", |l| {
        joined(
            l.iter()
                .filter(|line| !line.contains("constraint"))
                .cloned(),
        )
    }),
    ("every third line lost", |l| {
        let kept = l.iter().enumerate().filter(|(at, _)| at % 3 != 1);
        joined(kept.map(|(_, line)| line.clone()))
    }),
    ("wrapped at 72 and quoted", |l| wrapped(l, 72, "> ")),
    ("wrapped at 72", |l| wrapped(l, 72, "")),
    ("wrapped at 78 behind two marks", |l| wrapped(l, 78, "> > ")),
    ("lines cut at 80", |l| {
        joined(l.iter().map(|line| line.chars().take(80).collect()))
    }),
];

/// Pids whose "Killed process" line the text still has, whole or wrapped.
fn killed_in(text: &str) -> BTreeSet<u32> {
    let words: Vec<&str> = text
        .split_whitespace()
        .filter(|word| !word.starts_with('>'))
        .collect();
    let is_line = |w: &&[&str]| matches!(w[0], "Killed" | "Kill") && w[1] == "process";
    words
        .windows(4)
        .filter(|w| is_line(&&w[..2]) && w[3].starts_with('('))
        .filter_map(|w| w[2].parse().ok())
        .collect()
}

fn pids(found: &[Arc<OomReport>]) -> BTreeSet<u32> {
    found
        .iter()
        .flat_map(|report| report.kills.iter().map(|kill| kill.pid))
        .collect()
}

/// Lab reports as `dmesg` prints them: one report each.
fn cases() -> Vec<(String, Vec<String>)> {
    let mut cases = Vec::new();
    for path in kmsg_cases() {
        let log = std::fs::read(&path).expect("a fixture");
        let lines: Vec<String> = records(&log)
            .iter()
            .flat_map(|record| {
                let at = record.at.map_or(0, |at| at.0);
                let stamp = format!("[{:5}.{:06}] ", at / 1_000_000, at % 1_000_000);
                let lines: Vec<String> = record
                    .text
                    .split('\n')
                    .map(|line| format!("{stamp}{line}"))
                    .collect();
                lines
            })
            .collect();
        if reports(joined(lines.iter().cloned()).as_bytes()).len() == 1 {
            cases.push((path.display().to_string(), lines));
        }
    }
    assert!(cases.len() > 15, "{}", cases.len());
    cases
}

/// What the row may say of a part: what it says of the whole, that it does not know, or less exactly.
fn may_be_called(part: &OomReport, ours: &str, whole: &str) -> bool {
    // Without its first line and the state of the memory, nothing tells SysRq-f from a host that ran out.
    let is_told = |memory: &Arc<MemoryState>| memory.pages("free").is_some();
    let alone = !part.memory.as_ref().is_some_and(is_told)
        && part.trigger.as_ref().is_none_or(|t| t.order.is_none());
    ours == whole
        || ours == "?"
        || (ours == "nodes" && matches!(whole, "cpuset" | "mempolicy"))
        // The path tells a unit from a cgroup.
        || (part.oom_memcg.is_none() && ours == "cgroup" && whole != "host")
        || (alone && ours == "host" && whole == "request")
}

/// The last word of a line that was cut is what is left of it: a name, a version.
fn is_cut_short(what: &str) -> bool {
    let Some((ours, theirs)) = what.split_once(", whole ") else {
        return false;
    };
    // A mail program breaks a line at a blank, which may be one of the name's.
    let squeezed = |text: &str| text.replace(' ', "");
    if squeezed(ours).ends_with(&squeezed(theirs)) {
        return true;
    }
    let bare = |text: &str| {
        text.trim_start_matches("Some(")
            .trim_matches(['"', ')', '\u{2026}'])
            .to_owned()
    };
    let (key, ours) = ours.split_once(": ").unwrap_or(("", ours));
    let is_word = key == "kernel" || key.starts_with("kill ");
    (is_word && bare(theirs).starts_with(&bare(ours))) || ours.ends_with(", None, \"\")")
}

fn wrong(found: &[Arc<OomReport>], whole: &OomReport, text: &str) -> Vec<String> {
    let mut wrong: Vec<String> = found
        .iter()
        .flat_map(|part| contradictions(part, whole))
        .collect();
    for part in found {
        let (ours, theirs) = (scope_word(part), scope_word(whole));
        if !may_be_called(part, ours, theirs) {
            wrong.push(format!("it ran out of: {ours}, whole {theirs}"));
        }
    }
    let lost: Vec<u32> = killed_in(text).difference(&pids(found)).copied().collect();
    if !lost.is_empty() {
        wrong.push(format!("lost kills: {lost:?}"));
    }
    wrong
}

#[test]
fn what_keeps_every_value_changes_none() {
    let mut bad = Vec::new();
    for (name, lines) in cases() {
        let whole = &reports(joined(lines.iter().cloned()).as_bytes())[0];
        let rows = |report: &OomReport| report.tasks.as_ref().map_or(0, |table| table.rows.len());
        for (how, mutilate) in LOSSLESS {
            let text = mutilate(&lines);
            let found = reports(text.as_bytes());
            let mut all = wrong(&found, whole, &text);
            match found.as_slice() {
                [part] => {
                    if (rows(part), part.kills.len()) != (rows(whole), whole.kills.len()) {
                        all.push(format!(
                            "rows {} of {}, kills {} of {}",
                            rows(part),
                            rows(whole),
                            part.kills.len(),
                            whole.kills.len()
                        ));
                    }
                    if scope_word(part) != scope_word(whole) {
                        all.push(format!(
                            "scope {} of {}",
                            scope_word(part),
                            scope_word(whole)
                        ));
                    }
                }
                _ => all.push(format!("{} reports of one", found.len())),
            }
            bad.extend(all.into_iter().map(|what| format!("{name}, {how}: {what}")));
        }
    }
    assert!(bad.is_empty(), "{} wrong:\n{}", bad.len(), bad.join("\n"));
}

#[test]
fn what_is_left_keeps_its_value_and_no_kill_is_lost() {
    let mut bad = Vec::new();
    for (name, lines) in cases() {
        let whole = &reports(joined(lines.iter().cloned()).as_bytes())[0];
        for (how, mutilate) in LOSSY {
            let text = mutilate(&lines);
            let found = reports(text.as_bytes());
            bad.extend(
                wrong(&found, whole, &text)
                    .into_iter()
                    .filter(|what| {
                        !(how.contains("cut") || how.contains("wrapped")) || !is_cut_short(what)
                    })
                    .map(|what| format!("{name}, {how}: {what}")),
            );
        }
    }
    assert!(bad.is_empty(), "{} wrong:\n{}", bad.len(), bad.join("\n"));
}

/// A loss behind a disguise: the lines of a wrapped, grepped or cut log, each behind a prefix or with its stamp gone.
#[test]
fn a_loss_behind_a_disguise_is_no_worse() {
    let mut bad = Vec::new();
    for (at, (name, lines)) in cases().into_iter().enumerate() {
        let whole = &reports(joined(lines.iter().cloned()).as_bytes())[0];
        // A few of all pairs for each report; all reports together see them all.
        for pair in 0..12 {
            let (how, lose) = LOSSY[(at + pair) % 9];
            let (mask, disguise) = LOSSLESS[(at * 5 + pair * 3) % LOSSLESS.len()];
            let left: Vec<String> = lose(&lines).lines().map(str::to_owned).collect();
            let text = disguise(&left);
            let found = reports(text.as_bytes());
            let plain = if mask.contains("json") {
                lose(&lines)
            } else {
                text
            };
            bad.extend(
                wrong(&found, whole, &plain)
                    .into_iter()
                    .map(|what| format!("{name}, {how}, {mask}: {what}")),
            );
        }
    }
    assert!(bad.is_empty(), "{} wrong:\n{}", bad.len(), bad.join("\n"));
}
