//! [`Question`]: whose death is asked for.

use std::collections::HashSet;

use super::unit::nearby;
use super::units::{End, Facts, Manager, may_be_of};
use super::{Cause, Death, Seen, cut, in_order, process, unit};
use crate::oomlog::Pid;
use crate::oomlog::witness::{Fact, Says};

/// Whose death.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Of the process with this number.
    Pid(Pid),
    /// Of this unit of systemd.
    Unit(String),
    /// Of processes with this name, of a unit without its suffix, of a container by its id, of a pod.
    Name(String),
}

/// Suffixes of units that have processes.
const SUFFIXES: [&str; 7] = [
    ".service", ".scope", ".slice", ".socket", ".mount", ".swap", ".timer",
];

/// Fewest letters of a container's id.
const ID_LEAST: usize = 8;

impl Question {
    /// From what a user typed: a number, a name with the suffix of a unit, or any name.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if let Ok(pid) = text.parse() {
            return Self::Pid(pid);
        }
        if SUFFIXES.iter().any(|suffix| text.ends_with(suffix)) {
            return Self::Unit(text.to_owned());
        }
        Self::Name(text.to_owned())
    }
}

/// The deaths that the facts tell of, newest first. Facts may come in any order.
#[must_use]
pub fn deaths(question: &Question, facts: &[Fact], seen: &Seen) -> Vec<Death> {
    let facts = in_order(facts.to_vec());
    let facts = &Facts::new(&facts);
    let mut found = match question {
        Question::Pid(pid) => process::deaths(*pid, facts, seen),
        Question::Unit(name) => of_unit(name, facts, seen),
        Question::Name(name) => of_name(name, facts, seen),
    };
    // At the same moment a known cause comes before an unknown one: a process, then its scope.
    let rank = |death: &Death| {
        let first = if death.cause.is_known() {
            super::AT_ONCE
        } else {
            0
        };
        std::cmp::Reverse(death.at.saturating_add(first))
    };
    found.sort_by_key(rank);
    found
}

/// The ends of a unit, and the kills in it that it outlived. There may be several units of a name, one of each manager.
fn of_unit<'f>(name: &'f str, facts: &Facts<'f>, seen: &Seen) -> Vec<Death> {
    let about = facts.all.iter().filter(|fact| fact.of_unit() == Some(name));
    let mut known: Vec<Option<u32>> = about.filter_map(Fact::manager).collect();
    known.sort_unstable();
    known.dedup();
    let mut managers: Vec<Manager> = known.into_iter().map(Some).collect();
    if managers.is_empty() {
        managers.push(None);
    }
    let mut found: Vec<Death> = Vec::new();
    for manager in managers {
        for death in of_managed_unit(name, manager, facts, seen) {
            if !found.contains(&death) {
                found.push(death);
            }
        }
    }
    found
}

fn of_managed_unit<'f>(
    name: &'f str,
    manager: Manager,
    facts: &Facts<'f>,
    seen: &Seen,
) -> Vec<Death> {
    let mut found: Vec<Death> = facts
        .ends(name, manager)
        .iter()
        .map(|end| of_end(end, facts.all, seen))
        .collect();
    let told: HashSet<(i64, Option<Pid>)> = found
        .iter()
        .flat_map(|death| death.evidence.iter().map(|fact| (fact.at, fact.pid)))
        .collect();
    let is_untold = |fact: &Fact| {
        matches!(fact.says, Says::KernelKill { .. } | Says::Crash { .. })
            && !told.contains(&(fact.at, fact.pid))
            && fact.of_unit() == Some(name)
            && may_be_of(fact, manager)
    };
    let mut asked: HashSet<Pid> = HashSet::new();
    for fact in facts.all.iter().filter(|fact| is_untold(fact)) {
        if let Some(pid) = fact.pid.filter(|pid| asked.insert(*pid)) {
            let mut deaths = process::deaths(pid, facts, seen);
            let is_own = |fact: &Fact| fact.pid == Some(pid) && is_untold(fact);
            deaths.retain(|death| death.evidence.iter().any(is_own));
            found.append(&mut deaths);
        }
    }
    found
}

