//! OOM events in words: what ran out, who asked, who died and why, in a row and in sentences.

use crate::model::cgroup::container::{self, short_id};
use crate::oomlog::{Constraint, Kill, OomReport, Outcome, UserspaceKill};
use crate::text::format;
use crate::text::tone::{Line, Tone};
use crate::text::wording::short_group;

/// What ran out, as a word: `host`, `container`, `unit`, `cgroup`, `cpuset`, …
pub fn scope_word(report: &OomReport) -> &'static str {
    match report.constraint {
        Some(Constraint::None) => "host",
        Some(Constraint::Memcg) => {
            let limit = report.oom_memcg.as_deref();
            let path = limit.or(report.task_memcg.as_deref()).unwrap_or("");
            container::nearest_owner(path).map_or("cgroup", |owner| owner.kind.noun())
        }
        Some(Constraint::Cpuset) => "cpuset",
        Some(Constraint::MemoryPolicy) => "mempolicy",
        Some(Constraint::Other) => "other",
        None => "?",
    }
}

/// Anonymous memory and adj of a killed process; empty where the kernel's line does not give them.
pub fn kill_facts(kill: &Kill) -> (String, String) {
    let anon = kill.anon_rss_kb.map(|kb| kb.saturating_mul(1024));
    let anon = anon.map_or_else(|| "n/a".to_owned(), format::size);
    let adj = kill.adj.map(|adj| adj.to_string());
    (anon, adj.unwrap_or_else(|| "n/a".to_owned()))
}

/// A kill as a row that begins with its time, `when`. `narrow` separates the parts by single blanks instead of
/// aligning them in columns.
pub fn kill_row(report: &OomReport, kill: &Kill, when: Line, narrow: bool) -> Line {
    let (anon, adj) = kill_facts(kill);
    let (scope, name, size, points) = if narrow { (0, 0, 0, 0) } else { (9, 23, 6, 5) };
    let victim = format!("{} {}", kill.pid, kill.comm);
    let mut line = when
        .add(Tone::Dim, format!("{:<scope$} ", scope_word(report)))
        .add(Tone::Critical, "killed ")
        .add(Tone::Strong, format!("{victim:<name$} "))
        .add(Tone::Normal, format!("{anon:>size$} anon"))
        .add(Tone::Dim, " adj ")
        .add(Tone::Normal, format!("{adj:<points$} "));
    if let Some(thread) = kill.thread {
        line.push(Tone::Dim, format!("its thread {thread}, "));
    }
    if kill.group_member {
        line.push(Tone::Dim, "with its group, ");
    }
    line.push(Tone::Dim, reason(report));
    line
}

/// A path with its container ids shortened as container tools print them.
fn short_ids(path: &str) -> String {
    path.split('/').map(short_id).collect::<Vec<_>>().join("/")
}

/// The shortest reason: the limit that was hit, or the process whose request failed.
fn reason(report: &OomReport) -> String {
    if let Some(group) = report.oom_memcg.as_deref().filter(|_| report.is_memcg()) {
        let limit = report.limit_kb.map_or_else(String::new, |kb| {
            format!(" {}", format::size(kb.saturating_mul(1024)))
        });
        let inner = match report.task_memcg.as_deref() {
            Some(task) if task != group => format!(" (victim in {})", short_group(task)),
            _ => String::new(),
        };
        return format!("limit{limit} of {}{inner}", short_ids(group));
    }
    match asked_by(report) {
        Some(asker) => asker,
        None if !report.has_header => "no report was printed, only this line".to_owned(),
        None => String::new(),
    }
}

/// A kill by another program as a row: the program's name, then the program's own reason.
pub fn userspace_row(kill: &UserspaceKill, when: Line) -> Line {
    let dead = match kill.processes {
        Some(1) => "1 process  ".to_owned(),
        Some(processes) => format!("{processes} processes  "),
        None => String::new(),
    };
    when.add(Tone::Watch, format!("{} killed ", kill.killer.name()))
        .add(Tone::Strong, format!("{}  ", victim(kill)))
        .add(Tone::Normal, dead)
        .add(Tone::Dim, kill.reason.clone().unwrap_or_default())
}

