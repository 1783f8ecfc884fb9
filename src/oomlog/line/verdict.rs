//! The other lines that decide: the choice up to 5.0, what follows a choice, and how an OOM ends.

use super::killed::{comm_and_tail, is_oom_message};
use super::leading_number;
use crate::oomlog::line::fact::Verdict;

/// `%s: Kill process %d (%s) score %u or sacrifice child` (2.6.31 to 5.0: `kill process`, `%lu or a
/// child`; before: `Out of Memory: Kill process %d (%s) score %lu and children.`). The victim may be
/// a child of that process.
pub(super) fn selected(line: &str) -> Option<Verdict> {
    let at = line
        .find("Kill process ")
        .or_else(|| line.find("kill process "))?;
    let (before, after) = line.split_at(at);
    let message = before.trim().trim_end_matches(':');
    if !is_oom_message(message) {
        return None;
    }
    let (pid, rest) = leading_number(after.get("Kill process ".len()..)?)?;
    let name = rest.trim_start().strip_prefix('(')?;
    let (comm, tail) = comm_and_tail(name);
    let (score, _) = leading_number(tail.trim_start().strip_prefix("score ")?)?;
    Some(Verdict::Selected {
        message: message.to_owned(),
        pid,
        comm: comm.to_owned(),
        score,
    })
}

/// `Kill process %d (%s) sharing same memory` (2.6.31 to 4.3): no other line tells of this death.
pub(super) fn same_memory(line: &str) -> Option<Verdict> {
    let rest = line.trim_start().strip_prefix("Kill process ")?;
    let pid = named_pid(rest)?;
    let (_, name) = rest.split_once('(')?;
    let (comm, _) = comm_and_tail(name);
    Some(Verdict::SameMemory {
        pid,
        comm: comm.to_owned(),
    })
}

/// `oom_reaper: reaped process %d (%s), now anon-rss:%lukB, …` (4.6 and later).
pub(super) fn reaped(line: &str) -> Option<Verdict> {
    let rest = line
        .trim_start()
        .strip_prefix("oom_reaper: reaped process ")?;
    let pid = named_pid(rest)?;
    Some(Verdict::Reaped { pid })
}

/// `Tasks in %s are going to be killed due to memory.oom.group set` (4.19 and later).
pub(super) fn group_kill(line: &str) -> Option<Verdict> {
    let rest = line.trim_start().strip_prefix("Tasks in ")?;
    let (path, _) = rest.split_once(" are going to be killed")?;
    Some(Verdict::GroupKill {
        path: path.to_owned(),
    })
}

/// `%s: OOM victim %d (%s) is already exiting. Skip killing the task` (5.10 and later).
pub(super) fn already_exiting(line: &str) -> Option<Verdict> {
    let (message, rest) = line.split_once(": OOM victim ")?;
    if !is_oom_message(message.trim_start()) {
        return None;
    }
    let pid = named_pid(rest)?;
    Some(Verdict::AlreadyExiting { pid })
}

/// `Out of memory and no killable processes...`.
pub(super) fn nobody_killable(line: &str) -> Option<Verdict> {
    line.trim_start()
        .starts_with("Out of memory and no killable processes")
        .then_some(Verdict::NobodyKillable)
}

/// `Kernel panic - not syncing: Out of memory: …` or `… System is deadlocked on memory`.
pub(super) fn panic(line: &str) -> Option<Verdict> {
    let text = line
        .trim_start()
        .strip_prefix("Kernel panic - not syncing: ")?;
    let lower = text.to_ascii_lowercase();
    (lower.contains("out of memory") || lower.contains("deadlocked on memory")).then(|| {
        Verdict::Panic {
            text: text.trim_end().to_owned(),
        }
    })
}

/// `sysrq: OOM request ignored. No task eligible` (older: `… because killer is disabled`).
pub(super) fn ignored(line: &str) -> Option<Verdict> {
    (line.starts_with("sysrq: ") || line.starts_with("OOM request ignored"))
        .then_some(Verdict::Ignored)
}

/// The pid in front of `(name)`.
fn named_pid(text: &str) -> Option<u32> {
    let (pid, rest) = leading_number(text)?;
    rest.trim_start().starts_with('(').then_some(pid)
}

#[cfg(test)]
mod tests {
    use super::{panic, same_memory, selected};
    use crate::oomlog::line::fact::Verdict;

    #[test]
    fn old_choice_and_its_relatives() {
        assert_eq!(
            selected(
                "Memory cgroup out of memory: Kill process 50 (py (3)) score 1496 or sacrifice child"
            ),
            Some(Verdict::Selected {
                message: "Memory cgroup out of memory".into(),
                pid: 50,
                comm: "py (3)".into(),
                score: 1496
            })
        );
        assert!(selected("Out of memory: kill process 3855 (x) score 179248 or a child").is_some());
        assert!(
            selected("Out of Memory: Kill process 3855 (x) score 179248 and children.").is_some()
        );
        assert!(selected("Kill process 5 (x) sharing same memory").is_none());
        assert_eq!(
            same_memory("Kill process 5 (x) sharing same memory"),
            Some(Verdict::SameMemory {
                pid: 5,
                comm: "x".into()
            })
        );
        assert_eq!(panic("Kernel panic - not syncing: Fatal exception"), None);
    }
}
