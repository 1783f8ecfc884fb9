//! Reports that were cut: each line is the first or the last that the log has. What is left must be a part of what
//! the whole report says, and never contradict it.

#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::Path;

use crate::common::corpus::reports;
use oomtop::oomlog::OomReport;

/// Every fixture that is a text log.
fn logs() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/oom");
    let mut found = Vec::new();
    for folder in [folder.clone(), folder.join("lab"), folder.join("posted")] {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|e| e == "log" || e == "kmsg")
                && let Ok(log) = fs::read_to_string(&path)
            {
                found.push((path.display().to_string(), log));
            }
        }
    }
    found.sort();
    assert!(found.len() > 20);
    found
}

/// What is left of `whole` contradicts it: a value that is there and another one.
pub(crate) fn contradictions(part: &OomReport, whole: &OomReport) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut same = |what: &str, ours: String, theirs: String, known: bool| {
        if known && ours != theirs {
            wrong.push(format!("{what}: {ours}, whole {theirs}"));
        }
    };
    macro_rules! fields {
        ($($field:ident),*) => {$(
            same(stringify!($field), format!("{:?}", part.$field), format!("{:?}", whole.$field), part.$field.is_some());
        )*};
    }
    fields!(
        kernel, constraint, nodemask, cpuset, oom_memcg, limit_kb, usage_kb, oom_group, panic
    );
    if let (Some(ours), Some(theirs)) = (&part.trigger, &whole.trigger) {
        same("trigger", ours.comm.clone(), theirs.comm.clone(), true);
        same(
            "pid",
            format!("{:?}", ours.pid),
            format!("{:?}", theirs.pid),
            ours.pid.is_some(),
        );
        same(
            "order",
            format!("{:?}", ours.order),
            format!("{:?}", theirs.order),
            ours.order.is_some(),
        );
        same(
            "gfp",
            format!("{:?}", ours.gfp_mask),
            format!("{:?}", theirs.gfp_mask),
            ours.gfp_mask.is_some(),
        );
    }
    if let (Some(ours), Some(theirs)) = (&part.tasks, &whole.tasks) {
        for row in &ours.rows {
            let known = theirs
                .row(row.pid)
                .map(|row| (row.uid, row.tgid, row.total_vm, row.rss, row.adj, &row.comm));
            let ours = (row.uid, row.tgid, row.total_vm, row.rss, row.adj, &row.comm);
            same(
                "row",
                format!("{ours:?}"),
                format!(
                    "{:?}",
                    known.unwrap_or((None, None, None, None, None, &row.comm))
                ),
                true,
            );
        }
    }
    if let (Some(ours), Some(theirs)) = (&part.memory, &whole.memory) {
        for (key, value) in &ours.counters {
            same(
                key,
                value.to_string(),
                format!("{}", theirs.pages(key).unwrap_or(u64::MAX)),
                true,
            );
        }
        same(
            "ram",
            format!("{:?}", ours.ram_pages),
            format!("{:?}", theirs.ram_pages),
            ours.ram_pages.is_some(),
        );
    }
    for kill in &part.kills {
        let known = whole.kills.iter().find(|known| known.pid == kill.pid);
        let Some(known) = known else {
            wrong.push(format!("kill {}: not in the whole", kill.pid));
            continue;
        };
        let mut same = |what: &str, ours: Option<u64>, theirs: Option<u64>| {
            // A line that was cut lacks its end.
            if ours.is_some() && ours != theirs {
                wrong.push(format!(
                    "kill {}: {what} {ours:?}, whole {theirs:?}",
                    kill.pid
                ));
            }
        };
        same("anon", kill.anon_rss_kb, known.anon_rss_kb);
        same("uid", kill.uid.map(u64::from), known.uid.map(u64::from));
        if kill.comm != known.comm {
            wrong.push(format!(
                "kill {}: {}, whole {}",
                kill.pid, kill.comm, known.comm
            ));
        }
    }
    wrong
}

/// Each fact of the part, so that a cut is seen to lose no more than its lines.
fn facts(report: &OomReport) -> usize {
    report.kills.len()
        + report.tasks.as_ref().map_or(0, |table| table.rows.len())
        + report
            .memory
            .as_ref()
            .map_or(0, |memory| memory.counters.len() + memory.zones.len())
        + report.memcg.as_ref().map_or(0, |memcg| {
            memcg.usage.len() + memcg.stats.iter().map(|s| s.values.len()).sum::<usize>()
        })
        + usize::from(report.chosen.is_some())
}

#[test]
fn a_report_begins_and_ends_at_any_of_its_lines() {
    let (mut cuts, mut wrong) = (0, Vec::new());
    for (name, log) in logs() {
        let whole = reports(log.as_bytes());
        let [whole] = whole.as_slice() else {
            continue;
        };
        let lines: Vec<&str> = log.split_inclusive('\n').collect();
        let step = lines.len() / 24 + 1;
        let mut most = facts(whole);
        for at in (0..lines.len()).step_by(step) {
            let (head, tail) = (lines[..at].concat(), lines[at..].concat());
            let mut left = 0;
            for (side, part) in [("end", head), ("beginning", tail)] {
                let found = reports(part.as_bytes());
                for part in &found {
                    cuts += 1;
                    wrong.extend(
                        contradictions(part, whole)
                            .into_iter()
                            .map(|what| format!("{name}: {side} lost at line {at}: {what}")),
                    );
                }
                // Kills of a group are told apart from kills of their own by lines that are lost here.
                if found.len() > 1 && whole.oom_group.is_none() {
                    wrong.push(format!(
                        "{name}: {side} lost at line {at}: {} reports of one",
                        found.len()
                    ));
                }
                if side == "beginning" {
                    left = found.iter().map(|report| facts(report)).sum();
                }
            }
            // Facts leave one by one with their lines: what comes later is not dropped with the head.
            if left > most {
                wrong.push(format!("{name}: line {at} lost: {left} facts of {most}"));
            }
            let gone: usize = most - left.min(most);
            let lines_gone = step;
            // A line of Mem-Info has up to 10 counters; the one that introduces a block may be needed for some.
            if gone > 40 * lines_gone && left == 0 && at + step < lines.len() / 2 {
                wrong.push(format!(
                    "{name}: beginning lost at line {at}: {gone} facts went"
                ));
            }
            most = left;
        }
    }
    assert!(cuts > 1000, "{cuts}");
    assert!(
        wrong.is_empty(),
        "{} of {cuts}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
