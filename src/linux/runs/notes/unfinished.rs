//! Groups that a dashboard or `oomtop protect` was making when it was killed: without its limits such a group looks like any
//! other, and nobody knows of it.
//!
//! Before a group is there its note names the path; as soon as it is made a second note names its inode, too: another group that
//! somebody makes there later is not it.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Found, Notes, has_ended, inode, parent_of};
use crate::linux::SysRoot;
use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::cgroup::members::members;
use crate::linux::kernel_file;
use crate::linux::write::pinned::PinnedProcess;
use crate::model::cgroup::CgroupPath;
use crate::model::process::ProcessId;
use crate::model::run::{making, owner_of_making};

/// The notes of a group that is being made.
#[derive(Debug)]
pub struct Making {
    group: CgroupPath,
    own: ProcessId,
    notes: Vec<PathBuf>,
}

/// A note of a group whose maker has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    note: PathBuf,
    group: CgroupPath,
    /// The inode that the group had; `None` if its maker was killed before it was made, or right after.
    inode: Option<u64>,
}

impl Notes {
    /// Notes that this process is about to make a group, the `number`th.
    ///
    /// # Errors
    /// A sentence.
    pub fn begin(&self, root: &SysRoot, number: u64, group: &CgroupPath) -> Result<Making, String> {
        let pid = std::process::id();
        let (_, stat) = PinnedProcess::whoever(root, pid).map_err(|failure| failure.sentence)?;
        let own = ProcessId {
            pid,
            start_ticks: stat.start_ticks,
        };
        let name = making(own, number);
        self.write(&name, &CgroupPath::bytes_of(group.as_str()))?;
        Ok(Making {
            group: group.clone(),
            own,
            notes: vec![self.own.join(name)],
        })
    }

    /// Notes that the group is made, and which one it is.
    ///
    /// # Errors
    /// A sentence; the first note stays.
    pub fn made(&self, root: &SysRoot, number: u64, making_of: &mut Making) -> Result<(), String> {
        let group = &making_of.group;
        let inode = inode(&Hierarchy::detect(root), group);
        let inode = inode.map_err(|errno| format!("{group} cannot be looked at: {errno}"))?;
        let mut target = format!("{inode}:").into_bytes();
        target.extend_from_slice(&CgroupPath::bytes_of(group.as_str()));
        let name = making(making_of.own, number);
        self.write(&name, &target)?;
        // Not before the second one is there.
        for note in making_of.notes.drain(..) {
            let _ = fs::remove_file(note);
        }
        making_of.notes.push(self.own.join(name));
        Ok(())
    }

    /// The notes of makers that have ended.
    #[must_use]
    pub fn left(&self, root: &SysRoot) -> Vec<Left> {
        let left = self.entries().filter_map(|(name, note)| {
            owner_of_making(&name).filter(|id| has_ended(root, *id))?;
            let (inode, group) = match parent_of(&note) {
                Some((inode, group)) => (Some(inode), group),
                None => (None, group_of(&note)?),
            };
            Some(Left { note, group, inode })
        });
        left.collect()
    }

    /// The groups that were being made when their maker was killed, as far as they are there. They are not touched, and a
    /// note stays as long as its group: whoever was to be in it may be there or not.
    pub(super) fn unfinished(&self, root: &SysRoot, hierarchy: &Hierarchy) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        for left in self.left(root) {
            let Ok(dir) = hierarchy.dir() else {
                continue;
            };
            let Some(relative) = hierarchy.relative(&left.group) else {
                continue;
            };
            match (members(dir, &relative), left.is_it(hierarchy)) {
                (Ok(pids), true) => {
                    let place = hierarchy.display(&left.group);
                    let one = Found::Unfinished(left.group.clone(), pids.len(), place);
                    // A maker that was killed between the two notes has left both.
                    if !found.contains(&one) {
                        found.push(one);
                    }
                }
                // Another group of that name is somebody else's.
                (Ok(_), false) => left.forget(),
                (Err(errno), _) if kernel_file::is_gone(errno) => left.forget(),
                // It may be there, and the note is all that tells of it.
                (Err(_), _) => {}
            }
        }
        found
    }
}

impl Left {
    /// The group of the note.
    #[must_use]
    pub fn group(&self) -> &CgroupPath {
        &self.group
    }

    /// Nobody needs the note any more: the group is gone, or it is whole.
    pub fn forget(&self) {
        let _ = fs::remove_file(&self.note);
    }

    /// False of another group that has the path now.
    fn is_it(&self, hierarchy: &Hierarchy) -> bool {
        self.inode
            .is_none_or(|then| inode(hierarchy, &self.group).is_ok_and(|now| now == then))
    }
}

impl Making {
    /// The path of the group.
    #[must_use]
    pub fn group(&self) -> &CgroupPath {
        &self.group
    }

    /// The group is made, or was taken back.
    pub fn end(self) {
        // Without it the next start finds a group that is whole.
        for note in self.notes {
            let _ = fs::remove_file(note);
        }
    }
}

fn group_of(note: &Path) -> Option<CgroupPath> {
    use std::os::unix::ffi::OsStringExt as _;
    let target = fs::read_link(note).ok()?;
    Some(CgroupPath::from_bytes(&target.into_os_string().into_vec()))
}
