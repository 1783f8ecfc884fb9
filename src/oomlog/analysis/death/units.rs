//! [`End`]: one end of a unit, with all facts about it since its start.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::{AT_ONCE, DYING, SECOND};
use crate::oomlog::witness::{ExitCode, Fact, Says, is_within_unit};

/// One end of a unit.
#[derive(Debug, Clone)]
pub(super) struct End<'f> {
    pub(super) unit: &'f str,
    /// Oldest first.
    pub(super) facts: Vec<&'f Fact>,
    /// When its main process ended, or the unit.
    pub(super) at: i64,
    /// When the last of it was gone.
    pub(super) over: i64,
    pub(super) main: Option<(ExitCode, u32)>,
    /// Name of the main process's command.
    pub(super) command: Option<&'f str>,
    /// `None` while systemd has not said that it is over.
    pub(super) result: Option<&'f str>,
}

/// All ends of a unit, oldest first.
type Ends<'f> = Rc<[End<'f>]>;

/// All facts in the order of time, and the ends of units among them, each found once: thousands may die in one unit.
pub(super) struct Facts<'f> {
    pub(super) all: &'f [Fact],
    known: RefCell<HashMap<(&'f str, Manager), Ends<'f>>>,
}

impl<'f> Facts<'f> {
    pub(super) fn new(all: &'f [Fact]) -> Self {
        Self {
            all,
            known: RefCell::default(),
        }
    }

    /// All ends of a unit, oldest first. Each manager may have a unit of this name: what is known to be about that of another
    /// is left out.
    pub(super) fn ends(&self, unit: &'f str, manager: Manager) -> Ends<'f> {
        let mut known = self.known.borrow_mut();
        let found = || ends(unit, manager, self.all).into();
        Rc::clone(known.entry((unit, manager)).or_insert_with(found))
    }
}

/// Facts before a start belong to an earlier life, except those that systemd writes late.
const LATE: i64 = 5 * SECOND;

/// A manager of units, as [`Fact::manager`] tells it; `None` if it is not known.
pub(super) type Manager = Option<Option<u32>>;

fn ends<'f>(unit: &'f str, manager: Manager, facts: &'f [Fact]) -> Vec<End<'f>> {
    let mut ends: Vec<End<'f>> = Vec::new();
    let mut open: Vec<&'f Fact> = Vec::new();
    for fact in facts.iter().filter(|fact| is_about(fact, unit, manager)) {
        match &fact.says {
            Says::Started => {
                ends.extend(end(unit, &open));
                open.clear();
            }
            Says::UnitResult(_) => {
                open.push(fact);
                ends.extend(end(unit, &open));
                open.clear();
            }
            // systemd looks at the counters after it has reaped the process.
            Says::UnitOomKill | Says::ProgramKill { .. } | Says::KernelKill { .. }
                if open.is_empty()
                    && ends
                        .last()
                        .is_some_and(|end| fact.at - end.over < LATE && is_late(fact, end)) =>
            {
                if let Some(end) = ends.last_mut() {
                    end.facts.push(fact);
                }
            }
            _ => open.push(fact),
        }
    }
    ends.extend(end(unit, &open));
    ends
}

/// systemd's word about a kill may come after the end; the kernel's stamp is that of the kill.
fn is_late(fact: &Fact, end: &End<'_>) -> bool {
    match fact.says {
        Says::KernelKill { .. } => fact.at - end.at < AT_ONCE / 4,
        _ => true,
    }
}

fn end<'f>(unit: &'f str, facts: &[&'f Fact]) -> Option<End<'f>> {
    let exit = facts.iter().find_map(|fact| match fact.says {
        Says::MainExit { code, status } => Some((fact, code, status)),
        _ => None,
    });
    let result = facts.iter().find_map(|fact| match &fact.says {
        Says::UnitResult(result) => Some((fact, result.as_str())),
        _ => None,
    });
    let over = result
        .map(|(fact, _)| fact.at)
        .or(exit.map(|(fact, ..)| fact.at))?;
    let at = exit.map_or(over, |(fact, ..)| fact.at);
    let by_oom = result.is_some_and(|(_, result)| result == "oom-kill");
    // What the unit has outlived is another death.
    let is_outlived = |fact: &Fact| {
        let kill = matches!(
            fact.says,
            Says::KernelKill { .. }
                | Says::UnitOomKill
                | Says::ProgramKill { .. }
                | Says::Crash { .. }
        );
        kill && !by_oom && at - fact.at > DYING
    };
    let mut facts = facts.to_vec();
    facts.retain(|fact| !is_outlived(fact));
    Some(End {
        unit,
        at,
        over,
        main: exit.map(|(_, code, status)| (code, status)),
        command: exit.and_then(|(fact, ..)| fact.comm.as_deref()),
        result: result.map(|(_, result)| result),
        facts,
    })
}

fn is_about(fact: &Fact, unit: &str, manager: Manager) -> bool {
    if matches!(fact.says, Says::Lived | Says::Waits { .. } | Says::Count) {
        return false;
    }
    // A program that kills a group kills the units below it too.
    if fact.of_unit() == Some(unit) {
        return may_be_of(fact, manager);
    }
    fact.cgroup
        .as_deref()
        .is_some_and(|group| is_within_unit(group, unit))
}

/// True unless the unit of the fact is known to be another manager's.
pub(super) fn may_be_of(fact: &Fact, manager: Manager) -> bool {
    manager.is_none() || fact.manager().is_none_or(|own| Some(own) == manager)
}
