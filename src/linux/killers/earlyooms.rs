//! Reads the settings of earlyoom: its command line, and which version runs.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;

use rustix::fs::{FileType, Mode, OFlags};

use super::arguments;
use crate::linux::SysRoot;
use crate::linux::write::pinned::PinnedProcess;
use crate::model::killers::earlyoom::{Release, earlyoom};
use crate::model::killers::{Killer, RunningKiller};
use crate::model::process::ProcessId;

/// Most bytes read of the program: it has less than a tenth of that.
const LARGEST: u64 = 1 << 20;

/// Which versions run. A running program never changes: its file is read once, for that may have to come from the disk.
#[derive(Debug, Default)]
pub(super) struct Programs {
    known: HashMap<ProcessId, Release>,
}

impl Programs {
    /// Forgets those that have ended.
    pub(super) fn keep(&mut self, running: &[(Killer, ProcessId)]) {
        self.known
            .retain(|id, _| running.iter().any(|(_, running)| running == id));
    }

    fn release(&mut self, root: &SysRoot, id: ProcessId) -> &Release {
        let of_program = || program(root, id).map(|bytes| Release::of_program(&bytes));
        self.known
            .entry(id)
            .or_insert_with(|| of_program().unwrap_or_default())
    }
}

/// The thresholds of this earlyoom.
pub(super) fn read(root: &SysRoot, id: ProcessId, programs: &mut Programs) -> RunningKiller {
    match arguments(root, id) {
        Some(words) => {
            let release = programs.release(root, id);
            earlyoom(id, release, words.iter().map(String::as_str))
        }
        None => RunningKiller::unread(
            Killer::Earlyoom,
            id,
            "its command line could not be read: its thresholds are unknown",
        ),
    }
}

/// The file that the process runs; it is only read, never run. Another user's needs the right to trace (proc_pid_exe(5)).
fn program(root: &SysRoot, id: ProcessId) -> Option<Vec<u8>> {
    let process = PinnedProcess::open(root, id).ok()?;
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = rustix::fs::openat(process.dir(), "exe", flags, Mode::empty()).ok()?;
    let kind = FileType::from_raw_mode(rustix::fs::fstat(&file).ok()?.st_mode);
    if kind != FileType::RegularFile {
        return None;
    }
    let mut bytes = Vec::new();
    File::from(file)
        .take(LARGEST)
        .read_to_end(&mut bytes)
        .ok()?;
    Some(bytes)
}
