//! [`VictimFiles`]: what the files of `/proc` say of a victim that is about to be gone.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;

use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::cgroup::proc_file::memory_path;
use crate::linux::kernel_file::{FileBuffer, lines, number};
use crate::linux::scan::ScanWants;
use crate::linux::scan::proc::row::RowReader;
use crate::model::cgroup::CgroupPath;
use crate::model::kernel::RssSource;
use crate::model::process::Pid;
use crate::model::traced::{FactSource, TracedKill};

/// Most groups remembered.
const GROUPS: usize = 64;

/// Reads files of victims. None of them waits for a lock that a dying process can hold, as its command line does.
#[derive(Debug)]
pub(super) struct VictimFiles {
    rows: RowReader,
    buffer: FileBuffer,
    hierarchy: Hierarchy,
    wants: ScanWants,
    /// Groups of the last victims by kernfs id, which no other group ever has. The newest last.
    groups: VecDeque<(u64, CgroupPath)>,
}

impl VictimFiles {
    pub(super) fn new(proc: OwnedFd, hierarchy: Hierarchy, page_size: u64) -> Self {
        Self {
            rows: RowReader::new(proc),
            buffer: FileBuffer::default(),
            hierarchy,
            groups: VecDeque::new(),
            wants: ScanWants {
                rss: RssSource::Status,
                page_size,
                global_init: false,
            },
        }
    }

    /// Fills the group in if an earlier victim was in it: that reads nothing.
    pub(super) fn recall(&self, kill: &mut TracedKill) {
        let is_it = |(id, _): &&(u64, CgroupPath)| kill.cgroup_id == Some(*id);
        if kill.cgroup.is_none()
            && let Some((_, path)) = self.groups.iter().find(is_it)
        {
            kill.cgroup = Some(path.clone());
        }
    }

    /// The victim with its group, and with all that the tracepoint did not tell. `None` if nothing was to be learnt:
    /// it is gone, or its pid is another's now.
    pub(super) fn complete(&mut self, kill: &TracedKill) -> Option<TracedKill> {
        if kill.cgroup.is_some() {
            return None;
        }
        let mut whole = kill.clone();
        if kill.start_ticks.is_none() {
            self.facts(&mut whole)?;
        }
        let is_same = |own: &mut Self| {
            let stat = own.rows.stat(whole.pid).ok().flatten();
            stat.is_some_and(|stat| Some(stat.start_ticks) == whole.start_ticks)
        };
        if !is_same(self) {
            return None;
        }
        let path = format!("{}/cgroup", whole.pid);
        let text = self.buffer.read_whole(self.rows.dir(), path).ok()?;
        let group = memory_path(text, self.hierarchy.version)?;
        let group = self.hierarchy.group(group);
        // The pid may have passed on between the two files.
        if !is_same(self) {
            return None;
        }
        if let Some(id) = whole.cgroup_id {
            if self.groups.len() == GROUPS {
                self.groups.pop_front();
            }
            self.groups.push_back((id, group.clone()));
        }
        whole.cgroup = Some(group);
        Some(whole)
    }

    /// Who the thread belongs to, and that process's facts.
    fn facts(&mut self, kill: &mut TracedKill) -> Option<()> {
        let path = format!("{}/status", kill.pid);
        let status = self.buffer.read_single(self.rows.dir(), path).ok()?;
        let process = Pid::try_from(tgid(status)?).ok()?;
        let row = self.rows.row(process, &self.wants).ok()??;
        if row.id.pid != kill.pid {
            kill.thread = Some(kill.pid);
        }
        kill.pid = row.id.pid;
        kill.start_ticks = Some(row.id.start_ticks);
        kill.comm = row.comm;
        kill.uid = Some(row.uid);
        kill.adj = row.adj;
        kill.memory = row.memory;
        kill.facts = FactSource::Proc;
        Some(())
    }
}

fn tgid(status: &[u8]) -> Option<u64> {
    lines(status).find_map(|line| number(line.strip_prefix(b"Tgid:")?))
}

#[cfg(test)]
mod tests {
    use super::tgid;

    #[test]
    fn the_process_of_a_thread() {
        assert_eq!(tgid(b"Name:\tjava\nTgid:\t4711\nNgid:\t0\n"), Some(4711));
        assert_eq!(tgid(b"Name:\tjava\n"), None);
    }
}
