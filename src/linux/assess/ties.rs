//! The order in which the kernel visits equal candidates of a memory cgroup. It is read only when there are
//! equals.
//!
//! The kernel visits the groups of the subtree in pre-order (mm/memcontrol.c `mem_cgroup_scan_tasks`), and
//! the processes of a group in the order in which they joined it: the task table of the log had this order in
//! 328 of 328 reports on 6.18. Since 5.9 the last of the equals dies, before 5.9 the first (mm/oom_kill.c
//! `oom_evaluate_task`).

use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::kernel_file::{FileBuffer, lines, number};
use crate::model::cgroup::{Cgroup, CgroupKey, CgroupPath};
use crate::model::kernel::TieBreak;
use crate::model::oom_domain::victim::{DomainState, equals, settle};
use crate::model::process::{Process, ProcessId};

/// Most domains with equals that are settled in one sample.
const MOST_DOMAINS: usize = 4;

/// Most equals that are sorted: among more, it does not matter which one dies.
const MOST_EQUALS: usize = 64;

/// Decides between equal candidates of memory cgroups. Where a group cannot be read, age decides.
pub(crate) fn settle_ties(
    domains: &mut [DomainState],
    processes: &[Process],
    cgroups: &[Cgroup],
    hierarchy: &Hierarchy,
    tie: TieBreak,
) {
    let mut left = MOST_DOMAINS;
    for state in domains {
        if left == 0 {
            return;
        }
        let mut tied = equals(state, processes, cgroups, tie);
        if tied.is_empty() {
            continue;
        }
        // Finding the equals costs a walk over the table, even if they are not sorted afterwards.
        left -= 1;
        if tied.len() < 2 || tied.len() > MOST_EQUALS {
            continue;
        }
        tied.sort_by_key(|process| (process.id.start_ticks, process.id.pid));
        let mut places = Places {
            hierarchy,
            buffer: FileBuffer::default(),
            joined: None,
        };
        let mut order: Vec<(Vec<u64>, usize, _)> = tied
            .iter()
            .map(|process| {
                let path = process.cgroup.and_then(|key| cgroups.get(key.index()));
                let path = path.map(|group| &group.path);
                let tree = path.map(|path| places.tree_order(path)).unwrap_or_default();
                let place = path.map_or(0, |path| places.inside(path, process.id));
                (tree, place, (process.id, process.cgroup))
            })
            .collect();
        order.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        let order: Vec<(ProcessId, Option<CgroupKey>)> =
            order.into_iter().map(|(_, _, who)| who).collect();
        settle(state, &order, tie, cgroups);
    }
}

struct Places<'a> {
    hierarchy: &'a Hierarchy,
    buffer: FileBuffer,
    /// The group whose `cgroup.procs` was read last, and its pids in the order of joining.
    joined: Option<(CgroupPath, Vec<u64>)>,
}

impl Places<'_> {
    /// A sort key that puts groups in pre-order: the inode numbers of the directories from the root down. The
    /// kernel assigns inode numbers in order of creation (fs/kernfs/dir.c `__kernfs_new_node`), the order in
    /// which it also lists children (kernel/cgroup/cgroup.c `css_create`).
    fn tree_order(&self, path: &CgroupPath) -> Vec<u64> {
        let mut numbers = Vec::new();
        let mut next = Some(path.clone());
        while let Some(path) = next.filter(|path| !path.is_root()) {
            let inode = self.hierarchy.dir().ok().and_then(|dir| {
                let relative = self.hierarchy.relative(&path)?;
                let flags = rustix::fs::AtFlags::empty();
                Some(
                    rustix::fs::statat(dir, relative.as_ref(), flags)
                        .ok()?
                        .st_ino,
                )
            });
            numbers.push(inode.unwrap_or(0));
            next = path.parent();
        }
        numbers.reverse();
        numbers
    }

    /// The position of a process in its group. On v1 it is 0 for all: `cgroup.procs` is sorted by pid there
    /// and says nothing about joining (kernel/cgroup/cgroup-v1.c `pidlist_array_load`, seen on 6.18).
    fn inside(&mut self, path: &CgroupPath, id: ProcessId) -> usize {
        if self.hierarchy.version.is_v1() {
            return 0;
        }
        if self.joined.as_ref().is_none_or(|(of, _)| of != path) {
            let pids = self.processes(path).unwrap_or_default();
            self.joined = Some((path.clone(), pids));
        }
        let pids = self.joined.as_ref().map_or(&[][..], |(_, pids)| pids);
        let place = pids.iter().position(|pid| *pid == u64::from(id.pid));
        place.map_or(0, |place| place + 1)
    }

    fn processes(&mut self, path: &CgroupPath) -> Option<Vec<u64>> {
        let dir = self.hierarchy.dir().ok()?;
        let file = self.hierarchy.file(path, "cgroup.procs")?;
        let text = self.buffer.read_whole(dir, file.as_slice()).ok()?;
        Some(lines(text).filter_map(number).collect())
    }
}
