//! Facts from a record of the journal. Who wrote it is known by the fields that journald sets itself.

use serde_json::{Map, Value};

use super::kernel::abend_fields;
use super::{Fact, Says, Source, kubelet, systemd};
use crate::oomlog::Pid;

/// `SD_MESSAGE_COREDUMP`.
const COREDUMP: &str = "fc2e22bc6ee647b6b90729ab34a250b1";
/// The slice of systemd-coredump's own instances.
const COREDUMP_SLICE: &str = "system-systemd\\x2dcoredump.slice";
/// Units whose processes write kubelet's lines.
const KUBELETS: [&str; 3] = ["kubelet.service", "k3s.service", "k3s-agent.service"];

/// What a record (one object of `journalctl -o json`) says about an end; `own` is a process whose own records show
/// that it lived, and where. `None`: nothing, or nothing proves who wrote it. Lines of the kernel's log and of
/// programs that kill have readers of their own.
#[must_use]
pub fn from_journal(record: &Map<String, Value>, own: Option<Pid>) -> Option<Fact> {
    let text = |key: &str| record.get(key).and_then(Value::as_str);
    let at = micros(record)?;
    let message = text("MESSAGE")?;
    if text("_TRANSPORT") == Some("audit") {
        let is_abend = text("_AUDIT_TYPE") == Some("1701");
        let (pid, comm, signal) = abend_fields(message).filter(|_| is_abend)?;
        return Some(Fact {
            pid: Some(pid),
            comm: Some(comm),
            ..Fact::new(at, Source::Audit, message, Says::Crash { signal })
        });
    }
    if let Some((source, unit)) = manager(&text) {
        let fact = systemd::fact(&systemd::Record {
            at,
            source,
            message,
            unit,
            field: &text,
        })?;
        let user = || text("_UID")?.parse().ok();
        return Some(Fact {
            user: (source == Source::UserManager).then(user).flatten(),
            ..fact
        });
    }
    if text("MESSAGE_ID") == Some(COREDUMP) && text("_SYSTEMD_SLICE") == Some(COREDUMP_SLICE) {
        let signal = text("COREDUMP_SIGNAL")?.parse().ok()?;
        let first = message.lines().next().unwrap_or(message);
        return Some(Fact {
            pid: text("COREDUMP_PID")?.parse().ok(),
            comm: text("COREDUMP_COMM").map(str::to_owned),
            unit: text("COREDUMP_UNIT").map(str::to_owned),
            cgroup: text("COREDUMP_CGROUP").map(str::to_owned),
            ..Fact::new(at, Source::Coredump, first, Says::Crash { signal })
        });
    }
    let by = text("_SYSTEMD_UNIT");
    if by.is_some_and(|unit| KUBELETS.contains(&unit)) {
        return kubelet::eviction(message, at);
    }
    let pid: Pid = text("_PID")?.parse().ok()?;
    let unit = text("_SYSTEMD_USER_UNIT").or(by)?;
    let comm = text("_COMM")?;
    // What it wrote may be secret: who wrote is enough.
    let words = format!("{comm} ({pid}) wrote a record as a process of {unit}");
    (own == Some(pid)).then(|| Fact {
        pid: Some(pid),
        comm: Some(comm.to_owned()),
        unit: Some(unit.to_owned()),
        cgroup: text("_SYSTEMD_CGROUP").map(str::to_owned),
        ..Fact::new(at, Source::Itself, &words, Says::Lived)
    })
}

/// The manager that wrote it, and the unit it speaks of: pid 1, or the manager of a user, which runs in its
/// `init.scope`.
fn manager<'a>(text: &impl Fn(&str) -> Option<&'a str>) -> Option<(Source, &'a str)> {
    if text("_PID") == Some("1") && text("_UID") == Some("0") {
        return Some((Source::Systemd, text("UNIT")?));
    }
    let is_manager = text("_EXE").is_some_and(|exe| exe.ends_with("/systemd"))
        && text("_SYSTEMD_CGROUP").is_some_and(|group| group.ends_with(".service/init.scope"));
    Some((
        Source::UserManager,
        text("USER_UNIT").filter(|_| is_manager)?,
    ))
}

