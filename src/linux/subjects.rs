//! [`SubjectReader`]: reads what rules compare of processes.

use std::collections::{HashMap, HashSet};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::PathBuf;

use rustix::fs::{Mode, OFlags, RawDir, SeekFrom};

use super::cgroup::hierarchy::Hierarchy;
use super::cgroup::proc_file::memory_path;
use super::host::Facts;
use super::host::users::Users;
use super::kernel_file::{FileBuffer, number, signed};
use super::scan::aside::Wait;
use super::scan::command_lines::{self, CommandLines};
use super::scan::proc::{cannot_list, stat_line, status_lines};
use super::{ReadError, SysRoot};
use crate::model::cgroup::CgroupVersion;
use crate::model::process::comm::Comm;
use crate::model::process::score::OomScoreAdj;
use crate::model::process::{Pid, ProcessId};
use crate::model::rules::Rules;
use crate::model::rules::condition::Fact;
use crate::model::rules::subject::{Exempt, Subject};

/// Bytes for entries of `/proc`.
const ENTRIES: usize = 32 * 1024;

/// Most reads that may block in one look at command lines.
const BLOCKING: usize = 8;

/// The kernel prints this behind the path of an executable that was replaced (fs/d_path.c `prepend_path`).
const DELETED: &str = " (deleted)";

/// What of a process changes when it becomes another program, or another process gets its pid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glimpse {
    /// Which process.
    pub id: ProcessId,
    /// Its parent.
    pub ppid: Pid,
    /// Its name.
    pub comm: Comm,
}

/// Reads processes below a [`SysRoot`].
#[derive(Debug)]
pub struct SubjectReader {
    path: PathBuf,
    dir: OwnedFd,
    entries: Vec<MaybeUninit<u8>>,
    file: FileBuffer,
    hierarchy: Hierarchy,
    users: Users,
    commands: Option<CommandLines>,
    sees_global_init: bool,
    /// What is read.
    wanted: Vec<Fact>,
}

