//! [`Question`]: whose death is asked for.

use super::unit::nearby;
use super::units::{End, ends};
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
    let facts = &in_order(facts.to_vec());
    let mut found = match question {
        Question::Pid(pid) => process::deaths(*pid, facts, seen),
        Question::Unit(name) => of_unit(name, facts, seen),
        Question::Name(name) => of_name(name, facts, seen),
    };
    // Of what happened in the same moment the known cause comes first: a process, then its scope.
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

/// The ends of a unit, and the kills in it that it outlived.
fn of_unit(name: &str, facts: &[Fact], seen: &Seen) -> Vec<Death> {
    let mut found: Vec<Death> = ends(name, facts)
        .iter()
        .map(|end| of_end(end, facts, seen))
        .collect();
    let told: Vec<(i64, Option<Pid>)> = found
        .iter()
        .flat_map(|death| death.evidence.iter().map(|fact| (fact.at, fact.pid)))
        .collect();
    for fact in facts.iter().filter(|fact| fact.of_unit() == Some(name)) {
        if let Some(pid) = fact.pid
            && matches!(fact.says, Says::KernelKill { .. } | Says::Crash { .. })
            && !told.contains(&(fact.at, Some(pid)))
        {
            let mut deaths = process::deaths(pid, facts, seen);
            deaths.retain(|death| death.evidence.contains(fact) && !found.contains(death));
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

fn of_name(name: &str, facts: &[Fact], seen: &Seen) -> Vec<Death> {
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
        let mut deaths = process::deaths(pid, facts, seen);
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
        for death in of_unit(unit, facts, seen) {
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
