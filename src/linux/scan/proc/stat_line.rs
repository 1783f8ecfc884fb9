//! Parses `/proc/PID/stat` (proc_pid_stat(5)).

use crate::model::process::comm::Comm;
use crate::model::process::{Pid, TaskState};

use crate::linux::kernel_file::{MOST_BYTES, number};

/// `PF_KTHREAD` of field 9 (include/linux/sched.h).
const PF_KTHREAD: u64 = 0x0020_0000;

/// The fields of the line that oomtop uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct StatLine {
    /// Field 2, without its parentheses.
    pub(crate) comm: Comm,
    /// Field 3.
    pub(crate) state: TaskState,
    /// Field 4.
    pub(crate) ppid: Pid,
    /// `PF_KTHREAD` in field 9.
    pub(crate) kernel_thread: bool,
    /// Field 10: minor page faults. A process cannot grow without page faults.
    pub(crate) faults: u64,
    /// Fields 14 and 15: processor time in user and kernel mode, in clock ticks.
    pub(crate) cpu_ticks: u64,
    /// Field 20.
    pub(crate) threads: u32,
    /// Field 22, in clock ticks since boot.
    pub(crate) start_ticks: u64,
    /// Field 24, in pages.
    pub(crate) rss: u64,
}

impl StatLine {
    /// True if only the entry in the process table is left. A process whose main thread has ended lives on in its other
    /// threads, which have its memory and take its signals.
    pub(crate) fn has_ended(&self) -> bool {
        self.state.is_dead() && self.threads <= 1
    }
}

/// Parses the line; `None` if it is invalid.
///
/// The name can contain anything, even `) R 1` and newlines. No later field has a parenthesis, so the name
/// ends at the last one.
pub(crate) fn parse(line: &[u8]) -> Option<StatLine> {
    let open = line.iter().position(|b| *b == b'(')?;
    let close = line.iter().rposition(|b| *b == b')')?;
    let comm = line.get(open + 1..close)?;
    let mut fields = line
        .get(close + 1..)?
        .trim_ascii()
        .split(|b| *b == b' ')
        .enumerate()
        .map(|(at, field)| (at + 3, field));
    let mut field = |wanted: usize| fields.find(|(at, _)| *at == wanted).map(|(_, field)| field);
    let state = char::from(*field(3)?.first()?);
    let ppid = number(field(4)?)?;
    let flags = number(field(9)?)?;
    let faults = number(field(10)?)?;
    let cpu_ticks = number(field(14)?)?.saturating_add(number(field(15)?)?);
    let threads = number(field(20)?)?;
    let start_ticks = number(field(22)?)?;
    // The kernel prints a signed number; a per-CPU counter can be negative for a moment.
    let rss = number(field(24)?).unwrap_or(0).min(MOST_BYTES / 4096);
    Some(StatLine {
        comm: Comm::new(comm),
        state: TaskState(state),
        // The kernel prints 0 for a parent outside the pid namespace.
        ppid: Pid::try_from(ppid).ok()?,
        kernel_thread: flags & PF_KTHREAD != 0,
        faults,
        cpu_ticks,
        threads: u32::try_from(threads).unwrap_or(u32::MAX),
        start_ticks,
        rss,
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    const TAIL: &str = "S 7 1 1 0 -1 4194560 5 0 0 0 1 2 0 0 20 0 3 0 4711 9999 250 184467";

    #[test]
    fn an_ordinary_line() {
        let line = parse(format!("12 (bash) {TAIL}\n").as_bytes()).unwrap();
        assert_eq!(line.comm.text(), "bash");
        assert_eq!((line.ppid, line.threads, line.rss), (7, 3, 250));
        assert_eq!((line.start_ticks, line.state.0), (4711, 'S'));
        assert_eq!((line.faults, line.cpu_ticks), (5, 3));
        assert!(!line.kernel_thread);
    }

    #[test]
    fn names_made_to_confuse() {
        for name in [
            &b"a) (b"[..],
            b") R 1 1",
            b"new\nline",
            b"\xff\xfe",
            b"",
            b"(",
        ] {
            let mut bytes = b"12 (".to_vec();
            bytes.extend(name);
            bytes.extend(format!(") {TAIL}").as_bytes());
            let line = parse(&bytes).unwrap();
            assert_eq!(line.comm.as_bytes(), name);
            assert_eq!(line.ppid, 7);
        }
    }

    #[test]
    fn kernel_threads_by_flag() {
        let text = format!("2 (kthreadd) {}", TAIL.replace("4194560", "2129984"));
        assert!(parse(text.as_bytes()).unwrap().kernel_thread);
    }

    proptest::proptest! {
        #[test]
        fn damaged_lines_never_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn cut_lines_are_refused_or_read(cut in 0_usize..80) {
            let whole = format!("12 (a) b) {TAIL}");
            let _ = parse(&whole.as_bytes()[..cut.min(whole.len())]);
        }
    }
}
