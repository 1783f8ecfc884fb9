//! The process table from plain `/proc`: works everywhere and needs no privilege.
//!
//! Opening a file and letting the kernel print it is expensive, so a pass reads as few files as possible:
//! `stat` of the processes that are due ([`crate::linux::scan::proc::schedule`]), `status` if `stat` has
//! changed, `oom_score_adj` at each visit or less often. Rows on the screen are read in every pass. All rows
//! are read when tasks wait for memory, or when the machine's memory changes and no row explains it. Never
//! read are `oom_score` (computed instead) and `smaps` (takes the target's mmap lock). Once its buffers are
//! large enough, a pass allocates nothing.

pub(in crate::linux) mod pid_table;
pub(in crate::linux) mod row;
pub(in crate::linux) mod schedule;
pub(in crate::linux) mod stat_line;
pub(in crate::linux) mod status_lines;

use std::mem::MaybeUninit;
use std::path::PathBuf;

use rustix::fs::{Mode, OFlags, RawDir, SeekFrom};
use rustix::io::Errno;

use crate::linux::ReadError;
use crate::linux::host::is_own_namespace;
use crate::linux::kernel_file::{FileBuffer, is_gone, number};
use crate::linux::scan::proc::pid_table::PidTable;
use crate::linux::scan::proc::row::{RowReader, cpu_time, row_of};
use crate::linux::scan::proc::schedule::Visits;
use crate::linux::scan::{ProcessScan, ScanCount, ScanPass, ScanWants, with_room};
use crate::model::memory::Memory;
use crate::model::process::{Pid, Process};

/// Buffer size of one `getdents64`, in bytes.
const ENTRIES: usize = 32 * 1024;

/// If the anonymous memory changes by more than this part of RAM without explanation, every row is read.
const UNEXPLAINED: u64 = 400;

/// The same in bytes: a leak of a process that has rested fills a small group before it is a part of a large machine.
const UNEXPLAINED_BYTES: u64 = 8 << 20;

/// Reads `/proc` by paths relative to one descriptor.
pub(crate) struct ProcScan {
    path: PathBuf,
    reader: RowReader,
    /// True if every row is read in every pass.
    fresh: bool,
    /// True if the number of processes and the last pid are available without listing `/proc`.
    countable: bool,
    entries: Vec<MaybeUninit<u8>>,
    /// Pids and the inode numbers of their directories, as last listed.
    pids: Vec<(Pid, u64)>,
    listed_at: Option<Population>,
    visits: PidTable<Visits>,
    file: FileBuffer,
    /// Anonymous pages of the machine that belong to no row, in the last pass.
    unexplained: Option<i64>,
}

/// If neither number has changed, no process has started or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Population {
    processes: u64,
    last_pid: u64,
}

