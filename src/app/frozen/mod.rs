//! [`FrozenThings`]: what this session has stopped and not let run on. It stays on the screen until it runs again,
//! whoever lets it, and the way to thaw it is known outside of oomtop too: who ends oomtop must not leave a machine
//! that stands still without a word.

mod banner;
mod taking;

use std::fmt::Write as _;

use crate::app::msg::WriteId;
use crate::model::cgroup::CgroupPath;
use crate::model::freezer::{Freezable, FreezerState};
use crate::model::incident::{Survey, plans};
use crate::model::plan::Plan;
use crate::model::shell::quoted;
use crate::model::time::Monotonic;

/// Most things that are remembered. A plan that stops more than this one by one is not made.
pub const MOST: usize = 1024;

/// Most groups whose thawing command is remembered.
const COMMANDS: usize = 64;

/// Longest word about them, in bytes: less than a pipe takes in one piece (pipe(7) `PIPE_BUF`).
const WORD: usize = 2000;

/// One thing.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Thing {
    what: Freezable,
    name: String,
    state: FreezerState,
    since: Monotonic,
}

/// What this session has stopped.
#[derive(Debug, Clone, Default)]
pub struct FrozenThings {
    things: Vec<Thing>,
    /// Requested, and without a receipt yet.
    asked: Vec<(WriteId, Vec<Freezable>)>,
    /// How the groups that were looked at are thawed.
    commands: Vec<(CgroupPath, String)>,
}

impl FrozenThings {
    /// True if all that was stopped runs again.
    pub fn is_empty(&self) -> bool {
        self.things.is_empty()
    }

    /// What each sample must look at.
    pub(super) fn wanted(&self) -> Vec<Freezable> {
        self.things.iter().map(|thing| thing.what.clone()).collect()
    }

    /// Remembers how the group is thawed.
    pub(super) fn learn(&mut self, survey: &Survey) {
        let Some(freezer) = &survey.freezer else {
            return;
        };
        let is_frozen = |group: &CgroupPath| {
            let mut things = self.things.iter();
            things.any(|thing| matches!(&thing.what, Freezable::Group(path) if path == group))
        };
        self.commands.retain(|(group, _)| *group != survey.group);
        if self.commands.len() >= COMMANDS
            && let Some(at) = self
                .commands
                .iter()
                .position(|(group, _)| !is_frozen(group))
        {
            self.commands.remove(at);
        }
        let command = freezer.thaw.clone();
        self.commands.push((survey.group.clone(), command));
    }

    /// What lets all of them run on, the last stopped first.
    pub(super) fn thaw(&self) -> Vec<Plan> {
        let newest_first = self.things.iter().rev();
        newest_first
            .flat_map(|thing| match &thing.what {
                Freezable::Group(group) => plans::freeze(group, false),
                Freezable::Process(id) => plans::stop([*id], false),
            })
            .collect()
    }

    /// What to say once oomtop is gone: each thing that may be frozen then, and the command that thaws it. Empty if
    /// there is none.
    pub fn word(&self) -> String {
        let frozen = self
            .things
            .iter()
            .map(|thing| (&thing.what, "still frozen"));
        let asked = self.asked.iter().flat_map(|(_, things)| things);
        let asked = asked.map(|what| (what, "perhaps frozen"));
        let mut word = String::new();
        let mut left = 0_usize;
        for (what, how) in frozen.chain(asked) {
            let line = format!("oomtop: {how}: {}\n", self.command(what));
            if word.len() + line.len() > WORD {
                left += 1;
            } else {
                word.push_str(&line);
            }
        }
        if left > 0 {
            // Writing to a String cannot fail.
            let _ = writeln!(word, "oomtop: and {left} more");
        }
        word
    }

    /// What it is and how it is thawed, in ASCII.
    fn command(&self, what: &Freezable) -> String {
        match what {
            Freezable::Process(id) => {
                format!(
                    "process {}; it continues with: kill -CONT {}",
                    id.pid, id.pid
                )
            }
            Freezable::Group(group) => {
                let path = quoted(&group.to_string());
                let mut known = self.commands.iter();
                match known.find(|(known, _)| known == group) {
                    Some((_, thaw)) => format!("{path}; it continues with: {thaw}"),
                    None => format!("{path}; look at its cgroup.freeze or freezer.state"),
                }
            }
        }
    }
}
