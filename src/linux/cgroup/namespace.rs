//! [`Printed`]: from the paths that the kernel prints to the groups below the mount.
//!
//! The kernel prints the group of a process, and the root of a cgroup mount, relative to the root of the
//! *reader's* cgroup namespace (cgroup_namespaces(7)). A container with a namespace of its own and the host's tree
//! mounted sees `/../..` as the root of the mount, and `/` as its own group. What the two levels are called is
//! printed nowhere: it is found by looking for oomtop itself in the groups of that depth.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::linux::SysRoot;
use crate::linux::cgroup::proc_file::memory_path;
use crate::linux::kernel_file::{self, FileBuffer, lines, number};
use crate::model::cgroup::{CgroupPath, CgroupVersion};

/// Most groups searched for the root of the namespace.
const MOST_SEARCHED: usize = 50_000;

/// A path as the kernel prints it: so many levels up from the root of the namespace, then these names down.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Steps<'p> {
    up: usize,
    down: &'p [u8],
}

impl<'p> Steps<'p> {
    fn new(path: &'p [u8]) -> Self {
        let mut rest = path;
        let mut up = 0;
        while let Some(after) = rest.strip_prefix(b"/..") {
            if !after.is_empty() && after.first() != Some(&b'/') {
                break;
            }
            up += 1;
            rest = after;
        }
        let start = rest.iter().position(|b| *b != b'/').unwrap_or(rest.len());
        let down = rest.get(start..).unwrap_or_default();
        Self { up, down }
    }
}

/// How printed paths name groups.
#[derive(Debug, Default)]
pub(crate) struct Printed {
    /// Levels from the root of the mount down to the root of the namespace; 0 if the mount does not reach beyond
    /// the namespace.
    levels: usize,
    /// What the levels are called, outermost first; fewer where oomtop could not be found.
    names: Vec<Vec<u8>>,
}

impl Printed {
    /// Reads where a mount of cgroups begins, `rest` being the path of oomtop's root below the mount point. Returns
    /// that root too, as a group.
    pub(crate) fn of_mount(
        root: &SysRoot,
        version: CgroupVersion,
        mount_root: &[u8],
        point: &Path,
        rest: &Path,
    ) -> (Self, CgroupPath) {
        let steps = Steps::new(mount_root);
        let rest = rest.as_os_str().as_bytes();
        if steps.up == 0 || !steps.down.is_empty() {
            // Within the namespace, or beside it: the printed paths of the groups in it begin so, too.
            let top = CgroupPath::from_bytes(mount_root).join(rest);
            return (Self::default(), top);
        }
        let names = names_above(root, version, point, steps.up);
        let printed = Self {
            levels: steps.up,
            names,
        };
        (printed, CgroupPath::root().join(rest))
    }

    /// The group of a printed path. Groups outside the mounted tree begin with `/..`; below a level without a
    /// name they begin with `/.`, which no directory has.
    pub(crate) fn group(&self, path: &[u8]) -> CgroupPath {
        if self.levels == 0 {
            return CgroupPath::from_bytes(path);
        }
        let steps = Steps::new(path);
        let mut whole = Vec::with_capacity(path.len() + 16);
        if let Some(known) = self.levels.checked_sub(steps.up) {
            match self.names.get(..known) {
                Some(names) => {
                    for name in names {
                        whole.push(b'/');
                        whole.extend_from_slice(name);
                    }
                }
                None => whole.extend_from_slice(b"/."),
            }
        } else {
            for _ in self.levels..steps.up {
                whole.extend_from_slice(b"/..");
            }
        }
        whole.push(b'/');
        whole.extend_from_slice(steps.down);
        CgroupPath::from_bytes(&whole)
    }
}

/// The names of the levels above the root of the namespace.
fn names_above(
    root: &SysRoot,
    version: CgroupVersion,
    point: &Path,
    levels: usize,
) -> Vec<Vec<u8>> {
    let Ok(mount) = kernel_file::open_dir(point) else {
        return Vec::new();
    };
    let mut best = Vec::new();
    for (pid, path) in witnesses(root, version) {
        let steps = Steps::new(&path);
        let Some(known) = levels.checked_sub(steps.up) else {
            continue;
        };
        // A process further up tells fewer names.
        if known <= best.len() {
            continue;
        }
        let mut search = Search {
            mount: &mount,
            pid,
            below: steps.down,
            left: MOST_SEARCHED,
            buffer: FileBuffer::default(),
        };
        let mut names = Vec::new();
        if search.find(known, &mut Vec::new(), &mut names) {
            best = names;
        }
        if best.len() == levels {
            break;
        }
    }
    best
}

