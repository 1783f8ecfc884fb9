//! Log lines that are JSON objects: `journalctl -o json`, `dmesg -J`, Docker's log driver, and
//! shippers that wrap a line in `message` or `log`.

use serde_json::{Map, Value};

use super::one_line::Lines;
use super::prefix::{Stripped, Stripper};
use crate::oomlog::record::{LogRecord, Provenance, lossless_text};
use crate::oomlog::{Killer, Monotonic};

/// Names that shippers give the text of a line.
const TEXTS: [&str; 8] = [
    "log",
    "message",
    "MESSAGE",
    "msg",
    "line",
    "textPayload",
    "_raw",
    "jsonPayload",
];
/// Most objects around a line.
const DEPTH_MOST: u32 = 4;

/// The records in one line of JSON; `None` if the line is no object or list, or holds no text.
pub(super) fn records(line: &str) -> Option<Vec<Stripped>> {
    of_value(serde_json::from_str(line).ok()?, 0)
}

/// True if a field with this name holds the text of a line, or is one of `dmesg -J`.
pub(super) fn is_text(key: &str) -> bool {
    TEXTS.contains(&key) || matches!(key, "pri" | "time" | "caller")
}

/// The records in an object.
pub(super) fn of_object(object: Map<String, Value>) -> Option<Vec<Stripped>> {
    of_value(Value::Object(object), 0)
}

fn of_value(value: Value, depth: u32) -> Option<Vec<Stripped>> {
    let object = match value {
        Value::Object(object) => object,
        Value::Array(entries) if depth <= DEPTH_MOST => {
            let records: Vec<_> = entries
                .into_iter()
                .filter_map(|entry| of_value(entry, depth + 1))
                .flatten()
                .collect();
            return (!records.is_empty()).then_some(records);
        }
        _ => return None,
    };
    if let Some(Value::Array(entries)) = object.get("dmesg") {
        return Some(entries.iter().filter_map(dmesg).collect());
    }
    // Google's logging wraps the journal's fields: what is inside may be any program's.
    if let Some(Value::Object(payload)) = object.get("jsonPayload")
        && payload.contains_key("MESSAGE")
    {
        return Some(vec![dated(journal(payload)?.unproven(), &object)]);
    }
    if object.contains_key("MESSAGE") {
        return Some(vec![journal(&object)?]);
    }
    if object.contains_key("msg") && object.contains_key("pri") {
        return Some(vec![dmesg(&Value::Object(object))?]);
    }
    // Docker's driver and others: the text is itself a line of a log, with its own prefixes.
    if let Some(text) = TEXTS.iter().find_map(|key| object.get(*key)?.as_str()) {
        let mut stripper = Stripper::default();
        let around = |line: Stripped| named(dated(line.unproven(), &object), &object);
        // A field that names the writer stands for one message of it.
        let lines = match writer(&object) {
            Some(_) => None,
            None => Lines::of(text, &mut stripper, false),
        };
        return Some(match lines {
            Some(all) => all
                .lines
                .iter()
                .map(|line| around(all.strip(line, &mut stripper)))
                .collect(),
            None => vec![around(stripper.strip(text))],
        });
    }
    // Some put what they know of a line around it: `{"content": {"message": "…"}}`.
    if depth > DEPTH_MOST {
        return None;
    }
    let inside = object
        .into_iter()
        .filter(|(_, value)| value.is_object() || value.is_array())
        .find_map(|(_, value)| of_value(value, depth + 1))?;
    Some(inside.into_iter().map(Stripped::unproven).collect())
}

/// Who wrote the text, if a field says so.
fn writer(object: &Map<String, Value>) -> Option<&str> {
    [
        "ident",
        "program",
        "programname",
        "appname",
        "syslog_identifier",
    ]
    .iter()
    .find_map(|key| object.get(*key)?.as_str())
}

