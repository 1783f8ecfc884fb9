//! Finds the hierarchy that controls memory, and maps cgroup paths to directories in it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use procfs::process::MountInfo;
use rustix::io::Errno;

use crate::model::cgroup::{CgroupPath, CgroupVersion};

use crate::linux::SysRoot;
use crate::linux::kernel_file::{self, FileBuffer, lines};

/// The memory hierarchy of a host.
#[derive(Debug)]
pub(crate) struct Hierarchy {
    pub(crate) version: CgroupVersion,
    /// The root directory of the hierarchy; meaningless without a memory controller.
    pub(crate) mount: PathBuf,
    /// The group at the root of the mount. It is not `/` in a container that has no cgroup namespace of its
    /// own but mounts only its part of the tree.
    mount_root: CgroupPath,
    dir: Option<OwnedFd>,
}

impl Hierarchy {
    /// Looks below [`SysRoot::cgroup`] first, then at the mount points in mountinfo.
    pub(crate) fn detect(root: &SysRoot) -> Self {
        let mounts = mounts(root);
        let (version, mount) = by_directory(&root.cgroup)
            .or_else(|| by_mountinfo(root, &mounts))
            .unwrap_or((CgroupVersion::None, root.cgroup.clone()));
        let mount_root = mounts
            .iter()
            .rev()
            .find(|m| m.mount_point == mount && m.fs_type.starts_with("cgroup"))
            // mountinfo shows a root of `/..` for a mount made in another cgroup namespace.
            .filter(|m| !m.root.split('/').any(|part| part == ".."))
            .map_or_else(CgroupPath::root, |m| CgroupPath::new(&m.root));
        let dir = match version {
            CgroupVersion::None => None,
            _ => kernel_file::open_dir(&mount).ok(),
        };
        Self {
            version,
            mount,
            mount_root,
            dir,
        }
    }

    /// The root directory; `ENOENT` if there is no memory controller.
    pub(crate) fn dir(&self) -> Result<BorrowedFd<'_>, Errno> {
        self.dir.as_ref().map(AsFd::as_fd).ok_or(Errno::NOENT)
    }

    /// The group's directory relative to [`Self::dir`] (`.` for the root); `None` if the group cannot be
    /// reached: it is outside the cgroup namespace, or the path is not one that a kernel prints.
    pub(crate) fn relative<'p>(&self, path: &'p CgroupPath) -> Option<&'p str> {
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
            return Some(".");
        }
        let sound = below
            .split('/')
            .all(|part| !part.is_empty() && part != "." && part != ".." && !part.contains('\0'));
        sound.then_some(below)
    }

    /// The group at the root of the mount.
    pub(crate) fn root_group(&self) -> &CgroupPath {
        &self.mount_root
    }

    /// The full path of the group's directory, for messages and commands.
    pub(crate) fn display(&self, path: &CgroupPath) -> String {
        match self.relative(path) {
            Some(".") => self.mount.display().to_string(),
            Some(below) => self.mount.join(below).display().to_string(),
            None => path.to_string(),
        }
    }
}

/// Longer paths are rejected (`PATH_MAX`, include/uapi/linux/limits.h): each level adds a group to the table.
const PATH_MOST: usize = 4096;

/// The path of the memory cgroup in the text of `/proc/PID/cgroup` (cgroups(7)): the line of the
/// `memory` controller on v1, the line `0::` on v2.
pub(crate) fn memory_path(text: &[u8], version: CgroupVersion) -> Option<&[u8]> {
    lines(text).find_map(|line| {
        let mut fields = line.splitn(3, |b| *b == b':');
        let (number, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        let wanted = if version.is_v1() {
            controllers.split(|b| *b == b',').any(|c| c == b"memory")
        } else {
            number == b"0" && controllers.is_empty()
        };
        (wanted && version != CgroupVersion::None && path.len() <= PATH_MOST).then_some(path)
    })
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
fn by_mountinfo(root: &SysRoot, mounts: &[MountInfo]) -> Option<(CgroupVersion, PathBuf)> {
    if *root != SysRoot::default() {
        return None;
    }
    let v2 = mounts.iter().find(|m| m.fs_type == "cgroup2");
    if let Some(m) = v2.filter(|m| lists_memory(&m.mount_point)) {
        return Some((CgroupVersion::V2, m.mount_point.clone()));
    }
    let v1 = mounts
        .iter()
        .find(|m| m.fs_type == "cgroup" && m.super_options.contains_key("memory"))?;
    let version = if v2.is_some() {
        CgroupVersion::Hybrid
    } else {
        CgroupVersion::V1
    };
    Some((version, v1.mount_point.clone()))
}

/// Parses `/proc/self/mountinfo`; empty if it cannot be read. Skips invalid lines.
pub(crate) fn mounts(root: &SysRoot) -> Vec<MountInfo> {
    let mut buffer = FileBuffer::default();
    let Ok(dir) = kernel_file::open_dir(&root.proc) else {
        return Vec::new();
    };
    let Ok(text) = buffer.read_whole(&dir, "self/mountinfo") else {
        return Vec::new();
    };
    lines(text)
        .filter_map(|line| MountInfo::from_line(std::str::from_utf8(line).ok()?).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::memory_path;
    use crate::model::cgroup::CgroupVersion;

    #[test]
    fn the_memory_line_by_version() {
        let hybrid = b"9:name=systemd:/\n4:cpu,memory:/a:b/c\n0::/u\n";
        assert_eq!(
            memory_path(hybrid, CgroupVersion::Hybrid),
            Some(&b"/a:b/c"[..])
        );
        assert_eq!(memory_path(hybrid, CgroupVersion::V2), Some(&b"/u"[..]));
        assert_eq!(memory_path(hybrid, CgroupVersion::None), None);
        assert_eq!(memory_path(b"junk\n4:memory\n", CgroupVersion::V1), None);
    }
}
