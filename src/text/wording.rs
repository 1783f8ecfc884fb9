//! Names for domains, processes and rooms, the same in every dialog.

use crate::model::cgroup::container::{self, short_id};
use crate::model::cgroup::limits::{LimitFile, LimitValue};
use crate::model::kernel::ScoreFormula;
use crate::model::killers::oom_policy::Manager;
use crate::model::oom_domain::headroom::Room;
use crate::model::oom_domain::victim::{Scope, Verdict};
use crate::model::process::ProcessId;
use crate::model::snapshot::Snapshot;
use crate::model::systemd::CommandUser;
use crate::text::format::long_size;

/// How this kernel scales `oom_score`, for every place that explains the number. ASCII, because it is printed too.
pub fn score_formula(formula: ScoreFormula) -> &'static str {
    match formula {
        ScoreFormula::Scaled => {
            "(1000 + badness per mille) * 2/3: 0..2000, idle is 666 (kernels since 5.9, and late 5.4)"
        }
        ScoreFormula::Permille => {
            "badness per mille: idle is 0 (kernels before 5.9, but not late 5.4)"
        }
    }
}

/// An OOM domain in a sentence: the host, a cgroup by its whole path, memory nodes by their numbers.
pub fn domain(scope: Scope, snapshot: &Snapshot) -> String {
    match scope {
        Scope::Host => "the host".to_owned(),
        Scope::Nodes(set) => format!("memory nodes {set}"),
        Scope::Memcg(key) => snapshot
            .cgroup(key)
            .map_or_else(|| "?".to_owned(), |group| group.path.to_string()),
    }
}

/// A process in a sentence: pid and name; the pid alone if it is gone.
pub fn process(id: ProcessId, snapshot: &Snapshot) -> String {
    match snapshot.process(id) {
        Some(process) => format!("{} {}", id.pid, process.comm),
        None => id.pid.to_string(),
    }
}

/// Processes by their numbers, the first few of many.
pub fn pids(targets: &[ProcessId]) -> String {
    const NAMED: usize = 6;
    if let [one] = targets {
        return format!("process {}", one.pid);
    }
    let named = targets.iter().take(NAMED).map(|id| id.pid.to_string());
    let named = named.collect::<Vec<_>>().join(", ");
    match targets.len().checked_sub(NAMED) {
        None | Some(0) => format!("processes {named}"),
        Some(more) => format!("processes {named} and {more} more"),
    }
}

/// Who dies: one process, or "A or B" where two are too close to call.
pub fn victim(verdict: &Verdict, snapshot: &Snapshot) -> String {
    let first = process(verdict.victim.id, snapshot);
    match verdict.or() {
        Some(other) => format!("{first} or {}", process(other.id, snapshot)),
        None => first,
    }
}

/// Who is killed while a process that the kernel has killed still holds memory.
pub fn dying(id: ProcessId, snapshot: &Snapshot) -> String {
    format!("nobody while {} is dying", process(id, snapshot))
}

/// A limit in words: `500 MiB`, `0`. No limit is `max`, or "no limit" where the file holds a huge number instead.
pub fn limit(file: LimitFile, value: LimitValue) -> String {
    match value {
        LimitValue::Unlimited if file.row().version.is_v1() => "no limit".to_owned(),
        // `PAGE_COUNTER_MAX` in bytes, less what the page size rounds off (include/linux/page_counter.h).
        LimitValue::Amount(bytes) if file.row().version.is_v1() && bytes >= 1 << 62 => {
            "no limit".to_owned()
        }
        LimitValue::Amount(bytes) if bytes >= 1024 => long_size(bytes),
        LimitValue::Unlimited | LimitValue::Amount(_) | LimitValue::Switch(_) => file.text(value),
    }
}

/// The command that sets a property of a group's unit: units of a user have a manager of their own (systemctl(1)
/// `--user`).
pub fn set_property(path: &str, user: CommandUser) -> String {
    let owner = container::user_manager_of(path);
    let manager = owner.map_or(Manager::System, Manager::User);
    format!("{} set-property", user.reach("systemctl", manager))
}

/// What a domain can still take before somebody dies.
pub fn left(room: &Room) -> String {
    let left = format!("{} left", long_size(room.left()));
    match room.droppable {
        0 => left,
        cache => format!("{left}, {} of it page cache to drop", long_size(cache)),
    }
}

/// A short name of a cgroup: its container, pod or unit if the path names one ([`container::label`]), otherwise
/// the last two levels of the path.
pub fn short_group(path: &str) -> String {
    if let Some(label) = container::label(path) {
        return label;
    }
    let mut parts = path.rsplit('/').filter(|p| !p.is_empty());
    let Some(last) = parts.next() else {
        return "/".to_owned();
    };
    match parts.next() {
        Some(above) => format!("{above}/{}", short_id(last)),
        None => short_id(last).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{short_group, victim};
    use crate::model::oom_domain::victim::{Candidate, Verdict};
    use crate::model::process::{Process, ProcessId};
    use crate::model::snapshot::Snapshot;

    #[test]
    fn the_other_one_is_named_where_it_is_too_close_to_call() {
        let id = |pid| ProcessId {
            pid,
            start_ticks: 1,
        };
        let candidate = |pid| Candidate {
            id: id(pid),
            points: 5,
        };
        let snapshot = Snapshot {
            processes: vec![Process {
                id: id(7),
                comm: "java".into(),
                ..Process::default()
            }],
            ..Snapshot::default()
        };
        let said = |runner_up, close| {
            let verdict = Verdict {
                victim: candidate(7),
                runner_up,
                close,
                rival: None,
            };
            victim(&verdict, &snapshot)
        };
        assert_eq!(said(None, true), "7 java");
        assert_eq!(said(Some(candidate(9)), false), "7 java");
        // A process that has ended has no name any more.
        assert_eq!(said(Some(candidate(9)), true), "7 java or 9");
    }

    #[test]
    fn groups_are_named_by_their_end() {
        assert_eq!(short_group("/system.slice/mysql.service"), "mysql.service");
        assert_eq!(
            short_group(&format!("/docker/{}", "0123456789abcdef".repeat(4))),
            "docker 0123456789ab"
        );
        assert_eq!(short_group("/"), "/");
    }
}
