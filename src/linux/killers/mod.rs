//! Finds the programs that kill before the kernel does, and reads their settings.
//!
//! Every sample searches the process table for them. Their configuration is read on a thread of its own, when the set of
//! programs or of groups changes, and every few seconds, because it can change while they run. The thread goes on while
//! memory is short: then a sample must not wait for files that come from the disk, but a slice that was set up a moment
//! ago is what is about to be killed in. A command line is read there too, since such a read can block.

mod earlyooms;
mod kubelets;
mod oomds;
mod talos;
pub(super) mod unit_files;

pub(crate) use oomds::preference;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use crate::model::cgroup::{Cgroup, CgroupPath, CgroupVersion};
use crate::model::killers::nohang::{config_path, nohang};
use crate::model::killers::{Killer, RunningKiller};
use crate::model::process::{Process, ProcessId};
use crate::model::time::Monotonic;

use rustix::io::Errno;

use super::SysRoot;
use super::helper::helper;
use super::kernel_file::FileBuffer;
use crate::linux::killers::earlyooms::Programs;
use crate::linux::killers::unit_files::ConfigRoot;
use crate::linux::scan::proc::status_lines;
use crate::linux::write::pinned::PinnedProcess;

/// Time between two readings of the configuration. For systemd-oomd that means the files of every unit: some
/// milliseconds. While tasks wait for memory they may have to come from the disk.
const EVERY: Duration = Duration::from_secs(5);
const EVERY_PRESSED: Duration = Duration::from_secs(15);

/// How long a sample waits for the settings of a program that has just been found.
const PATIENCE: Duration = Duration::from_secs(2);
/// The same while tasks wait for memory.
const PATIENCE_PRESSED: Duration = Duration::from_millis(100);

/// Most arguments read: no such program takes more.
const MOST_ARGUMENTS: usize = 256;

/// Said of a program whose settings have not been read yet.
const READING: &str = "its settings are still being read";

/// Keeps the last reading until the next is due.
#[derive(Debug, Default)]
pub(crate) struct KillerWatch {
    running: Vec<(Killer, ProcessId)>,
    /// The groups that the last reading was asked about.
    groups: Vec<CgroupPath>,
    /// When the last reading was asked for.
    asked: Option<Monotonic>,
    known: Arc<Vec<RunningKiller>>,
    reader: Option<Reader>,
}

/// What a reading is about.
#[derive(Debug)]
struct Question {
    root: SysRoot,
    version: CgroupVersion,
    running: Vec<(Killer, ProcessId)>,
    /// The groups there are, for systemd-oomd.
    groups: Vec<CgroupPath>,
}

/// The thread that reads.
#[derive(Debug)]
struct Reader {
    ask: Sender<Question>,
    answers: Receiver<Vec<RunningKiller>>,
    /// A question has not been answered.
    is_busy: bool,
}

