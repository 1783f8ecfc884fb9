//! [`ProcessHistory`]: the state of each process kept from sample to sample: growth, command line, cgroup.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;

use crate::model::cgroup::CgroupKey;
use crate::model::process::comm::Comm;
use crate::model::process::growth::Growth;
use crate::model::process::pace::Birth;
use crate::model::process::youth::Youth;
use crate::model::process::{Process, ProcessId};
use crate::model::snapshot::Needs;
use crate::model::time::{BootTime, Monotonic};

use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::cgroup::proc_file::memory_path;
use crate::linux::cgroup::table::{CYCLE, CgroupTable};
use crate::linux::host::users::Users;
use crate::linux::kernel_file::FileBuffer;
use crate::linux::scan::aside::Wait;
use crate::linux::scan::cgroup_rest::CgroupRest;
use crate::linux::scan::command_lines::{self, CommandLines};
use crate::linux::scan::cpu_meter::CpuMeter;
use crate::linux::scan::proc::pid_table::PidTable;

/// Where the back end does not report a cgroup id, the cgroup of every row is read once in this many samples.
const MOVES: u64 = 30;

#[derive(Debug, Default)]
struct Entry {
    id: ProcessId,
    /// False until the first row of this process has been completed.
    known: bool,
    uid: u32,
    comm: Comm,
    command: Option<Arc<str>>,
    cgroup: Option<CgroupKey>,
    cgroup_id: Option<u64>,
    rest: CgroupRest,
    growth: Growth,
    cpu: CpuMeter,
}

/// The state of each process, by pid and start time.
///
/// Bound: the entries are those of the last table ([`PidTable`]), `shown` and `wanted` hold no more rows than it, and
/// [`Youth`] a fixed number of names.
#[derive(Debug, Default)]
pub(crate) struct ProcessHistory {
    entries: PidTable<Entry>,
    /// Sorted.
    shown: Vec<ProcessId>,
    /// The indices of the shown rows in the last completed table.
    shown_rows: Vec<usize>,
    /// The rows whose command lines are to be read, those on the screen first.
    wanted: Vec<(bool, ProcessId)>,
    commands: Option<CommandLines>,
    /// When the last table was completed.
    taken: Option<Monotonic>,
    youth: Youth,
    files: Files,
}

/// Reads the files that are needed only for some rows.
#[derive(Debug, Default)]
struct Files {
    buffer: FileBuffer,
    name: String,
}

/// Where and when the rows of one sample were read.
pub(crate) struct Sampling<'a> {
    pub(crate) proc: &'a OwnedFd,
    pub(crate) hierarchy: &'a Hierarchy,
    pub(crate) seq: u64,
    pub(crate) at: Monotonic,
    /// Time since boot with the time in suspend, of the same moment.
    pub(crate) boot: BootTime,
    /// Clock ticks in a second.
    pub(crate) ticks: u64,
    pub(crate) page_size: u64,
}

impl Sampling<'_> {
    /// rss + swap of a row in bytes; `None` if it has no memory, or none that can be read.
    fn bytes(&self, row: &Process) -> Option<u64> {
        let memory = row.memory.as_ref()?;
        Some((memory.rss + memory.swap).saturating_mul(self.page_size))
    }

    /// What is known of a process that is seen for the first time.
    fn birth(
        &self,
        row: &Process,
        bytes: u64,
        inherited: Option<u64>,
        before: Option<Monotonic>,
    ) -> Birth {
        let started = BootTime::from_ticks(row.id.start_ticks, self.ticks);
        Birth {
            bytes,
            inherited: inherited.unwrap_or(0),
            lived: self.boot.since(started),
            unseen: before.map(|before| self.at.since(before)),
        }
    }
}