/// The word of the program that a field names, if there is such a field.
fn named(mut stripped: Stripped, object: &Map<String, Value>) -> Stripped {
    if let Some(name) = writer(object)
        && !matches!(name, "kernel" | "kern" | "kmsg" | "dmesg")
    {
        let record = &mut stripped.record;
        record.program.get_or_insert_with(|| name.to_owned());
        record.facility = record.facility.max(1);
    }
    stripped
}

/// The records in JSON behind the name of a stream: `kernel: {"message":"…"}`, `data: {…}`.
pub(super) fn inside(line: &Stripped) -> Option<Vec<Stripped>> {
    let text = line.record.text.as_str();
    if line.whole || line.record.facility != 0 || !text.ends_with('}') {
        return None;
    }
    let (front, _) = text.split_once("{\"")?;
    let is_name = front.trim_end().ends_with(':') && !front.trim_end().contains(' ');
    (is_name || front.trim().trim_matches('\u{1e}').is_empty()).then_some(())?;
    let mut records = records(text.get(front.len()..)?)?;
    for record in &mut records {
        *record = std::mem::take(record).unproven();
        if record.record.stamp.is_none() {
            record.record.stamp.clone_from(&line.record.stamp);
        }
    }
    Some(records)
}

/// With the date that stands beside the text, if it has none of its own.
fn dated(mut stripped: Stripped, object: &Map<String, Value>) -> Stripped {
    if stripped.record.stamp.is_none() {
        stripped.record.stamp = ["time", "timestamp", "@timestamp", "ts"]
            .iter()
            .find_map(|key| object.get(*key)?.as_str())
            .map(str::to_owned);
    }
    stripped
}

/// One entry of `dmesg -J`: `{"pri":4,"time":6832.351682,"msg":"…"}`.
pub(super) fn dmesg(entry: &Value) -> Option<Stripped> {
    let priority = entry.get("pri").and_then(Value::as_u64).unwrap_or(0);
    Some(whole(LogRecord {
        at: entry.get("time").and_then(seconds),
        facility: u8::try_from(priority >> 3).unwrap_or(u8::MAX),
        provenance: Provenance::Vouched,
        caller: entry
            .get("caller")
            .and_then(Value::as_str)
            .map(str::to_owned),
        text: entry.get("msg")?.as_str()?.to_owned(),
        ..LogRecord::default()
    }))
}

fn seconds(value: &Value) -> Option<Monotonic> {
    let seconds = value.as_f64().filter(|s| (0.0..1e12).contains(s))?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range was checked"
    )]
    let micros = (seconds * 1e6).round() as u64;
    Some(Monotonic(micros))
}

/// One entry of the journal (systemd.journal-fields(7)). `_TRANSPORT=kernel` means the kernel: a program cannot
/// set that field.
pub(super) fn journal(object: &Map<String, Value>) -> Option<Stripped> {
    let text = |key: &str| object.get(key).and_then(Value::as_str);
    let number = |key: &str| match object.get(key)? {
        Value::String(digits) => digits.parse::<u64>().ok(),
        value => value.as_u64(),
    };
    let message = match object.get("MESSAGE")? {
        Value::String(message) => message.clone(),
        // An array of bytes: the text is not UTF-8, or longer than journalctl prints.
        Value::Array(bytes) => {
            let bytes: Option<Vec<u8>> = bytes
                .iter()
                .map(|byte| u8::try_from(byte.as_u64()?).ok())
                .collect();
            lossless_text(&bytes?)
        }
        _ => return None,
    };
    // The journal sets these fields itself, for a program and never for the kernel.
    let has_process = ["_UID", "_PID", "_COMM", "_EXE"]
        .iter()
        .any(|key| object.contains_key(*key));
    let identifier = text("SYSLOG_IDENTIFIER");
    let transport = text("_TRANSPORT");
    let kernel = !has_process
        && match transport {
            Some(transport) => transport == "kernel",
            // An export without that field.
            None => identifier.is_none_or(|name| name == "kernel"),
        };
    let facility = number("SYSLOG_FACILITY").and_then(|f| u8::try_from(f).ok());
    let facility = if kernel {
        facility.unwrap_or(0)
    } else {
        facility.unwrap_or(3).max(1)
    };
    let comm = text("_COMM");
    let program = identifier.filter(|_| !kernel).map(|name| {
        // A program may call itself what it likes; the kernel knows its name.
        comm.filter(|comm| !can_be(name, comm)).unwrap_or(name)
    });
    let vouched = transport.is_some() && (kernel || comm.is_some());
    Some(whole(LogRecord {
        at: number("_SOURCE_MONOTONIC_TIMESTAMP").map(Monotonic),
        stamp: number("__REALTIME_TIMESTAMP").map(|micros| micros.to_string()),
        facility,
        provenance: if vouched {
            Provenance::Vouched
        } else {
            Provenance::Unproven
        },
        uid: number("_UID").and_then(|uid| u32::try_from(uid).ok()),
        program: program.map(str::to_owned),
        text: message,
        ..LogRecord::default()
    }))
}

