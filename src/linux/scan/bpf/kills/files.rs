//! [`VictimFiles`]: what the files of `/proc` say of a victim that is about to be gone.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;

use rustix::fs::{Dir, FileType, Mode, OFlags};

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

/// Most directories read to find a group.
const LOOKED: usize = 16_384;

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
        // kernel/cgroup/cgroup.c `proc_cgroup_show`: on v1 an exiting task is said to be in the root.
        let group = if self.hierarchy.version.is_v1() && group == b"/" {
            whole.cgroup_id.and_then(|id| by_id(&self.hierarchy, id))
        } else {
            Some(self.hierarchy.group(group))
        };
        // The pid may have passed on between the two files.
        if !is_same(self) {
            return None;
        }
        if let (Some(id), Some(group)) = (whole.cgroup_id, &group) {
            if self.groups.len() == GROUPS {
                self.groups.pop_front();
            }
            self.groups.push_back((id, group.clone()));
        }
        whole.cgroup = group;
        (whole != *kill).then_some(whole)
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

/// The group with this kernfs id, which is the inode number of its directory.
fn by_id(hierarchy: &Hierarchy, id: u64) -> Option<CgroupPath> {
    let root = hierarchy.dir().ok()?;
    let top = hierarchy.root_group().clone();
    if rustix::fs::fstat(root).ok()?.st_ino == id {
        return Some(top);
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let mut below = vec![(top, Vec::from(b"."))];
    let mut looked = 0;
    while let Some((group, place)) = below.pop() {
        looked += 1;
        if looked > LOOKED {
            return None;
        }
        let Ok(dir) = rustix::fs::openat(root, place.as_slice(), flags, Mode::empty()) else {
            continue;
        };
        for entry in Dir::read_from(dir).ok()?.filter_map(Result::ok) {
            let name = entry.file_name().to_bytes();
            if entry.file_type() != FileType::Directory || name == b"." || name == b".." {
                continue;
            }
            let child = group.join(name);
            if entry.ino() == id {
                return Some(child);
            }
            below.push((child, [&place, b"/".as_slice(), name].concat()));
        }
    }
    None
}

fn tgid(status: &[u8]) -> Option<u64> {
    lines(status).find_map(|line| number(line.strip_prefix(b"Tgid:")?))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::{by_id, tgid};
    use crate::linux::SysRoot;
    use crate::linux::cgroup::hierarchy::Hierarchy;

    #[test]
    fn a_group_is_found_by_the_inode_of_its_directory() {
        let root = SysRoot::default();
        let hierarchy = Hierarchy::detect(&root);
        let Ok(dir) = hierarchy.dir() else {
            return; // There is no memory controller.
        };
        let top = hierarchy.root_group().clone();
        let inode = |group: &crate::model::cgroup::CgroupPath| {
            std::fs::metadata(hierarchy.display(group)).map(|facts| facts.ino())
        };
        let ino = rustix::fs::fstat(dir).expect("its facts").st_ino;
        assert_eq!(by_id(&hierarchy, ino), Some(top.clone()));
        let below = std::fs::read_dir(hierarchy.display(&top)).expect("readable");
        let below = below.filter_map(Result::ok);
        let mut groups = below.filter(|entry| entry.path().is_dir());
        if let Some(group) = groups.next() {
            use std::os::unix::ffi::OsStrExt;
            let group = top.join(group.file_name().as_bytes());
            if let Ok(ino) = inode(&group) {
                assert_eq!(by_id(&hierarchy, ino), Some(group));
            }
        }
        assert_eq!(by_id(&hierarchy, 1 << 60), None);
    }

    #[test]
    fn the_process_of_a_thread() {
        assert_eq!(tgid(b"Name:\tjava\nTgid:\t4711\nNgid:\t0\n"), Some(4711));
        assert_eq!(tgid(b"Name:\tjava\n"), None);
    }
}
