//! Joins the lines of programs that kill to one [`UserspaceKill`] each.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::earlyoom::{Earlyoom, Said, is_own};
use super::wording::{
    Claim, evicted, low_memory_killer, oomd, reclaims, systemd_oomd, talos, unit,
};
use crate::oomlog::{Killer, LogRecord, Monotonic, OomEvent, Pid, ReportKey, UserspaceKill};

/// Latest kills kept, to join what several lines say about one.
const MAX_KILLS: usize = 16;
/// Most characters kept of a line.
const TEXT_MOST: usize = 1024;
/// How far apart systemd-oomd's line and systemd's count of the dead can be: the group has to die between them.
const COUNTED_WITHIN: Duration = Duration::from_secs(90);
/// systemd-oomd names a group again if it is still there when it looks next.
const DIES_WITHIN: Duration = Duration::from_secs(5);
/// How far apart two logs stamp the same line.
const COPY_WITHIN: Duration = Duration::from_secs(2);

/// The latest kills by programs.
#[derive(Debug, Default)]
pub(crate) struct UserspaceKills {
    kills: VecDeque<UserspaceKill>,
    /// What kubelet last evicted for.
    reclaims: Option<String>,
    /// Pid and name that nohang printed for its next victim.
    nohang: Option<(Pid, String)>,
    earlyoom: Earlyoom,
}

impl UserspaceKills {
    /// Takes a record and returns an event if it tells of a kill. `last_key` is the last key given away.
    pub(crate) fn feed(&mut self, record: &LogRecord, last_key: &mut u64) -> Option<OomEvent> {
        let (program, text) = program_and_text(record);
        if record.uid.is_some_and(is_ordinary) {
            // The journal knows the writer: no daemon. A user's own manager may count the dead of a group.
            let count = unit(text).filter(|_| program == "systemd")?;
            return self.update(&count, record.at, text);
        }
        if self.kills.iter().any(|kill| is_copy(kill, record, text)) {
            return None;
        }
        let claim = if record.text.contains("lowmemorykiller: ") {
            low_memory_killer(&record.text)
        } else {
            match Killer::from_program(program) {
                Some(Killer::SystemdOomd) => systemd_oomd(text),
                Some(Killer::Earlyoom) => return self.earlyoom(record, text, last_key),
                Some(Killer::Nohang) => self.nohang(text),
                Some(Killer::Kubelet) => self.kubelet(text),
                None if program == "systemd" => unit(text),
                // Standard error of a daemon, without its name.
                None if program.is_empty() && is_own(text) => {
                    return self.earlyoom(record, text, last_key);
                }
                None if program.is_empty() => systemd_oomd(text)
                    .or_else(|| unit(text))
                    .or_else(|| oomd(text))
                    .or_else(|| talos(text)),
                Some(Killer::Talos) => talos(text),
                Some(Killer::LowMemoryKiller) => low_memory_killer(text),
                Some(Killer::Oomd) | None => oomd(text),
            }
        }?;
        Some(self.claim(record, claim, text, last_key))
    }

    fn earlyoom(&mut self, record: &LogRecord, text: &str, key: &mut u64) -> Option<OomEvent> {
        match self.earlyoom.line(text) {
            Said::Kill(claim) => Some(self.claim(record, claim, text, key)),
            Said::Survived(pid) => self.change_last(pid, |kill| kill.survived = true),
            Said::Escalates => {
                self.change_last(None, |kill| kill.signal = Some("SIGKILL".to_owned()))
            }
            Said::Nothing => None,
        }
    }

    /// Changes the last kill of earlyoom, or that of this process.
    fn change_last(
        &mut self,
        pid: Option<Pid>,
        change: impl Fn(&mut UserspaceKill),
    ) -> Option<OomEvent> {
        let kill =
            self.kills.iter_mut().rev().find(|kill| {
                kill.killer == Killer::Earlyoom && (pid.is_none() || kill.pid == pid)
            })?;
        change(kill);
        Some(OomEvent::Userspace(Arc::new(kill.clone())))
    }

    /// Adds what the claim says to the kill it is about, if that is known.
    fn update(&mut self, claim: &Claim, at: Option<Monotonic>, text: &str) -> Option<OomEvent> {
        let kill = self
            .kills
            .iter_mut()
            .rev()
            .find(|kill| is_same(kill, claim, at))?;
        kill.processes = claim.processes.or(kill.processes);
        if claim.signal.is_some() {
            kill.signal.clone_from(&claim.signal);
            // It is tried once more.
            kill.survived = false;
        }
        if kill.reason.is_none() && claim.reason.is_some() {
            // systemd's count came first: the killer's own line says more.
            kill.reason.clone_from(&claim.reason);
            kill.cgroup = claim.cgroup.clone().or(kill.cgroup.take());
            kill.text = text.chars().take(TEXT_MOST).collect();
        }
        Some(OomEvent::Userspace(Arc::new(kill.clone())))
    }

