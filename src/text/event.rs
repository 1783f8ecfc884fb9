//! OOM events in words: what ran out, who asked, who died and why, in a row and in sentences.

use crate::model::cgroup::container::{self, short_id};
use crate::oomlog::analysis::verdict::{RanOut, what_ran_out};
use crate::oomlog::{Kill, OomReport, Outcome, UserspaceKill};
use crate::text::format;
use crate::text::tone::{Line, Tone};
use crate::text::wording::short_group;

/// What ran out, as a word: `host`, `container`, `unit`, `cgroup`, `cpuset`, … It follows from the verdict, as the
/// headline of the report does: the two may not name different things.
pub fn scope_word(report: &OomReport) -> &'static str {
    match what_ran_out(report) {
        RanOut::ByRequest => "request",
        RanOut::Limit { .. } => {
            let limit = report.oom_memcg.as_deref();
            let path = limit.or(report.task_memcg.as_deref()).unwrap_or("");
            container::nearest_owner(path).map_or("cgroup", |owner| owner.kind.noun())
        }
        RanOut::HiddenLimit { .. } => "cgroup",
        RanOut::Host { .. } | RanOut::Blocks | RanOut::Zones | RanOut::NothingShown => "host",
        RanOut::CpusetNodes => "cpuset",
        RanOut::PolicyNodes => "mempolicy",
        RanOut::Nodes => "nodes",
        RanOut::Other => "other",
        RanOut::Unknown => "?",
    }
}

/// Anonymous memory and adj of a killed process; empty where the kernel's line does not give them.
pub fn kill_facts(kill: &Kill) -> (String, String) {
    let anon = kill.anon_rss_kb.map(|kb| kb.saturating_mul(1024));
    let anon = anon.map_or_else(|| "n/a".to_owned(), format::size);
    let adj = kill.adj.map(|adj| adj.to_string());
    (anon, adj.unwrap_or_else(|| "n/a".to_owned()))
}

/// A kill as a row that begins with its time, `when`; `scope` is the report's [`scope_word`]. `narrow` separates the parts by single blanks instead of
/// aligning them in columns.
pub fn kill_row(report: &OomReport, scope: &str, kill: &Kill, when: Line, narrow: bool) -> Line {
    let (anon, adj) = kill_facts(kill);
    let (first, name, size, points) = if narrow { (0, 0, 0, 0) } else { (9, 23, 6, 5) };
    let victim = format!("{} {}", kill.pid, kill.comm);
    let mut line = when
        .add(Tone::Dim, format!("{scope:<first$} "))
        .add(Tone::Critical, "killed ")
        .add(Tone::Strong, format!("{victim:<name$} "))
        .add(Tone::Normal, format!("{anon:>size$} anon"))
        .add(Tone::Dim, " adj ")
        .add(Tone::Normal, format!("{adj:<points$} "));
    if let Some(thread) = kill.thread {
        line.push(Tone::Dim, format!("its thread {thread}, "));
    }
    if kill.group_member {
        let is_sure = report.oom_group.is_some();
        line.push(
            Tone::Dim,
            if is_sure {
                "with its group, "
            } else {
                "perhaps with its group, "
            },
        );
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

/// A report without a kill, as a row; `scope` is its [`scope_word`]. `awaited`: the line that names the victim may still
/// come.
pub fn report_row(report: &OomReport, scope: &str, awaited: bool, when: Line) -> Line {
    let line = when.add(Tone::Dim, format!("{scope:<10}"));
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
        Outcome::Pending if awaited => line.add(Tone::Danger, "out of memory, choosing …  "),
        Outcome::Pending | Outcome::Killed => {
            line.add(Tone::Danger, "out of memory, victim not in this log  ")
        }
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
    use crate::text::on_paper::report;

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

    /// Row and headline of one report name the same thing; the words are those of both.
    #[test]
    fn the_row_names_what_the_headline_names() {
        let head = |order: i32, mask: &str| {
            format!("a invoked oom-killer: gfp_mask={mask}, order={order}, oom_score_adj=0")
        };
        let order0 = head(0, "0x24200ca");
        let zones = |free: u32, elsewhere: u32| {
            vec![
                "Mem-Info:".to_owned(),
                "active_anon:9000 inactive_anon:90 isolated_anon:0".to_owned(),
                format!(" free:{} free_pcp:0 free_cma:0", (free + elsewhere) / 4),
                format!(
                    "Node 0 Normal free:{free}kB min:2000kB low:3000kB high:4000kB managed:100000kB"
                ),
                "lowmem_reserve[]: 0 0 0".to_owned(),
                format!("Node 0 Normal: {}*4kB (U) = {free}kB", free / 4),
                "50000 pages RAM".to_owned(),
                "0 pages reserved".to_owned(),
            ]
        };
        let of = |first: &str, rest: Vec<String>| {
            let all: Vec<String> = [first.to_owned()].into_iter().chain(rest).collect();
            let report = report(all.iter().map(String::as_str));
            let headline = crate::text::report::summary::lines(&report, &[])[0].plain();
            (scope_word(&report), headline)
        };
        // Kernels before 5.0 do not name what ran out.
        let (word, headline) = of(&order0, zones(1000, 0));
        assert_eq!(word, "host");
        assert!(headline.starts_with("The host ran out"), "{headline}");
        let (word, headline) = of(&order0, zones(1000, 60_000));
        assert_eq!(word, "nodes");
        assert!(
            headline.contains("memory nodes that this request"),
            "{headline}"
        );
        let (word, headline) = of(&head(-1, "0xcc0"), zones(60_000, 0));
        assert_eq!(word, "request");
        assert!(headline.contains("asked for a kill"), "{headline}");
        let (word, headline) = of(&head(0, "0x0()"), zones(60_000, 0));
        assert_eq!(word, "cgroup", "of a page fault that failed");
        assert!(
            headline.contains("the host itself had memory"),
            "{headline}"
        );
        let (word, headline) = of(&order0, Vec::new());
        assert_eq!(word, "?");
        assert!(headline.starts_with("Memory ran out."), "{headline}");
    }

    #[test]
    fn a_shed_report_still_names_the_host() {
        let mut shed = report([
            "a invoked oom-killer: gfp_mask=0x24200ca, order=0, oom_score_adj=0",
            "Mem-Info:",
            "Node 0 Normal free:1000kB min:2000kB low:3000kB high:4000kB managed:100000kB",
            "50000 pages RAM",
            "Out of memory: Kill process 7 (a) score 9 or sacrifice child",
            "Killed process 7 (a) total-vm:8kB, anon-rss:4kB, file-rss:0kB",
        ]);
        assert_eq!(scope_word(&shed), "host");
        shed.shed();
        assert_eq!(scope_word(&shed), "host");
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
