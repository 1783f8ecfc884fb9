//! The `oom-kill:` line (4.19 and later): which limit ran out and whom the kernel chose.

use super::leading_number;
use crate::oomlog::base::CUT;
use crate::oomlog::line::fact::{ChosenLine, Verdict};

/// `oom-kill:constraint=%s,nodemask=%*pbl,cpuset=%s,mems_allowed=%*pbl{,global_oom|,oom_memcg=%s},`
/// `task_memcg=%s,task=%s,pid=%d,uid=%d`.
///
/// The kernel does not escape paths and names, so they may hold any of these words. The task is read from the
/// right end; a path ends where only the next key can follow.
pub(super) fn chosen(line: &str) -> Option<Verdict> {
    let rest = line.trim_start().strip_prefix("oom-kill:constraint=")?;
    let rest = rest.trim_end();
    // A cut line may end inside the word.
    let (constraint, rest) = rest.split_once(',').unwrap_or(("", ""));
    let mut found = ChosenLine {
        constraint: constraint.to_owned(),
        ..ChosenLine::default()
    };
    let middle = task_from_right(rest, &mut found);
    let (left, memcgs) = memcg_part(middle);
    left_part(left, &mut found);
    found.global_oom = memcgs.global_oom;
    // Another message or a margin cut the line inside its last value: that path is not complete.
    let is_followed = found.whole || memcgs.task_memcg.is_some();
    found.oom_memcg = memcgs.oom_memcg.filter(|_| is_followed).map(str::to_owned);
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
        let number = leading_number::<u32>(uid).map(|(uid, _)| uid);
        let uid = (number.is_some() || uid.ends_with(CUT)).then_some(number)?;
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
    found.uid = uid;
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

/// A whole list of nodes, `0-1,3`: of a cut line the beginning of the next key can follow.
fn is_list(mask: &str) -> bool {
    mask.bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b',' | b'-'))
        && !mask.ends_with([',', '-'])
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
    let mask = mask.strip_prefix("nodemask=");
    found.nodemask = mask
        .filter(|_| found.whole || cpuset.is_some())
        .map(str::to_owned);
    // `mems_allowed` always follows: without it the line was cut inside the name.
    found.cpuset = cpuset.filter(|_| mems.is_some()).map(str::to_owned);
    found.mems_allowed = mems.filter(|mems| is_list(mems)).map(str::to_owned);
}

#[cfg(test)]
mod tests {
    use super::chosen;
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
        let inside = line("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=system.sl");
        assert_eq!(inside.cpuset, None);
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
}
