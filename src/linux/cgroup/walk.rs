//! [`GroupWalk`]: finds groups that no process is in, a few directories in each sample.
//!
//! An empty group with a limit is a likely target for moving a process.

use std::collections::VecDeque;

use rustix::io::Errno;

use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::cgroup::link_counts::LinkCounts;
use crate::linux::cgroup::list::{MOST_GROUPS, children};
use crate::model::cgroup::CgroupPath;

/// Directories read in the first sample: on most hosts that is all of them.
const FIRST: usize = 512;

/// Directories read in each later sample, some 2 µs each if they have no children.
const STEP: usize = 32;

/// Samples between the end of one walk and the start of the next.
const PAUSE: u64 = 30;

/// A walk over the tree that continues from sample to sample.
#[derive(Debug, Default)]
pub(crate) struct GroupWalk {
    waiting: VecDeque<CgroupPath>,
    /// The sample in which the next walk begins.
    begins: u64,
    seen: usize,
}

impl GroupWalk {
    /// Begins the next walk now: there are groups that it has not found.
    pub(crate) fn hurry(&mut self) {
        self.begins = self.begins.min(1);
    }

    /// Continues in the sample number `seq`; calls `found` with each group, parents before children.
    pub(crate) fn step(
        &mut self,
        hierarchy: &Hierarchy,
        seq: u64,
        mut found: impl FnMut(CgroupPath),
    ) {
        let mut most = STEP;
        if self.waiting.is_empty() {
            if seq < self.begins {
                return;
            }
            if self.begins == 0 {
                most = FIRST;
            }
            self.seen = 0;
            self.waiting.push_back(hierarchy.root_group().clone());
        }
        let links = hierarchy.dir().map(LinkCounts::of);
        for _ in 0..most {
            let Some(path) = self.waiting.pop_front() else {
                break;
            };
            let inside = links.and_then(|links| inside(hierarchy, links, &path));
            let inside = inside.unwrap_or_default();
            self.seen += inside.len();
            if self.seen > MOST_GROUPS {
                self.waiting.clear();
                break;
            }
            for name in inside {
                let child = path.join(&name);
                found(child.clone());
                self.waiting.push_back(child);
            }
        }
        self.begins = seq + PAUSE;
    }
}

/// Names of the children of a group.
fn inside(
    hierarchy: &Hierarchy,
    links: LinkCounts,
    path: &CgroupPath,
) -> Result<Vec<Vec<u8>>, Errno> {
    let relative = hierarchy.relative(path).ok_or(Errno::NOENT)?;
    if links.has_no_groups(hierarchy.dir()?, &relative) {
        return Ok(Vec::new());
    }
    children(hierarchy, path)
}
