//! The lines of each program that kills, in the wording of each version.
//!
//! Sources: systemd src/oom/oomd-manager.c (248 to 258) and src/core/cgroup.c, earlyoom kill.c,
//! oomd BaseKillPlugin.cpp, drivers/staging/android/lowmemorykiller.c.

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

/// `Killed CGROUP due to …` (up to 257), `Marked CGROUP for killing due to …` (258 and later).
pub(super) fn systemd_oomd(text: &str) -> Option<Claim> {
    let (cgroup, reason) = match text.strip_prefix("Killed ") {
        Some(rest) => rest.split_once(" due to ")?,
        None => text
            .strip_prefix("Marked ")?
            .split_once(" for killing due to ")?,
    };
    Some(Claim {
        cgroup: Some(cgroup.to_owned()),
        reason: Some(reason.to_owned()),
        ..Claim::new(Killer::SystemdOomd)
    })
}

/// `UNIT: systemd-oomd killed %u process(es) in this unit.`
pub(super) fn unit(text: &str) -> Option<Claim> {
    let (unit, rest) = text.split_once(": systemd-oomd killed ")?;
    let (count, rest) = rest.split_once(' ')?;
    rest.starts_with("process").then_some(())?;
    Some(Claim {
        cgroup: Some(unit.to_owned()),
        processes: Some(count.parse().ok()?),
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

/// `lowmemorykiller: Killing '%s' (%d), adj %hd,\n   to free %ldkB on behalf of '%s' (%d) because…`.
pub(super) fn low_memory_killer(text: &str) -> Option<Claim> {
    let rest = text
        .trim_start()
        .strip_prefix("lowmemorykiller: Killing '")?;
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
            .map(|(_, why)| why.split_whitespace().collect::<Vec<_>>().join(" "))
            .filter(|why| !why.is_empty()),
        ..Claim::new(Killer::LowMemoryKiller)
    })
}

/// `sending SIGTERM to process %d uid %d "%s": oom_score %d, oom_score_adj %d, VmRSS %lld MiB, …`,
/// before 1.8 `badness %d` for the scores.
pub(super) fn earlyoom(text: &str, reason: Option<String>) -> Option<Claim> {
    let rest = text
        .strip_prefix("sending ")
        .or_else(|| text.strip_prefix("Sending "))?;
    let (signal, rest) = rest.split_once(" to process ")?;
    let (pid, rest) = rest.split_once(' ')?;
    let (_, rest) = rest.split_once('"')?;
    // The name is quoted but not escaped. `": ` ends it: the scores follow.
    let end = rest.find("\": ")?;
    let (comm, rest) = rest.split_at(end);
    let rss = rest
        .split_once("VmRSS ")
        .and_then(|(_, rss)| rss.split(' ').next()?.parse::<u64>().ok());
    Some(Claim {
        pid: Some(pid.parse().ok()?),
        comm: Some(comm.to_owned()),
        signal: Some(signal.to_owned()),
        rss_kb: rss.map(|mib| mib.saturating_mul(1024)),
        reason,
        ..Claim::new(Killer::Earlyoom)
    })
}
