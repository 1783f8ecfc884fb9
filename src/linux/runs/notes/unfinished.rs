//! Groups that a dashboard or `oomtop protect` was making when it was killed: without its limits such a group looks like any
//! other, and nobody knows of it.

use std::fs;
use std::path::PathBuf;

use super::{Found, Notes, has_ended};
use crate::linux::SysRoot;
use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::cgroup::members::members;
use crate::linux::kernel_file;
use crate::linux::write::pinned::PinnedProcess;
use crate::model::cgroup::CgroupPath;
use crate::model::process::ProcessId;
use crate::model::run::{making, owner_of_making};

/// The note of a group that is being made.
#[derive(Debug)]
pub struct Making(PathBuf);

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
        Ok(Making(self.own.join(name)))
    }

    /// The groups that were being made when their maker was killed, as far as they are there. They are not touched, and a
    /// note stays as long as its group: whoever was to be in it may be there or not.
    pub(super) fn unfinished(&self, root: &SysRoot, hierarchy: &Hierarchy) -> Vec<Found> {
        let mut found = Vec::new();
        for (name, path) in self.entries() {
            let is_left = owner_of_making(&name).is_some_and(|id| has_ended(root, id));
            let Some(group) = is_left.then(|| group_of(&path)).flatten() else {
                continue;
            };
            let relative = hierarchy.relative(&group);
            let inside = match hierarchy.dir().ok().zip(relative) {
                Some((dir, relative)) => members(dir, &relative),
                None => continue,
            };
            match inside {
                Ok(pids) => {
                    let place = hierarchy.display(&group);
                    found.push(Found::Unfinished(group, pids.len(), place));
                }
                Err(errno) if kernel_file::is_gone(errno) => {
                    let _ = fs::remove_file(&path);
                }
                // It may be there, and the note is all that tells of it.
                Err(_) => {}
            }
        }
        found
    }
}

impl Making {
    /// The group is made, or was taken back.
    pub fn end(self) {
        // Without it the next start finds a group that is whole.
        let _ = fs::remove_file(&self.0);
    }
}

fn group_of(note: &std::path::Path) -> Option<CgroupPath> {
    use std::os::unix::ffi::OsStringExt as _;
    let target = fs::read_link(note).ok()?;
    Some(CgroupPath::from_bytes(&target.into_os_string().into_vec()))
}
