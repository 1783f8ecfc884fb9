//! The processes of a group and of the groups below it, as `cgroup.procs` lists them.

use std::collections::BTreeSet;
use std::os::fd::BorrowedFd;

use rustix::io::Errno;

use crate::linux::cgroup::link_counts::LinkCounts;
use crate::linux::cgroup::namespace;
use crate::linux::kernel_file::{FileBuffer, is_gone, lines, number};
use crate::model::cgroup::CgroupVersion;
use crate::model::process::Pid;

/// Most groups looked at: a machine has some thousands in all.
const MOST_GROUPS: usize = 20_000;

/// The pids of all processes in the group `relative` below `root`, which is the directory of a hierarchy.
///
/// 0 stands for all processes of another pid namespace (v2 alone lists them so): oomtop cannot name them, but the group
/// is not empty, and a kill that has left them is not done.
///
/// # Errors
/// The error of the group's own list; a group below it that vanishes meanwhile is empty.
pub(crate) fn members(root: BorrowedFd<'_>, relative: &[u8]) -> Result<BTreeSet<Pid>, Errno> {
    let mut found = BTreeSet::new();
    let mut buffer = FileBuffer::default();
    each_group(root, relative, |path| {
        let mut file = path.to_vec();
        file.extend_from_slice(b"/cgroup.procs");
        match buffer.read_whole(root, file.as_slice()) {
            Ok(text) => {
                found.extend(pids(text));
                Ok(())
            }
            // A group of threads: its processes are in the list of the group around it.
            Err(Errno::OPNOTSUPP) => Ok(()),
            Err(errno) => Err(errno),
        }
    })?;
    Ok(found)
}

/// The numbers of all threads in the group `relative` below `root`, without those in the groups below it. A process
/// is in the group of its first thread, whose number is its own. Threads of another pid namespace are left out: nobody
/// here can look at them or move them.
///
/// # Errors
/// Those of the read.
pub(crate) fn threads(
    root: BorrowedFd<'_>,
    relative: &[u8],
    version: CgroupVersion,
    buffer: &mut FileBuffer,
) -> Result<BTreeSet<Pid>, Errno> {
    let name = if version.is_v1() {
        "/tasks"
    } else {
        "/cgroup.threads"
    };
    let file = [relative, name.as_bytes()].concat();
    let text = buffer.read_whole(root, file.as_slice())?;
    Ok(pids(text).filter(|pid| *pid != 0).collect())
}

/// The numbers in a list of processes or threads; 0 for one of another pid namespace.
fn pids(text: &[u8]) -> impl Iterator<Item = Pid> {
    let numbers = lines(text).filter_map(number);
    numbers.filter_map(|pid| Pid::try_from(pid).ok())
}

/// Looks at the group `relative` and at all groups below it: each group before the groups in it. A group that has gone
/// is left out, with all below it. True if every group was found: false if the children of one could not be listed, or
/// there are more than [`MOST_GROUPS`].
///
/// # Errors
/// That of the look at the group itself.
pub(crate) fn each_group(
    root: BorrowedFd<'_>,
    relative: &[u8],
    mut look: impl FnMut(&[u8]) -> Result<(), Errno>,
) -> Result<bool, Errno> {
    let links = LinkCounts::of(root);
    let mut waiting = vec![relative.to_vec()];
    let mut is_whole = true;
    let mut seen = 0;
    while let Some(path) = waiting.pop() {
        let is_own = seen == 0;
        seen += 1;
        match look(&path) {
            Err(errno) if is_own => return Err(errno),
            Err(errno) if is_gone(errno) => continue,
            Ok(()) | Err(_) => {}
        }
        if seen + waiting.len() >= MOST_GROUPS {
            is_whole = false;
            continue;
        }
        if links.has_no_groups(root, &path) {
            continue;
        }
        let children = namespace::children(root, &path);
        is_whole &= !children.as_ref().is_err_and(|errno| !is_gone(*errno));
        for name in children.unwrap_or_default() {
            let mut below = path.clone();
            below.push(b'/');
            below.extend_from_slice(&name);
            waiting.push(below);
        }
    }
    Ok(is_whole)
}
