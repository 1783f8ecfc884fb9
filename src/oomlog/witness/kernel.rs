//! The kernel's lines about a process that a fault ended.
//!
//! Sources: arch/x86/mm/fault.c `show_signal_msg`, arch/x86/kernel/traps.c `show_signal`, arch/arm64/kernel/traps.c
//! `arm64_show_signal`, arch/powerpc/kernel/traps.c `show_signal_msg`, kernel/auditsc.c `audit_core_dumps`,
//! kernel/signal.c `print_fatal_signal`.

use super::{Fact, Says, Source};
use crate::oomlog::LogRecord;

/// What stands behind `NAME[PID]`, and the signal.
const FAULTS: [(&str, Option<u32>); 11] = [
    (": segfault ", Some(11)),
    (" general protection fault", Some(11)),
    (" general protection ip", Some(11)),
    (" trap invalid opcode", Some(4)),
    (" trap int3", Some(5)),
    (" trap divide error", Some(8)),
    (" trap stack segment", Some(7)),
    (" trap alignment check", Some(7)),
    (": bad frame ", Some(11)),
    // The number stands behind it: "(11)", "signal 11".
    (": unhandled ", None),
    (": bus error ", Some(7)),
];

/// Most bytes of a name: 15, each as `\x1b` in the worst case.
const NAME_MOST: usize = 60;

/// What a record of the kernel says about a crash; `at` is its time in microseconds since 1970.
#[must_use]
pub fn from_kernel(record: &LogRecord, at: i64) -> Option<Fact> {
    if !record.is_kernel() {
        return None;
    }
    let text = record.text.as_str();
    let (pid, comm, signal, source) = fault(text)
        .or_else(|| fatal(text))
        .map(|(pid, comm, signal)| (pid, comm, signal, Source::KernelLog))
        .or_else(|| abend(text).map(|(pid, comm, signal)| (pid, comm, signal, Source::Audit)))?;
    Some(Fact {
        pid: Some(pid),
        comm: Some(comm),
        ..Fact::new(at, source, text, Says::Crash { signal })
    })
}

type Crashed = (u32, String, u32);

fn fault(text: &str) -> Option<Crashed> {
    let text = text.strip_prefix("traps: ").unwrap_or(text);
    FAULTS.iter().find_map(|(words, signal)| {
        let at = text.rfind(&format!("]{words}"))?;
        // The name begins the record and may hold anything, also such words; the kernel's own have addresses behind.
        let (comm, pid) = text.get(..at)?.rsplit_once('[')?;
        let is_name = !comm.is_empty() && comm.len() <= NAME_MOST;
        let rest = text.get(at..)?;
        let has_address = [" ip", " sp", " at ", " in ", "pc "]
            .iter()
            .any(|word| rest.contains(word));
        if !is_name || !has_address {
            return None;
        }
        let signal = signal.or_else(|| number_behind(text.get(at..)?))?;
        Some((pid.parse().ok()?, comm.to_owned(), signal))
    })
}

/// `unhandled level 2 translation fault (11) at 0x…`, `unhandled signal 11 code 0x1 at 0x…`.
fn number_behind(text: &str) -> Option<u32> {
    let rest = text
        .split_once(" signal ")
        .or_else(|| text.split_once('('))
        .map(|(_, rest)| rest)?;
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    rest.get(..end)?.parse().ok()
}

/// `NAME/PID: potentially unexpected fatal signal 11.` (up to 5.x, `kernel.print-fatal-signals`).
fn fatal(text: &str) -> Option<Crashed> {
    let (who, signal) = text.split_once(": potentially unexpected fatal signal ")?;
    let (comm, pid) = who.rsplit_once('/')?;
    let signal = signal.trim_end_matches('.').parse().ok()?;
    Some((pid.parse().ok()?, comm.to_owned(), signal))
}

/// `audit: type=1701 audit(…): auid=… uid=… gid=… ses=… pid=12 comm="x" exe="/x" sig=11 res=1`: `ANOM_ABEND`, the
/// kernel's word for a process that dumps.
fn abend(text: &str) -> Option<Crashed> {
    let rest = text.strip_prefix("audit: type=1701 ")?;
    abend_fields(rest)
}

/// The fields of such a record.
pub(super) fn abend_fields(text: &str) -> Option<Crashed> {
    let number = |key: &str| -> Option<u32> {
        let mut words = text.split(' ');
        words.find_map(|word| word.strip_prefix(key)?.parse().ok())
    };
    let comm = match text.split_once(" comm=")?.1 {
        quoted if quoted.starts_with('"') => quoted.split('"').nth(1)?.to_owned(),
        // In hexadecimal where it holds spaces or quotes.
        hex => unhex(hex.split(' ').next()?)?,
    };
    Some((number("pid=")?, comm, number("sig=")?))
}

fn unhex(digits: &str) -> Option<String> {
    let bytes: Option<Vec<u8>> = digits
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    Some(String::from_utf8_lossy(&bytes?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::{Says, from_kernel};
    use crate::oomlog::LogRecord;

    #[test]
    fn a_crash_is_known_by_the_kernels_words() {
        for (line, wanted) in [
            (
                "app[812]: segfault at 0 ip 0000 sp 0000 error 4 in app[400000+1000]",
                Some((812, "app", 11)),
            ),
            (
                "x[1]: y[812]: segfault at 0 ip 0000 sp 0000 error 4",
                Some((812, "x[1]: y", 11)),
            ),
            (
                "traps: app[7] general protection fault ip:55 sp:7f error:0 in app[5+1]",
                Some((7, "app", 11)),
            ),
            (
                "traps: app[7] trap invalid opcode ip:55 sp:7f error:0 in app[5+1]",
                Some((7, "app", 4)),
            ),
            (
                "app[7]: unhandled level 2 translation fault (11) at 0x00000000, esr 0x92000006",
                Some((7, "app", 11)),
            ),
            (
                "app[7]: unhandled signal 4 code 0x1 at 0x0000003fa2",
                Some((7, "app", 4)),
            ),
            (
                "app/7: potentially unexpected fatal signal 6.",
                Some((7, "app", 6)),
            ),
            (
                r#"audit: type=1701 audit(1.2:3): auid=1 uid=0 gid=0 ses=1 pid=9 comm="a b" exe="/a" sig=6 res=1"#,
                Some((9, "a b", 6)),
            ),
            (
                "audit: type=1701 audit(1.2:3): auid=1 uid=0 gid=0 ses=1 pid=9 comm=6122 exe=\"/a\" sig=6 res=1",
                Some((9, "a\"", 6)),
            ),
            ("usb 1-1: unhandled device", None),
            (
                "audit: type=1400 audit(1.2:3): pid=9 comm=\"a\" sig=6",
                None,
            ),
        ] {
            let fact = from_kernel(&LogRecord::bare(line), 5);
            let found = fact.as_ref().map(|fact| match fact.says {
                Says::Crash { signal } => (
                    fact.pid.unwrap_or(0),
                    fact.comm.as_deref().unwrap_or("?"),
                    signal,
                ),
                _ => (0, "", 0),
            });
            assert_eq!(found, wanted, "{line}");
        }
        let forged = LogRecord {
            facility: 1,
            ..LogRecord::bare("app[812]: segfault at 0 ip 0 sp 0 error 4")
        };
        assert_eq!(from_kernel(&forged, 5), None, "a program wrote it");
    }
}