/// Processes with the printed path of their group, oomtop first.
fn witnesses(
    root: &SysRoot,
    version: CgroupVersion,
) -> impl Iterator<Item = (u64, Vec<u8>)> + use<> {
    let group = move |proc: &Path, name: &OsStr| {
        let dir = kernel_file::open_dir(proc).ok()?;
        let mut buffer = FileBuffer::default();
        let text = buffer
            .read_whole(&dir, Path::new(name).join("cgroup").as_path())
            .ok()?;
        memory_path(text, version).map(<[u8]>::to_vec)
    };
    let own = [root.proc.as_path(), Path::new("/proc")]
        .into_iter()
        .find_map(|proc| group(proc, OsStr::new("self")));
    let own = own.map(|path| (u64::from(std::process::id()), path));
    // `cgroup.procs` has pids of the reader's pid namespace: so has its own /proc.
    let others = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let others = others.filter_map(move |entry| {
        let name = entry.file_name();
        let pid = number(name.as_bytes())?;
        Some((pid, group(Path::new("/proc"), &name)?))
    });
    own.into_iter().chain(others)
}

struct Search<'a> {
    mount: &'a OwnedFd,
    pid: u64,
    /// The group of the process below the one that is looked for.
    below: &'a [u8],
    left: usize,
    buffer: FileBuffer,
}

impl Search<'_> {
    /// Looks at every group `depth` levels below the one at `at`.
    fn find(&mut self, depth: usize, at: &mut Vec<Vec<u8>>, found: &mut Vec<Vec<u8>>) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        if depth == 0 {
            if self.holds(at) {
                found.clone_from(at);
                return true;
            }
            return false;
        }
        for name in children(self.mount, &joined(at, b"")).unwrap_or_default() {
            at.push(name);
            if self.find(depth - 1, at, found) {
                return true;
            }
            at.pop();
        }
        false
    }

    /// The process is in the group, or in the group of the same name below it.
    fn holds(&mut self, at: &[Vec<u8>]) -> bool {
        let group = joined(at, self.below);
        // A threaded group does not list processes, only threads.
        ["cgroup.procs", "cgroup.threads"].into_iter().any(|file| {
            let mut path = group.clone();
            path.push(b'/');
            path.extend_from_slice(file.as_bytes());
            let text = self.buffer.read_whole(self.mount, path.as_slice());
            text.is_ok_and(|text| lines(text).any(|line| number(line) == Some(self.pid)))
        })
    }
}

fn joined(names: &[Vec<u8>], below: &[u8]) -> Vec<u8> {
    let mut path = b".".to_vec();
    let below = (!below.is_empty()).then_some(below);
    for name in names.iter().map(Vec::as_slice).chain(below) {
        path.push(b'/');
        path.extend_from_slice(name);
    }
    path
}

/// Names of the groups in the directory `relative`, sorted.
pub(crate) fn children(dir: impl AsFd, relative: &[u8]) -> Result<Vec<Vec<u8>>, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let dir = rustix::fs::openat(dir, relative, flags, Mode::empty())?;
    let mut names = Vec::new();
    for entry in Dir::read_from(&dir)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if entry.file_type() == FileType::Directory && name != b"." && name != b".." {
            names.push(name.to_vec());
        }
    }
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::{Printed, Steps};

    fn steps(path: &str) -> (usize, String) {
        let steps = Steps::new(path.as_bytes());
        (steps.up, String::from_utf8_lossy(steps.down).into_owned())
    }

    #[test]
    fn up_then_down() {
        assert_eq!(steps("/"), (0, String::new()));
        assert_eq!(steps("/../.."), (2, String::new()));
        assert_eq!(steps("/../../a/b"), (2, "a/b".to_owned()));
        assert_eq!(steps("/..x/.."), (0, "..x/..".to_owned()));
    }

    #[test]
    fn paths_of_a_namespace_in_a_mount_that_reaches_beyond_it() {
        let printed = Printed {
            levels: 2,
            names: vec![b"t".to_vec(), b"in".to_vec()],
        };
        let group = |path: &str| printed.group(path.as_bytes()).to_string();
        assert_eq!(group("/"), "/t/in");
        assert_eq!(group("/sub"), "/t/in/sub");
        assert_eq!(group("/.."), "/t");
        assert_eq!(group("/../b/c"), "/t/b/c");
        assert_eq!(group("/../.."), "/");
        assert_eq!(group("/../../x"), "/x");
        assert_eq!(group("/../../../y"), "/../y");
        let partly = Printed {
            levels: 2,
            names: vec![b"t".to_vec()],
        };
        let group = |path: &str| partly.group(path.as_bytes()).to_string();
        assert_eq!(group("/../b"), "/t/b");
        assert_eq!(group("/sub"), "/./sub");
        assert_eq!(Printed::default().group(b"/../b").to_string(), "/../b");
    }
}
