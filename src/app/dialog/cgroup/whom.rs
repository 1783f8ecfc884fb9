//! [`Whom`]: whom a move is for, one process or a set around it.

use super::CgroupDialog;
use crate::app::dialog::{DialogContext, Pinned};
use crate::app::input::id::ActionId as Id;
use crate::app::input::scope::KeyScope;
use crate::model::cgroup::CgroupPath;
use crate::model::process::{Process, ProcessId};
use crate::model::snapshot::{Host, Snapshot};
use crate::text::tone::{Line, Tone};

/// Most processes that are named one by one.
pub(super) const NAMED: usize = 6;

/// Name of the set of tagged processes.
const TAGGED: &str = "tagged";

/// The sets that can be moved, fixed when the dialog opened.
#[derive(Debug, Default)]
pub(super) struct Whom {
    sets: Vec<(&'static str, Vec<Pinned>)>,
    at: usize,
}

impl Whom {
    /// One process first, then those around it.
    pub(super) fn new(main: &Pinned, others: Vec<(&'static str, Vec<Pinned>)>) -> Self {
        let mut sets = vec![("this process", vec![main.clone()])];
        sets.extend(others);
        Self { sets, at: 0 }
    }

    /// The tagged processes and nobody else.
    pub(super) fn of_tagged(tagged: Vec<Pinned>) -> Self {
        Self {
            sets: vec![(TAGGED, tagged)],
            at: 0,
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
        self.sets.get(self.at).map_or("", |(name, _)| name)
    }

    /// The chosen ones, also those that have ended.
    pub(super) fn chosen(&self) -> &[Pinned] {
        self.sets.get(self.at).map_or(&[], |(_, set)| set)
    }

    /// Everybody in any of the sets.
    pub(super) fn everybody(&self) -> Vec<ProcessId> {
        let all = self.sets.iter().flat_map(|(_, set)| set);
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
        for (at, (name, set)) in self.sets.iter().enumerate() {
            let text = match set.len() {
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

/// Those of the sets that a move may take along: not the first process of the machine or a container, and not oomtop itself.
pub(in crate::app) fn may_move(
    sets: Vec<(&'static str, Vec<Pinned>)>,
    snapshot: &Snapshot,
    host: &Host,
) -> Vec<(&'static str, Vec<Pinned>)> {
    let is_taken = |pinned: &Pinned| {
        let process = snapshot.process(pinned.id);
        let is_init = process.is_some_and(|process| process.global_init);
        pinned.id.pid != 1 && !is_init && Some(pinned.id.pid) != host.own_pid
    };
    let sets = sets.into_iter().map(|(name, mut set)| {
        set.retain(is_taken);
        (name, set)
    });
    sets.filter(|(_, set)| set.len() > 1).collect()
}

impl CgroupDialog {
    /// Those of the chosen ones that live.
    pub(super) fn living<'a>(&self, context: &DialogContext<'a>) -> Vec<&'a Process> {
        let snapshot = context.cells.snapshot;
        living(self.whom.chosen(), snapshot)
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

pub(super) fn living<'a>(chosen: &[Pinned], snapshot: &'a Snapshot) -> Vec<&'a Process> {
    let mut wanted: Vec<_> = chosen.iter().map(|pinned| pinned.id).collect();
    wanted.sort_unstable();
    let processes = snapshot.processes.iter();
    let mut found: Vec<_> = processes
        .filter(|process| wanted.binary_search(&process.id).is_ok())
        .collect();
    found.sort_unstable_by_key(|process| process.id);
    found
}

/// The group of a process.
pub(super) fn group_of<'a>(process: &Process, snapshot: &'a Snapshot) -> Option<&'a CgroupPath> {
    Some(&snapshot.cgroup(process.cgroup?)?.path)
}