/// True if a process with this short name may call itself so in the log: only the names of programs that kill
/// matter. nohang is a Python script.
fn can_be(identifier: &str, comm: &str) -> bool {
    /// Longest short name (`TASK_COMM_LEN` without its NUL).
    const COMM_MOST: usize = 15;
    let killer = Killer::from_program(identifier);
    let of_systemd = identifier == "systemd";
    if killer.is_none() && !of_systemd {
        return true;
    }
    let cut = identifier.get(..COMM_MOST).unwrap_or(identifier);
    comm == cut || (killer == Some(Killer::Nohang) && comm.starts_with("python"))
}

fn whole(record: LogRecord) -> Stripped {
    Stripped {
        record,
        width: 0,
        columns: 0,
        padded: false,
        whole: true,
        told: true,
    }
}

#[cfg(test)]
mod tests {
    use super::{Monotonic, records};

    fn one(line: &str) -> super::LogRecord {
        records(line).unwrap().remove(0).record
    }

    #[test]
    fn journal_entries() {
        let kernel = one(
            r#"{"MESSAGE":"x invoked oom-killer","_TRANSPORT":"kernel","SYSLOG_FACILITY":"0","_SOURCE_MONOTONIC_TIMESTAMP":"42"}"#,
        );
        assert_eq!((kernel.facility, kernel.at), (0, Some(Monotonic(42))));
        let forged = one(
            r#"{"MESSAGE":"x invoked oom-killer","_TRANSPORT":"syslog","SYSLOG_FACILITY":"0","SYSLOG_IDENTIFIER":"kernel"}"#,
        );
        assert_eq!(forged.facility, 1);
        let bytes = one(r#"{"MESSAGE":[97,255,98],"_TRANSPORT":"kernel"}"#);
        assert_eq!(bytes.text, "a\\xffb");
    }

    #[test]
    fn dmesg_docker_and_shippers() {
        let many = records(
            r#"{"dmesg":[{"pri":4,"time":6832.351682,"msg":"a"},{"pri":12,"time":1,"msg":"b"}]}"#,
        )
        .unwrap();
        assert_eq!(many[0].record.at, Some(Monotonic(6_832_351_682)));
        assert_eq!(many[1].record.facility, 1);
        let docker = one(
            r#"{"log":"[   12.000001] Killed process 1 (x)\n","stream":"stdout","time":"2024-01-01T00:00:00Z"}"#,
        );
        assert_eq!(
            (docker.text.as_str(), docker.at),
            ("Killed process 1 (x)", Some(Monotonic(12_000_001)))
        );
        assert_eq!(docker.stamp.as_deref(), Some("2024-01-01T00:00:00Z"));
        let cloud =
            one(r#"{"jsonPayload":{"MESSAGE":"x invoked oom-killer","_TRANSPORT":"kernel"}}"#);
        assert_eq!(
            (cloud.facility, cloud.text.as_str()),
            (0, "x invoked oom-killer")
        );
        assert!(records("{\"a\":1}").is_none() && records("{broken").is_none());
    }
}
