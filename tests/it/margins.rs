//! A log whose long lines were cut at one column: `less -S`, `cut -c`, the width of a terminal. A number that touches
//! the margin is unknown, or it is the number of the whole log.

use std::collections::BTreeMap;

use crate::common::corpus::reports;
use crate::oom_transports::{clock, kmsg_cases, records};
use oomtop::oomlog::OomReport;

/// Where logs are cut: terminals, and columns between.
const WIDTHS: [usize; 22] = [
    62, 70, 78, 80, 87, 94, 99, 100, 101, 107, 114, 119, 120, 121, 128, 131, 132, 133, 140, 160,
    180, 200,
];

type Facts = BTreeMap<String, String>;

fn add<T: std::fmt::Debug>(facts: &mut Facts, what: String, value: Option<T>) {
    if let Some(value) = value {
        facts.insert(what, format!("{value:?}"));
    }
}

/// Each number and path that a report has, by what it is.
fn facts(report: &OomReport) -> Facts {
    let mut f = Facts::new();
    let report_wide = [
        ("oom_memcg", &report.oom_memcg),
        ("task_memcg", &report.task_memcg),
        ("cpuset", &report.cpuset),
        ("mems_allowed", &report.mems_allowed),
        ("nodemask", &report.nodemask),
        ("constraint_text", &report.constraint_text),
        ("kernel", &report.kernel),
    ];
    for (what, value) in report_wide {
        add(&mut f, what.to_owned(), value.as_ref());
    }
    add(&mut f, "limit".to_owned(), report.limit_kb);
    add(&mut f, "usage".to_owned(), report.usage_kb);
    if let Some(trigger) = &report.trigger {
        add(&mut f, "asker".to_owned(), trigger.pid);
        add(&mut f, "mask".to_owned(), trigger.gfp_mask);
        add(&mut f, "flags".to_owned(), trigger.gfp_flags.as_ref());
        add(&mut f, "order".to_owned(), trigger.order);
        add(&mut f, "asker's adj".to_owned(), trigger.adj);
    }
    if let Some(chosen) = &report.chosen {
        add(&mut f, "chosen".to_owned(), Some(chosen.pid));
        add(&mut f, "chosen uid".to_owned(), chosen.uid);
    }
    for kill in &report.kills {
        let mut field = |what: &str, value: Option<u64>| {
            add(&mut f, format!("kill {} {what}", kill.pid), value);
        };
        field("", Some(0));
        field("uid", kill.uid.map(u64::from));
        field("total", kill.total_vm_kb);
        field("anon", kill.anon_rss_kb);
        field("file", kill.file_rss_kb);
        field("shmem", kill.shmem_rss_kb);
        field("pgtables", kill.pgtables_kb);
        add(&mut f, format!("kill {} adj", kill.pid), kill.adj);
    }
    for row in report.tasks.iter().flat_map(|table| &table.rows) {
        let mut field = |what: &str, value: Option<u64>| {
            add(&mut f, format!("row {} {what}", row.pid), value);
        };
        field("uid", row.uid.map(u64::from));
        field("tgid", row.tgid.map(u64::from));
        field("total", row.total_vm);
        field("rss", row.rss);
        field("anon", row.rss_anon);
        field("file", row.rss_file);
        field("shmem", row.rss_shmem);
        field("pgtables", row.pgtables_bytes);
        field("swap", row.swapents);
        add(&mut f, format!("row {} adj", row.pid), row.adj);
        let name = Some(&row.comm).filter(|name| !name.is_empty() && !name.ends_with('\u{2026}'));
        add(&mut f, format!("row {} name", row.pid), name);
    }
    if let Some(memory) = &report.memory {
        for (key, value) in &memory.counters {
            add(&mut f, format!("counter {key}"), Some(value));
        }
        for node in &memory.nodes {
            for (key, value) in &node.kb {
                add(&mut f, format!("node {} {key}", node.node), Some(value));
            }
        }
        for zone in &memory.zones {
            for (key, value) in &zone.kb {
                let what = format!("zone {} {} {key}", zone.node, zone.name);
                add(&mut f, what, Some(value));
            }
            let blocks = zone.blocks.iter().map(|b| (b.size_kb, b.count, &b.types));
            let blocks: Vec<_> = blocks.collect();
            let known = Some(blocks).filter(|blocks| !blocks.is_empty());
            add(&mut f, format!("blocks {} {}", zone.node, zone.name), known);
        }
    }
    f
}

/// What a cut report says and the whole one does not.
fn invented(log: &str, whole: &Facts) -> Vec<String> {
    let mut wrong = Vec::new();
    for part in reports(log.as_bytes()) {
        let new = facts(&part).into_iter();
        let new = new.filter(|(what, value)| whole.get(what) != Some(value));
        wrong.extend(new.map(|(what, value)| format!("{what}: {value} of {:?}", whole.get(&what))));
    }
    wrong
}

fn cut(lines: &[String], width: usize, marker: &str) -> String {
    let cut = |line: &String| {
        if line.chars().count() <= width {
            return format!("{line}\n");
        }
        let kept: String = line.chars().take(width - marker.len()).collect();
        format!("{kept}{marker}\n")
    };
    lines.iter().map(cut).collect()
}

#[test]
fn no_number_is_the_beginning_of_another() {
    let (mut logs, mut bad) = (0, Vec::new());
    for path in kmsg_cases() {
        let log = std::fs::read(&path).expect("a fixture");
        let lines: Vec<String> = records(&log)
            .iter()
            .flat_map(|record| {
                let prefix = format!("Nov 22 {} vmlab kernel: ", clock(record));
                let lines = record.text.split('\n');
                let lines: Vec<String> = lines.map(|line| format!("{prefix}{line}")).collect();
                lines
            })
            .collect();
        let found = reports(cut(&lines, 10_000, "").as_bytes());
        let [whole] = found.as_slice() else {
            continue;
        };
        let whole = facts(whole);
        logs += 1;
        for width in WIDTHS {
            for marker in ["", ">"] {
                for what in invented(&cut(&lines, width, marker), &whole) {
                    let name = path.file_stem().unwrap_or_default().display();
                    bad.push(format!("{name} at {width} {marker}: {what}"));
                }
            }
        }
    }
    assert!(logs > 15, "{logs}");
    assert!(
        bad.is_empty(),
        "{} invented:\n{}",
        bad.len(),
        bad.join("\n")
    );
}
