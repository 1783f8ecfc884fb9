//! Names in a directory.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Instant;

use rustix::fs::{Dir, Mode, OFlags};

use crate::linux::SysRoot;
use crate::linux::kernel_file::number;
use crate::model::process::Pid;

/// Most names read of one directory.
const MOST: usize = 65_536;

/// Opens a directory for reading, without following a link at its end.
pub(super) fn open(path: &Path) -> Option<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    rustix::fs::open(path, flags, Mode::empty()).ok()
}

/// The names in a directory, but `.` and `..`.
pub(super) fn names(dir: &OwnedFd) -> Vec<Vec<u8>> {
    let Ok(entries) = Dir::read_from(dir) else {
        return Vec::new();
    };
    let names = entries.filter_map(|entry| Some(entry.ok()?.file_name().to_bytes().to_vec()));
    let own = |name: &Vec<u8>| name != b"." && name != b"..";
    names.filter(own).take(MOST).collect()
}

/// The processes to look at: all that this `/proc` shows, or these.
pub(super) fn pids(root: &SysRoot, members: Option<&[Pid]>, until: Instant) -> Vec<Pid> {
    if let Some(members) = members {
        return members.to_vec();
    }
    if Instant::now() >= until {
        return Vec::new();
    }
    let Some(proc) = open(&root.proc) else {
        return Vec::new();
    };
    let names = names(&proc);
    let pids = names.iter().filter_map(|name| number(name));
    pids.filter_map(|pid| Pid::try_from(pid).ok()).collect()
}
