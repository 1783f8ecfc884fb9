//! [`Whom`]: whom a move is for, one process or a set around it.

use std::collections::HashSet;

use super::CgroupDialog;
use super::once::Once;
use crate::app::dialog::{DialogContext, Pinned};
use crate::app::input::id::ActionId as Id;
use crate::app::input::scope::KeyScope;
use crate::app::view::processes::targets;
use crate::model::cgroup::CgroupPath;
use crate::model::process::{Pid, Process, ProcessId};
use crate::model::snapshot::{Host, Snapshot};
use crate::text::tone::{Line, Tone};

/// Most processes that are named one by one.
pub(super) const NAMED: usize = 6;

/// Name of the set of tagged processes.
pub(in crate::app) const TAGGED: &str = "tagged";

/// Processes that a move can be for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::app) struct MoveSet {
    /// `same cgroup`.
    pub name: &'static str,
    /// Those that are moved.
    pub members: Vec<Pinned>,
    /// Those of the set that no move of several takes along, each with the reason.
    pub left_out: Vec<(Pinned, &'static str)>,
}

/// The sets that can be moved, fixed when the dialog opened.
#[derive(Debug, Default)]
pub(super) struct Whom {
    sets: Vec<MoveSet>,
    at: usize,
    living: Once<Vec<usize>>,
    newcomers: Once<Vec<usize>>,
}

impl Whom {
    /// One process first, then those around it.
    pub(super) fn new(main: &Pinned, others: Vec<MoveSet>) -> Self {
        let mut sets = vec![MoveSet {
            name: "this process",
            members: vec![main.clone()],
            left_out: Vec::new(),
        }];
        sets.extend(others);
        Self {
            sets,
            ..Self::default()
        }
    }

    /// The tagged processes and nobody else.
    pub(super) fn of_tagged(tagged: MoveSet) -> Self {
        Self {
            sets: vec![tagged],
            ..Self::default()
        }
    }

    pub(super) fn is_choice(&self) -> bool {
        self.sets.len() > 1
    }

    pub(super) fn next(&mut self) {
        self.at = (self.at + 1) % self.sets.len().max(1);
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn name(&self) -> &'static str {
        self.sets.get(self.at).map_or("", |set| set.name)
    }

    /// The chosen ones, also those that have ended.
    pub(super) fn chosen(&self) -> &[Pinned] {
        self.sets.get(self.at).map_or(&[], |set| &set.members)
    }

    /// Who of the chosen set stays, a line for each.
    pub(super) fn left_out(&self) -> Vec<Line> {
        let stays = self.sets.get(self.at).map_or(&[][..], |set| &set.left_out);
        let line = |(who, why): &(Pinned, &str)| {
            Line::of(Tone::Watch, format!("{who} is left out: it is {why}."))
        };
        stays.iter().map(line).collect()
    }

    /// Those of the chosen ones that live, by id.
    pub(super) fn living<'a>(&self, snapshot: &'a Snapshot) -> Vec<&'a Process> {
        let chosen = self.chosen();
        self.living.processes(snapshot, self.at, || {
            let wanted: HashSet<_> = chosen.iter().map(|pinned| pinned.id).collect();
            places(snapshot, |process| wanted.contains(&process.id))
        })
    }

    /// Those of the chosen set around `main` that have come since the dialog opened, by id.
    pub(super) fn newcomers<'a>(
        &self,
        main: &Process,
        snapshot: &'a Snapshot,
        host: &Host,
    ) -> Vec<&'a Process> {
        self.newcomers.processes(snapshot, self.at, || {
            let known: HashSet<_> = self.chosen().iter().map(|pinned| pinned.id).collect();
            let is_in = targets::is_in(self.name(), main, snapshot);
            let is_new = |process: &Process| {
                is_in(process)
                    && !known.contains(&process.id)
                    && why_it_stays(process.id.pid, host).is_none()
            };
            places(snapshot, is_new)
        })
    }

    /// Everybody in any of the sets.
    pub(super) fn everybody(&self) -> Vec<ProcessId> {
        let all = self.sets.iter().flat_map(|set| &set.members);
        let mut all: Vec<_> = all.map(|pinned| pinned.id).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The choice, with its key.
    pub(super) fn line(&self, context: &DialogContext<'_>) -> Option<Line> {
        if !self.is_choice() {
            return None;
        }
        let mut line = Line::of(Tone::Dim, "whom ");
        for (at, MoveSet { name, members, .. }) in self.sets.iter().enumerate() {
            let text = match members.len() {
                1 => (*name).to_owned(),
                count => format!("{name} ({count})"),
            };
            if at == self.at {
                line.push(Tone::Accent, format!("[{text}]"));
            } else {
                line.push(Tone::Dim, format!(" {text} "));
            }
        }
        let key = context.keymap.name_in(KeyScope::Cgroup, Id::Whom);
        Some(line.add(Tone::Dim, format!("  ({key})")))
    }
}

/// Splits a set into those that a move may take along and the others: the first process of the machine or a container, and
/// oomtop itself.
pub(in crate::app) fn may_move(name: &'static str, set: Vec<Pinned>, host: &Host) -> MoveSet {
    let mut found = MoveSet {
        name,
        ..MoveSet::default()
    };
    for pinned in set {
        match why_it_stays(pinned.id.pid, host) {
            Some(why) => found.left_out.push((pinned, why)),
            None => found.members.push(pinned),
        }
    }
    found
}

/// What a process is that no move of several takes along.
fn why_it_stays(pid: Pid, host: &Host) -> Option<&'static str> {
    match pid {
        1 => Some("the first process of this machine or container"),
        pid if Some(pid) == host.own_pid => Some("oomtop itself"),
        _ => None,
    }
}

impl CgroupDialog {
    /// Those of the chosen ones that live.
    pub(super) fn living<'a>(&self, context: &DialogContext<'a>) -> Vec<&'a Process> {
        self.whom.living(context.cells.snapshot)
    }

    /// True if the move is for several.
    pub(super) fn is_for_many(&self) -> bool {
        self.whom.chosen().len() > 1
    }

    /// `12 processes: 2456 mysqld with descendants`.
    pub(super) fn whose(&self) -> Option<String> {
        let main = self.target.as_ref()?;
        Some(match (self.whom.chosen(), self.whom.name()) {
            ([one], TAGGED) => format!("{one} (tagged)"),
            ([] | [_], _) => main.to_string(),
            (many, TAGGED) => format!("{} tagged processes", many.len()),
            (many, name) => format!("{} processes: {main}, {name}", many.len()),
        })
    }
}

/// Where those processes are in the sample, by id.
fn places(snapshot: &Snapshot, wanted: impl Fn(&Process) -> bool) -> Vec<usize> {
    let processes = snapshot.processes.iter().enumerate();
    let wanted = processes.filter(|(_, process)| wanted(process));
    let mut found: Vec<_> = wanted.map(|(at, process)| (process.id, at)).collect();
    found.sort_unstable();
    found.into_iter().map(|(_, at)| at).collect()
}

/// The group of a process.
pub(super) fn group_of<'a>(process: &Process, snapshot: &'a Snapshot) -> Option<&'a CgroupPath> {
    Some(&snapshot.cgroup(process.cgroup?)?.path)
}
