//! [`LinkCounts`]: which groups have no groups in them, without a look at their files.

use std::os::fd::BorrowedFd;

use rustix::fs::{AtFlags, Dev, StatFs, fstat, fstatfs, statat};

/// `CGROUP_SUPER_MAGIC` and `CGROUP2_SUPER_MAGIC` (include/uapi/linux/magic.h).
const CGROUP_MAGIC: [i64; 2] = [0x0027_e0eb, 0x6367_7270];

/// What the link counts of the directories in one tree tell.
///
/// A directory of cgroups has two links and one more for each directory in it (fs/kernfs/inode.c
/// `kernfs_refresh_inode`). Other file systems count as they like: one of FUSE may say 2 for every directory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LinkCounts {
    /// The device of the cgroups; `None` if the tree is not one of cgroups.
    device: Option<Dev>,
}

impl LinkCounts {
    /// Asks which file system the tree is on: once for a walk.
    pub(crate) fn of(root: BorrowedFd<'_>) -> Self {
        #[allow(clippy::unnecessary_cast, clippy::useless_conversion)]
        let is_cgroup = |fs: StatFs| CGROUP_MAGIC.contains(&(fs.f_type as i64));
        let is_cgroup = fstatfs(root).is_ok_and(is_cgroup);
        let stat = is_cgroup.then(|| fstat(root).ok()).flatten();
        Self {
            device: stat.map(|stat| stat.st_dev),
        }
    }

    /// No group is in `path` below `root`, so the files of the group need not be listed, which costs far more. False if
    /// the link count does not tell.
    pub(crate) fn has_no_groups(self, root: BorrowedFd<'_>, path: &[u8]) -> bool {
        self.device.is_some_and(|device| {
            statat(root, path, AtFlags::SYMLINK_NOFOLLOW)
                .is_ok_and(|stat| stat.st_dev == device && stat.st_nlink == 2)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;

    use super::LinkCounts;
    use crate::linux::kernel_file::open_dir;

    #[test]
    fn the_links_of_another_file_system_tell_nothing() {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(dir.path().join("leaf")).expect("a directory");
        let root = open_dir(dir.path()).expect("there");
        // Most file systems say 2 here, as cgroups do.
        let links = LinkCounts::of(root.as_fd());
        assert!(!links.has_no_groups(root.as_fd(), b"leaf"));
    }

    #[test]
    fn the_links_of_cgroups_tell_who_has_no_groups() {
        for tree in ["/sys/fs/cgroup", "/sys/fs/cgroup/memory"] {
            let Ok(root) = open_dir(std::path::Path::new(tree)) else {
                continue;
            };
            let links = LinkCounts::of(root.as_fd());
            let groups = std::fs::read_dir(tree).expect("readable").flatten();
            let groups = groups.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
            let has_groups = groups.count() > 0;
            if links.device.is_some() && has_groups {
                assert!(!links.has_no_groups(root.as_fd(), b"."), "{tree}");
            }
        }
    }
}
