//! Whole reports in disguise: any prefix, quoted, wrapped, packed, cut into chunks. What is found must be what the
//! same report gives without.

#![allow(
    clippy::expect_used,
    clippy::format_collect,
    reason = "a test that cannot go on fails; short logs are made here"
)]

use std::fs;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use crate::common::corpus::reports;
use crate::common::patience::processor_time;
use oomtop::oomlog::{OomReport, TextLog};
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Logs with a stamp of the time since boot and nothing else, and what they give.
static LOGS: LazyLock<Vec<(String, Vec<String>)>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/oom/lab");
    let mut logs: Vec<(String, Vec<String>)> = fs::read_dir(folder)
        .expect("fixtures")
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|e| e == "log"))
        .filter_map(|entry| fs::read_to_string(entry.path()).ok())
        // Names with newlines are told by the stamp alone: an unknown prefix hides it.
        .filter(|log| log.lines().all(|line| line.starts_with('[')) && log.len() < 60_000)
        .map(|log| {
            let facts = facts(&reports(log.as_bytes()));
            (log, facts)
        })
        .filter(|(_, facts)| !facts.is_empty())
        .collect();
    logs.sort();
    assert!(logs.len() > 4, "{}", logs.len());
    logs
});

/// What a reader wants to know of each report. Stamps and raw lines may differ.
fn facts(reports: &[Arc<OomReport>]) -> Vec<String> {
    reports
        .iter()
        .map(|report| {
            let rows = report.tasks.as_ref().map(|table| &table.rows);
            let kills: Vec<_> = report
                .kills
                .iter()
                .map(|kill| (kill.pid, &kill.comm, kill.anon_rss_kb, kill.uid, kill.adj))
                .collect();
            format!(
                "{:?} {:?} {:?} {:?} {:?} {:?} {kills:?} {rows:?} {:?} {:?}",
                report.trigger,
                report.constraint,
                report.oom_memcg,
                (report.limit_kb, report.usage_kb),
                report.chosen,
                report.outcome,
                report.memcg,
                report.memory,
            )
        })
        .collect()
}

/// The log without its stamps.
fn bare(log: &str) -> String {
    log.lines()
        .map(|line| line.split_once("] ").map_or(line, |(_, text)| text))
        .fold(String::new(), |log, line| log + line + "\n")
}

/// A prefix that no rule knows: `#` becomes a number that changes, `@` a word.
fn prefix() -> impl Strategy<Value = String> {
    let piece = select(vec![
        "(#)",
        "[#:@]",
        "[@]",
        "-(#)",
        "I[#: @: #] ",
        "{@}",
        "# ",
        "#:",
        "@# ",
        "@-#| ",
        "#| ",
        "@/#: ",
        ">>> ",
        "=> ",
        "* ",
        "    ",
        "\t",
        "@#.log:#: ",
        "[@ #] ",
    ]);
    prop::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat())
}