fn of_end(end: &End<'_>, facts: &[Fact], seen: &Seen) -> Death {
    let (cause, doubts) = unit::cause(end, facts, seen);
    let mut evidence: Vec<Fact> = end.facts.iter().map(|fact| (*fact).clone()).collect();
    if !doubts.is_empty() && !nearby(end, facts).is_empty() {
        // What makes it doubtful belongs to the evidence.
        let near = facts.iter().filter(|fact| {
            matches!(
                fact.says,
                Says::ProgramKill { .. } | Says::KernelKill { .. }
            ) && (end.at - fact.at).abs() < super::SOON
        });
        evidence.extend(near.cloned());
    }
    // The main process by its name: such lines name no unit.
    let by_name = facts.iter().filter(|fact| {
        let fits = match fact.says {
            Says::Crash { .. } => matches!(cause, Cause::Crash { .. }),
            Says::ProgramKill { .. } => matches!(cause, Cause::Program { .. }),
            _ => false,
        };
        fits && (end.at - fact.at).abs() < super::AT_ONCE
            && fact.comm.as_deref().map(cut) == end.command.map(cut)
    });
    evidence.extend(by_name.cloned());
    let cgroup = evidence.iter().find_map(|fact| fact.cgroup.clone());
    Death {
        at: end.at,
        pid: None,
        comm: end.command.map(str::to_owned),
        unit: Some(end.unit.to_owned()),
        cgroup,
        result: end.result.map(str::to_owned),
        cause,
        evidence: in_order(evidence),
        doubts,
    }
}

fn of_name(name: &str, known: &Facts<'_>, seen: &Seen) -> Vec<Death> {
    let facts = known.all;
    let is_named = |fact: &Fact| {
        fact.comm
            .as_deref()
            .is_some_and(|comm| cut(comm) == cut(name))
    };
    let is_container = |fact: &Fact| {
        let is_id = name.len() >= ID_LEAST && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_id
            && fact.cgroup.as_deref().is_some_and(|group| {
                group
                    .split(['/', '-', ':'])
                    .any(|part| part.starts_with(name))
            })
    };
    let mut pids: Vec<Pid> = facts
        .iter()
        .filter(|fact| is_named(fact) || is_container(fact))
        .filter_map(|fact| fact.pid)
        .collect();
    pids.sort_unstable();
    pids.dedup();
    let mut found: Vec<Death> = Vec::new();
    for pid in pids {
        let mut deaths = process::deaths(pid, known, seen);
        deaths.retain(|death| {
            let mut evidence = death.evidence.iter();
            evidence.any(|fact| fact.pid == Some(pid) && (is_named(fact) || is_container(fact)))
        });
        found.append(&mut deaths);
    }
    let mut units: Vec<&str> = facts
        .iter()
        .filter(|fact| {
            let unit = fact.unit.as_deref().unwrap_or("");
            let stem = unit.rsplit_once('.').map_or(unit, |(stem, _)| stem);
            let is_main = matches!(fact.says, Says::MainExit { .. }) && is_named(fact);
            let is_id = name.len() >= ID_LEAST && name.bytes().all(|byte| byte.is_ascii_hexdigit());
            stem == name || is_main || (is_id && stem.split('-').any(|part| part.starts_with(name)))
        })
        .filter_map(|fact| fact.unit.as_deref())
        .collect();
    units.sort_unstable();
    units.dedup();
    for unit in units {
        for death in of_unit(unit, known, seen) {
            match found.iter_mut().find(|known| is_same_end(known, &death)) {
                Some(known) => {
                    let evidence = [known.evidence.clone(), death.evidence].concat();
                    known.evidence = in_order(evidence);
                    known.unit = known.unit.take().or(death.unit);
                    known.result = known.result.take().or(death.result);
                }
                None => found.push(death),
            }
        }
    }
    found.extend(evictions(name, facts));
    found
}

/// The end of a process and that of its unit, told by the same records.
fn is_same_end(process: &Death, unit: &Death) -> bool {
    let decides = |fact: &&Fact| {
        matches!(
            fact.says,
            Says::UnitResult(_)
                | Says::KernelKill { .. }
                | Says::ProgramKill { .. }
                | Says::Crash { .. }
        )
    };
    let mut shared = process.evidence.iter().filter(decides);
    shared.any(|fact| unit.evidence.contains(fact))
        && (process.cause == unit.cause
            || process.evidence.iter().any(|fact| {
                matches!(fact.says, Says::UnitResult(_)) && unit.evidence.contains(fact)
            }))
}

