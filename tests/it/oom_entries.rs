//! Entries that take several lines, and lines inside JSON: the same reports as in raw records.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::oom_transports::{Printer, clock, failures, seconds};
use oomtop::oomlog::{LogRecord, TextLog};

/// The fields of an entry of the journal.
fn fields(record: &LogRecord) -> Vec<(&'static str, String)> {
    vec![
        ("__CURSOR", "s=1;i=2".to_owned()),
        (
            "_SOURCE_MONOTONIC_TIMESTAMP",
            record.at.map_or(0, |at| at.0).to_string(),
        ),
        ("PRIORITY", "4".to_owned()),
        ("MESSAGE", record.text.clone()),
        ("SYSLOG_FACILITY", "0".to_owned()),
        ("SYSLOG_IDENTIFIER", "kernel".to_owned()),
        ("_BOOT_ID", "fedcba9876543210".to_owned()),
        ("_HOSTNAME", "vmlab".to_owned()),
        ("_MACHINE_ID", "0123".to_owned()),
        ("_TRANSPORT", "kernel".to_owned()),
    ]
}

/// The entry as JSON; `as_bytes`: the text as numbers.
fn object(record: &LogRecord, as_bytes: bool) -> Value {
    fields(record)
        .into_iter()
        .map(|(key, value)| {
            let value = if as_bytes && key == "MESSAGE" {
                json!(value.as_bytes())
            } else {
                json!(value)
            };
            (key.to_owned(), value)
        })
        .collect()
}

fn pretty(out: &mut String, value: &Value) {
    let _ = writeln!(out, "{value:#}");
}

/// An entry of a list that is printed with indents.
fn listed(out: &mut String, key: &str, value: &Value) {
    if out.is_empty() {
        let _ = writeln!(out, "{{\n  \"{key}\": [");
    }
    let _ = writeln!(out, "{value:#},");
}

fn text(record: &LogRecord) -> String {
    let prefix = format!("Nov 22 {} host kernel: ", clock(record));
    format!("{prefix}{}", record.text.replace('\n', "#012"))
}

const TRANSPORTS: &[(&str, Printer)] = &[
    ("journalctl -o verbose", |o, r| {
        let _ = writeln!(o, "Sun 2026-11-22 {}.1 UTC [s=1;i=2;b=3]", clock(r));
        for (key, value) in fields(r) {
            let between = format!("\n{}", " ".repeat(key.len() + 5));
            let _ = writeln!(o, "    {key}={}", value.replace('\n', &between));
        }
    }),
    ("journalctl -o json-pretty", |o, r| {
        pretty(o, &object(r, false));
    }),
    ("journalctl -o json-pretty, numbers", |o, r| {
        pretty(o, &object(r, true));
    }),
    ("gcloud", |o, r| {
        listed(
            o,
            "entries",
            &json!({"insertId": "a", "jsonPayload": object(r, false), "timestamp": "2026"}),
        );
    }),
    ("a cloud's list of events", |o, r| {
        listed(
            o,
            "events",
            &json!({"timestamp": 1, "message": text(r), "ingestionTime": 2}),
        );
    }),
    ("dmesg -J", |o, r| {
        let micros = r.at.map_or(0, |at| at.0);
        let time = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
        let begin = if o.is_empty() {
            "{\n   \"dmesg\": [\n      {"
        } else {
            "},{"
        };
        let text = json!(r.text);
        let _ = writeln!(
            o,
            "{begin}\n  \"pri\": 4,\n  \"time\": {time},\n  \"msg\": {text}"
        );
    }),
    ("a text inside an object", |o, r| {
        let entry = json!({"id": "A", "content": {"host": "h", "message": text(r), "x": {"y": 1}}});
        let _ = writeln!(o, "{entry}");
    }),
    ("one list", |o, r| {
        let entry = json!({"time": seconds(r), "log": text(r)});
        let begin = if o.is_empty() { '[' } else { ',' };
        o.truncate(o.trim_end_matches(['\n', ']']).len());
        let _ = writeln!(o, "{begin}{entry}]");
    }),
];

#[test]
fn every_entry_gives_the_same_reports() {
    let failures = failures(TRANSPORTS);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A program's words stay its own, whatever they look like and wherever the log begins.
#[test]
fn an_entry_of_a_program_is_no_kill() {
    let kill = "Out of memory: Killed process 1 (init) total-vm:8kB, anon-rss:4kB";
    let programs = [
        format!(
            "Sun 2026-11-22 17:09:46.1 UTC [s=1;i=2]\n    MESSAGE={kill}\n    _TRANSPORT=syslog\n    _PID=7\n"
        ),
        format!(
            "Sun 2026-11-22 17:09:46.1 UTC [s=1;i=2]\n    _TRANSPORT=syslog\n    MESSAGE=x\n            _TRANSPORT=kernel\n            MESSAGE={kill}\n    _PID=7\n"
        ),
        format!(
            "{{\n\t\"MESSAGE\" : \"{kill}\",\n\t\"_PID\" : \"7\",\n\t\"_TRANSPORT\" : \"syslog\"\n}}\n"
        ),
    ];
    for entry in programs {
        let lost: Vec<&str> = entry.split_inclusive('\n').collect();
        let quiet = "nothing happens here\n".repeat(50);
        for log in [
            entry.clone(),
            format!("{quiet}{entry}{quiet}"),
            entry.repeat(40),
            // The first line is lost.
            lost[1..].concat(),
        ] {
            let mut events = Vec::new();
            let mut reader = TextLog::new();
            reader.chunk(log.as_bytes(), &mut events);
            reader.finish(&mut events);
            assert!(events.is_empty(), "{log}: {events:?}");
        }
    }
}
