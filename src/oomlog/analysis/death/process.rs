//! Why a process ended: what names its pid, and the end of its unit.

use super::units::{End, Facts};
use super::{AT_ONCE, Cause, DYING, Death, Doubt, Seen, cut, in_order, unit};
use crate::oomlog::witness::{ExitCode, Fact, Says, Sender, Source, is_crash};
use crate::oomlog::{Killer, Pid};

/// Most kills of others that are evidence of a death.
const OTHERS: usize = 16;

/// All deaths of this pid, oldest first.
pub(super) fn deaths(pid: Pid, known: &Facts<'_>, seen: &Seen) -> Vec<Death> {
    let facts = known.all;
    let mut deaths: Vec<Vec<&Fact>> = Vec::new();
    for fact in facts
        .iter()
        .filter(|fact| fact.pid == Some(pid) && is_deadly(fact))
    {
        match deaths.last_mut() {
            Some(death) if is_same(death, fact) => death.push(fact),
            _ => deaths.push(vec![fact]),
        }
    }
    let mut begins = i64::MIN;
    let mut judged: Vec<Death> = Vec::new();
    for named in deaths {
        let death = judge(pid, begins, &named, known, seen);
        begins = named.last().map_or(begins, |fact| fact.at);
        judged.extend(death);
    }
    judged.extend(unnamed(pid, begins, known, seen));
    let zombie = facts.iter().find_map(|fact| match fact.says {
        Says::Waits { code, status } if fact.pid == Some(pid) => Some((fact, code, status)),
        _ => None,
    });
    if let Some((fact, code, status)) = zombie
        && judged.last().is_none_or(|death| death.at < fact.at)
    {
        let cause = waits(code, status, seen);
        judged.push(death(pid, fact, None, vec![fact.clone()], cause));
    }
    judged
}

/// How a zombie ended: only SIGKILL may be the kernel's.
fn waits(code: ExitCode, status: u32, seen: &Seen) -> (Cause, Vec<Doubt>) {
    let known = |cause| (cause, Vec::new());
    match code {
        ExitCode::Exited => known(Cause::Exit {
            status: Some(status),
        }),
        _ if is_crash(status) => known(Cause::Crash { signal: status }),
        _ if status == 9 && seen.kernel_kills != Some(0) => {
            (Cause::Unknown, vec![Doubt::OomNearby])
        }
        _ => known(Cause::Signal {
            signal: status,
            by: None,
        }),
    }
}

fn is_deadly(fact: &Fact) -> bool {
    match fact.says {
        Says::KernelKill { .. }
        | Says::ProgramKill { .. }
        | Says::Sigkill { .. }
        | Says::Crash { .. }
        | Says::UnitKills
        | Says::OnRequest => true,
        Says::MainExit { .. }
        | Says::UnitResult(_)
        | Says::UnitOomKill
        | Says::Stopping
        | Says::Started
        | Says::Evicted
        | Says::Lived
        | Says::Waits { .. }
        | Says::Count => false,
    }
}

/// A fact about the same death. A pid may be used again soon where `pid_max` is small.
fn is_same(death: &[&Fact], fact: &Fact) -> bool {
    let Some(last) = death.last() else {
        return false;
    };
    let same_name = match (&last.comm, &fact.comm) {
        (Some(a), Some(b)) => cut(a) == cut(b),
        _ => true,
    };
    fact.at - last.at < if same_name { DYING } else { AT_ONCE }
}

fn judge<'f>(
    pid: Pid,
    begins: i64,
    named: &[&'f Fact],
    known: &Facts<'f>,
    seen: &Seen,
) -> Option<Death> {
    let facts = known.all;
    let first = named.first()?;
    let lived = lived(pid, begins, first.at, facts);
    // The unit with its manager: another manager may have one of the same name.
    let mut tell = named.iter().copied().chain(lived);
    let unit = tell.find_map(|fact| Some((fact.of_unit()?, fact.manager())));
    let end = unit.and_then(|(unit, manager)| {
        let close = |end: &End<'_>| end.over >= first.at - AT_ONCE && end.at <= first.at + DYING;
        known
            .ends(unit, manager)
            .iter()
            .find(|end| close(end))
            .cloned()
    });
    let cause = by_name(named, end.as_ref());
    let mut evidence: Vec<Fact> = lived.into_iter().cloned().collect();
    evidence.extend(named.iter().map(|fact| (*fact).clone()));
    let (cause, doubts) = cause.map_or_else(
        || match &end {
            Some(end) => of_unit(named, end, facts, seen),
            None if named.iter().any(|fact| fact.says == Says::OnRequest) => {
                (Cause::Requested, Vec::new())
            }
            None => (Cause::Unknown, vec![Doubt::Nothing]),
        },
        |cause| (cause, Vec::new()),
    );
    Some(death(pid, first, end.as_ref(), evidence, (cause, doubts)))
}

/// systemd ended it: why the unit ended, unless that is how its main process ended.
fn of_unit(named: &[&Fact], end: &End<'_>, facts: &[Fact], seen: &Seen) -> (Cause, Vec<Doubt>) {
    let (cause, doubts) = unit::cause(end, facts, seen);
    let by_systemd = named.iter().any(|fact| fact.says == Says::UnitKills);
    match cause {
        Cause::Exit { .. } | Cause::Signal { .. } | Cause::Crash { .. } | Cause::Unknown
            if by_systemd =>
        {
            let result = end.result.unwrap_or("not known").to_owned();
            (Cause::Systemd { result }, Vec::new())
        }
        cause => (cause, doubts),
    }
}

