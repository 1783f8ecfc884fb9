//! Finds the hierarchy that controls memory, and maps cgroup paths to directories in it.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::AtFlags;
use rustix::io::Errno;

use crate::model::cgroup::{CgroupPath, CgroupVersion};

use crate::linux::SysRoot;
use crate::linux::cgroup::mounts::{Mount, around, mounts};
use crate::linux::cgroup::namespace::Printed;
use crate::linux::kernel_file;

/// What v2 prints behind the path of a removed group, which only a zombie can still be in (kernel/cgroup/cgroup.c
/// `proc_cgroup_show`).
const REMOVED: &[u8] = b" (deleted)";

/// The memory hierarchy of a host.
#[derive(Debug)]
pub(crate) struct Hierarchy {
    pub(crate) version: CgroupVersion,
    /// The root directory of the hierarchy; meaningless without a memory controller.
    pub(crate) mount: PathBuf,
    /// The group at the root of the mount. It is not `/` in a container that has no cgroup namespace of its
    /// own but mounts only its part of the tree.
    mount_root: CgroupPath,
    printed: Printed,
    dir: Option<OwnedFd>,
}

impl Hierarchy {
    /// Looks below [`SysRoot::cgroup`] first, then at the mount points in mountinfo.
    pub(crate) fn detect(root: &SysRoot) -> Self {
        let mounts = mounts(root);
        let (version, mount) = by_directory(&root.cgroup)
            .or_else(|| by_mountinfo(root, &mounts))
            .unwrap_or((CgroupVersion::None, root.cgroup.clone()));
        let (printed, mount_root) = around(&mount, &mounts)
            .filter(|(mount, _)| mount.is_cgroup())
            .map_or_else(
                || (Printed::default(), CgroupPath::root()),
                |(m, rest)| Printed::of_mount(root, version, &m.root, &m.point, &rest),
            );
        let dir = match version {
            CgroupVersion::None => None,
            _ => kernel_file::open_dir(&mount).ok(),
        };
        Self {
            version,
            mount,
            mount_root,
            printed,
            dir,
        }
    }

    /// A hierarchy without directories.
    #[cfg(test)]
    pub(crate) fn on_paper(version: CgroupVersion) -> Self {
        Self {
            version,
            mount: PathBuf::new(),
            mount_root: CgroupPath::root(),
            printed: Printed::default(),
            dir: None,
        }
    }

    /// The root directory; `ENOENT` if there is no memory controller.
    pub(crate) fn dir(&self) -> Result<BorrowedFd<'_>, Errno> {
        self.dir.as_ref().map(AsFd::as_fd).ok_or(Errno::NOENT)
    }

    /// The group of a path as `/proc/PID/cgroup` prints it.
    pub(crate) fn group(&self, path: &[u8]) -> CgroupPath {
        let whole = self.printed.group(path);
        if self.version != CgroupVersion::V2 || !is_removed(path) || self.is_there(&whole) {
            return whole;
        }
        let path = path.strip_suffix(REMOVED).unwrap_or(path);
        self.printed.group(path)
    }

    fn is_there(&self, group: &CgroupPath) -> bool {
        let stat = self.dir().and_then(|dir| {
            let relative = self.relative(group).ok_or(Errno::NOENT)?;
            rustix::fs::statat(dir, relative.as_ref(), AtFlags::SYMLINK_NOFOLLOW)
        });
        stat.is_ok()
    }

    /// The group's directory relative to [`Self::dir`] (`.` for the root); `None` if the group cannot be
    /// reached: it is outside the cgroup namespace, or the path is not one that a kernel prints.
    pub(crate) fn relative<'p>(&self, path: &'p CgroupPath) -> Option<Cow<'p, [u8]>> {
        if !path.is_within(&self.mount_root) {
            return None;
        }
        let below = if self.mount_root.is_root() {
            path.as_str()
        } else {
            path.as_str().strip_prefix(self.mount_root.as_str())?
        };
        let below = below.trim_start_matches('/');
        if below.is_empty() {
            return Some(Cow::Borrowed(b"."));
        }
        let sound = below
            .split('/')
            .all(|part| !part.is_empty() && part != "." && part != ".." && !part.contains('\0'));
        sound.then(|| CgroupPath::bytes_of(below))
    }

    /// The path of one of the group's files relative to [`Self::dir`].
    pub(crate) fn file(&self, group: &CgroupPath, file: &str) -> Option<Vec<u8>> {
        let mut path = self.relative(group)?.into_owned();
        path.push(b'/');
        path.extend_from_slice(file.as_bytes());
        Some(path)
    }

    /// The group at the root of the mount.
    pub(crate) fn root_group(&self) -> &CgroupPath {
        &self.mount_root
    }

    /// The full path of the group's directory, for messages and commands.
    pub(crate) fn display(&self, path: &CgroupPath) -> String {
        match self.relative(path).as_deref() {
            Some(b".") => self.mount.display().to_string(),
            Some(below) => self
                .mount
                .join(OsStr::from_bytes(below))
                .display()
                .to_string(),
            None => path.to_string(),
        }
    }
}

/// True if the kernel may have said of this path that its group is removed. A group may also be called so.
pub(crate) fn is_removed(path: &[u8]) -> bool {
    path.ends_with(REMOVED)
}

fn lists_memory(dir: &Path) -> bool {
    std::fs::read_to_string(dir.join("cgroup.controllers"))
        .is_ok_and(|text| text.split_ascii_whitespace().any(|c| c == "memory"))
}

fn by_directory(cgroup: &Path) -> Option<(CgroupVersion, PathBuf)> {
    if lists_memory(cgroup) {
        return Some((CgroupVersion::V2, cgroup.to_owned()));
    }
    let v1 = cgroup.join("memory");
    if !v1.is_dir() {
        return None;
    }
    let unified = cgroup.join("unified");
    // This is a v2 tree with a group called "memory", not v1.
    if v1.join("cgroup.controllers").exists() {
        return None;
    }
    let version = if unified.is_dir() {
        CgroupVersion::Hybrid
    } else {
        CgroupVersion::V1
    };
    Some((version, v1))
}

/// Finds controllers that are mounted in another place. Works only for this process's own root: the mount
/// points of another root are not valid paths here.
fn by_mountinfo(root: &SysRoot, mounts: &[Mount]) -> Option<(CgroupVersion, PathBuf)> {
    if *root != SysRoot::default() {
        return None;
    }
    let v2 = || mounts.iter().filter(|m| m.info.fs_type == "cgroup2");
    if let Some(m) = v2().find(|m| lists_memory(&m.point)) {
        return Some((CgroupVersion::V2, m.point.clone()));
    }
    let is_v1 =
        |m: &&Mount| m.info.fs_type == "cgroup" && m.info.super_options.contains_key("memory");
    let v1 = mounts.iter().find(is_v1)?;
    let version = if v2().next().is_some() {
        CgroupVersion::Hybrid
    } else {
        CgroupVersion::V1
    };
    Some((version, v1.point.clone()))
}