/// Evictions of a pod: `namespace/name`, or the name alone.
fn evictions(name: &str, facts: &[Fact]) -> Vec<Death> {
    let is_pod = |fact: &&Fact| {
        let pod = fact.unit.as_deref().unwrap_or("");
        fact.says == Says::Evicted
            && (pod == name || pod.rsplit_once('/').is_some_and(|(_, pod)| pod == name))
    };
    let evicted = facts.iter().filter(is_pod);
    evicted
        .map(|fact| Death {
            at: fact.at,
            pid: None,
            comm: None,
            unit: fact.unit.clone(),
            cgroup: None,
            result: None,
            cause: Cause::Eviction,
            evidence: vec![fact.clone()],
            doubts: Vec::new(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Question, deaths};
    use crate::oomlog::analysis::death::{Cause, Death, Seen};
    use crate::oomlog::witness::{ExitCode, Fact, Says, Shortage, Source};

    const UNIT: &str = "app.service";
    const SECOND: i64 = 1_000_000;

    fn of_manager(at: i64, user: Option<u32>, says: Says) -> Fact {
        let source = match user {
            Some(_) => Source::UserManager,
            None => Source::Systemd,
        };
        Fact {
            unit: Some(UNIT.to_owned()),
            user,
            ..Fact::new(at * SECOND, source, "words", says)
        }
    }

    fn end(at: i64, user: Option<u32>, code: ExitCode, status: u32, result: &str) -> [Fact; 2] {
        [
            of_manager(at, user, Says::MainExit { code, status }),
            of_manager(at, user, Says::UnitResult(result.to_owned())),
        ]
    }

    fn asked(question: &Question, facts: &[Fact]) -> Vec<Death> {
        deaths(question, facts, &Seen::default())
    }

    #[test]
    fn units_of_one_name_are_those_of_their_managers() {
        // The system's app.service crashes; in the same second those of two users end by themselves, one of them with an
        // error.
        let mut facts: Vec<Fact> = Vec::new();
        facts.extend(end(10, Some(1000), ExitCode::Exited, 0, "success"));
        facts.extend(end(10, None, ExitCode::Dumped, 11, "core-dump"));
        facts.extend(end(10, Some(1001), ExitCode::Exited, 3, "exit-code"));
        let found = asked(&Question::Unit(UNIT.to_owned()), &facts);
        let mut causes: Vec<Cause> = found.iter().map(|death| death.cause.clone()).collect();
        causes.sort_by_key(|cause| format!("{cause:?}"));
        assert_eq!(
            causes,
            [
                Cause::Crash { signal: 11 },
                Cause::Exit { status: Some(0) },
                Cause::Exit { status: Some(3) },
            ]
        );
        // No evidence of one is that of another.
        for death in &found {
            let mut managers: Vec<_> = death.evidence.iter().map(Fact::manager).collect();
            managers.dedup();
            assert_eq!(managers.len(), 1, "{death:?}");
        }
    }

    #[test]
    fn of_thousands_killed_in_one_unit_each_has_a_few_of_the_others_as_evidence() {
        const KILLED: u32 = 3000;
        let kill = |pid: u32| Fact {
            pid: Some(pid),
            comm: Some("app".to_owned()),
            cgroup: Some(format!("/system.slice/{UNIT}")),
            ..Fact::new(
                SECOND,
                Source::KernelLog,
                "words",
                Says::KernelKill {
                    shortage: Shortage::Host,
                    along: true,
                },
            )
        };
        let mut facts: Vec<Fact> = (1..=KILLED).map(kill).collect();
        facts.extend(end(1, None, ExitCode::Killed, 9, "oom-kill"));
        let found = asked(&Question::Name("app".to_owned()), &facts);
        let pids = found.iter().filter(|death| death.pid.is_some()).count();
        assert!(pids <= KILLED as usize && pids > 0, "{pids}");
        let of_one = asked(&Question::Pid(7), &facts);
        assert_eq!(of_one.len(), 1);
        assert!(matches!(of_one[0].cause, Cause::KernelOom { .. }));
        let evidence = &of_one[0].evidence;
        assert!(evidence.len() < 30, "{}", evidence.len());
        assert!(evidence.iter().any(|fact| fact.pid == Some(7)));
    }

    #[test]
    fn a_process_died_with_the_unit_of_its_own_manager() {
        let group = "/user.slice/user-1000.slice/user@1000.service/app.slice/app.service";
        let lived = Fact {
            pid: Some(77),
            comm: Some("app".to_owned()),
            cgroup: Some(group.to_owned()),
            ..Fact::new(SECOND, Source::Itself, "words", Says::Lived)
        };
        let mut facts = vec![lived];
        // The system's unit of this name is stopped first; that was not its end.
        facts.push(of_manager(5, None, Says::Stopping));
        facts.push(of_manager(6, None, Says::UnitResult("success".to_owned())));
        facts.push(of_manager(
            20,
            Some(1000),
            Says::UnitResult("oom-kill".to_owned()),
        ));
        let found = asked(&Question::Pid(77), &facts);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].at, 20 * SECOND);
        assert_eq!(found[0].result.as_deref(), Some("oom-kill"));
    }
}
