//! Lists the memory cgroups of the host, for the move dialog.

use std::collections::VecDeque;
use std::path::PathBuf;

use rustix::fs::{Access, AtFlags};
use rustix::io::Errno;

use crate::model::cgroup::{Cgroup, CgroupPath, CgroupVersion};

use crate::linux::cgroup::files::{Depth, GroupReader};
use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::cgroup::namespace;
use crate::linux::{ReadError, SysRoot};

/// Most groups listed.
pub const MOST_GROUPS: usize = 20_000;

/// Most groups whose limits and usage are read: each costs a few file reads.
const MOST_READ: usize = 2_000;

/// The groups of a host, parents before children.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupList {
    /// The directory of the hierarchy's root, for showing a group's files.
    pub mount: PathBuf,
    /// The groups; the first 2000 have limits and usage. `parent` is not set: the list is not a
    /// [`crate::model::snapshot::Snapshot::cgroups`].
    pub groups: Vec<Cgroup>,
    /// For each group: oomtop may make groups in it and move processes into it.
    pub writable: Vec<bool>,
    /// True if there are more than [`MOST_GROUPS`].
    pub truncated: bool,
    /// Number of groups whose children are left out: their directory may not be listed.
    pub skipped: u32,
}

/// Walks the memory hierarchy. Leaves out groups that vanish during the walk.
///
/// # Errors
/// If the host has no memory hierarchy, or its root cannot be listed.
pub fn list_groups(root: &SysRoot) -> Result<GroupList, ReadError> {
    let hierarchy = Hierarchy::detect(root);
    let fail = |errno: Errno| {
        ReadError::new(
            &hierarchy.mount,
            "the memory cgroups",
            errno,
            "check that a memory controller is mounted there, or give another place with --cgroup",
        )
    };
    if hierarchy.version == CgroupVersion::None {
        return Err(fail(Errno::NOENT));
    }
    let mut list = GroupList {
        mount: hierarchy.mount.clone(),
        ..GroupList::default()
    };
    let mut waiting = VecDeque::from([hierarchy.root_group().clone()]);
    while let Some(path) = waiting.pop_front() {
        if list.groups.len() >= MOST_GROUPS {
            list.truncated = true;
            break;
        }
        match children(&hierarchy, &path) {
            Ok(names) => waiting.extend(names.iter().map(|name| path.join(name))),
            Err(errno) if path == *hierarchy.root_group() => return Err(fail(errno)),
            Err(Errno::NOENT | Errno::NODEV) => continue,
            // The group exists, but its children may not be listed.
            Err(_) => list.skipped += 1,
        }
        list.groups.push(Cgroup::unread(path, None));
    }
    read_limits(&hierarchy, &mut list.groups);
    list.writable = list
        .groups
        .iter()
        .map(|group| is_writable(&hierarchy, &group.path))
        .collect();
    Ok(list)
}

/// Asks the kernel for the rights of the effective user.
fn is_writable(hierarchy: &Hierarchy, path: &CgroupPath) -> bool {
    ["", "cgroup.procs"].into_iter().all(|file| {
        let allowed = hierarchy.dir().and_then(|dir| {
            let file = hierarchy.file(path, file).ok_or(Errno::NOENT)?;
            rustix::fs::accessat(dir, file.as_slice(), Access::WRITE_OK, AtFlags::EACCESS)
        });
        allowed.is_ok()
    })
}

fn read_limits(hierarchy: &Hierarchy, groups: &mut [Cgroup]) {
    let Ok(dir) = hierarchy.dir() else { return };
    let mut reader = GroupReader::new(rustix::param::page_size() as u64);
    for group in groups.iter_mut().take(MOST_READ) {
        let path = group.path.clone();
        if let Some(relative) = hierarchy.relative(&path) {
            reader.refresh(dir, &relative, hierarchy.version, Depth::All, group);
        }
    }
}

/// Names of the direct children of `path`, sorted.
pub(crate) fn children(hierarchy: &Hierarchy, path: &CgroupPath) -> Result<Vec<Vec<u8>>, Errno> {
    let relative = hierarchy.relative(path).ok_or(Errno::NOENT)?;
    namespace::children(hierarchy.dir()?, &relative)
}
