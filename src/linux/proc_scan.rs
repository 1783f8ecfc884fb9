//! The process table from plain `/proc`: works everywhere, needs no privilege.
//!
//! Three small files per process (`stat`, `status`, `oom_score_adj`), one for a kernel thread.
//! Never `oom_score` (it is computed) nor `smaps` (it takes the target's mmap lock). Once its
//! buffers are warm a scan allocates nothing.

use std::fmt::Write as _;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use rustix::fs::{Mode, OFlags, RawDir, SeekFrom};
use rustix::io::Errno;

use crate::domain::kernel::RssSource;
use crate::domain::process::{Pid, Process, ProcessId};
use crate::domain::score::OomScoreAdj;

use super::ReadError;
use super::kernel_file::{FileBuffer, is_gone, number, signed};
use super::scan::{ProcessScan, ScanCount, ScanWants};
use super::{stat_line, status_lines};

/// Bytes of directory entries taken by one `getdents64`.
const ENTRIES: usize = 32 * 1024;

/// Reads `/proc` by paths relative to one descriptor.
pub(crate) struct ProcScan {
    path: PathBuf,
    dir: OwnedFd,
    entries: Vec<MaybeUninit<u8>>,
    pids: Vec<Pid>,
    file: FileBuffer,
    name: String,
}

impl ProcScan {
    /// # Errors
    /// If the directory cannot be opened.
    pub(crate) fn open(path: PathBuf) -> Result<Self, ReadError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::open(&path, flags, Mode::empty())
            .map_err(|errno| cannot_list(&path, errno))?;
        Ok(Self {
            path,
            dir,
            entries: vec![MaybeUninit::uninit(); ENTRIES],
            pids: Vec::new(),
            file: FileBuffer::default(),
            name: String::new(),
        })
    }

    fn list(&mut self) -> Result<(), Errno> {
        self.pids.clear();
        rustix::fs::seek(&self.dir, SeekFrom::Start(0))?;
        let mut listing = RawDir::new(&self.dir, &mut self.entries);
        while let Some(entry) = listing.next() {
            let pid = number(entry?.file_name().to_bytes()).and_then(|n| Pid::try_from(n).ok());
            self.pids.extend(pid.filter(|pid| *pid > 0));
        }
        Ok(())
    }

    fn read(&mut self, pid: Pid, file: &str) -> Result<&[u8], Errno> {
        self.name.clear();
        // Writing to a String cannot fail.
        let _ = write!(self.name, "{pid}/{file}");
        self.file.read_single(&self.dir, self.name.as_str())
    }

    /// `Ok(None)` if the file makes no sense.
    fn row(&mut self, pid: Pid, wants: &ScanWants) -> Result<Option<Process>, Errno> {
        let Some(stat) = stat_line::parse(self.read(pid, "stat")?) else {
            return Ok(None);
        };
        let mut row = Process {
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
        };
        if row.kernel_thread {
            return Ok(Some(row));
        }
        match self.read(pid, "status").map(status_lines::parse) {
            Ok(status) => {
                row.uid = status.uid.unwrap_or(row.uid);
                row.memory = status.memory(wants.page_size).map(|mut memory| {
                    if wants.rss == RssSource::Stat {
                        memory.rss = stat.rss;
                    }
                    memory
                });
            }
            Err(errno) if is_gone(errno) => return Err(errno),
            Err(_) => row.unreadable = true,
        }
        row.adj = match self.read(pid, "oom_score_adj") {
            Ok(text) => signed(text).and_then(OomScoreAdj::new),
            Err(errno) if is_gone(errno) => {
                // It ended, unless its stat is still there: then the tree lacks this one file.
                self.read(pid, "stat")?;
                None
            }
            Err(_) => None,
        };
        Ok(Some(row))
    }
}

impl ProcessScan for ProcScan {
    fn name(&self) -> &'static str {
        "/proc"
    }

    fn scan(
        &mut self,
        wants: &ScanWants,
        table: &mut Vec<Process>,
    ) -> Result<ScanCount, ReadError> {
        table.clear();
        self.list()
            .map_err(|errno| cannot_list(&self.path, errno))?;
        let mut count = ScanCount::default();
        for at in 0..self.pids.len() {
            let Some(pid) = self.pids.get(at).copied() else {
                break;
            };
            match self.row(pid, wants) {
                Ok(Some(row)) => {
                    count.listed += 1;
                    table.push(row);
                }
                Err(errno) if is_gone(errno) => count.vanished += 1,
                Err(Errno::ACCESS | Errno::PERM) => count.hidden += 1,
                Ok(None) | Err(_) => count.failed += 1,
            }
        }
        Ok(count)
    }
}

fn cannot_list(path: &std::path::Path, errno: Errno) -> ReadError {
    ReadError::new(
        path,
        "the process table",
        errno,
        "check that procfs is mounted there, or give another place with --proc",
    )
}
