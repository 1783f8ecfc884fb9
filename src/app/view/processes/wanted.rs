//! [`Wanted`]: how much room the contents of the flexible columns would fill.

use std::collections::BTreeSet;

use unicode_width::UnicodeWidthStr;

use super::folding::PATIENCE;
use super::row::Row;
use crate::app::view::processes::columns::{CellContext, command};
use crate::text::wording::short_group;

/// No screen is wider: a longer command line is not measured.
const ENOUGH: usize = 300;

/// The kernel cuts names after so many bytes.
const NAME: usize = 15;

/// Cells of the number of rows that are hidden below a process.
const HIDDEN: usize = 5;

/// Cells that the lines of the tree may add to the names.
const BRANCHES: usize = 10;

/// What the columns want, from sample to sample: they grow at once and shrink with patience. At the edge of the screen a
/// single name that comes and goes would else bring and take whole columns.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Held {
    shown: Wanted,
    /// The most of the samples since `since`.
    lately: Wanted,
    since: u64,
    /// The newest sample.
    now: u64,
}

impl Held {
    /// Takes what the rows of a sample want. Another order or filter of the same sample, or an older one, is measured
    /// anew: the user has changed the table.
    pub(super) fn learn(&mut self, wanted: Wanted, seq: u64) {
        if seq <= self.now || self.now == 0 {
            *self = Self {
                shown: wanted,
                lately: wanted,
                since: seq,
                now: seq,
            };
            return;
        }
        self.now = seq;
        self.lately = self.lately.most(wanted);
        self.shown = self.shown.most(wanted);
        if seq - self.since > PATIENCE {
            self.shown = self.lately;
            self.lately = wanted;
            self.since = seq;
        }
        self.shown.longest = wanted.longest;
    }

    /// What is wanted now.
    pub(super) fn shown(self) -> Wanted {
        self.shown
    }
}

/// Cells that the longest contents fill.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wanted {
    group: u16,
    command: u16,
    name: u16,
    /// What the lines of the tree take beside the names.
    branches: u16,
    pid: u16,
    /// Bytes of the longest command line.
    longest: u16,
}

fn cells(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

impl Wanted {
    /// Measures all rows, not those on the screen alone: scrolling must not move the columns.
    pub(super) fn by(rows: &[Row], context: &CellContext<'_>) -> Self {
        let snapshot = context.snapshot;
        let processes = || rows.iter().filter_map(|row| row.process(snapshot));
        let keys: BTreeSet<_> = processes().filter_map(|process| process.cgroup).collect();
        let groups = keys.into_iter().filter_map(|key| snapshot.cgroup(key));
        let groups = groups.map(|group| short_group(group.path.as_str()).width());
        let (mut command, mut name, mut bytes) = (0, 0, 0);
        let mut has_branches = false;
        for row in rows {
            let Some(process) = row.process(snapshot) else {
                continue;
            };
            // The columns must not move when a deep row comes or goes.
            has_branches |= row.depth > 0;
            let hidden = if row.collapsed { HIDDEN } else { 0 };
            if process.comm.as_bytes().len().min(NAME) + hidden > name {
                name = name.max(process.comm.text().width() + hidden);
            }
            let Some(line) = process.command.as_deref() else {
                continue;
            };
            bytes = bytes.max(line.len());
            // Only a longer line can be wider.
            if command < ENOUGH && line.len() + NAME + 2 > command {
                command = command.max(if line.len() > ENOUGH {
                    ENOUGH
                } else {
                    command::shown(process, context.commands).text.width()
                });
            }
        }
        let branches = if has_branches {
            (NAME + BRANCHES).saturating_sub(name)
        } else {
            0
        };
        let pid = processes().map(|process| process.id.pid).max();
        Self {
            group: cells(groups.max().unwrap_or(0)),
            command: cells(command),
            name: cells(name),
            branches: cells(branches),
            pid: cells(pid.unwrap_or(0).to_string().len()),
            longest: cells(bytes),
        }
    }

    /// The larger of two, column by column.
    fn most(self, other: Self) -> Self {
        Self {
            group: self.group.max(other.group),
            command: self.command.max(other.command),
            name: self.name.max(other.name),
            branches: self.branches.max(other.branches),
            pid: self.pid.max(other.pid),
            longest: self.longest.max(other.longest),
        }
    }

    /// What the column of this id wants, if its contents were measured.
    pub(super) fn of(self, id: &str) -> Option<u16> {
        match id {
            "cgroup" => Some(self.group),
            "command" => Some(self.command),
            "name" => Some(self.name),
            "pid" | "ppid" => Some(self.pid),
            _ => None,
        }
    }

    /// Cells that the lines of the tree take besides.
    pub(super) fn branches(self) -> u16 {
        self.branches
    }

    /// Cells to which the longest command line may reach.
    pub(super) fn longest(self) -> u16 {
        self.longest
    }
}
