//! A process held by its `/proc/PID` directory: what goes through it can never hit another one.
//!
//! The directory's descriptor belongs to the process that had the pid when it was opened. Once that
//! process is reaped every access through it gives ESRCH, also when the pid is in use again. So it
//! is opened, then the start time is compared, and all else goes through it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::linux::as_root::as_root;
use crate::model::cgroup::CgroupPath;
use crate::model::plan::receipt::{Failure, FailureKind};
use crate::model::process::ProcessId;

use crate::linux::SysRoot;
use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::cgroup::proc_file::memory_path;
use crate::linux::kernel_file::{self, FileBuffer, is_gone, shortage};
use crate::linux::scan::proc::stat_line::{self, StatLine};

/// An open `/proc/PID` whose start time was right when it was opened.
#[derive(Debug)]
pub(crate) struct PinnedProcess {
    dir: OwnedFd,
    id: ProcessId,
}

impl PinnedProcess {
    /// # Errors
    /// [`FailureKind::Gone`] if there is no such process (or only its zombie), `Reused` if the pid
    /// is another's now, `Denied` or `Other` if it cannot be looked at.
    pub(crate) fn open(root: &SysRoot, id: ProcessId) -> Result<Self, Failure> {
        let path = root.proc.join(id.pid.to_string());
        let dir = kernel_file::open_dir(&path).map_err(|errno| unreadable(id, errno))?;
        let process = Self { dir, id };
        process.check()?;
        Ok(process)
    }

    /// The process that has this pid now, whichever it is.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(crate) fn whoever(root: &SysRoot, pid: u32) -> Result<(Self, StatLine), Failure> {
        let any = ProcessId {
            pid,
            start_ticks: 0,
        };
        let path = root.proc.join(pid.to_string());
        let dir = kernel_file::open_dir(&path).map_err(|errno| unreadable(any, errno))?;
        let mut process = Self { dir, id: any };
        let stat = process.stat()?;
        process.id.start_ticks = stat.start_ticks;
        Ok((process, stat))
    }

    /// The process is no longer in the process table, so its pid may be another's. A zombie keeps its pid.
    pub(crate) fn is_reaped(&self) -> bool {
        let stat = FileBuffer::default()
            .read_single(&self.dir, "stat")
            .map(|_| ());
        stat.is_err_and(is_gone)
    }

    /// The number is that of a thread, whose process has another.
    pub(crate) fn is_thread(&self) -> bool {
        let mut buffer = FileBuffer::default();
        let Ok(status) = buffer.read_whole(&self.dir, "status") else {
            return false;
        };
        let status = kernel_file::text(status);
        let group = status.lines().find_map(|line| line.strip_prefix("Tgid:"));
        let group = group.and_then(|group| group.trim().parse().ok());
        group.is_some_and(|group: u32| group != self.id.pid)
    }

    /// Its short name, fit for a sentence.
    pub(crate) fn name(stat: &StatLine) -> String {
        printable(stat)
    }

    fn stat(&self) -> Result<StatLine, Failure> {
        let mut buffer = FileBuffer::default();
        let line = buffer
            .read_single(&self.dir, "stat")
            .map_err(|errno| unreadable(self.id, errno))?;
        stat_line::parse(line).ok_or_else(|| Failure {
            kind: FailureKind::Other,
            sentence: format!(
                "Process {} was not touched: its /proc entry cannot be understood.",
                self.id.pid
            ),
        })
    }

    pub(crate) fn dir(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }

    /// The root directory of the process: a container's is another one than the host's.
    ///
    /// # Errors
    /// The error of the system call; `EACCES` without the right to trace the process.
    pub(crate) fn root_dir(&self) -> Result<OwnedFd, Errno> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::openat(&self.dir, "root", flags, Mode::empty())
    }

    /// Compares the start time again; the process may have ended meanwhile.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(crate) fn check(&self) -> Result<StatLine, Failure> {
        let stat = self.stat()?;
        if stat.start_ticks != self.id.start_ticks {
            return Err(Failure {
                kind: FailureKind::Reused,
                sentence: format!(
                    "Pid {} belongs to another process now ({}); it was not touched.",
                    self.id.pid,
                    printable(&stat)
                ),
            });
        }
        if stat.has_ended() {
            return Err(Failure {
                kind: FailureKind::Gone,
                sentence: format!(
                    "Process {} has ended (a zombie, until its parent takes notice).",
                    self.id.pid
                ),
            });
        }
        Ok(stat)
    }

    /// Its memory cgroup; `None` if that cannot be read.
    pub(crate) fn cgroup(&self, hierarchy: &Hierarchy) -> Option<CgroupPath> {
        let mut buffer = FileBuffer::default();
        let text = buffer.read_whole(&self.dir, "cgroup").ok()?;
        let path = memory_path(text, hierarchy.version)?;
        Some(hierarchy.group(path))
    }
}

/// The process ended: one sentence for all writers.
pub(crate) fn gone(id: ProcessId) -> Failure {
    Failure {
        kind: FailureKind::Gone,
        sentence: format!("Process {} has ended.", id.pid),
    }
}

fn unreadable(id: ProcessId, errno: Errno) -> Failure {
    if is_gone(errno) {
        return gone(id);
    }
    let denied = matches!(errno, Errno::ACCESS | Errno::PERM);
    Failure {
        kind: if denied {
            FailureKind::Denied
        } else {
            FailureKind::Other
        },
        sentence: if denied {
            format!(
                "Process {} may not be looked at (/proc is mounted with hidepid): {}.",
                id.pid,
                as_root("run oomtop as root: sudo oomtop")
            )
        } else {
            match shortage(errno) {
                Some(shortage) => format!("Process {} cannot be read: {shortage}.", id.pid),
                None => format!("Process {} cannot be read: {errno}.", id.pid),
            }
        },
    }
}

fn printable(stat: &StatLine) -> String {
    stat.comm
        .text()
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}