/// The cause by what names the pid.
fn by_name(named: &[&Fact], end: Option<&End<'_>>) -> Option<Cause> {
    // Who sent SIGKILL first has killed it.
    named
        .iter()
        .find_map(|fact| match &fact.says {
            Says::KernelKill { shortage, along } => Some(Cause::KernelOom {
                shortage: shortage.clone(),
                along: *along,
            }),
            Says::ProgramKill { killer, signal } if signal.as_deref() == Some("SIGKILL") => {
                Some(Cause::Program { killer: *killer })
            }
            Says::Crash { signal } => Some(Cause::Crash { signal: *signal }),
            Says::Sigkill { by } => sigkill(by, end),
            _ => None,
        })
        .or_else(|| {
            named.iter().find_map(|fact| match &fact.says {
                Says::ProgramKill { killer, .. } => Some(Cause::Program { killer: *killer }),
                _ => None,
            })
        })
        .or_else(|| {
            // systemd ended the unit: why it did so is the cause of the unit's end.
            let end = end?;
            let kernel = end
                .facts
                .iter()
                .find(|fact| matches!(fact.says, Says::KernelKill { .. }));
            (end.result == Some("oom-kill")).then(|| Cause::OomPolicy {
                victim: kernel.and_then(|fact| fact.pid),
                comm: kernel.and_then(|fact| fact.comm.clone()),
            })
        })
}

/// What a SIGKILL of this sender means. Why systemd sends it, the end of the unit tells.
fn sigkill(by: &Sender, end: Option<&End<'_>>) -> Option<Cause> {
    /// Daemons have uids below.
    const USERS: u32 = 1000;
    let is_daemon = by.uid < USERS || (61_184..=65_519).contains(&by.uid);
    let mut killers = Killer::ALL.into_iter().filter(|killer| killer.is_program());
    let killer = killers.find(|killer| is_daemon && cut(killer.name()) == cut(&by.comm));
    match killer {
        Some(killer) => Some(Cause::Program { killer }),
        None if by.pid == 1 && end.is_some() => None,
        None if by.pid == 1 && by.comm == "systemd" => Some(Cause::Stopped { forced: true }),
        None => Some(Cause::Signal {
            signal: 9,
            by: Some(by.clone()),
        }),
    }
}

/// The last record that shows the process in a unit.
fn lived(pid: Pid, after: i64, before: i64, facts: &[Fact]) -> Option<&Fact> {
    facts.iter().rfind(|fact| {
        fact.pid == Some(pid) && fact.says == Says::Lived && fact.at > after && fact.at <= before
    })
}

/// A process that no record calls dead: its unit ended after it last lived.
fn unnamed(pid: Pid, begins: i64, known: &Facts<'_>, seen: &Seen) -> Option<Death> {
    let facts = known.all;
    let lived = lived(pid, begins, i64::MAX, facts)?;
    let unit = lived.of_unit()?;
    let ends = known.ends(unit, lived.manager());
    let end = ends.iter().find(|end| end.over >= lived.at)?;
    let (cause, doubts) = unit::cause(end, facts, seen);
    let whole_unit = matches!(
        cause,
        Cause::Stopped { .. }
            | Cause::OomPolicy { .. }
            | Cause::Program { .. }
            | Cause::Systemd { .. }
            | Cause::KernelOom { along: true, .. }
    );
    let is_main = end.command.is_some_and(|command| {
        lived
            .comm
            .as_deref()
            .is_some_and(|comm| cut(command) == cut(comm))
    });
    let judged = if whole_unit || (is_main && cause.is_known()) {
        (cause, doubts)
    } else {
        (Cause::Unknown, [doubts, vec![Doubt::NotMain]].concat())
    };
    Some(death(pid, lived, Some(end), vec![lived.clone()], judged))
}

fn death(
    pid: Pid,
    first: &Fact,
    end: Option<&End<'_>>,
    mut evidence: Vec<Fact>,
    (cause, doubts): (Cause, Vec<Doubt>),
) -> Death {
    if let Some(end) = end {
        // Thousands may have been killed in the unit: the last ones stand for the others.
        let is_others =
            |fact: &&Fact| fact.pid != Some(pid) && matches!(fact.says, Says::KernelKill { .. });
        let others = end.facts.iter().filter(|fact| is_others(fact)).count();
        let mut left_out = others.saturating_sub(OTHERS);
        evidence.extend(end.facts.iter().filter_map(|fact| {
            if left_out > 0 && is_others(fact) {
                left_out -= 1;
                return None;
            }
            Some((*fact).clone())
        }));
    }
    let named = |of: fn(&Fact) -> Option<&String>| evidence_of(pid, &evidence, of);
    let (comm, cgroup) = (
        named(|fact| fact.comm.as_ref()),
        named(|fact| fact.cgroup.as_ref()),
    );
    let unit = first.of_unit().or_else(|| {
        evidence
            .iter()
            .filter(|fact| fact.pid == Some(pid))
            .find_map(Fact::of_unit)
    });
    Death {
        at: if first.source == Source::Itself {
            end.map_or(first.at, |end| end.at)
        } else {
            first.at
        },
        pid: Some(pid),
        comm,
        unit: unit.map(str::to_owned),
        cgroup,
        result: end.and_then(|end| end.result).map(str::to_owned),
        cause,
        doubts,
        evidence: in_order(evidence),
    }
}

fn evidence_of(pid: Pid, evidence: &[Fact], of: fn(&Fact) -> Option<&String>) -> Option<String> {
    let mut named = evidence.iter().filter(|fact| fact.pid == Some(pid));
    named.find_map(of).cloned()
}
