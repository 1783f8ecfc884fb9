//! Memory control of the groups below a parent: a run switches it on, and [`put_back`] off again once nobody uses it.
//!
//! Runs may begin and end at once below the same parent. A [`ParentLock`] keeps one from switching off what the next has just
//! found on: the limit of the next would be gone without a word.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use rustix::io::Errno;

use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::cgroup::namespace;
use crate::linux::kernel_file::{FileBuffer, is_gone, keyed};
use crate::linux::write::executor::KernelWriter;
use crate::model::cgroup::CgroupPath;
use crate::model::cgroup::limits::{LimitFile, Limits};
use crate::model::plan::execute::Executor as _;
use crate::model::plan::step::CgroupStep;
use crate::model::run::owner;

/// How long another run is waited for: it holds the lock for some milliseconds. Anybody who may read the directory can hold it
/// for ever.
const PATIENCE: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(2);

/// No other run makes a group below this parent, or switches memory control of it.
#[derive(Debug)]
pub(super) struct ParentLock(#[expect(dead_code, reason = "the lock goes with it")] OwnedFd);

impl ParentLock {
    /// `None` if the directory cannot be opened, or somebody else holds it too long.
    pub(super) fn take(hierarchy: &Hierarchy, parent: &CgroupPath) -> Option<Self> {
        Self::of(hierarchy.display(parent).as_ref(), PATIENCE)
    }

    fn of(directory: &Path, patience: Duration) -> Option<Self> {
        // A descriptor that only names the directory (O_PATH) cannot be locked.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::open(directory, flags, Mode::empty()).ok()?;
        let begun = Instant::now();
        loop {
            match flock(&dir, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Some(Self(dir)),
                Err(Errno::WOULDBLOCK | Errno::INTR) if begun.elapsed() <= patience => {
                    std::thread::sleep(LOOK);
                }
                Err(_) => return None,
            }
        }
    }
}

/// True if nothing is left to do: nobody has memory control there, or the group is gone. False while somebody uses it: groups
/// below would lose their limits, or a run its numbers. `own` is the group of oomtop itself.
pub(super) fn put_back(
    hierarchy: &Hierarchy,
    writer: &mut KernelWriter,
    parent: &CgroupPath,
    own: Option<&CgroupPath>,
) -> bool {
    let Some(_lock) = ParentLock::take(hierarchy, parent) else {
        return false;
    };
    match is_shared(hierarchy, parent) {
        Some(true) => {
            !is_used(hierarchy, parent, own)
                && writer
                    .step(&CgroupStep::DisableMemory(parent.clone()).into())
                    .outcome
                    .is_ok()
        }
        Some(false) => true,
        None => false,
    }
}

/// The groups below have memory control; `None` if that cannot be read.
fn is_shared(hierarchy: &Hierarchy, parent: &CgroupPath) -> Option<bool> {
    let file = hierarchy.file(parent, "cgroup.subtree_control")?;
    let mut buffer = FileBuffer::default();
    match buffer.read_whole(hierarchy.dir().ok()?, file.as_slice()) {
        Ok(text) => Some(
            text.split(u8::is_ascii_whitespace)
                .any(|name| name == b"memory"),
        ),
        Err(errno) if is_gone(errno) => Some(false),
        Err(_) => None,
    }
}

/// A group below has a limit, holds processes, or is that of a run. What has memory control in groups of its own, the kernel
/// protects (EBUSY). What cannot be looked at may be used.
fn is_used(hierarchy: &Hierarchy, parent: &CgroupPath, own: Option<&CgroupPath>) -> bool {
    let below = hierarchy.dir().ok().and_then(|dir| {
        let relative = hierarchy.relative(parent)?;
        namespace::children(dir, &relative).ok()
    });
    below.is_none_or(|names| {
        let mut children = names.iter().map(|name| parent.join(name));
        children.any(|child| {
            owner(child.name()).is_some()
                || has_limit(hierarchy, &child)
                || (own != Some(&child) && is_populated(hierarchy, &child))
        })
    })
}

fn has_limit(hierarchy: &Hierarchy, group: &CgroupPath) -> bool {
    let page_size = rustix::param::page_size() as u64;
    LimitFile::of(hierarchy.version).any(|limit| {
        let Some(read) = read(hierarchy, group, limit.name()) else {
            return true;
        };
        let now = read.map(|text| limit.shown(&text, page_size));
        // None: the kernel is too old for the file, or the group has gone.
        now.is_some_and(|now| now.is_none() || limit.get(&Limits::default()) != now)
    })
}

fn is_populated(hierarchy: &Hierarchy, group: &CgroupPath) -> bool {
    match read(hierarchy, group, "cgroup.events") {
        Some(Some(text)) => keyed(&text, "populated") != Some(0),
        Some(None) => false,
        None => true,
    }
}

/// What a file of the group says; within, `None` if there is no such file, and without if that cannot be told.
#[expect(clippy::option_option, reason = "each is a fact of its own")]
fn read(hierarchy: &Hierarchy, group: &CgroupPath, file: &str) -> Option<Option<Vec<u8>>> {
    let file = hierarchy.file(group, file)?;
    let mut buffer = FileBuffer::default();
    match buffer.read_whole(hierarchy.dir().ok()?, file.as_slice()) {
        Ok(text) => Some(Some(text.to_vec())),
        Err(errno) if is_gone(errno) => Some(None),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::ParentLock;

    #[test]
    fn only_one_run_has_the_lock_of_a_parent_and_a_held_one_is_not_waited_for_for_ever() {
        let parent = tempfile::tempdir().expect("a directory");
        let take = || ParentLock::of(parent.path(), Duration::from_millis(5));
        let first = take().expect("it is free");
        assert!(take().is_none());
        drop(first);
        assert!(take().is_some());
        assert!(ParentLock::of(&parent.path().join("none"), Duration::ZERO).is_none());
    }
}
