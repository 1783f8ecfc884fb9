//! [`RowReader`]: reads one process from its files in `/proc`.

use std::fmt::Write as _;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags, RawDir};
use rustix::io::Errno;

use crate::linux::kernel_file::{FileBuffer, is_gone, number, signed};
use crate::linux::scan::ScanWants;
use crate::linux::scan::proc::stat_line::{self, StatLine};
use crate::linux::scan::proc::status_lines;
use crate::model::kernel::RssSource;
use crate::model::process::cpu::CpuTime;
use crate::model::process::score::OomScoreAdj;
use crate::model::process::{Pid, Process, ProcessId};

/// Reads by paths relative to one descriptor. Allocates nothing once its buffers are large enough.
#[derive(Debug)]
pub(crate) struct RowReader {
    dir: OwnedFd,
    file: FileBuffer,
    name: String,
}

impl RowReader {
    /// Reads below this directory.
    pub(crate) fn new(dir: OwnedFd) -> Self {
        Self {
            dir,
            file: FileBuffer::default(),
            name: String::new(),
        }
    }

    /// The directory.
    pub(crate) fn dir(&self) -> &OwnedFd {
        &self.dir
    }

    fn read(&mut self, pid: Pid, file: &str) -> Result<&[u8], Errno> {
        self.name.clear();
        // Writing to a String cannot fail.
        let _ = write!(self.name, "{pid}/{file}");
        self.file.read_single(&self.dir, self.name.as_str())
    }

    /// Reads `stat`; `Ok(None)` if the file is invalid.
    ///
    /// # Errors
    /// The error of the system call; `ENOENT` or `ESRCH` if the process has ended.
    pub(crate) fn stat(&mut self, pid: Pid) -> Result<Option<StatLine>, Errno> {
        Ok(stat_line::parse(self.read(pid, "stat")?))
    }

    /// Reads a whole row; `Ok(None)` if its files are invalid.
    ///
    /// # Errors
    /// The error of the system call; `ENOENT` or `ESRCH` if the process has ended.
    pub(crate) fn row(&mut self, pid: Pid, wants: &ScanWants) -> Result<Option<Process>, Errno> {
        let Some(stat) = self.stat(pid)? else {
            return Ok(None);
        };
        let mut row = row_of(pid, &stat, wants);
        row.cpu = Some(cpu_time(&stat, 0));
        if !row.kernel_thread {
            self.status(&mut row, &stat, wants)?;
            self.adj(&mut row)?;
        }
        Ok(Some(row))
    }

    /// Fills in user and memory.
    ///
    /// # Errors
    /// Only if the process has ended.
    pub(crate) fn status(
        &mut self,
        row: &mut Process,
        stat: &StatLine,
        wants: &ScanWants,
    ) -> Result<(), Errno> {
        match self.read(row.id.pid, "status").map(status_lines::parse) {
            Ok(status) => {
                row.unreadable = false;
                row.uid = status.uid.unwrap_or(row.uid);
                row.memory = status.memory(wants.page_size).map(|mut memory| {
                    if wants.rss == RssSource::Stat {
                        memory.rss = stat.rss;
                    }
                    memory
                });
            }
            Err(errno) if is_gone(errno) => return Err(errno),
            Err(_) => {
                row.unreadable = true;
                row.memory = None;
            }
        }
        if row.memory.is_none() && stat.state.is_dead() && stat.threads > 1 {
            self.living_thread(row, wants);
        }
        Ok(())
    }

    /// Replaces the memory of a row by the current numbers in `status`. False if `status` cannot be read or
    /// the process has no memory any more: then the row does not change.
    ///
    /// This does not check that the pid still belongs to the same process: the row was read moments ago, and
    /// the kernel reuses a pid only after all others.
    pub(crate) fn exact_memory(&mut self, row: &mut Process, page_size: u64) -> bool {
        let status = self.read(row.id.pid, "status").map(status_lines::parse);
        let memory = status.ok().and_then(|status| status.memory(page_size));
        row.memory = memory.or(row.memory);
        memory.is_some()
    }

    /// Fills in `oom_score_adj`; it stays `None` where the file cannot be read.
    ///
    /// # Errors
    /// Only if the process has ended.
    pub(crate) fn adj(&mut self, row: &mut Process) -> Result<(), Errno> {
        row.adj = match self.read(row.id.pid, "oom_score_adj") {
            Ok(text) => signed(text).and_then(OomScoreAdj::new),
            Err(errno) if is_gone(errno) => {
                // The process has ended, unless its `stat` still exists: then the tree only lacks this file.
                self.read(row.id.pid, "stat")?;
                None
            }
            Err(_) => None,
        };
        Ok(())
    }

    /// Completes the row of a process whose main thread has ended while other threads live. Its own files
    /// look like those of a zombie, but it has memory and can be killed (mm/oom_kill.c `find_lock_task_mm`).
    /// State and memory are taken from a living thread.
    pub(crate) fn living_thread(&mut self, row: &mut Process, wants: &ScanWants) {
        for thread in self.threads(row.id.pid).into_iter().flatten() {
            let Ok(Some(stat)) = self
                .read(row.id.pid, &format!("task/{thread}/stat"))
                .map(stat_line::parse)
            else {
                continue;
            };
            let status = self.read(row.id.pid, &format!("task/{thread}/status"));
            let memory = status.map(|text| status_lines::parse(text).memory(wants.page_size));
            if let Ok(Some(mut memory)) = memory {
                if wants.rss == RssSource::Stat {
                    memory.rss = stat.rss;
                }
                row.memory = Some(memory);
                row.state = stat.state;
                return;
            }
        }
    }

    /// The thread ids. Allocates: this is rare.
    fn threads(&self, pid: Pid) -> Option<Vec<u64>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let path = format!("{pid}/task");
        let dir = rustix::fs::openat(&self.dir, path, flags, Mode::empty()).ok()?;
        let mut buffer = Vec::with_capacity(4096);
        let mut listing = RawDir::new(dir.as_fd(), buffer.spare_capacity_mut());
        let mut threads = Vec::new();
        while let Some(Ok(entry)) = listing.next() {
            threads.extend(number(entry.file_name().to_bytes()));
        }
        Some(threads)
    }
}

/// The processor time in `stat`, read in this pass.
pub(crate) fn cpu_time(stat: &StatLine, pass: u64) -> CpuTime {
    let tick = 1_000_000_000 / rustix::param::clock_ticks_per_second().max(1);
    CpuTime {
        nanos: stat.cpu_ticks.saturating_mul(tick),
        read: pass,
        percent: None,
    }
}

/// The part of a row that comes from `stat`.
pub(crate) fn row_of(pid: Pid, stat: &StatLine, wants: &ScanWants) -> Process {
    Process {
        id: ProcessId {
            pid,
            start_ticks: stat.start_ticks,
        },
        ppid: stat.ppid,
        comm: stat.comm,
        state: stat.state,
        threads: stat.threads,
        kernel_thread: stat.kernel_thread,
        global_init: wants.global_init && pid == 1,
        ..Process::default()
    }
}
