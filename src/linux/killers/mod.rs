//! Finds the programs that kill before the kernel does, and reads their settings.
//!
//! Every sample searches the process table for them. Their configuration is read when the set of programs
//! changes, and periodically, because it can change while they run. The periodic reading pauses while memory
//! is short: files that must come from the disk would delay the sample.

pub(super) mod unit_files;

use std::sync::Arc;
use std::time::Duration;

use crate::model::cgroup::{Cgroup, CgroupVersion};
use crate::model::killers::earlyoom::earlyoom;
use crate::model::killers::nohang::{config_path, nohang};
use crate::model::killers::systemd::systemd_oomd;
use crate::model::killers::units::managed;
use crate::model::killers::{Killer, RunningKiller};
use crate::model::process::{Process, ProcessId};
use crate::model::time::Monotonic;

use super::SysRoot;
use super::kernel_file::FileBuffer;
use crate::linux::killers::unit_files::ConfigRoot;
use crate::linux::write::pinned::PinnedProcess;

/// Time between two readings of the configuration. For systemd-oomd that means the files of every unit.
const EVERY: Duration = Duration::from_mins(1);

/// Most arguments read: no such program takes more.
const MOST_ARGUMENTS: usize = 256;

/// Keeps the last reading until the next is due.
#[derive(Debug, Default)]
pub(crate) struct KillerWatch {
    running: Vec<(Killer, ProcessId)>,
    read: Option<Monotonic>,
    known: Arc<Vec<RunningKiller>>,
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
        let due = !pressed && self.read.is_none_or(|at| now.since(at) >= EVERY);
        if running != self.running || (due && !running.is_empty()) {
            let base = ConfigRoot::open(&root.base);
            let read = |(killer, id): &(Killer, ProcessId)| match killer {
                Killer::Earlyoom => read_earlyoom(root, *id),
                Killer::Nohang => read_nohang(root, *id, base.as_ref()),
                Killer::SystemdOomd => read_oomd(*id, version, base.as_ref(), cgroups),
                Killer::Oomd | Killer::LowMemoryKiller => RunningKiller::unread(
                    *killer,
                    *id,
                    "its rules are in its own file (--config), which is not read here",
                ),
            };
            self.known = Arc::new(running.iter().map(read).collect());
            self.running = running;
            self.read = Some(now);
        }
        Arc::clone(&self.known)
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
        .find(|killer| killer.is_program() && killer.name().as_bytes() == comm);
    // Started by `env python3`, nohang has the name of the interpreter: then the unit identifies it.
    let by_unit = || {
        let group = process.cgroup.and_then(|key| cgroups.get(key.index()))?;
        let unit = group.path.name();
        let is_it = unit == "nohang.service" || unit == "nohang-desktop.service";
        (is_it && comm.starts_with(b"python")).then_some(Killer::Nohang)
    };
    by_name.or_else(by_unit).filter(|_| is_service(process.uid))
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

fn read_earlyoom(root: &SysRoot, id: ProcessId) -> RunningKiller {
    match arguments(root, id) {
        Some(words) => earlyoom(id, words.iter().map(String::as_str)),
        None => RunningKiller::unread(
            Killer::Earlyoom,
            id,
            "its command line could not be read: its thresholds are unknown",
        ),
    }
}

fn read_nohang(root: &SysRoot, id: ProcessId, base: Option<&ConfigRoot<'_>>) -> RunningKiller {
    let words = arguments(root, id).unwrap_or_default();
    let path = config_path(words.iter().map(String::as_str));
    let text = path.and_then(|path| base?.text(path));
    nohang(id, path, text.as_deref())
}

fn read_oomd(
    id: ProcessId,
    version: CgroupVersion,
    base: Option<&ConfigRoot<'_>>,
    cgroups: &[Cgroup],
) -> RunningKiller {
    if version != CgroupVersion::V2 {
        let note = "it needs cgroup v2 with the memory controller: here it kills nobody";
        return RunningKiller::idle(Killer::SystemdOomd, id, note);
    }
    let Some(base) = base else {
        let note = "its files could not be read: its thresholds are unknown";
        return RunningKiller::unread(Killer::SystemdOomd, id, note);
    };
    let files = base.managed_units();
    let watched: Vec<_> = cgroups
        .iter()
        .filter(|group| group.present)
        .filter_map(|group| {
            let unit = if group.path.is_root() {
                "-.slice"
            } else {
                group.path.name()
            };
            let managed = managed(unit, &files);
            managed.is_watched().then(|| (group.path.clone(), managed))
        })
        .collect();
    let mut killer = systemd_oomd(id, &base.oomd_conf(), &watched);
    if files.iter().any(|file| file.text.contains("OOMRules=")) {
        let note = "some units set OOMRules= (systemd 261): those rules are not read here";
        killer.notes.push(note.to_owned());
        killer.unread = true;
    }
    killer
}