impl ProcScan {
    /// With `fresh` every row is read in every pass.
    ///
    /// # Errors
    /// If the directory cannot be opened.
    pub(crate) fn open(path: PathBuf, fresh: bool) -> Result<Self, ReadError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::open(&path, flags, Mode::empty())
            .map_err(|errno| cannot_list(&path, errno))?;
        let countable = is_own_namespace(&path, std::os::fd::AsFd::as_fd(&dir));
        Ok(Self {
            path,
            reader: RowReader::new(dir),
            fresh,
            countable,
            entries: vec![MaybeUninit::uninit(); ENTRIES],
            pids: Vec::new(),
            listed_at: None,
            visits: PidTable::default(),
            file: FileBuffer::default(),
            unexplained: None,
        })
    }

    fn list(&mut self) -> Result<(), Errno> {
        // Read before the listing: the next pass then sees processes that start during it.
        let population = self.population();
        if population.is_some() && population == self.listed_at {
            return Ok(());
        }
        self.pids.clear();
        rustix::fs::seek(self.reader.dir(), SeekFrom::Start(0))?;
        let mut listing = RawDir::new(self.reader.dir(), &mut self.entries);
        while let Some(entry) = listing.next() {
            let entry = entry?;
            let pid = number(entry.file_name().to_bytes()).and_then(|n| Pid::try_from(n).ok());
            let pid = pid.filter(|pid| *pid > 0);
            self.pids.extend(pid.map(|pid| (pid, entry.ino())));
        }
        self.listed_at = population;
        Ok(())
    }

    /// The link count of `/proc` is the number of processes (fs/proc/root.c `proc_root_getattr`), and the
    /// last field of `loadavg` is the last pid allocated in the reader's pid namespace.
    fn population(&mut self) -> Option<Population> {
        if !self.countable {
            return None;
        }
        let links = rustix::fs::fstat(self.reader.dir()).ok()?.st_nlink;
        let loads = self.file.read_single(self.reader.dir(), "loadavg").ok()?;
        let last = loads.trim_ascii().rsplit(|b| *b == b' ').next()?;
        #[allow(
            clippy::useless_conversion,
            reason = "the type differs between architectures"
        )]
        Some(Population {
            processes: u64::from(links),
            last_pid: number(last)?,
        })
    }

    /// Visits a process if it is due or if `all` is set. `Ok(false)` if its files are invalid.
    fn visit(
        &mut self,
        pid: Pid,
        inode: u64,
        all: bool,
        wants: &ScanWants,
        pass: &ScanPass<'_>,
    ) -> Result<bool, Errno> {
        let visits = self.visits.keep(pid);
        if visits.inode != inode {
            *visits = Visits::new(inode);
        }
        if !visits.is_due(pass.seq, all) {
            return Ok(true);
        }
        let Some(stat) = self.reader.stat(pid)? else {
            return Ok(false);
        };
        let moved = visits.has_moved(&stat);
        let due = visits.due(moved, pass.seq);
        if moved {
            let before = std::mem::take(&mut visits.row);
            visits.row = row_of(pid, &stat, wants);
            if visits.row.id == before.id {
                (visits.row.uid, visits.row.adj) = (before.uid, before.adj);
            }
        }
        visits.row.cpu = Some(cpu_time(&stat, pass.seq));
        if !visits.row.kernel_thread {
            if due.status {
                self.reader.status(&mut visits.row, &stat, wants)?;
            }
            if due.adj {
                self.reader.adj(&mut visits.row)?;
            }
        }
        let ram = pass.memory.total / wants.page_size.max(1);
        visits.note(&stat, moved, due, pass.seq, ram);
        Ok(true)
    }

    fn visit_all(&mut self, all: bool, wants: &ScanWants, pass: &ScanPass<'_>) -> ScanCount {
        let mut count = ScanCount::default();
        self.visits.reserve(self.pids.len());
        for at in 0..self.pids.len() {
            let Some((pid, inode)) = self.pids.get(at).copied() else {
                break;
            };
            match self.visit(pid, inode, all, wants, pass) {
                Ok(true) => {
                    count.listed += 1;
                    continue;
                }
                Err(errno) if is_gone(errno) => count.vanished += 1,
                Err(Errno::ACCESS | Errno::PERM) => count.hidden += 1,
                Ok(false) | Err(_) => count.failed += 1,
            }
            self.visits.forget(pid);
        }
        count
    }

    fn fill(&mut self, table: &mut Vec<Process>) {
        table.clear();
        with_room(table, self.pids.len());
        for (pid, _) in &self.pids {
            if let Some(visits) = self.visits.get_mut(*pid) {
                table.push(visits.row.clone());
            }
        }
    }

    /// True if the anonymous memory of the machine has changed by more than the rows explain.
    fn is_unexplained(&mut self, table: &[Process], memory: &Memory, page_size: u64) -> bool {
        let page = page_size.max(1);
        let rows: u64 = table.iter().filter_map(|p| Some(p.memory?.anon)).sum();
        let Some(machine) = memory.anon.map(|bytes| bytes / page) else {
            return false;
        };
        let rest = machine.cast_signed() - rows.cast_signed();
        let before = self.unexplained.replace(rest);
        let least = (memory.total / UNEXPLAINED).min(UNEXPLAINED_BYTES) / page;
        before.is_some_and(|before| before.abs_diff(rest) > least)
    }
}

impl ProcessScan for ProcScan {
    fn name(&self) -> &'static str {
        if self.fresh {
            "/proc, all rows"
        } else {
            "/proc"
        }
    }

    fn scan(
        &mut self,
        wants: &ScanWants,
        pass: &ScanPass<'_>,
        table: &mut Vec<Process>,
    ) -> Result<ScanCount, ReadError> {
        self.list()
            .map_err(|errno| cannot_list(&self.path, errno))?;
        for id in pass.shown {
            if let Some(visits) = self.visits.get_mut(id.pid) {
                visits.show();
            }
        }
        let all = self.fresh || pass.pressed;
        let mut count = self.visit_all(all, wants, pass);
        self.fill(table);
        if self.is_unexplained(table, pass.memory, wants.page_size) && !all {
            count = self.visit_all(true, wants, pass);
            self.fill(table);
            self.is_unexplained(table, pass.memory, wants.page_size);
        }
        if count.skipped() > 0 {
            // Some listed processes could not be read: list again in the next pass.
            self.listed_at = None;
        }
        self.visits.end_round();
        Ok(count)
    }
}

/// The process table at `path` cannot be listed.
pub(in crate::linux) fn cannot_list(path: &std::path::Path, errno: Errno) -> ReadError {
    ReadError::new(
        path,
        "the process table",
        errno,
        "check that procfs is mounted there, or give another place with --proc",
    )
}
