//! The mounts that oomtop sees (proc_pid_mountinfo(5)).

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use procfs::process::MountInfo;

use crate::linux::SysRoot;
use crate::linux::kernel_file::{self, FileBuffer, lines};

/// One mount.
#[derive(Debug)]
pub(crate) struct Mount {
    /// The directory of the file system that is mounted. For a cgroup file system the path is relative to the
    /// root of the reader's cgroup namespace, and begins with `/..` where the mount reaches beyond it.
    pub(crate) root: Vec<u8>,
    pub(crate) point: PathBuf,
    pub(crate) info: MountInfo,
}

impl Mount {
    /// True for cgroup v1 and v2.
    pub(crate) fn is_cgroup(&self) -> bool {
        matches!(self.info.fs_type.as_str(), "cgroup" | "cgroup2")
    }
}

/// The mounts of oomtop itself; empty if they cannot be read. Skips invalid lines.
pub(crate) fn mounts(root: &SysRoot) -> Vec<Mount> {
    let mut buffer = FileBuffer::default();
    // The procfs of a pid namespace that oomtop is not in has no `self`.
    let text = [root.proc.as_path(), Path::new("/proc")]
        .into_iter()
        .find_map(|proc| {
            let dir = kernel_file::open_dir(proc).ok()?;
            let text = buffer.read_whole(&dir, "self/mountinfo").ok()?;
            Some(text.to_vec())
        });
    lines(&text.unwrap_or_default()).filter_map(mount).collect()
}

/// The mount that `path` is in, and the rest of the path below the mount point.
pub(crate) fn around<'m>(path: &Path, mounts: &'m [Mount]) -> Option<(&'m Mount, PathBuf)> {
    let real = path.canonicalize().ok()?;
    let longest = |mount: &&Mount| mount.point.as_os_str().len();
    let encloses = mounts.iter().filter(|mount| real.starts_with(&mount.point));
    // `max_by_key` returns the last of equals: the mount on top of the others.
    let mount = encloses.max_by_key(longest)?;
    let rest = real.strip_prefix(&mount.point).ok()?.to_owned();
    Some((mount, rest))
}

fn mount(line: &[u8]) -> Option<Mount> {
    // Bytes that are not UTF-8 become octal escapes, as the kernel writes blanks.
    let mut text = String::with_capacity(line.len());
    for chunk in line.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\{byte:03o}");
        }
    }
    let info = MountInfo::from_line(&text).ok()?;
    let point = unescaped(info.mount_point.as_os_str().as_bytes());
    Some(Mount {
        root: unescaped(info.root.as_bytes()),
        point: PathBuf::from(OsStr::from_bytes(&point)),
        info,
    })
}

/// Resolves the octal escapes of a path (`mangle`, fs/seq_file.c).
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let octal = after
            .get(..3)
            .filter(|_| *first == b'\\')
            .and_then(|digits| {
                let digits = std::str::from_utf8(digits).ok()?;
                u8::from_str_radix(digits, 8).ok()
            });
        if let Some(byte) = octal {
            bytes.push(byte);
            rest = after.get(3..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::{mount, unescaped};

    #[test]
    fn blanks_and_bytes_in_paths() {
        assert_eq!(unescaped(b"/a\\040b\\134c\\"), b"/a b\\c\\");
        let line = b"30 1 0:27 /x\\040y\xff /sys/fs/cg rw shared:2 - cgroup2 cgroup2 rw";
        let mount = mount(line).expect("a mount");
        assert_eq!(mount.root, b"/x y\xff");
        assert!(mount.is_cgroup());
    }
}
