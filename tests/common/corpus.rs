//! Compares what the parser finds in a log with the ground truth for that log.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::{fmt, fs};

use oomtop::oomlog::{Constraint, Kill, LogRecord, OomAssembler, OomEvent, OomReport, TextLog};
use serde_json::Value;

/// How many fields and kills were right, and which were wrong.
#[derive(Default)]
pub(crate) struct Score {
    pub(crate) fields_total: usize,
    pub(crate) fields_right: usize,
    pub(crate) kills_total: usize,
    pub(crate) kills_right: usize,
    pub(crate) misses: Vec<String>,
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of {} fields, {} of {} kills",
            self.fields_right, self.fields_total, self.kills_right, self.kills_total
        )
    }
}

impl Score {
    fn field(&mut self, right: bool, what: impl FnOnce() -> String) {
        self.fields_total += 1;
        if right {
            self.fields_right += 1;
        } else {
            self.misses.push(what());
        }
    }

    fn kill(&mut self, right: bool) {
        self.kills_total += 1;
        self.kills_right += usize::from(right);
    }
}

/// The events in a file of raw kmsg records, recorded from a kernel in a virtual machine.
pub(crate) fn lab_events(fixture: &str) -> Vec<OomEvent> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/oom/lab")
        .join(fixture);
    let log = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut assembler = OomAssembler::new();
    let mut events = Vec::new();
    for record in log.split(|byte| *byte == b'\n') {
        if let Ok(record) = LogRecord::parse_kmsg(record) {
            assembler.feed(record, &mut events);
        }
    }
    assembler.finish(&mut events);
    events
}

/// The last state of every report in a log, in the order of their beginnings.
pub(crate) fn reports(log: &[u8]) -> Vec<Arc<OomReport>> {
    let mut text = TextLog::new();
    let mut events = Vec::new();
    for line in log.split_inclusive(|&byte| byte == b'\n') {
        text.line(line, &mut events);
    }
    text.finish(&mut events);
    // Reading in chunks, as for big files, must find the same.
    let mut chunked = Vec::new();
    let mut text = TextLog::new();
    for chunk in log.chunks(5000) {
        text.chunk(chunk, &mut chunked);
    }
    text.finish(&mut chunked);
    assert_eq!(chunked, events, "chunks and lines differ");
    let mut reports = BTreeMap::new();
    for event in events {
        if let OomEvent::Report(report) = event {
            reports.insert(report.key, report);
        }
    }
    reports.into_values().collect()
}

/// Wrong values of the ground truth, each with the right value from the log. The programs that made the ground
/// truth did not undo a mail program's hard line breaks.
const BETTER: &[(&str, &str, &str)] = &[
    ("036-stress618-wrapped.log", "nodemask", "(null)"),
    ("036-stress618-wrapped.log", "oom_memcg", "/test512mb"),
    ("036-stress618-wrapped.log", "task_memcg", "/test512mb"),
    ("036-stress618-wrapped.log", "cpuset", "/"),
    ("036-stress618-wrapped.log", "mems_allowed", "0"),
    ("036-stress618-wrapped.log", "line_task", "stress"),
    (
        "036-stress618-wrapped.log",
        "table_columns",
        "pid uid tgid total_vm rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name",
    ),
];

/// Compares one file of the corpus with its entry in the index.
pub(crate) fn check_file(name: &str, log: &[u8], entry: &Value, score: &mut Score) {
    let found = reports(log);
    let empty = Vec::new();
    let events = entry["events"].as_array().unwrap_or(&empty);
    score.field(found.len() == events.len(), || {
        format!(
            "{name}: {} events found, {} known",
            found.len(),
            events.len()
        )
    });
    for (number, event) in events.iter().enumerate() {
        let at = format!("{name} event {number}");
        match found.get(number) {
            Some(report) => check_event(name, &at, report, event, score),
            None => score.field(false, || format!("{at}: missing")),
        }
    }
}

