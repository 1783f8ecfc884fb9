//! [`Growth`]: how the processes of a group have grown.

use std::collections::BTreeMap;

use crate::model::process::{Pid, ProcessId};

/// Most processes that are remembered: of more, the smallest that have ended are forgotten.
pub const MOST: usize = 4096;

/// What is seen of one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Size {
    /// Which process.
    pub id: ProcessId,
    /// Short name.
    pub name: String,
    /// rss + swap in bytes.
    pub bytes: u64,
}

/// How one process has grown.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Grown {
    /// Pid and start time (clock ticks since boot).
    #[serde(flatten)]
    pub id: ProcessId,
    /// The last short name that was seen: it changes with exec.
    pub name: String,
    /// rss + swap in bytes when it was first seen.
    pub first: u64,
    /// The most that was seen, in bytes.
    pub most: u64,
    #[serde(skip)]
    seen: u64,
}

impl Grown {
    /// Bytes from the first size to the largest.
    #[must_use]
    pub fn growth(&self) -> u64 {
        self.most.saturating_sub(self.first)
    }
}

/// A process that was running before the command: somebody has moved it into the group.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct MovedIn {
    /// Pid and start time (clock ticks since boot).
    #[serde(flatten)]
    pub id: ProcessId,
    /// Short name.
    pub name: String,
}

/// Most processes from elsewhere that are remembered by name.
const MOVED_IN: usize = 16;

/// All processes of a command, as far as looks at its group have met them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Growth {
    command: Option<Pid>,
    /// When the command was started, in clock ticks since boot, once it was seen: nobody who is older is of it.
    since: Option<u64>,
    known: BTreeMap<ProcessId, Grown>,
    moved_in: Vec<MovedIn>,
    looks: u64,
    /// Processes that there was no room for.
    pub left_out: u64,
}

impl Growth {
    /// Of the command that has this pid and keeps it.
    #[must_use]
    pub fn of_command(pid: Pid) -> Self {
        Self {
            command: Some(pid),
            ..Self::default()
        }
    }

    /// Takes the processes that are in the group now.
    pub fn accept(&mut self, sizes: &[Size]) {
        self.looks += 1;
        let command = sizes.iter().find(|size| Some(size.id.pid) == self.command);
        self.since = self.since.or(command.map(|size| size.id.start_ticks));
        for Size { id, name, bytes } in sizes.iter().cloned() {
            if self.since.is_some_and(|since| id.start_ticks < since) {
                self.note(MovedIn { id, name });
                continue;
            }
            if !self.known.contains_key(&id) && !self.has_room(bytes) {
                self.left_out += 1;
                continue;
            }
            let seen = self.looks;
            let grown = self.known.entry(id).or_insert_with(|| Grown {
                id,
                name: String::new(),
                first: bytes,
                most: bytes,
                seen,
            });
            grown.most = grown.most.max(bytes);
            grown.name = name;
            grown.seen = seen;
        }
    }

    fn note(&mut self, process: MovedIn) {
        let is_known = self.moved_in.iter().any(|known| known.id == process.id);
        if !is_known && self.moved_in.len() < MOVED_IN {
            self.moved_in.push(process);
        }
    }

    /// Who was moved into the group and is not of the command; the first of them.
    #[must_use]
    pub fn moved_in(&self) -> &[MovedIn] {
        &self.moved_in
    }

    /// Makes room for a process of this size, if a smaller one has ended.
    fn has_room(&mut self, bytes: u64) -> bool {
        if self.known.len() < MOST {
            return true;
        }
        // This look may not have come to it yet.
        let ended = self
            .known
            .values()
            .filter(|grown| grown.seen + 1 < self.looks);
        let smallest = ended.min_by_key(|grown| grown.most);
        let Some(id) = smallest
            .filter(|grown| grown.most <= bytes)
            .map(|grown| grown.id)
        else {
            return false;
        };
        self.known.remove(&id);
        self.left_out += 1;
        true
    }

    /// How many processes were seen.
    #[must_use]
    pub fn seen(&self) -> u64 {
        self.known.len() as u64 + self.left_out
    }

    /// Those that grew most, the largest first.
    #[must_use]
    pub fn most(&self, count: usize) -> Vec<Grown> {
        let mut all: Vec<_> = self.known.values().collect();
        all.sort_by_key(|grown| std::cmp::Reverse((grown.growth(), grown.most)));
        all.into_iter().take(count).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Growth, MOST, MOVED_IN, Size};
    use crate::model::process::ProcessId;

    fn size(pid: u32, bytes: u64) -> Size {
        let start_ticks = u64::from(pid);
        Size {
            id: ProcessId { pid, start_ticks },
            name: format!("p{pid}"),
            bytes,
        }
    }

    #[test]
    fn the_one_that_grew_most_comes_first() {
        let mut growth = Growth::default();
        growth.accept(&[size(1, 100), size(2, 10)]);
        growth.accept(&[size(1, 120), size(2, 90)]);
        growth.accept(&[size(1, 50)]);
        let found: Vec<_> = growth.most(9).into_iter().collect();
        let told: Vec<_> = found.iter().map(|g| (g.id.pid, g.first, g.most)).collect();
        assert_eq!(told, [(2, 10, 90), (1, 100, 120)]);
        assert_eq!(growth.most(1).len(), 1);
    }

    #[test]
    fn a_crowd_keeps_its_largest_and_counts_the_others() {
        let mut growth = Growth::default();
        let many = u32::try_from(MOST).expect("small") + 500;
        for pid in 1..=many {
            // Each lives for one look.
            growth.accept(&[size(pid, u64::from(pid % 1000))]);
        }
        growth.accept(&[size(many + 1, 5000)]);
        assert_eq!(growth.known.len(), MOST);
        assert_eq!(growth.seen(), u64::from(many) + 1);
        assert!(growth.known.values().any(|grown| grown.most == 5000));
        assert!(growth.known.values().any(|grown| grown.most == 999));
    }

    #[test]
    fn who_is_older_than_the_command_is_not_of_it() {
        let mut growth = Growth::of_command(50);
        growth.accept(&[size(49, 100), size(50, 10), size(51, 10)]);
        growth.accept(&[size(49, 900), size(50, 20), size(51, 15)]);
        let found = growth.most(9);
        let told: Vec<_> = found.iter().map(|grown| grown.id.pid).collect();
        assert_eq!((told, growth.seen()), (vec![50, 51], 2));
        let names: Vec<_> = growth.moved_in().iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["p49"], "once, by name");
        let mut crowd = Growth::of_command(5000);
        crowd.accept(&(1..=5000).map(|pid| size(pid, 1)).collect::<Vec<_>>());
        assert_eq!(crowd.moved_in().len(), MOVED_IN);
    }
}