/// When it was written, in microseconds since 1970. The kernel's and the writer's own stamp is nearer than that of
/// the arrival.
pub(crate) fn micros(record: &Map<String, Value>) -> Option<i64> {
    let number = |key: &str| -> Option<i64> { record.get(key)?.as_str()?.parse().ok() };
    let arrived = number("__REALTIME_TIMESTAMP")?;
    if let Some(at) = number("_SOURCE_REALTIME_TIMESTAMP") {
        return Some(at);
    }
    let late = number("__MONOTONIC_TIMESTAMP")
        .zip(number("_SOURCE_MONOTONIC_TIMESTAMP"))
        .map_or(0, |(arrived, written)| arrived.saturating_sub(written));
    Some(arrived.saturating_sub(late.max(0)))
}

#[cfg(test)]
mod tests {
    use super::{Says, Source, from_journal};
    use serde_json::Value;

    fn read(fields: &str) -> Option<super::Fact> {
        let line = format!(r#"{{"__REALTIME_TIMESTAMP":"1000","MESSAGE":"m",{fields}}}"#);
        let Ok(Value::Object(record)) = serde_json::from_str(&line) else {
            panic!("JSON: {line}");
        };
        from_journal(&record, Some(77))
    }

    #[test]
    fn only_who_is_proved_to_have_written_it_is_believed() {
        let success = r#""MESSAGE_ID":"7ad2d189f7e94e70a38c781354912448""#;
        let ours = read(&format!(
            r#""_PID":"1","_UID":"0","UNIT":"a.service",{success}"#
        ));
        let ours = ours.expect("systemd's");
        assert_eq!(
            (ours.source, ours.of_unit()),
            (Source::Systemd, Some("a.service"))
        );
        let users = r#""_PID":"9","_UID":"1000","USER_UNIT":"a.service","_EXE":"/usr/lib/systemd/systemd","_SYSTEMD_CGROUP":"/user.slice/user-1000.slice/user@1000.service/init.scope""#;
        let users = read(&format!("{users},{success}")).expect("a user's manager's");
        assert_eq!(users.source, Source::UserManager);
        // A unit of the same name, but not the same unit.
        assert_eq!(
            (ours.manager(), users.manager()),
            (Some(None), Some(Some(1000)))
        );
        for forged in [
            r#""_PID":"9","_UID":"1000","UNIT":"a.service""#,
            r#""_PID":"9","_UID":"1000","USER_UNIT":"a.service","_EXE":"/usr/bin/logger""#,
            r#""_PID":"9","_UID":"1000","USER_UNIT":"a.service","_EXE":"/home/x/systemd","_SYSTEMD_CGROUP":"/user.slice/a.scope""#,
        ] {
            assert_eq!(read(&format!("{forged},{success}")), None, "{forged}");
        }
    }

    #[test]
    fn a_core_dump_and_the_process_itself() {
        let dump = r#""MESSAGE_ID":"fc2e22bc6ee647b6b90729ab34a250b1","COREDUMP_PID":"812","COREDUMP_COMM":"a","COREDUMP_SIGNAL":"6","COREDUMP_UNIT":"a.service""#;
        assert_eq!(read(dump), None, "anybody may write that");
        let slice = r#""_SYSTEMD_SLICE":"system-systemd\\x2dcoredump.slice""#;
        let fact = read(&format!("{dump},{slice}")).expect("a core dump");
        assert_eq!(
            (fact.pid, fact.says),
            (Some(812), Says::Crash { signal: 6 })
        );
        let itself = read(r#""_PID":"77","_COMM":"a","_SYSTEMD_UNIT":"a.service""#);
        assert_eq!(itself.expect("its own").of_unit(), Some("a.service"));
        assert_eq!(
            read(r#""_PID":"78","_COMM":"a","_SYSTEMD_UNIT":"a.service""#),
            None
        );
    }
}