fn check_event(file: &str, at: &str, report: &OomReport, event: &Value, score: &mut Score) {
    let fields = fields_of(report);
    for (field, known) in event.as_object().expect("an event is an object") {
        let better = BETTER
            .iter()
            .find(|(f, name, _)| *f == file && name == field)
            .map(|(_, name, value)| match *name {
                "table_columns" => value.split(' ').collect(),
                _ => Value::from(*value),
            });
        let Some(ours) = fields.get(field.as_str()) else {
            assert!(
                ["kills", "constraint_from_scenario"].contains(&field.as_str()),
                "{at}: {field} is not compared"
            );
            continue;
        };
        let known = better.as_ref().unwrap_or(known);
        // "null" means that the line has no such field. A value taken from other lines is not a mistake then.
        let derived = [
            "oom_memcg",
            "constraint",
            "nodemask",
            "cpuset",
            "mems_allowed",
            "table_columns",
        ];
        if known.is_null() && derived.contains(&field.as_str()) && !ours.is_null() {
            continue;
        }
        score.field(same(ours, known), || {
            format!("{at}: {field} is {ours}, known {known}")
        });
    }
    let known: Vec<&Value> = event["kills"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|kill| kill["repeat"] != Value::Bool(true))
        .collect();
    score.field(known.len() == report.kills.len(), || {
        format!(
            "{at}: {} kills found, {} known",
            report.kills.len(),
            known.len()
        )
    });
    for (kill, known) in report.kills.iter().zip(&known) {
        check_kill(at, kill, known, report, score);
    }
    for _ in report.kills.len()..known.len() {
        score.kill(false);
    }
}

fn check_kill(at: &str, kill: &Kill, known: &Value, report: &OomReport, score: &mut Score) {
    let ours = [
        ("pid", Value::from(kill.pid)),
        ("comm", Value::from(kill.comm.as_str())),
        ("uid", Value::from(kill.uid)),
        ("total_vm_kb", Value::from(kill.total_vm_kb)),
        ("anon_rss_kb", Value::from(kill.anon_rss_kb)),
        ("file_rss_kb", Value::from(kill.file_rss_kb)),
        ("shmem_rss_kb", Value::from(kill.shmem_rss_kb)),
        ("pgtables_kb", Value::from(kill.pgtables_kb)),
        ("oom_score_adj", Value::from(kill.adj)),
    ];
    let mut right = true;
    for (field, ours) in ours {
        let known = &known[field];
        let ok = if field == "oom_score_adj" && known.is_null() {
            // The line lacks these fields: the parser takes them from the task table, if there is one.
            let row = report.tasks.as_ref().and_then(|table| table.row(kill.pid));
            kill.adj == row.and_then(|row| row.adj)
        } else {
            same(&ours, known)
        };
        right &= ok;
        score.field(ok, || {
            format!("{at}: kill {}: {field} is {ours}, known {known}", kill.pid)
        });
    }
    score.kill(right);
}

fn same(ours: &Value, known: &Value) -> bool {
    match (ours, known) {
        // The index gives the stamps of raw records in seconds.
        (Value::String(ours), Value::Number(known)) => ours.parse::<f64>().ok() == known.as_f64(),
        _ => ours == known,
    }
}

