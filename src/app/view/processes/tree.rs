//! Puts children below their parents, keeping the given order among siblings; what is below a collapsed process is left
//! out.

use std::collections::{BTreeSet, HashMap};

use crate::app::view::processes::row::Row;
use crate::model::process::{Pid, Process, ProcessId};

/// Deepest indentation: deeper levels share it.
const MAX_DEPTH: u16 = 200;

/// Rearranges sorted rows into a forest. A process whose parent is not shown is a root.
pub fn arrange(sorted: &[Row], processes: &[Process]) -> Vec<Row> {
    let process = |row: &Row| processes.get(row.index as usize);
    let place: HashMap<Pid, usize> = sorted
        .iter()
        .enumerate()
        .filter_map(|(at, row)| Some((process(row)?.id.pid, at)))
        .collect();
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); sorted.len()];
    let mut roots = Vec::new();
    for (at, row) in sorted.iter().enumerate() {
        let parent = process(row)
            .and_then(|p| place.get(&p.ppid))
            .filter(|parent| **parent != at);
        match parent {
            Some(parent) => children[*parent].push(at),
            None => roots.push(at),
        }
    }
    let mut arranged = Vec::with_capacity(sorted.len());
    let mut placed = vec![false; sorted.len()];
    // A sample is not atomic: reused pids can make a loop, which no root reaches. Its members are
    // placed afterwards, so that no process is ever missing from the table.
    for start in roots.into_iter().chain(0..sorted.len()) {
        let mut stack = vec![(start, 0, 0)];
        while let Some((at, depth, siblings_below)) = stack.pop() {
            if std::mem::replace(&mut placed[at], true) {
                continue;
            }
            arranged.push(Row {
                depth,
                siblings_below,
                ..sorted[at]
            });
            let below = (depth + 1).min(MAX_DEPTH);
            let bit = 1_u32.checked_shl(u32::from(below)).unwrap_or(0);
            let last = children[at].last();
            stack.extend(children[at].iter().rev().map(|child| {
                let more = if last == Some(child) { 0 } else { bit };
                (*child, below, siblings_below & !bit | more)
            }));
        }
    }
    arranged
}

/// Counts what is below each row of a forest, and leaves out what is below a collapsed one.
pub fn collapse(mut rows: Vec<Row>, collapsed: &BTreeSet<ProcessId>) -> Vec<Row> {
    let mut open: Vec<usize> = Vec::new();
    let count = |from: usize, to: usize| u32::try_from(to - from - 1).unwrap_or(u32::MAX);
    for at in 0..rows.len() {
        while let Some(last) = open.pop() {
            if rows[last].depth < rows[at].depth {
                open.push(last);
                break;
            }
            rows[last].below = count(last, at);
        }
        open.push(at);
    }
    let end = rows.len();
    for last in open {
        rows[last].below = count(last, end);
    }
    // Everything deeper than this is hidden.
    let mut hidden: Option<u16> = None;
    rows.retain_mut(|row| {
        if hidden.is_some_and(|depth| row.depth > depth) {
            return false;
        }
        row.collapsed = row.below > 0 && collapsed.contains(&row.id);
        hidden = row.collapsed.then_some(row.depth);
        true
    });
    rows
}

#[cfg(test)]
mod tests {
    use super::{arrange, collapse};
    use crate::app::view::processes::row::Row;
    use crate::model::process::{Process, ProcessId};

    fn forest(parents: &[(u32, u32)]) -> Vec<(u32, u16)> {
        let processes: Vec<_> = parents
            .iter()
            .map(|(pid, ppid)| Process {
                id: ProcessId {
                    pid: *pid,
                    start_ticks: 1,
                },
                ppid: *ppid,
                ..Process::default()
            })
            .collect();
        let rows: Vec<_> = processes
            .iter()
            .enumerate()
            .map(|(index, process)| Row::new(index, process))
            .collect();
        arrange(&rows, &processes)
            .iter()
            .map(|r| (processes[r.index as usize].id.pid, r.depth))
            .collect()
    }

    #[test]
    fn children_follow_their_parent_in_the_given_order() {
        assert_eq!(
            forest(&[(5, 1), (4, 2), (1, 0), (2, 1), (9, 7)]),
            [(1, 0), (5, 1), (2, 1), (4, 2), (9, 0)]
        );
    }

    #[test]
    fn loops_lose_nobody() {
        let mut pids: Vec<_> = forest(&[(1, 2), (2, 3), (3, 1), (4, 4), (5, 4)])
            .iter()
            .map(|(p, _)| *p)
            .collect();
        pids.sort_unstable();
        assert_eq!(pids, [1, 2, 3, 4, 5]);
    }

    #[test]
    fn what_is_below_a_collapsed_process_is_counted_and_left_out() {
        let row = |pid, depth| Row {
            id: ProcessId {
                pid,
                start_ticks: 1,
            },
            index: 0,
            depth,
            siblings_below: 0,
            below: 0,
            collapsed: false,
        };
        let forest = vec![
            row(1, 0),
            row(2, 1),
            row(3, 2),
            row(4, 2),
            row(5, 1),
            row(6, 0),
        ];
        let told = |collapsed: &[u32]| -> Vec<(u32, u32)> {
            let ids = collapsed.iter().map(|pid| row(*pid, 0).id).collect();
            let rows = collapse(forest.clone(), &ids);
            rows.iter().map(|r| (r.id.pid, r.below)).collect()
        };
        assert_eq!(told(&[]), [(1, 4), (2, 2), (3, 0), (4, 0), (5, 0), (6, 0)]);
        assert_eq!(told(&[2, 6]), [(1, 4), (2, 2), (5, 0), (6, 0)]);
        assert_eq!(told(&[1, 2]), [(1, 4), (6, 0)]);
    }
}
