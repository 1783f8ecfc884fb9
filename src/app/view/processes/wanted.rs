//! [`Wanted`]: how much room the contents of the flexible columns would fill.

use std::collections::BTreeSet;

use unicode_width::UnicodeWidthStr;

use super::row::Row;
use crate::app::view::processes::columns::command;
use crate::model::snapshot::Snapshot;
use crate::text::wording::short_group;

/// No screen is wider: a longer command line is not measured.
const ENOUGH: usize = 300;

/// Cells that the longest contents fill.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wanted {
    group: u16,
    command: u16,
}

impl Wanted {
    /// Measures all rows, not those on the screen alone: scrolling must not move the columns.
    pub(super) fn by(rows: &[Row], snapshot: &Snapshot) -> Self {
        let processes = || rows.iter().filter_map(|row| row.process(snapshot));
        let keys: BTreeSet<_> = processes().filter_map(|process| process.cgroup).collect();
        let groups = keys.into_iter().filter_map(|key| snapshot.cgroup(key));
        let groups = groups.map(|group| short_group(group.path.as_str()).width());
        let mut longest = 0;
        for process in processes() {
            // The lines of the tree take two cells a level.
            let title = process.title();
            longest = longest.max(if title.len() > ENOUGH {
                ENOUGH
            } else {
                command::short(process).width()
            });
            if longest >= ENOUGH {
                break;
            }
        }
        let cells = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        Self {
            group: cells(groups.max().unwrap_or(0)),
            command: cells(longest),
        }
    }

    /// What the column of this id wants, if its contents were measured.
    pub(super) fn of(self, id: &str) -> Option<u16> {
        match id {
            "cgroup" => Some(self.group),
            "command" => Some(self.command),
            _ => None,
        }
    }
}
