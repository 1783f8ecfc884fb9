//! Headline, cause and advice of every report agree, rest on evidence, and are counted and measured right: over all
//! fixtures, and over a corpus where `OOMTOP_CORPUS` names one.

#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test fails by panicking and says what it counted"
)]

use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::common::corpus::reports;
use oomtop::oomlog::OomReport;
use oomtop::oomlog::analysis::advice::{Advice, advice};
use oomtop::oomlog::analysis::evidence::Table;
use oomtop::oomlog::analysis::memcg_version::MemcgVersion;
use oomtop::oomlog::analysis::root_cause::RootCause;
use oomtop::oomlog::analysis::verdict::{RanOut, Verdict};
use oomtop::text::report::summary;
use oomtop::text::tone::Line;

fn logs() -> Vec<PathBuf> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/oom");
    let corpus = env::var_os("OOMTOP_CORPUS").map(PathBuf::from);
    let mut logs: Vec<PathBuf> = std::iter::once(fixtures)
        .chain(corpus)
        .flat_map(|folder| [folder.clone(), folder.join("lab")])
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "kmsg" || e == "log"))
        .collect();
    logs.sort();
    logs
}

/// Asks `check` about the summary of every report; it answers with what is wrong.
fn every(check: impl Fn(&OomReport, &Verdict, &str) -> Vec<String>) {
    let (mut seen, mut wrong) = (0, Vec::new());
    for path in logs() {
        for report in reports(&fs::read(&path).expect("readable")) {
            seen += 1;
            let lines: Vec<String> = summary::lines(&report, &[])
                .iter()
                .map(Line::plain)
                .collect();
            let text = lines.join("\n");
            let verdict = Verdict::new(&report);
            let found = check(&report, &verdict, &text);
            wrong.extend(
                found
                    .iter()
                    .map(|what| format!("{}: {what}\n{text}\n", path.display())),
            );
        }
    }
    eprintln!("{seen} reports agree with themselves");
    assert!(seen > 150, "only {seen} reports");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_headline_never_contradicts_the_cause() {
    every(|report, verdict, text| {
        let mut wrong = Vec::new();
        let headline = text.lines().next().unwrap_or_default();
        let host = headline.starts_with("The host ran out");
        let mut claim = |right: bool, what: &str| {
            if !right {
                wrong.push(what.to_owned());
            }
        };
        claim(
            host == matches!(verdict.ran_out, RanOut::Host { .. }),
            "the host",
        );
        match &verdict.cause {
            Some(
                RootCause::ByHand
                | RootCause::ByBpf
                | RootCause::NoShortage { .. }
                | RootCause::Fragmented { .. }
                | RootCause::ZonesExhausted { .. }
                | RootCause::NodesExhausted { .. },
            ) => claim(!host, "the host had memory"),
            Some(
                RootCause::LimitByProcesses(_)
                | RootCause::LimitByTmpfs(_)
                | RootCause::LimitByPageCache(_)
                | RootCause::LimitByKernel(_),
            ) => claim(
                matches!(verdict.ran_out, RanOut::Limit { .. }) && headline.contains("limit"),
                "a limit",
            ),
            Some(
                RootCause::HostByProcesses(_)
                | RootCause::HostByTmpfs(_)
                | RootCause::HostByKernel(_)
                | RootCause::HostByHugePages(_)
                | RootCause::HostByUncounted(_),
            ) => claim(!matches!(verdict.ran_out, RanOut::Limit { .. }), "no limit"),
            Some(RootCause::NobodyKillable { .. }) | None => {}
        }
        // "full of" is said of what fills most of it, and only of that.
        if let Some(percent) = share_of(text, " was full of ") {
            claim(percent >= 75, "full of");
        }
        claim(
            !(headline.contains("swap was left") && text.contains("There is no swap")),
            "swap",
        );
        claim(
            !text.contains("Memory was held by") || !text.contains("Processes did not hold it"),
            "who held it",
        );
        claim(
            !text.contains("killed yet"),
            "a log does not tell what did not happen",
        );
        claim(
            !text.contains("freed at least"),
            "what a kill frees has no lower bound",
        );
        if report.kills.is_empty() && report.chosen.is_none() {
            claim(!headline.contains("chose"), "nobody is known");
        }
        wrong
    });
}

/// The percentage at the end of the sentence with these words.
fn share_of(text: &str, words: &str) -> Option<u64> {
    let (_, rest) = text.split_once(words)?;
    let (before, _) = rest.split_once(" %)")?;
    before.rsplit_once('(')?.1.parse().ok()
}

#[test]
fn advice_has_its_evidence_and_the_files_of_the_right_version() {
    every(|report, verdict, text| {
        let mut wrong = Vec::new();
        let table = report.tasks.as_ref();
        let listed = |comm: &str| {
            let rows = table.into_iter().flat_map(|table| &table.rows);
            verdict.table == Table::Whole && rows.into_iter().any(|row| row.comm == comm)
        };
        for step in advice(report, verdict) {
            let right = match &step {
                Advice::LimitAlone { comm, .. } => listed(comm) && verdict.is_by_processes(),
                Advice::Protect { comm, larger } => {
                    let dead = report.kills.iter().find(|kill| kill.comm == *comm);
                    let worth = dead.and_then(|kill| kill.anon_rss_kb);
                    listed(comm) && listed(larger) && worth.is_some_and(|kb| kb >= 1024)
                }
                Advice::RaiseLimit { .. } => report.is_memcg(),
                Advice::FindLimit { .. } => !report.is_memcg(),
                Advice::AddSwap => {
                    matches!(verdict.cause, Some(RootCause::HostByProcesses(_)))
                }
                Advice::SlowWriters { .. } => {
                    matches!(verdict.cause, Some(RootCause::LimitByPageCache(_)))
                }
                _ => true,
            };
            if !right {
                wrong.push(format!("{step:?}"));
            }
        }
        let v1 = ["in_bytes", "memsw", "memory.kmem"];
        let v2 = ["memory.max", "memory.high", "memory.stat", "memory.zswap"];
        // The victim's group may be killed as one on v2 only, so that file tells nothing wrong.
        let named = |files: &[&str]| files.iter().any(|file| text.contains(file));
        if named(&v1) && verdict.version != Some(MemcgVersion::V1) {
            wrong.push("a file of v1".to_owned());
        }
        if named(&v2) && verdict.version != Some(MemcgVersion::V2) {
            wrong.push("a file of v2".to_owned());
        }
        wrong
    });
}

#[test]
fn counts_have_the_right_plural_and_sizes_their_unit() {
    const MANY: [&str; 11] = [
        "candidates",
        "tasks",
        "processes",
        "reports",
        "times",
        "gaps",
        "names",
        "kills",
        "pages",
        "threads",
        "others",
    ];
    const ONE: [&str; 6] = ["candidate", "task", "process", "report", "gap", "page"];
    every(|_, _, text| {
        let mut wrong = Vec::new();
        let words: Vec<&str> = text
            .split(|c: char| c.is_whitespace() || "(),;:.".contains(c))
            .filter(|word| !word.is_empty())
            .collect();
        for pair in words.windows(2) {
            let [count, noun] = pair else { continue };
            let Ok(count) = count.parse::<u64>() else {
                continue;
            };
            if (count == 1 && MANY.contains(noun)) || (count != 1 && ONE.contains(noun)) {
                wrong.push(format!("{count} {noun}"));
            }
        }
        for bad in [" bytes", "kB", "1024.0", "of 0 ", "9007199254740988"] {
            if text.contains(bad) {
                wrong.push(format!("{bad:?}"));
            }
        }
        wrong
    });
}