fn filled(prefix: &str, line: usize) -> String {
    const WORDS: [&str; 4] = ["acorn", "kworker/0:1", "web", "Web Content"];
    let in_brackets = prefix.contains(['[', '{']);
    let mut depth = 0_i32;
    prefix
        .chars()
        .map(|c| {
            depth += i32::from("([{<".contains(c)) - i32::from(")]}>".contains(c));
            match c {
                '#' => (line * 37 % 1000).to_string(),
                // Outside of brackets a name stays the same.
                '@' if in_brackets && depth > 0 => WORDS[line % WORDS.len()].to_owned(),
                '@' => "node".to_owned(),
                c => c.to_string(),
            }
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_prefix_before_and_behind_the_stamp(log in any::<Index>(), prefix in prefix(), place in 0..3) {
        let (log, known) = log.get(&LOGS);
        let bare = bare(log);
        let disguised: String = log
            .lines()
            .zip(bare.lines())
            .enumerate()
            .map(|(at, (stamped, text))| {
                let prefix = filled(&prefix, at);
                match place {
                    0 => format!("{prefix}{stamped}\n"),
                    1 => format!("{}{prefix}{text}\n", &stamped[..stamped.len() - text.len()]),
                    _ => format!("{prefix}{text}\n"),
                }
            })
            .collect();
        prop_assert_eq!(&facts(&reports(disguised.as_bytes())), known, "{}", disguised.lines().take(3).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn quoted_however_deep(log in any::<Index>(), depth in 1..4_usize, blank in any::<bool>()) {
        let (log, known) = log.get(&LOGS);
        let mark = if blank { "> " } else { ">" }.repeat(depth);
        let mark = format!("{} ", mark.trim_end());
        let mut mail: String = log.lines().map(|line| format!("{mark}{line}\n")).collect();
        mail += mark.trim_end();
        mail += "\nWhat is this?\nRegards\n";
        prop_assert_eq!(&facts(&reports(mail.as_bytes())), known);
    }

    #[test]
    fn chunks_of_any_size_are_lines(log in any::<Index>(), noise in 0..400_usize, size in 1..5000_usize, cut in any::<Index>()) {
        let (log, _) = log.get(&LOGS);
        let lines: Vec<&str> = log.lines().collect();
        let rest = lines[cut.index(lines.len())..].join("\n");
        let quiet = "Nov 22 10:00:00 host app[1]: nothing happens here, 12 times\n";
        let log = format!("{}{rest}\n{}{rest}\n", quiet.repeat(noise), quiet.repeat(noise));
        let mut by_line = Vec::new();
        let mut text = TextLog::new();
        for line in log.split_inclusive('\n') {
            text.line(line.as_bytes(), &mut by_line);
        }
        text.finish(&mut by_line);
        let mut by_chunk = Vec::new();
        let mut text = TextLog::new();
        for chunk in log.as_bytes().chunks(size) {
            text.chunk(chunk, &mut by_chunk);
        }
        text.finish(&mut by_chunk);
        prop_assert_eq!(by_line, by_chunk);
    }
}

/// A mail program breaks lines at a width, inside words, and quotes what it broke.
#[test]
fn wrapped_at_a_width_and_quoted() {
    let (log, _) = LOGS
        .iter()
        .find(|(log, _)| log.len() < 20_000)
        .expect("a short one");
    let stamped: Vec<String> = log
        .lines()
        .map(|line| format!("Mar 26 12:32:37 pi kernel: {line}"))
        .collect();
    let known = reports(stamped.join("\n").as_bytes());
    let (known, mut whole) = (known.first().expect("a report"), 0);
    for width in [92, 100, 120] {
        let mail: String = stamped
            .iter()
            .flat_map(|line| {
                let chars: Vec<char> = line.chars().collect();
                chars
                    .chunks(width)
                    .map(|part| format!("> {}\n", part.iter().collect::<String>()))
                    .collect::<Vec<_>>()
            })
            .collect();
        let found = reports(mail.as_bytes());
        let found = found.first().expect("a report");
        assert_eq!(found.kills.len(), known.kills.len(), "width {width}");
        for (ours, theirs) in found.kills.iter().zip(&known.kills) {
            assert_eq!(ours.pid, theirs.pid, "width {width}");
            assert_eq!(
                (ours.anon_rss_kb, ours.uid, ours.adj),
                (theirs.anon_rss_kb, theirs.uid, theirs.adj),
                "width {width}: {:?}",
                found
                    .raw
                    .lines()
                    .filter(|line| line.contains("ss-rss") || line.contains("rocess"))
                    .collect::<Vec<_>>()
            );
            whole += 1;
        }
        let rows = |report: &OomReport| report.tasks.as_ref().map_or(0, |table| table.rows.len());
        assert_eq!(rows(found), rows(known), "width {width}");
    }
    assert!(whole > 2, "{whole}");
}

/// The least processor time of a few runs: others use the machine too.
fn time(log: &str) -> Duration {
    (0..3)
        .map(|_| {
            let start = processor_time();
            let mut events = Vec::new();
            let mut text = TextLog::new();
            for chunk in log.as_bytes().chunks(1 << 20) {
                text.chunk(chunk, &mut events);
                events.clear();
            }
            text.finish(&mut events);
            processor_time().saturating_sub(start)
        })
        .min()
        .unwrap_or_default()
}

/// Makes a log of this size.
type Make = Box<dyn Fn(usize) -> String>;

/// Doubled three times the log may take 24 times as long, where quadratic time takes 64 times.
#[test]
fn the_time_is_linear() {
    let early = |lines: usize| -> String {
        (0..lines)
            .map(|at| format!("Mar  4 05:06:07 pc earlyoom[7]: sending SIGTERM to process {at} uid 0 \"p{at}\": oom_score 1, VmRSS 2 MiB\n"))
            .collect()
    };
    let many: [(&str, Make); 9] = [
        ("brackets", Box::new(|n| "[".repeat(n * 40) + "\n")),
        (
            "brackets and words",
            Box::new(|n| "[1 Out of memory: Kill ".repeat(n * 2) + "\n"),
        ),
        ("angles", Box::new(|n| "<".repeat(n * 40) + "\n")),
        ("quotes", Box::new(|n| "> ".repeat(n * 40) + "\n")),
        (
            "closing",
            Box::new(|n| {
                format!(
                    "Out of memory: Killed process 5 (x{}\n",
                    ") ".repeat(n * 20)
                )
            }),
        ),
        (
            "paths",
            Box::new(|n| {
                format!(
                    "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=0,cpuset=x,mems_allowed=0,oom_memcg=/{}\n",
                    ",task_memcg=".repeat(n * 3)
                )
            }),
        ),
        ("earlyoom", Box::new(early)),
        ("colours", Box::new(|n| "\u{1b}[1m".repeat(n * 20) + "\n")),
        (
            "first lines",
            Box::new(|n| {
                "x invoked oom-killer: gfp_mask=0x0(), order=0, oom_score_adj=0\n".repeat(n)
            }),
        ),
    ];
    for (name, log) in many {
        let (small, large) = (time(&log(1_250)), time(&log(10_000)));
        let most = small.max(Duration::from_millis(2)) * 24;
        assert!(
            large < most,
            "{name}: 8 times the log takes {large:?}, not {small:?}"
        );
    }
}