impl SubjectReader {
    /// Reads what these rules ask for.
    ///
    /// # Errors
    /// If the procfs directory cannot be opened.
    pub fn open(root: &SysRoot, rules: &Rules) -> Result<Self, ReadError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::open(&root.proc, flags, Mode::empty());
        let dir = dir.map_err(|errno| cannot_list(&root.proc, errno))?;
        let sees_global_init = Facts::new(&dir).sees_global_init();
        let mut reader = Self {
            path: root.proc.clone(),
            entries: vec![MaybeUninit::uninit(); ENTRIES],
            file: FileBuffer::default(),
            hierarchy: Hierarchy::detect(root),
            users: Users::new(&root.proc),
            commands: None,
            dir,
            sees_global_init,
            wanted: Vec::new(),
        };
        reader.want(rules);
        Ok(reader)
    }

    /// The hierarchy that controls memory.
    #[must_use]
    pub fn cgroups(&self) -> CgroupVersion {
        self.hierarchy.version
    }

    /// From now on reads what these rules ask for.
    pub fn want(&mut self, rules: &Rules) {
        let wanted = Fact::ALL.into_iter().filter(|fact| rules.wants(*fact));
        self.wanted = wanted.collect();
    }

    fn wants(&self, any: &[Fact]) -> bool {
        any.iter().any(|fact| self.wanted.contains(fact))
    }

    /// Reads everything, whatever the rules ask for: to tell people.
    pub fn want_all(&mut self) {
        self.wanted = Fact::ALL.to_vec();
    }

    /// The process that has this pid now; `None` if there is none, or if only its zombie is left.
    pub fn read(&mut self, pid: Pid) -> Option<Subject> {
        let mut subject = self.facts(pid)?;
        if self.wants(&[Fact::Command]) && subject.exempt != Some(Exempt::KernelThread) {
            let id = subject.id;
            self.command_lines(&[id], |(of, line)| {
                if of == id {
                    subject.command = line;
                }
            });
        }
        Some(subject)
    }

    /// All processes.
    ///
    /// # Errors
    /// If the process table cannot be listed.
    pub fn all(&mut self) -> Result<Vec<Subject>, ReadError> {
        let pids = self.pids()?;
        let mut subjects: Vec<Subject> = Vec::with_capacity(pids.len());
        subjects.extend(pids.into_iter().filter_map(|pid| self.facts(pid)));
        if self.wants(&[Fact::Command]) {
            let people = |subject: &&Subject| subject.exempt != Some(Exempt::KernelThread);
            let ids: Vec<ProcessId> = subjects
                .iter()
                .filter(people)
                .map(|subject| subject.id)
                .collect();
            let mut lines = HashMap::with_capacity(ids.len());
            self.command_lines(&ids, |(id, line)| {
                lines.insert(id, line);
            });
            for subject in &mut subjects {
                subject.command = lines.remove(&subject.id).flatten();
            }
        }
        Ok(subjects)
    }

    /// A glimpse of all processes: little of each.
    ///
    /// # Errors
    /// As [`Self::all`].
    pub fn glimpse(&mut self) -> Result<Vec<Glimpse>, ReadError> {
        let pids = self.pids()?;
        let mut found = Vec::with_capacity(pids.len());
        for pid in pids {
            let stat = self.file.read_single(&self.dir, format!("{pid}/stat"));
            if let Some(stat) = stat.ok().and_then(stat_line::parse) {
                found.push(Glimpse {
                    id: ProcessId {
                        pid,
                        start_ticks: stat.start_ticks,
                    },
                    ppid: stat.ppid,
                    comm: stat.comm,
                });
            }
        }
        Ok(found)
    }

    fn pids(&mut self) -> Result<Vec<Pid>, ReadError> {
        let fail = |errno| cannot_list(&self.path, errno);
        rustix::fs::seek(&self.dir, SeekFrom::Start(0)).map_err(fail)?;
        let mut listing = RawDir::new(&self.dir, &mut self.entries);
        let mut pids = Vec::new();
        while let Some(entry) = listing.next() {
            let entry = entry.map_err(fail)?;
            let pid = number(entry.file_name().to_bytes()).and_then(|n| Pid::try_from(n).ok());
            pids.extend(pid.filter(|pid| *pid > 0));
        }
        Ok(pids)
    }

    /// All but the command line. The files are those of one process: the directory is opened once.
    fn facts(&mut self, pid: Pid) -> Option<Subject> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::openat(&self.dir, pid.to_string(), flags, Mode::empty()).ok()?;
        let stat = stat_line::parse(self.file.read_single(&dir, "stat").ok()?)?;
        if stat.has_ended() {
            return None;
        }
        let is_init = pid == 1 && self.sees_global_init;
        let mut subject = Subject {
            id: ProcessId {
                pid,
                start_ticks: stat.start_ticks,
            },
            ppid: stat.ppid,
            comm: stat.comm,
            exempt: match (stat.kernel_thread, is_init) {
                (true, _) => Some(Exempt::KernelThread),
                (_, true) => Some(Exempt::Init),
                _ => None,
            },
            ..Subject::default()
        };
        let adj = self.file.read_single(&dir, "oom_score_adj").ok();
        subject.adj = adj.and_then(signed).and_then(OomScoreAdj::new);
        if stat.kernel_thread {
            return Some(subject);
        }
        if self.wants(&[Fact::User]) {
            let status = self.file.read_single(&dir, "status");
            subject.uid = status.ok().and_then(|text| status_lines::parse(text).uid);
            if let Some(uid) = subject.uid {
                self.users.learn(uid);
                subject.user = self.users.name(uid).map(Into::into);
            }
        }
        if self.wants(&[Fact::Unit, Fact::Cgroup, Fact::Container]) {
            let text = self.file.read_whole(&dir, "cgroup").ok();
            let path = text.and_then(|text| memory_path(text, self.hierarchy.version));
            subject.cgroup = path.map(|path| self.hierarchy.group(path));
        }
        // The name is the file's where the kernel cuts it.
        if self.wants(&[Fact::Exe, Fact::Name]) {
            let exe = rustix::fs::readlinkat(dir.as_fd(), "exe", Vec::new()).ok();
            subject.exe = exe.map(|exe| {
                let exe = exe.to_string_lossy();
                exe.strip_suffix(DELETED).unwrap_or(&exe).to_owned()
            });
        }
        Some(subject)
    }

    /// Reads the command lines of all but those whose read blocks.
    fn command_lines(
        &mut self,
        ids: &[ProcessId],
        mut take: impl FnMut((ProcessId, Option<String>)),
    ) {
        if self.commands.is_none() {
            self.commands = command_lines::reader_for_rules(&self.dir).ok();
        }
        let Some(commands) = &mut self.commands else {
            return;
        };
        let mut left = ids.to_vec();
        // One that blocks keeps those behind it from being read.
        for _ in 0..BLOCKING {
            let mut answered = HashSet::new();
            commands.read(&left, Wait::ForAll, |answer| {
                answered.insert(answer.0);
                take(answer);
            });
            answered.extend(commands.blocked().map(|(id, _)| id));
            left.retain(|id| !answered.contains(id));
            if left.is_empty() {
                return;
            }
        }
    }
}

/// The name of the user that oomtop runs as, or the number.
#[must_use]
pub fn own_user(root: &SysRoot) -> String {
    let uid = rustix::process::geteuid().as_raw();
    let mut users = Users::new(&root.proc);
    users.learn(uid);
    users
        .name(uid)
        .map_or_else(|| uid.to_string(), str::to_owned)
}