impl ProcessHistory {
    /// Completes every row of `table`, and forgets the processes that are not in it.
    pub(crate) fn complete(
        &mut self,
        sampling: &Sampling<'_>,
        needs: &Needs,
        cgroups: &mut CgroupTable,
        users: &mut Users,
        table: &mut [Process],
    ) {
        self.shown.clear();
        self.shown.extend(&needs.visible);
        self.shown.extend(needs.detail);
        self.shown.sort_unstable();
        self.shown_rows.clear();
        self.wanted.clear();
        self.entries.reserve(table.len());
        for (at, row) in table.iter_mut().enumerate() {
            let mut entry = self.entries.keep(row.id.pid);
            let mut inherited = None;
            if entry.id != row.id {
                let parent = self.entries.get_mut(row.ppid);
                inherited = parent.and_then(|parent| parent.growth.bytes());
                entry = self.entries.keep(row.id.pid);
                *entry = Entry {
                    id: row.id,
                    ..Entry::default()
                };
            }
            let shown = self.shown.binary_search(&row.id).is_ok();
            if shown {
                self.shown_rows.push(at);
            }
            let turn = |of| (u64::from(row.id.pid) + sampling.seq).is_multiple_of(of);
            if !entry.known || entry.uid != row.uid {
                users.learn(row.uid);
                entry.uid = row.uid;
            }
            let bytes = sampling.bytes(row);
            let before = self.taken;
            entry.growth.take(bytes, sampling.at, || {
                sampling.birth(row, bytes.unwrap_or(0), inherited, before)
            });
            let moved = match row.cgroup_id {
                Some(id) => entry.cgroup_id != Some(id),
                None => !entry.known || shown || turn(MOVES),
            };
            if moved && !row.kernel_thread {
                let cgroup = self.files.cgroup(row, &mut entry.rest, sampling, cgroups);
                if cgroup.is_some() {
                    (entry.cgroup, entry.cgroup_id) = (cgroup, row.cgroup_id);
                }
            }
            let wanted = shown || needs.all_commands;
            // A program may exec another one with the same short name: read the shown command lines again
            // from time to time.
            if wanted
                && (entry.command.is_none() || entry.comm != row.comm || (shown && turn(CYCLE)))
            {
                self.wanted.push((!shown, row.id));
            }
            entry.known = true;
            entry.comm = row.comm;
            row.cgroup = entry.cgroup;
            row.growth = entry.growth.shown();
            row.pace = entry.growth.pace();
            entry.cpu.measure(&mut row.cpu, sampling.at);
            self.youth
                .take(row.comm, entry.growth.seen(), &mut row.pace);
            row.command.clone_from(&entry.command);
        }
        self.youth.end_round(sampling.at, self.taken);
        let first = self.taken.replace(sampling.at).is_none();
        let wait = if first || needs.complete {
            Wait::ForAll
        } else {
            Wait::InTurn
        };
        self.read_commands(sampling.proc, wait, table);
        self.entries.end_round();
    }

    /// Reads the command lines that are wanted, and marks the rows whose reads block.
    fn read_commands(&mut self, proc: &OwnedFd, wait: Wait, table: &mut [Process]) {
        self.wanted.sort_unstable();
        let wanted: Vec<_> = self.wanted.iter().map(|(_, id)| *id).collect();
        if self.commands.is_none() && !wanted.is_empty() {
            self.commands = command_lines::reader(proc).ok();
        }
        let Some(commands) = &mut self.commands else {
            return;
        };
        let mut read = HashMap::with_capacity(wanted.len());
        commands.read(&wanted, wait, |(id, line)| {
            if let Some(entry) = self.entries.get_mut(id.pid).filter(|entry| entry.id == id) {
                entry.keep_command(line);
                read.insert(id, entry.command.clone());
            }
        });
        let blocked: HashMap<_, _> = commands.blocked().collect();
        if read.is_empty() && blocked.is_empty() {
            return;
        }
        for row in table {
            if let Some(command) = read.remove(&row.id) {
                row.command = command;
            }
            row.command_blocks = blocked.get(&row.id).map(Duration::as_secs_f32);
        }
    }

    /// The indices of the rows on the screen in the last completed table.
    pub(crate) fn shown_rows(&self) -> &[usize] {
        &self.shown_rows
    }
}

impl Files {
    /// Uses the cgroup id if the back end reports it and the group is known; otherwise reads the file, unless that
    /// rests.
    fn cgroup(
        &mut self,
        row: &Process,
        rest: &mut CgroupRest,
        sampling: &Sampling<'_>,
        cgroups: &mut CgroupTable,
    ) -> Option<CgroupKey> {
        if let Some(key) = row.cgroup_id.and_then(|id| cgroups.key_of(id)) {
            return Some(key);
        }
        if !rest.is_over(row.cgroup_id, sampling.seq) {
            return None;
        }
        let text = self.read(row, "cgroup", sampling.proc);
        rest.note(row.cgroup_id, sampling.seq, text);
        let path = memory_path(text.ok()?, sampling.hierarchy.version)?;
        let key = cgroups.intern(path, sampling.hierarchy);
        if let Some(id) = row.cgroup_id {
            cgroups.learn_id(id, key, sampling.hierarchy);
        }
        Some(key)
    }

    fn read(&mut self, row: &Process, file: &str, proc: &OwnedFd) -> Result<&[u8], Errno> {
        self.name.clear();
        // Writing to a String cannot fail.
        let _ = write!(self.name, "{}/{file}", row.id.pid);
        self.buffer.read_whole(proc, self.name.as_str())
    }
}

impl Entry {
    fn keep_command(&mut self, command: Option<String>) {
        match command {
            Some(line) if self.command.as_deref() == Some(line.as_str()) => {}
            Some(line) => self.command = Some(Arc::from(line)),
            // Not readable: do not try again until the name changes.
            None => self.command = Some(Arc::from("")),
        }
    }
}
