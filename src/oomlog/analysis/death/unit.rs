//! Why a unit ended: systemd's `Result=` and how its main process ended, with the kills in it.

use super::units::End;
use super::{AT_ONCE, Cause, DYING, Doubt, SOON, Seen, cut};
use crate::oomlog::Killer;
use crate::oomlog::witness::{ExitCode, Fact, Says, Shortage, is_crash, is_kind};

/// SIGKILL.
const KILL: u32 = 9;
/// A shell and a container runtime report a child that SIGKILL ended with this status.
const CHILD_KILLED: u32 = 128 + KILL;

/// Judges an end; `all` are all facts in the order of time.
pub(super) fn cause(end: &End<'_>, all: &[Fact], seen: &Seen) -> (Cause, Vec<Doubt>) {
    let known = |cause| (cause, Vec::new());
    if let Some(killer) = program(end, all) {
        return known(Cause::Program { killer });
    }
    let by_oom = end.result == Some("oom-kill");
    let kernel = kernel_kill(end, by_oom);
    if by_oom || (kernel.is_some() && dies_at_once(end)) {
        return known(by_kernel(end, kernel));
    }
    if end.facts.iter().any(|fact| fact.says == Says::UnitOomKill)
        && end.main == Some((ExitCode::Killed, KILL))
    {
        return known(by_kernel(end, kernel));
    }
    let is_killed = end.facts.iter().any(|fact| fact.says == Says::UnitKills);
    let is_stopped = end
        .facts
        .iter()
        .any(|fact| fact.says == Says::Stopping && fact.at <= end.over);
    let is_requested = end
        .facts
        .iter()
        .any(|fact| fact.says == Says::OnRequest && (-AT_ONCE..SOON).contains(&(end.at - fact.at)));
    match end.result {
        Some(result @ ("watchdog" | "timeout" | "protocol" | "resources" | "start-limit-hit")) => {
            if result == "timeout" && is_stopped {
                return known(Cause::Stopped { forced: true });
            }
            return known(Cause::Systemd {
                result: result.to_owned(),
            });
        }
        _ if is_requested => return known(Cause::Requested),
        _ if is_stopped => return known(Cause::Stopped { forced: is_killed }),
        _ => {}
    }
    match end.main {
        Some((ExitCode::Dumped, signal)) => known(Cause::Crash { signal }),
        Some((ExitCode::Killed, signal)) if is_crash(signal) => known(Cause::Crash { signal }),
        Some((ExitCode::Killed, signal)) => signalled(signal, end, all, seen),
        Some((ExitCode::Exited, CHILD_KILLED)) if kernel.is_some() => known(by_kernel(end, kernel)),
        Some((ExitCode::Exited, status)) => known(Cause::Exit {
            status: Some(status),
        }),
        None if is_kind(end.unit, "scope") => (Cause::Unknown, vec![Doubt::Scope]),
        None if end.result == Some("success") => {
            // SIGTERM is success too: a program may have sent it.
            let doubts = nearby(end, all);
            if doubts.is_empty() {
                known(Cause::Exit { status: None })
            } else {
                (Cause::Unknown, doubts)
            }
        }
        None => (Cause::Unknown, vec![Doubt::Nothing]),
    }
}

/// A signal that ends without a fault: whoever is known to have sent it would stand in the log.
fn signalled(signal: u32, end: &End<'_>, all: &[Fact], seen: &Seen) -> (Cause, Vec<Doubt>) {
    let mut doubts = nearby(end, all);
    if signal == KILL {
        doubts.extend(seen.blind_at(end.at));
    }
    if doubts.is_empty() {
        (Cause::Signal { signal, by: None }, doubts)
    } else {
        (Cause::Unknown, doubts)
    }
}

/// Kills that may be behind an end though no record names this unit.
pub(super) fn nearby(end: &End<'_>, all: &[Fact]) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    for fact in all {
        let before = end.at - fact.at;
        match fact.says {
            Says::ProgramKill { .. } if (-AT_ONCE..SOON).contains(&before) => {
                doubts.push(Doubt::KillNearby);
            }
            Says::KernelKill { .. } if (-AT_ONCE..AT_ONCE).contains(&before) => {
                doubts.push(Doubt::OomNearby);
            }
            _ => {}
        }
    }
    doubts.sort_unstable();
    doubts.dedup();
    doubts
}

/// The program that killed the whole unit, or the main process by its name.
fn program(end: &End<'_>, all: &[Fact]) -> Option<Killer> {
    let is_whole = |fact: &Fact| {
        let group = fact.cgroup.as_deref().unwrap_or("");
        fact.unit.as_deref() == Some(end.unit) || group.rsplit('/').next() == Some(end.unit)
    };
    // Only a signal ends it without a word of its own.
    let by_signal = !matches!(end.main, Some((ExitCode::Exited | ExitCode::Dumped, _)));
    let is_main = |fact: &Fact| {
        let named = fact.comm.as_deref().map(cut);
        by_signal
            && named.is_some()
            && named == end.command.map(cut)
            && (0..AT_ONCE).contains(&(end.at - fact.at))
    };
    all.iter().rev().find_map(|fact| match &fact.says {
        Says::ProgramKill { killer, .. } => {
            let close = (-AT_ONCE..DYING).contains(&(end.over - fact.at));
            (close && is_whole(fact) || is_main(fact)).then_some(*killer)
        }
        _ => None,
    })
}

/// The kernel's kill in the unit that ended it: the newest before its end.
fn kernel_kill<'f>(end: &End<'f>, by_oom: bool) -> Option<&'f Fact> {
    let kills = end.facts.iter().copied();
    kills
        .filter(|fact| matches!(fact.says, Says::KernelKill { .. }))
        .rfind(|fact| by_oom || (end.at - fact.at).abs() < AT_ONCE)
}

/// SIGKILL ended the main process, or nobody says how the processes ended, when the kernel killed.
fn dies_at_once(end: &End<'_>) -> bool {
    end.main == Some((ExitCode::Killed, KILL)) || (end.main.is_none() && is_kind(end.unit, "scope"))
}

/// The kernel killed the main process; otherwise systemd stopped what was left.
fn by_kernel(end: &End<'_>, kill: Option<&Fact>) -> Cause {
    let (shortage, along) = match kill.map(|fact| &fact.says) {
        Some(Says::KernelKill { shortage, along }) => (shortage.clone(), *along),
        _ => (Shortage::Unknown, false),
    };
    let sent_by_systemd = end.facts.iter().any(|fact| fact.says == Says::UnitKills);
    let victim_is_main = match end.main {
        Some((ExitCode::Killed, KILL)) => !sent_by_systemd,
        Some((ExitCode::Exited, CHILD_KILLED)) => end.result != Some("oom-kill"),
        // A scope has no main process.
        None => is_kind(end.unit, "scope"),
        Some(_) => false,
    };
    if victim_is_main {
        Cause::KernelOom { shortage, along }
    } else {
        Cause::OomPolicy {
            victim: kill.and_then(|fact| fact.pid),
            comm: kill.and_then(|fact| fact.comm.clone()),
        }
    }
}
