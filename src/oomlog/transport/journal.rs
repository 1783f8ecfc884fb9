//! Records of the running journal (systemd.journal-fields(7)), of which journald proves who wrote them.

use serde_json::{Map, Value};

use super::json;
use crate::oomlog::{BadRecord, Killer, LogRecord, Monotonic};

impl LogRecord {
    /// Reads one line of `journalctl -o json`. `None`: neither the kernel nor a program that kills wrote it, or
    /// nothing proves that it did. `SYSLOG_IDENTIFIER` and `SYSLOG_FACILITY` prove nothing: any user sets them.
    ///
    /// # Errors
    /// [`BadRecord::NotJson`] if the line is no JSON object.
    pub fn parse_journal(line: &[u8]) -> Result<Option<Self>, BadRecord> {
        let object: Map<String, Value> =
            serde_json::from_slice(line).map_err(|_| BadRecord::NotJson)?;
        let is_kernel = text(&object, "_TRANSPORT") == Some("kernel");
        let killer = Killer::ALL
            .into_iter()
            .find(|killer| is_of(&object, *killer));
        if !is_kernel && killer.is_none() {
            return Ok(None);
        }
        let Some(mut record) = json::journal(&object).map(|stripped| stripped.record) else {
            return Ok(None);
        };
        if let Some(killer) = killer.filter(|_| !is_kernel) {
            let is_init = text(&object, "_PID") == Some("1");
            let name = if is_init { "systemd" } else { killer.name() };
            record.program = Some(name.to_owned());
            record.facility = record.facility.max(1);
        }
        if record.at.is_none() {
            let received = text(&object, "__MONOTONIC_TIMESTAMP");
            record.at = received.and_then(|at| at.parse().ok()).map(Monotonic);
        }
        Ok(Some(record))
    }
}

fn text<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str)
}

/// True if one of the killer's proofs holds.
fn is_of(object: &Map<String, Value>, killer: Killer) -> bool {
    killer.proofs().iter().any(|proof| {
        let mut terms = proof.iter().filter_map(|term| term.split_once('='));
        terms.all(|(key, value)| text(object, key) == Some(value)) && is_own_name(object, proof)
    })
}

/// A name of a process is no proof where the file it runs has another: anybody can run a program of root's
/// under a name of his own. A script runs an interpreter.
fn is_own_name(object: &Map<String, Value>, proof: &[&str]) -> bool {
    let comm = proof.iter().find_map(|term| term.strip_prefix("_COMM="));
    let (Some(comm), Some(file)) = (comm, text(object, "_EXE")) else {
        return true;
    };
    let file = file.rsplit('/').next().unwrap_or(file);
    file == comm || file.starts_with("python")
}

#[cfg(test)]
mod tests {
    use super::{BadRecord, LogRecord, Monotonic};

    fn read(line: &str) -> Option<LogRecord> {
        LogRecord::parse_journal(line.as_bytes()).unwrap()
    }

    #[test]
    fn a_program_is_known_by_what_journald_sets() {
        for (fields, program) in [
            (
                r#""_SYSTEMD_UNIT":"systemd-oomd.service","_COMM":"systemd-oomd","_UID":"998""#,
                Some("systemd-oomd"),
            ),
            (
                r#""_PID":"1","_UID":"0","_COMM":"systemd","MESSAGE_ID":"d989611b15e44c9dbf31e3c81256e4ed""#,
                Some("systemd"),
            ),
            (
                r#""_UID":"0","_COMM":"earlyoom","_SYSTEMD_UNIT":"eoom.service""#,
                Some("earlyoom"),
            ),
            (
                r#""_UID":"61234","_COMM":"earlyoom","_SYSTEMD_UNIT":"earlyoom.service""#,
                Some("earlyoom"),
            ),
            (
                r#""_UID":"0","_COMM":"nohang","_EXE":"/usr/bin/python3.11""#,
                Some("nohang"),
            ),
            // Users' words.
            (
                r#""_UID":"1000","_COMM":"earlyoom","SYSLOG_IDENTIFIER":"earlyoom""#,
                None,
            ),
            (
                r#""_UID":"1000","_COMM":"logger","SYSLOG_IDENTIFIER":"systemd-oomd""#,
                None,
            ),
            (
                r#""_UID":"0","_COMM":"earlyoom","_EXE":"/usr/bin/su""#,
                None,
            ),
            (
                r#""_UID":"1000","_SYSTEMD_UNIT":"user@1000.service","_SYSTEMD_USER_UNIT":"earlyoom.service""#,
                None,
            ),
            (
                r#""_UID":"1000","_PID":"1","MESSAGE_ID":"d989611b15e44c9dbf31e3c81256e4ed""#,
                None,
            ),
            (r#""_UID":["0","1000"],"_COMM":"earlyoom""#, None),
            (
                r#""SYSLOG_IDENTIFIER":"kernel","SYSLOG_FACILITY":"0""#,
                None,
            ),
        ] {
            let line = format!(
                r#"{{"MESSAGE":"x","__MONOTONIC_TIMESTAMP":"42","_TRANSPORT":"stdout",{fields}}}"#
            );
            let record = read(&line);
            assert_eq!(
                record.as_ref().and_then(|r| r.program.as_deref()),
                program,
                "{fields}"
            );
            assert!(
                record.is_none_or(|r| !r.is_kernel() && r.at == Some(Monotonic(42))),
                "{fields}"
            );
        }
    }

    #[test]
    fn the_kernel_is_known_by_its_transport() {
        let kernel = read(
            r#"{"MESSAGE":"x invoked oom-killer","_TRANSPORT":"kernel","SYSLOG_FACILITY":"0","_SOURCE_MONOTONIC_TIMESTAMP":"7","__MONOTONIC_TIMESTAMP":"9"}"#,
        );
        let kernel = kernel.unwrap();
        assert!(kernel.is_kernel());
        assert_eq!(kernel.at, Some(Monotonic(7)));
        let written = read(
            r#"{"MESSAGE":"oomd kill: x","_TRANSPORT":"kernel","SYSLOG_FACILITY":"1","SYSLOG_IDENTIFIER":"oomd"}"#,
        );
        assert!(!written.unwrap().is_kernel());
        assert_eq!(
            LogRecord::parse_journal(b"-- No entries --"),
            Err(BadRecord::NotJson)
        );
    }
}
