//! The lines of each program that kills, in the wording of each version.
//!
//! Sources: systemd src/oom/oomd-manager.c (248 to 261) and src/core/cgroup.c, oomd BaseKillPlugin.cpp, drivers/staging/android/lowmemorykiller.c.

use crate::oomlog::{Killer, Pid};

/// What one line says about a kill.
pub(super) struct Claim {
    pub(super) killer: Killer,
    pub(super) pid: Option<Pid>,
    pub(super) comm: Option<String>,
    pub(super) cgroup: Option<String>,
    pub(super) processes: Option<u64>,
    pub(super) signal: Option<String>,
    pub(super) rss_kb: Option<u64>,
    pub(super) reason: Option<String>,
}

impl Claim {
    pub(super) fn new(killer: Killer) -> Self {
        Self {
            killer,
            pid: None,
            comm: None,
            cgroup: None,
            processes: None,
            signal: None,
            rss_kb: None,
            reason: None,
        }
    }
}

/// The group is a path, as systemd-oomd names it.
///
/// `Killed CGROUP due to …` (up to 257), `Marked CGROUP for killing due to …` (258 and later).
pub(super) fn systemd_oomd(text: &str) -> Option<Claim> {
    if let Some(claim) = oom_rule(text) {
        return Some(claim);
    }
    let (cgroup, reason) = match text.strip_prefix("Killed ") {
        Some(rest) => rest.split_once(" due to ")?,
        None => text
            .strip_prefix("Marked ")?
            .split_once(" for killing due to ")?,
    };
    (cgroup.starts_with('/') && !cgroup.contains(": ")).then_some(())?;
    Some(Claim {
        cgroup: Some(cgroup.to_owned()),
        reason: Some(reason.to_owned()),
        ..Claim::new(Killer::SystemdOomd)
    })
}

/// `Rule 'NAME' conditions met for cgroup CGROUP for SPAN, taking action kill-all` (261 and later). The other actions kill
/// a group below, which this line does not name; systemd's count of the dead names it.
fn oom_rule(text: &str) -> Option<Claim> {
    let (name, rest) = text
        .strip_prefix("Rule '")?
        .split_once("' conditions met for cgroup ")?;
    let (rest, action) = rest.rsplit_once(", taking action ")?;
    let (cgroup, span) = rest.rsplit_once(" for ")?;
    (cgroup.starts_with('/') && action == "kill-all").then_some(())?;
    Some(Claim {
        cgroup: Some(cgroup.to_owned()),
        reason: Some(format!("the rule {name} held for {span}")),
        ..Claim::new(Killer::SystemdOomd)
    })
}

/// `[talos] Sending SIGKILL to cgroup {…, "cgroup": "/sys/fs/cgroup/…"}`, written into `/dev/kmsg`
/// (internal/app/machined/pkg/controllers/runtime/oom.go, 1.12 to 1.15).
pub(super) fn talos(text: &str) -> Option<Claim> {
    let (_, fields) = text.split_once("[talos] Sending SIGKILL to cgroup {")?;
    fields.contains("runtime.OOMController").then_some(())?;
    let (_, rest) = fields.split_once("\"cgroup\": \"")?;
    let path = rest.split('"').next()?;
    let path = path.strip_prefix("/sys/fs/cgroup").unwrap_or(path);
    path.starts_with('/').then_some(())?;
    Some(Claim {
        cgroup: Some(path.to_owned()),
        signal: Some("SIGKILL".to_owned()),
        reason: Some("its trigger expression held".to_owned()),
        ..Claim::new(Killer::Talos)
    })
}

/// `UNIT: systemd-oomd killed %u process(es) in this unit.`
pub(super) fn unit(text: &str) -> Option<Claim> {
    let (unit, rest) = text.split_once(": systemd-oomd killed ")?;
    let (count, rest) = rest.split_once(' ')?;
    rest.starts_with("process").then_some(())?;
    let processes = match count {
        "some" => None,
        count => Some(count.parse().ok()?),
    };
    Some(Claim {
        cgroup: Some(unit.to_owned()),
        processes,
        ..Claim::new(Killer::SystemdOomd)
    })
}

/// `oomd kill: 10.00 20.00 30.00 CGROUP USAGE ruleset:[…] detectorgroup:[…] killer:NAME v2`, written
/// into `/dev/kmsg`.
pub(super) fn oomd(text: &str) -> Option<Claim> {
    let (_, rest) = text.split_once("oomd kill: ")?;
    let mut words = rest.splitn(5, ' ');
    for _ in 0..3 {
        words.next()?.parse::<f64>().ok()?;
    }
    let (cgroup, reason) = (words.next()?, words.next()?);
    if reason.contains("killer:(dry)") {
        return None;
    }
    Some(Claim {
        cgroup: Some(cgroup.to_owned()),
        reason: Some(reason.to_owned()),
        ..Claim::new(Killer::Oomd)
    })
}

/// What kubelet evicts for: `… "Eviction manager: must evict pod(s) to reclaim" resourceName="memory"`
/// (pkg/kubelet/eviction/eviction_manager.go; before 1.20 `eviction manager: must evict pod(s) to reclaim memory`).
pub(super) fn reclaims(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("must evict pod(s) to reclaim")?;
    match rest.split_once("resourceName=\"") {
        Some((_, name)) => name.split('"').next(),
        None => Some(rest.trim()),
    }
}

/// An evicted pod, as `NAMESPACE/NAME`: `… "Eviction manager: pod is evicted successfully" pod="NAMESPACE/NAME"`, before
/// 1.20 `eviction manager: pod NAME_NAMESPACE(UID) is evicted successfully`.
pub(crate) fn evicted(text: &str) -> Option<String> {
    if let Some((_, rest)) = text.split_once("\"Eviction manager: pod is evicted successfully\"") {
        let (_, rest) = rest.split_once("pod=\"")?;
        return Some(rest.split('"').next()?.to_owned());
    }
    let (_, rest) = text.split_once("eviction manager: pod ")?;
    let (pod, _) = rest.split_once(" is evicted successfully")?;
    let (pod, _) = pod.split_once('(')?;
    let (name, namespace) = pod.rsplit_once('_')?;
    Some(format!("{namespace}/{name}"))
}

/// `lowmemorykiller: Killing '%s' (%d), adj %hd,\n   to free %ldkB on behalf of '%s' (%d) because…`. lmkd has the same
/// words (up to Android 9), then `Kill '%s' (%d), uid %d, oom_score_adj %d to free %dkB rss, %dkB swap; reason: …`.
pub(super) fn low_memory_killer(text: &str) -> Option<Claim> {
    let text = text.trim_start();
    let text = text.strip_prefix("lowmemorykiller: ").unwrap_or(text);
    let rest = text
        .strip_prefix("Killing '")
        .or_else(|| text.strip_prefix("Kill '"))?;
    let (comm, rest) = rest.split_once("' (")?;
    let (pid, rest) = rest.split_once(')')?;
    let kb = rest
        .split_once("to free ")
        .and_then(|(_, kb)| kb.split_once("kB")?.0.parse().ok());
    Some(Claim {
        pid: Some(pid.parse().ok()?),
        comm: Some(comm.to_owned()),
        signal: Some("SIGKILL".to_owned()),
        rss_kb: kb,
        reason: rest
            .split_once("because")
            .or_else(|| rest.split_once("; reason: "))
            .map(|(_, why)| why.split_whitespace().collect::<Vec<_>>().join(" "))
            .filter(|why| !why.is_empty()),
        ..Claim::new(Killer::LowMemoryKiller)
    })
}
