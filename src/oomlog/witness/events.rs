//! Facts from OOM events: the kernel's kills and those of programs.

use std::collections::{HashMap, HashSet};

use super::{Fact, Says, Shortage, Source};
use crate::oomlog::analysis::verdict::{RanOut, what_ran_out};
use crate::oomlog::{Monotonic, OomEvent, OomReport, Pid, UserspaceKill};

/// The facts of an event; `wall` turns its stamps into microseconds since 1970.
#[must_use]
pub fn facts_of(event: &OomEvent, wall: impl Fn(Monotonic) -> i64) -> Vec<Fact> {
    match event {
        OomEvent::Report(report) => kernel(report, &wall),
        OomEvent::Userspace(kill) if !kill.survived => kill
            .at
            .map(|at| program(kill, wall(at)))
            .into_iter()
            .collect(),
        OomEvent::Userspace(_) | OomEvent::Gap { .. } => Vec::new(),
    }
}

fn kernel(report: &OomReport, wall: &impl Fn(Monotonic) -> i64) -> Vec<Fact> {
    let shortage = match what_ran_out(report) {
        RanOut::ByRequest => Shortage::Request,
        RanOut::Limit { cgroup, .. } | RanOut::HiddenLimit { cgroup } => Shortage::Memcg { cgroup },
        RanOut::Host { .. } | RanOut::Blocks | RanOut::Zones | RanOut::NothingShown => {
            Shortage::Host
        }
        RanOut::CpusetNodes | RanOut::PolicyNodes | RanOut::Nodes => Shortage::Nodes,
        // A line without its report begins with "Memory cgroup out of memory" where a limit ran out.
        RanOut::Other | RanOut::Unknown => match report.message.as_deref() {
            Some("Memory cgroup out of memory") => Shortage::Memcg { cgroup: None },
            Some("Out of memory") => Shortage::Host,
            _ => Shortage::Unknown,
        },
    };
    let fact = |at: Option<Monotonic>, pid, comm: Option<&str>, along, text: &str| {
        let says = Says::KernelKill {
            shortage: shortage.clone(),
            along,
        };
        Some(Fact {
            pid: Some(pid),
            comm: comm.map(str::to_owned),
            ..Fact::new(wall(at.or(report.at)?), Source::KernelLog, text, says)
        })
    };
    // One pass: a group of thousands dies in one report.
    let lines: HashMap<Pid, &str> = report
        .raw
        .lines()
        .filter_map(|line| Some((killed_in(line)?, line)))
        .collect();
    let mut facts: Vec<Fact> = report
        .kills
        .iter()
        .filter_map(|kill| {
            let named = kill.thread.unwrap_or(kill.pid);
            let line = lines.get(&named).map_or_else(
                || format!("Killed process {} ({})", kill.pid, kill.comm),
                |line| (*line).to_owned(),
            );
            let along = kill.group_member;
            let mut fact = fact(kill.at, kill.pid, Some(&kill.comm), along, &line)?;
            let is_chosen = report
                .chosen
                .as_ref()
                .is_none_or(|chosen| chosen.pid == kill.pid);
            // The path in the report is that of the chosen one; who dies along lived in the killed group.
            fact.cgroup = if is_chosen {
                report.task_memcg.clone()
            } else {
                None
            }
            .or_else(|| report.oom_group.clone().filter(|_| along));
            Some(fact)
        })
        .collect();
    let named = report.kills.iter().map(|kill| Some(kill.pid));
    let threads = report.kills.iter().map(|kill| kill.thread);
    let told: HashSet<Pid> = named.chain(threads).flatten().collect();
    let silent = report.reaped.iter().chain(&report.shared_memory);
    for pid in silent.copied().filter(|pid| !told.contains(pid)) {
        // It shares the memory of the victim; a thread of a victim is reaped under its own number too.
        let text = format!("oom_reaper: reaped process {pid}: it shared the victim's memory");
        let row = report.tasks.as_ref().and_then(|table| table.row(pid));
        facts.extend(fact(
            None,
            pid,
            row.map(|row| row.comm.as_str()),
            true,
            &text,
        ));
    }
    facts
}

/// The process that a line of the kernel says it kills: `Killed process 812 (java) …`.
fn killed_in(line: &str) -> Option<Pid> {
    let marks = ["Killed process ", "Kill process "];
    let (_, rest) = marks.iter().find_map(|mark| line.split_once(mark))?;
    rest.split_once(' ')?.0.parse().ok()
}

fn program(kill: &UserspaceKill, at: i64) -> Fact {
    let says = Says::ProgramKill {
        killer: kill.killer,
        signal: kill.signal.clone(),
    };
    let group = kill.cgroup.clone();
    let is_unit = group.as_deref().is_some_and(|group| !group.contains('/'));
    let (unit, cgroup) = if is_unit {
        (group, None)
    } else {
        (None, group)
    };
    Fact {
        pid: kill.pid,
        comm: kill.comm.clone(),
        unit,
        cgroup,
        ..Fact::new(at, Source::Program, &kill.text, says)
    }
}