impl Reader {
    fn start() -> std::io::Result<Self> {
        let (ask, asked) = channel::<Question>();
        let (answer, answers) = channel();
        helper("settings", move || {
            let mut programs = Programs::default();
            for question in asked {
                if answer.send(question.read(&mut programs)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self {
            ask,
            answers,
            is_busy: false,
        })
    }

    /// The answer, if it comes within so long.
    fn answer(&mut self, patience: Duration) -> Option<Vec<RunningKiller>> {
        if !self.is_busy {
            return None;
        }
        let answer = self.answers.recv_timeout(patience);
        self.is_busy = matches!(answer, Err(RecvTimeoutError::Timeout));
        answer.ok()
    }
}

impl Question {
    fn read(&self, programs: &mut Programs) -> Vec<RunningKiller> {
        programs.keep(&self.running);
        let base = ConfigRoot::open(&self.root.base);
        let read = |(killer, id): &(Killer, ProcessId)| match killer {
            Killer::Earlyoom => earlyooms::read(&self.root, *id, programs),
            Killer::Nohang => read_nohang(&self.root, *id, base.as_ref()),
            Killer::SystemdOomd => oomds::read(self, *id, base.as_ref()),
            Killer::Kubelet => kubelets::read(&self.root, *id, base.as_ref()),
            Killer::Talos => talos::read(*id, base.as_ref()),
            Killer::Oomd | Killer::LowMemoryKiller => RunningKiller::unread(
                *killer,
                *id,
                "its rules are in its own file (--config), which is not read here",
            ),
        };
        self.running.iter().map(read).collect()
    }
}

impl KillerWatch {
    /// The killers among `processes`. `pressed` is true if tasks wait for memory now.
    pub(crate) fn at(
        &mut self,
        now: Monotonic,
        pressed: bool,
        root: &SysRoot,
        version: CgroupVersion,
        processes: &[Process],
        cgroups: &[Cgroup],
    ) -> Arc<Vec<RunningKiller>> {
        let mut running: Vec<_> = processes
            .iter()
            .filter_map(|process| Some((which(process, cgroups)?, process.id)))
            .collect();
        running.sort_unstable_by_key(|(_, id)| *id);
        let is_oomd = |(killer, _): &(Killer, ProcessId)| *killer == Killer::SystemdOomd;
        let present = || cgroups.iter().filter(|group| group.present);
        let with_groups = version == CgroupVersion::V2 && running.iter().any(is_oomd);
        let other_groups = with_groups && !present().map(|group| &group.path).eq(&self.groups);
        let changed = running != self.running;
        let every = if pressed { EVERY_PRESSED } else { EVERY };
        let due = self.asked.is_none_or(|at| now.since(at) >= every);
        if changed {
            // Whatever runs is known at once, its settings a moment later.
            let known = |(killer, id): &(Killer, ProcessId)| {
                let before = self.known.iter().find(|known| known.id == *id);
                before
                    .cloned()
                    .unwrap_or_else(|| RunningKiller::unread(*killer, *id, READING))
            };
            self.known = Arc::new(running.iter().map(known).collect());
            self.running.clone_from(&running);
        }
        if (changed || other_groups || due) && !running.is_empty() {
            self.groups = if with_groups {
                present().map(|group| group.path.clone()).collect()
            } else {
                Vec::new()
            };
            self.ask(now, root, version);
        }
        let patience = match (changed, pressed) {
            (false, false) if due => PATIENCE_PRESSED,
            (false, _) => Duration::ZERO,
            (true, true) => PATIENCE_PRESSED,
            (true, false) => PATIENCE,
        };
        let answer = self.reader.as_mut().and_then(|r| r.answer(patience));
        if let Some(answer) = answer {
            let of = |known: &RunningKiller| (known.killer, known.id);
            // The answer to an earlier question may be about others.
            if answer.iter().map(of).eq(self.running.iter().copied()) {
                if answer != *self.known {
                    self.known = Arc::new(answer);
                }
            } else {
                self.asked = None;
            }
        }
        Arc::clone(&self.known)
    }

    /// Asks the thread, unless it still reads: then the next sample asks again.
    fn ask(&mut self, now: Monotonic, root: &SysRoot, version: CgroupVersion) {
        if self.reader.is_none() {
            // Without a thread now, the next sample tries again.
            self.reader = Reader::start().ok();
        }
        let Some(reader) = &mut self.reader else {
            return;
        };
        if reader.is_busy {
            self.asked = None;
            return;
        }
        let question = Question {
            root: root.clone(),
            version,
            running: self.running.clone(),
            groups: self.groups.clone(),
        };
        reader.is_busy = reader.ask.send(question).is_ok();
        self.asked = Some(now);
    }
}

/// True for the uids of services: system users, and those that systemd allocates (`DynamicUser=`, 61184 ..=
/// 65519). Any user can start a program with such a name, but it cannot kill the processes of others.
fn is_service(uid: u32) -> bool {
    uid < 1000 || (61_184..=65_519).contains(&uid)
}

fn which(process: &Process, cgroups: &[Cgroup]) -> Option<Killer> {
    let comm = process.comm.as_bytes();
    let by_name = Killer::ALL
        .into_iter()
        .filter(|killer| killer.is_program() && *killer != Killer::Talos)
        .find(|killer| killer.name().as_bytes() == comm)
        .or_else(|| kubelets::is_k3s(comm).then_some(Killer::Kubelet));
    // Started by `env python3`, nohang has the name of the interpreter: then the unit identifies it.
    let by_unit = || {
        if !comm.starts_with(b"python") {
            return None;
        }
        let group = process.cgroup.and_then(|key| cgroups.get(key.index()))?;
        let unit = group.path.name();
        let is_it = unit == "nohang.service" || unit == "nohang-desktop.service";
        is_it.then_some(Killer::Nohang)
    };
    let by_groups = || talos::is_it(process, cgroups).then_some(Killer::Talos);
    let found = by_name.or_else(by_unit).or_else(by_groups);
    found.filter(|_| is_service(process.uid))
}

/// The command line without the program name; `None` if it cannot be read.
fn arguments(root: &SysRoot, id: ProcessId) -> Option<Vec<String>> {
    let process = PinnedProcess::open(root, id).ok()?;
    let mut buffer = FileBuffer::default();
    let bytes = buffer.read_whole(process.dir(), "cmdline").ok()?;
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    let words = bytes.split(|byte| *byte == 0).skip(1).take(MOST_ARGUMENTS);
    Some(
        words
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect(),
    )
}

/// Reads the file that nohang was started with, only for root's: any other user may start a program of that name,
/// and so choose what root opens.
fn read_nohang(root: &SysRoot, id: ProcessId, base: Option<&ConfigRoot<'_>>) -> RunningKiller {
    let words = arguments(root, id).unwrap_or_default();
    let path = config_path(words.iter().map(String::as_str));
    nohang(
        id,
        path,
        path.and_then(|path| file_of_root(root, id, path, base?))
            .as_deref(),
    )
}

/// A file that a process of root's names. In a container it is a file of the container.
fn file_of_root(
    root: &SysRoot,
    id: ProcessId,
    path: &str,
    base: &ConfigRoot<'_>,
) -> Option<String> {
    let process = PinnedProcess::open(root, id).ok()?;
    let mut buffer = FileBuffer::default();
    let status = buffer.read_whole(process.dir(), "status").ok()?;
    // Not the owner of the directory: that is root for every process that may not be dumped.
    if status_lines::parse(status).uid != Some(0) {
        return None;
    }
    match process.root_dir() {
        Ok(own) => ConfigRoot::at(&root.base, own).text(path),
        // Only on paper a process has no root. Another user's root cannot be seen: what an ordinary user reads harms
        // nobody.
        Err(Errno::NOENT | Errno::ACCESS | Errno::PERM) => base.text(path),
        Err(_) => None,
    }
}
