//! [`Visits`]: when a process is read again. A process that changes is read in every pass, an idle one less
//! and less often, and idle processes are spread over the passes.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::linux::scan::proc::stat_line::StatLine;
use crate::model::process::{Pid, Process};

/// After this many passes without a change, a process is visited only in every eighth, fourth, second pass.
const REST: [(u64, u64); 3] = [(10, 8), (6, 4), (3, 2)];

/// Passes between two visits to a kernel thread, which has no memory.
const KERNEL_THREAD: u64 = 8;

/// Passes after which `oom_score_adj` is read again even if nothing else has changed: a write to it does not
/// show in `stat`.
const ADJ: u64 = 4;

/// Passes after which `status` is read again: a change of user does not show in `stat`.
const STATUS: u64 = 32;

/// A process that holds more than this part of RAM is visited in every pass: it may be the victim.
const LARGE: u64 = 500;

/// The state of the visits to one process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Visits {
    /// The row as last read.
    pub(crate) row: Process,
    /// Inode number of the process's directory: another process with the same pid has another number.
    pub(crate) inode: u64,
    /// Hash of the last `stat` line, to detect a change; `None` before the first visit.
    stat: Option<u64>,
    /// The process is on the screen: the next visit reads all files.
    shown: bool,
    /// The pass of the last visit.
    visited: u64,
    /// The last pass in which a visit found a change.
    moved: u64,
    /// The pass of the next visit.
    due: u64,
    adj_read: u64,
    status_read: u64,
}

/// Which files a visit reads in addition to `stat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) status: bool,
    pub(crate) adj: bool,
}

impl Visits {
    /// The state of the process with this directory, before the first visit.
    pub(crate) fn new(inode: u64) -> Self {
        Self {
            inode,
            ..Self::default()
        }
    }

    /// True if the process must be visited in this pass; with `all`, true if it has not been visited in this
    /// pass.
    pub(crate) fn is_due(&self, pass: u64, all: bool) -> bool {
        self.stat.is_none() || (self.visited != pass && (all || self.due <= pass))
    }

    /// The process is on the screen: makes it due at once, with all files.
    pub(crate) fn show(&mut self) {
        self.due = 0;
        self.shown = true;
    }

    /// True if the `stat` line shows another process, or a change.
    pub(crate) fn has_moved(&self, now: &StatLine) -> bool {
        self.stat != Some(fingerprint(now))
    }

    /// Which files to read after `stat`.
    pub(crate) fn due(&self, moved: bool, pass: u64) -> Due {
        let all = moved || self.shown;
        Due {
            status: all || pass >= self.status_read + STATUS,
            adj: all || pass >= self.adj_read + ADJ,
        }
    }

    /// Notes a visit and plans the next. `ram_pages` is the size of the machine.
    pub(crate) fn note(
        &mut self,
        now: &StatLine,
        moved: bool,
        read: Due,
        pass: u64,
        ram_pages: u64,
    ) {
        if moved {
            self.moved = pass;
        }
        self.stat = Some(fingerprint(now));
        self.shown = false;
        self.visited = pass;
        if read.status {
            self.status_read = pass;
        }
        if read.adj {
            self.adj_read = pass;
        }
        let large = self.row.charged_pages() > ram_pages / LARGE;
        let step = if self.row.kernel_thread {
            KERNEL_THREAD
        } else if large {
            1
        } else {
            let rests = pass.saturating_sub(self.moved);
            let step = REST.iter().find(|(least, _)| rests >= *least);
            step.map_or(1, |(_, step)| *step)
        };
        self.due = next_turn(pass, step, self.row.id.pid);
    }
}

fn fingerprint(line: &StatLine) -> u64 {
    let mut hasher = DefaultHasher::new();
    line.hash(&mut hasher);
    hasher.finish()
}

/// The first pass after `pass` in which this pid is due, if it is due in every `step`-th pass.
fn next_turn(pass: u64, step: u64, pid: Pid) -> u64 {
    let next = pass + 1;
    let late = (next + u64::from(pid)) % step;
    if late == 0 { next } else { next + step - late }
}

#[cfg(test)]
mod tests {
    use super::{Visits, next_turn};
    use crate::linux::scan::proc::stat_line;

    fn line(faults: u32) -> stat_line::StatLine {
        let text =
            format!("9 (x) S 1 1 1 0 -1 4194560 {faults} 0 0 0 1 2 0 0 20 0 1 0 47 99 25 18");
        stat_line::parse(text.as_bytes()).expect("a line")
    }

    #[test]
    fn turns_are_spread_and_within_the_step() {
        let mut per_pass = [0; 8];
        for pid in 0..800 {
            let turn = next_turn(100, 8, pid);
            assert!((101..109).contains(&turn));
            per_pass[usize::try_from(turn - 101).expect("small")] += 1;
        }
        assert_eq!(per_pass, [100; 8]);
        assert_eq!(next_turn(5, 1, 77), 6);
    }

    #[test]
    fn a_resting_process_is_visited_less_and_less_and_wakes_up_at_once() {
        let mut visits = Visits::default();
        let mut passes = Vec::new();
        for pass in 1..60 {
            if visits.is_due(pass, false) {
                let moved = visits.has_moved(&line(1));
                let due = visits.due(moved, pass);
                assert_eq!(due.status && pass < 33, moved, "pass {pass}");
                visits.note(&line(1), moved, due, pass, 1000);
                passes.push(pass);
            }
        }
        assert_eq!(passes[..4], [1, 2, 3, 4]);
        // Ten passes after the last change it is visited in every eighth pass only: an idle machine soon
        // costs little.
        let late = passes.iter().filter(|pass| **pass > 11).count();
        assert!(late <= 48 / 8 + 1, "{passes:?}");
        let last = &passes[passes.len() - 3..];
        assert_eq!((last[1] - last[0], last[2] - last[1]), (8, 8));
        assert!(visits.has_moved(&line(2)));
        let due = visits.due(true, 64);
        visits.note(&line(2), true, due, 64, 1000);
        assert!(visits.is_due(65, false));
        visits.show();
        assert!(visits.is_due(1, false) && visits.due(false, 65).adj);
        assert!(!visits.is_due(64, true), "visited in this pass");
    }
}
