//! [`put_back`]: takes memory control away again from the groups below one for which a run has switched it on.

use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::cgroup::namespace;
use crate::linux::kernel_file::{FileBuffer, is_gone};
use crate::linux::write::executor::KernelWriter;
use crate::model::cgroup::CgroupPath;
use crate::model::cgroup::limits::{LimitFile, Limits};
use crate::model::plan::execute::Executor as _;
use crate::model::plan::step::CgroupStep;
use crate::model::run::owner;

/// True if nothing is left to do: nobody has memory control there, or the group is gone. False while somebody uses it: groups
/// below would lose their limits, or a run its numbers.
pub(super) fn put_back(
    hierarchy: &Hierarchy,
    writer: &mut KernelWriter,
    parent: &CgroupPath,
) -> bool {
    match is_shared(hierarchy, parent) {
        Some(true) => {
            !is_used(hierarchy, parent)
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

/// A group below has a limit, or is that of a run. What has memory control in groups of its own, the kernel protects (EBUSY).
fn is_used(hierarchy: &Hierarchy, parent: &CgroupPath) -> bool {
    let below = hierarchy.dir().ok().and_then(|dir| {
        let relative = hierarchy.relative(parent)?;
        namespace::children(dir, &relative).ok()
    });
    // What cannot be looked at may be used.
    below.is_none_or(|names| {
        let mut children = names.iter().map(|name| parent.join(name));
        children.any(|child| owner(child.name()).is_some() || has_limit(hierarchy, &child))
    })
}

fn has_limit(hierarchy: &Hierarchy, group: &CgroupPath) -> bool {
    let page_size = rustix::param::page_size() as u64;
    let mut buffer = FileBuffer::default();
    LimitFile::of(hierarchy.version).any(|limit| {
        let read = hierarchy.dir().ok().and_then(|dir| {
            let file = hierarchy.file(group, limit.name())?;
            limit.shown(buffer.read_whole(dir, file.as_slice()).ok()?, page_size)
        });
        // The kernel is too old for the file, or the group has gone.
        read.is_some_and(|now| limit.get(&Limits::default()) != Some(now))
    })
}
