//! The lines that say whom the kernel chose and how the OOM ended.

use super::killed::{comm_and_tail, is_oom_message};
use super::leading_number;
use crate::oomlog::line::fact::{ChosenLine, Verdict};

/// `oom-kill:constraint=%s,nodemask=%*pbl,cpuset=%s,mems_allowed=%*pbl{,global_oom|,oom_memcg=%s},`
/// `task_memcg=%s,task=%s,pid=%d,uid=%d`.
///
/// The kernel does not escape paths and names, so they may hold any of these words. The task is read from the
/// right end; a path ends where only the next key can follow.
pub(super) fn chosen(line: &str) -> Option<Verdict> {
    let rest = line.trim_start().strip_prefix("oom-kill:constraint=")?;
    let rest = rest.trim_end();
    let (constraint, rest) = rest.split_once(',').unwrap_or((rest, ""));
    let mut found = ChosenLine {
        constraint: constraint.to_owned(),
        ..ChosenLine::default()
    };
    let middle = task_from_right(rest, &mut found);
    let (left, memcgs) = memcg_part(middle);
    left_part(left, &mut found);
    found.global_oom = memcgs.global_oom;
    found.oom_memcg = memcgs.oom_memcg.map(str::to_owned);
    // Another message cut the line inside its last value: that path is not complete.
    found.task_memcg = memcgs.task_memcg.filter(|_| found.whole).map(str::to_owned);
    Some(Verdict::Chosen(found))
}

/// `,task=%s,pid=%d,uid=%d`: the rest of an `oom-kill:` line that another message cut.
pub(super) fn chosen_tail(line: &str) -> Option<Verdict> {
    if !line.starts_with(",task=") {
        return None;
    }
    let mut found = ChosenLine::default();
    task_from_right(line.trim_end(), &mut found);
    found.whole.then_some(Verdict::ChosenTail {
        comm: found.comm?,
        pid: found.pid?,
        uid: found.uid?,
    })
}

/// Takes `,task=%s,pid=%d,uid=%d` off the right end and returns the text to the left.
fn task_from_right<'a>(rest: &'a str, found: &mut ChosenLine) -> &'a str {
    let parsed = || {
        let (before, uid) = rest.rsplit_once(",uid=")?;
        let (before, pid) = before.rsplit_once(",pid=")?;
        let (uid, _) = leading_number::<u32>(uid)?;
        let pid = pid.trim().parse().ok()?;
        // 5.0 to 5.2 print `task=` first when there is no memory cgroup.
        let at = before.rfind(",task=").map(|at| (at, at + ",task=".len()));
        let (end, start) = at.or_else(|| before.strip_prefix("task=").map(|_| (0, 5)))?;
        Some((before.get(..end)?, before.get(start..)?, pid, uid))
    };
    let Some((middle, comm, pid, uid)) = parsed() else {
        return rest;
    };
    found.comm = Some(comm.to_owned());
    found.pid = Some(pid);
    found.uid = Some(uid);
    found.whole = true;
    middle
}

#[derive(Default)]
struct Memcgs<'a> {
    global_oom: bool,
    oom_memcg: Option<&'a str>,
    task_memcg: Option<&'a str>,
}

/// Splits off `{,global_oom|,oom_memcg=%s},task_memcg=%s`.
fn memcg_part(middle: &str) -> (&str, Memcgs<'_>) {
    if let Some((left, right)) = middle.split_once(",oom_memcg=") {
        // A path may hold `,task_memcg=`. The victim's path begins with the path whose limit ran out:
        // that tells the right one.
        let border = right.match_indices(",task_memcg=").find(|&(at, word)| {
            let oom = right.get(..at).unwrap_or_default();
            let task = right.get(at + word.len()..).unwrap_or_default();
            oom == "/" || task.starts_with(oom)
        });
        let border = border.or_else(|| right.match_indices(",task_memcg=").next());
        let (oom, task) = match border {
            Some((at, word)) => (right.get(..at), right.get(at + word.len()..)),
            None => (Some(right), None),
        };
        return (
            left,
            Memcgs {
                global_oom: false,
                oom_memcg: oom,
                task_memcg: task,
            },
        );
    }
    let (left, task) = match middle.split_once(",task_memcg=") {
        Some((left, task)) => (left, Some(task)),
        None => (middle, None),
    };
    let stripped = left.strip_suffix(",global_oom");
    (
        stripped.unwrap_or(left),
        Memcgs {
            global_oom: stripped.is_some(),
            oom_memcg: None,
            task_memcg: task,
        },
    )
}

/// `nodemask=%*pbl,cpuset=%s,mems_allowed=%*pbl`. Masks hold commas; a cpuset's name may hold anything.
fn left_part(left: &str, found: &mut ChosenLine) {
    let (left, mems) = match left.rsplit_once(",mems_allowed=") {
        Some((left, mems)) => (left, Some(mems)),
        None => (left, None),
    };
    let (mask, cpuset) = match left.split_once(",cpuset=") {
        Some((mask, cpuset)) => (mask, Some(cpuset)),
        None => (left, None),
    };
    found.nodemask = mask.strip_prefix("nodemask=").map(str::to_owned);
    found.cpuset = cpuset.map(str::to_owned);
    found.mems_allowed = mems.map(str::to_owned);
}

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
    Some(Verdict::SameMemory { pid })
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
    use super::{chosen, panic, same_memory, selected};
    use crate::oomlog::line::fact::{ChosenLine, Verdict};

    fn line(text: &str) -> ChosenLine {
        match chosen(text) {
            Some(Verdict::Chosen(line)) => line,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn hostile_paths_and_names() {
        let odd = line(
            "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=0-1,3,cpuset=we ird,task=x(1),mems_allowed=0-1,3,oom_memcg=/we ird,task=x(1),task_memcg=/we ird,task=x(1),task=task=a,pid=1,ui,pid=554,uid=77",
        );
        assert_eq!(odd.nodemask.as_deref(), Some("0-1,3"));
        assert_eq!(odd.cpuset.as_deref(), Some("we ird,task=x(1)"));
        assert_eq!(odd.mems_allowed.as_deref(), Some("0-1,3"));
        assert_eq!(odd.oom_memcg.as_deref(), Some("/we ird,task=x(1)"));
        assert_eq!(odd.task_memcg.as_deref(), Some("/we ird,task=x(1)"));
        assert_eq!(
            (odd.comm.as_deref(), odd.pid, odd.uid),
            (Some("task=a,pid=1,ui"), Some(554), Some(77))
        );
    }

    #[test]
    fn global_short_and_cut() {
        let global = line(
            "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/a,task=x,pid=1,uid=0",
        );
        assert!(global.global_oom && global.whole);
        let early = line("oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),task=x,pid=9,uid=3");
        assert_eq!(
            (early.comm.as_deref(), early.nodemask.as_deref()),
            (Some("x"), Some("(null)"))
        );
        let cut = line(
            "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=c,mems_allowed=0,oom_memcg=/0,task_memcg=in",
        );
        assert_eq!(
            (
                cut.oom_memcg.as_deref(),
                cut.task_memcg.as_deref(),
                cut.whole
            ),
            (Some("/0"), None, false)
        );
        let cut = line(
            "oom-kill:constraint=CONSTRAINT_CPUSET,nodemask=(null),cpuset=test,mems_allowed=0",
        );
        assert_eq!(
            (cut.cpuset.as_deref(), cut.mems_allowed.as_deref()),
            (Some("test"), Some("0"))
        );
    }

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
            Some(Verdict::SameMemory { pid: 5 })
        );
        assert_eq!(panic("Kernel panic - not syncing: Fatal exception"), None);
    }
}