    fn claim(&mut self, record: &LogRecord, claim: Claim, text: &str, key: &mut u64) -> OomEvent {
        if let Some(event) = self.update(&claim, record.at, text) {
            return event;
        }
        *key += 1;
        let kill = UserspaceKill {
            key: ReportKey(*key),
            killer: claim.killer,
            source: record.provenance,
            at: record.at,
            stamp: record.stamp.clone(),
            pid: claim.pid,
            comm: claim.comm,
            cgroup: claim.cgroup,
            processes: claim.processes,
            signal: claim.signal,
            rss_kb: claim.rss_kb,
            survived: false,
            reason: claim.reason,
            text: text.chars().take(TEXT_MOST).collect(),
        };
        if self.kills.len() >= MAX_KILLS {
            self.kills.pop_front();
        }
        self.kills.push_back(kill.clone());
        OomEvent::Userspace(Arc::new(kill))
    }

    /// A pod that went because memory was short; one that went for a disk is no kill for want of memory.
    fn kubelet(&mut self, text: &str) -> Option<Claim> {
        if let Some(resource) = reclaims(text) {
            self.reclaims = Some(resource.to_owned());
            return None;
        }
        let pod = evicted(text)?;
        let reason = match self.reclaims.as_deref() {
            Some("memory") => "evicted: the node was short of memory",
            Some(_) => return None,
            None => "evicted; what the node was short of is not in this log",
        };
        Some(Claim {
            cgroup: Some(format!("pod {pod}")),
            reason: Some(reason.to_owned()),
            ..Claim::new(Killer::Kubelet)
        })
    }

    /// `  PID: %s, name: %s, badness: %s`, then `  Sending SIGTERM to the victim`.
    fn nohang(&mut self, text: &str) -> Option<Claim> {
        for line in text.lines() {
            let line = line.trim();
            if let Some(rest) = line.strip_prefix("PID: ")
                && let Some((pid, rest)) = rest.split_once(',')
                && let Some(name) = rest.trim_start().strip_prefix("name: ")
                && let Ok(pid) = pid.trim().parse()
            {
                let end = name.rfind(", badness").or_else(|| name.find(", state"));
                let name = name.get(..end.unwrap_or(name.len())).unwrap_or(name);
                self.nohang = Some((pid, name.to_owned()));
            }
            if let Some((before, _)) = line.split_once(" to the victim")
                && let Some((_, signal)) = before.rsplit_once("Sending ")
            {
                let (pid, comm) = self.nohang.take().unzip();
                return Some(Claim {
                    pid,
                    comm,
                    signal: Some(signal.to_owned()),
                    ..Claim::new(Killer::Nohang)
                });
            }
        }
        None
    }
}

/// The program that wrote the record and its text. Without word of the transport, a text begins with
/// `name[pid]: `.
fn program_and_text(record: &LogRecord) -> (&str, &str) {
    let text = record.text.as_str();
    if let Some(program) = &record.program {
        return (program.split('[').next().unwrap_or(program), text);
    }
    match text.split_once(": ") {
        Some((tag, rest)) if !tag.contains(' ') => {
            let name = tag.split('[').next().unwrap_or(tag);
            let is_program = tag.ends_with(']') || Killer::from_program(name).is_some();
            // `acorn.service: systemd-oomd killed …` names the unit, not who says so.
            if is_program { (name, rest) } else { ("", text) }
        }
        _ => ("", text),
    }
}

/// True for the uid of a person. Daemons have system users (below 1000), or dynamic ones (61184 to 65519).
fn is_ordinary(uid: u32) -> bool {
    (1000..61_184).contains(&uid) || uid > 65_519
}

/// The same line came over another log (journald forwards to `/dev/kmsg` where `ForwardToKMsg=` is set, and takes
/// in what was written there). No program kills the same twice within a moment.
fn is_copy(kill: &UserspaceKill, record: &LogRecord, text: &str) -> bool {
    let (Some(known), Some(at)) = (kill.at, record.at) else {
        return false;
    };
    let apart = at.since(known).max(known.since(at));
    apart < COPY_WITHIN && text.chars().take(TEXT_MOST).eq(kill.text.chars())
}

/// Two lines tell of the same kill: they name the same process; or systemd counts the dead of the group that
/// systemd-oomd names, before it or after; or systemd-oomd kills the group again while that still dies.
fn is_same(kill: &UserspaceKill, claim: &Claim, at: Option<Monotonic>) -> bool {
    if kill.killer != claim.killer {
        return false;
    }
    if claim.pid.is_some() {
        return kill.pid == claim.pid && kill.comm == claim.comm;
    }
    let (Some(known), Some(group)) = (&kill.cgroup, &claim.cgroup) else {
        return false;
    };
    let within = |most| match (kill.at, at) {
        (Some(known), Some(at)) => at.since(known).max(known.since(at)) < most,
        (None, _) | (_, None) => true,
    };
    let unit = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    // systemd names a unit and gives no reason; it does not always know how many died.
    let (counts, was_counted) = (claim.reason.is_none(), kill.reason.is_none());
    match (counts, was_counted) {
        (true, false) => {
            kill.processes.is_none() && unit(known) == *group && within(COUNTED_WITHIN)
        }
        (false, true) => unit(group) == *known && within(COUNTED_WITHIN),
        (false, false) => {
            known == group && kill.at.is_some() && at.is_some() && within(DIES_WITHIN)
        }
        (true, true) => false,
    }
}

#[cfg(test)]
mod tests;