/// Whom another program killed: a control group, or a process by pid and name.
pub fn victim(kill: &UserspaceKill) -> String {
    match (&kill.cgroup, kill.pid, &kill.comm) {
        (Some(group), _, _) => short_ids(group),
        (None, Some(pid), Some(comm)) => format!("{pid} {comm}"),
        (None, Some(pid), None) => pid.to_string(),
        _ => "?".to_owned(),
    }
}

/// A report without a kill so far, as a row.
pub fn report_row(report: &OomReport, when: Line) -> Line {
    let line = when.add(Tone::Dim, format!("{:<10}", scope_word(report)));
    let again = match report.repeats {
        0 => String::new(),
        1 => ", repeated once more".to_owned(),
        repeats => format!(", repeated {repeats} more times"),
    };
    let line = match report.outcome {
        Outcome::NobodyKillable => {
            line.add(Tone::Critical, format!("nobody could be killed{again}  "))
        }
        Outcome::Panic => line.add(Tone::Critical, "kernel panic  "),
        Outcome::Ignored => line.add(Tone::Watch, "SysRq-f found nobody to kill  "),
        Outcome::Pending | Outcome::Killed => line.add(Tone::Danger, "out of memory, choosing …  "),
    };
    line.add(Tone::Dim, reason(report))
}

/// `asked by nginx (812), order 0, GFP_KERNEL`.
pub fn asked_by(report: &OomReport) -> Option<String> {
    let trigger = report.trigger.as_ref()?;
    if trigger.order == Some(-1) {
        return Some("asked for by SysRq-f".to_owned());
    }
    let pid = trigger
        .pid
        .map_or_else(String::new, |pid| format!(" ({pid})"));
    let order = trigger
        .order
        .map_or_else(String::new, |order| format!(", order {order}"));
    Some(format!("asked by {}{pid}{order}", trigger.comm))
}

#[cfg(test)]
mod tests {
    use super::scope_word;
    use crate::oomlog::{Constraint, OomReport};

    const ID: &str = "4f5e6d7c8b9a01234f5e6d7c8b9a01234f5e6d7c8b9a01234f5e6d7c8b9a0123";
    const POD: &str = "/kubepods/burstable/pod1a2b3c4d-0001-4002-8003-0123456789ab";

    fn word(limit: &str, victim: Option<&str>) -> &'static str {
        let filled = |path: &str| path.replace("ID", ID).replace("POD", POD);
        scope_word(&OomReport {
            constraint: Some(Constraint::Memcg),
            oom_memcg: Some(filled(limit)),
            task_memcg: victim.map(filled),
            ..OomReport::default()
        })
    }

    #[test]
    fn the_scope_of_a_limit_is_what_its_group_belongs_to() {
        for (limit, scope) in [
            ("/system.slice/docker.service", "unit"),
            ("/system.slice/containerd.service", "unit"),
            ("/system.slice/crio.service", "unit"),
            ("/system.slice/kubelet.service", "unit"),
            ("/system.slice/lxc.service", "unit"),
            ("/machine.slice/libpod-conmon-ID.scope", "unit"),
            ("/system.slice/crio-conmon-ID.scope", "unit"),
            ("/system.slice/docker-compose.scope", "unit"),
            (
                "/user.slice/user-1000.slice/user@1000.service/app.slice/docker-desktop.service",
                "unit",
            ),
            ("/system.slice/mysql.service/worker", "unit"),
            ("/docker/ID", "container"),
            ("/system.slice/docker-ID.scope", "container"),
            ("/system.slice/docker-ID.scope/init", "container"),
            ("/machine.slice/libpod-ID.scope/container", "container"),
            ("/lxc/web", "container"),
            ("/lxc/web/ns", "container"),
            ("POD/ID", "container"),
            ("POD", "pod"),
            ("/kubepods/burstable", "pods"),
            ("/machine.slice/machine-web.scope", "machine"),
            ("/docker", "cgroup"),
            ("/web", "cgroup"),
        ] {
            assert_eq!(word(limit, None), scope, "{limit}");
        }
    }

    #[test]
    fn the_limit_decides_and_not_where_the_victim_lived() {
        assert_eq!(word("POD", Some("POD/ID")), "pod");
        assert_eq!(word("/docker", Some("/docker/ID")), "cgroup");
        let unknown = OomReport {
            constraint: Some(Constraint::Memcg),
            task_memcg: Some(format!("/docker/{ID}")),
            ..OomReport::default()
        };
        assert_eq!(scope_word(&unknown), "container", "no limit was printed");
    }
}