/// The report under the names of the index.
fn fields_of(report: &OomReport) -> BTreeMap<&'static str, Value> {
    let trigger = report.trigger.as_ref();
    let chosen = report.chosen.as_ref();
    let by_line = chosen.filter(|chosen| chosen.uid.is_some());
    let by_score = chosen.filter(|chosen| chosen.score.is_some());
    let columns = report.tasks.as_ref().map(|table| &table.columns.0);
    let columns = columns.filter(|columns| !columns.is_empty());
    let start = match (report.has_header, &report.constraint_text) {
        (true, _) => "header",
        (false, Some(_)) => "partial",
        (false, None) => "killed-line-only",
    };
    let constraint = match report.constraint {
        None => Value::Null,
        Some(Constraint::None) => "none".into(),
        Some(Constraint::Memcg) => "memcg".into(),
        Some(Constraint::Cpuset) => "cpuset".into(),
        Some(Constraint::MemoryPolicy) => "mempolicy".into(),
        Some(Constraint::Other) => report.constraint_text.clone().into(),
    };
    let first = (start != "partial").then(|| {
        report.stamp.clone().or_else(|| {
            let micros = report.at?.0;
            Some(format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000))
        })
    });
    BTreeMap::from([
        ("complete_start", start.into()),
        ("trigger_comm", trigger.map(|t| t.comm.clone()).into()),
        ("trigger_pid", trigger.and_then(|t| t.pid).into()),
        (
            "gfp_mask",
            trigger
                .and_then(|t| t.gfp_mask)
                .map(|mask| format!("{mask:#x}"))
                .into(),
        ),
        (
            "gfp_flags",
            trigger.and_then(|t| t.gfp_flags.clone()).into(),
        ),
        ("order", trigger.and_then(|t| t.order).into()),
        ("trigger_oom_score_adj", trigger.and_then(|t| t.adj).into()),
        ("trigger_oom_adj", trigger.and_then(|t| t.legacy_adj).into()),
        ("nodemask", report.nodemask.clone().into()),
        ("constraint", constraint),
        ("constraint_text", report.constraint_text.clone().into()),
        ("oom_memcg", report.oom_memcg.clone().into()),
        ("task_memcg", report.task_memcg.clone().into()),
        ("cpuset", report.cpuset.clone().into()),
        ("mems_allowed", report.mems_allowed.clone().into()),
        ("limit_kb", report.limit_kb.into()),
        ("usage_kb", report.usage_kb.into()),
        (
            "tasks_listed",
            report.tasks.as_ref().map_or(0, |t| t.listed()).into(),
        ),
        (
            "table_columns",
            columns.map_or(Value::Null, |names| names.clone().into()),
        ),
        ("selected_pid", by_score.map(|c| c.pid).into()),
        ("selected_comm", by_score.map(|c| c.comm.clone()).into()),
        ("score", chosen.and_then(|c| c.score).into()),
        ("line_task", by_line.map(|c| c.comm.clone()).into()),
        ("line_pid", by_line.map(|c| c.pid).into()),
        ("line_uid", chosen.and_then(|c| c.uid).into()),
        ("reaped", report.reaped.clone().into()),
        ("no_killable", (report.nobody_killable).into()),
        ("panic", report.panic.clone().into()),
        ("oom_group", report.oom_group.clone().into()),
        ("global_oom", report.global_oom.into()),
        ("message", report.message.clone().into()),
        ("first_ts", first.flatten().into()),
    ])
}

/// The cases of a lab folder: name and what the machine saw happen.
pub(crate) fn lab_cases(folder: &Path) -> Vec<(String, Value)> {
    let mut cases: Vec<(String, Value)> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let stem = path.file_stem()?.to_str()?.to_owned();
            (path.extension()? == "json").then_some(())?;
            let truth = serde_json::from_str(&fs::read_to_string(&path).ok()?).ok()?;
            Some((stem, truth))
        })
        .collect();
    cases.sort_by(|a, b| a.0.cmp(&b.0));
    cases
}

/// Compares one form of a lab case with what the machine saw.
pub(crate) fn check_lab(name: &str, log: &[u8], truth: &Value, score: &mut Score) {
    let found = reports(log);
    let said = &truth["report"];
    let kills: Vec<&Kill> = found.iter().flat_map(|report| &report.kills).collect();
    let Some(first) = found.first() else {
        score.field(false, || format!("{name}: no report"));
        return;
    };
    let fields = fields_of(first);
    for (field, ours) in [
        ("constraint", "constraint_text"),
        ("oom_memcg", "oom_memcg"),
        ("task_memcg", "task_memcg"),
        ("trigger", "trigger_comm"),
        ("trigger_pid", "trigger_pid"),
    ] {
        let ours = fields.get(ours).unwrap_or(&Value::Null);
        score.field(same(ours, &said[field]), || {
            format!("{name}: {field} is {ours}, known {}", said[field])
        });
    }
    let victim = &truth["victim"]["pid"];
    score.field(
        first.kills.first().is_some_and(|kill| *victim == kill.pid),
        || format!("{name}: victim is not {victim}"),
    );
    let empty = Vec::new();
    let mut seen = Vec::new();
    for (index, known) in said["killed"]
        .as_array()
        .unwrap_or(&empty)
        .iter()
        .enumerate()
    {
        let pid = known["pid"].as_u64().unwrap_or(0);
        if seen.contains(&pid) {
            continue;
        }
        seen.push(pid);
        let kill = kills.iter().find(|kill| u64::from(kill.pid) == pid);
        let ok = kill.is_some_and(|kill| {
            known["comm"] == kill.comm.as_str()
                && said["anon_rss_kb"][index] == Value::from(kill.anon_rss_kb)
                && said["adj"][index] == Value::from(kill.adj)
        });
        score.kill(ok);
        score.field(ok, || format!("{name}: kill {known} is {kill:?}"));
    }
    score.field(seen.len() == kills.len(), || {
        format!("{name}: {} kills found, {} known", kills.len(), seen.len())
    });
}
