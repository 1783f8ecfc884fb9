//! [`RunGroup`]: the group of one command, until its end.

use std::fs::File;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};

use super::memory::put_back;
use super::place::own_group;
use super::watcher::Watcher;
use crate::linux::SysRoot;
use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::cgroup::members::{each_group, members};
use crate::linux::kernel_file::{FileBuffer, open_dir};
use crate::linux::scan::proc::stat_line;
use crate::linux::write::executor::KernelWriter;
use crate::model::cgroup::limits::{LimitFile, LimitValue};
use crate::model::cgroup::{CgroupPath, CgroupVersion};
use crate::model::plan::Plan;
use crate::model::plan::execute::{Executor as _, run};
use crate::model::plan::receipt::{Failure, Reading};
use crate::model::plan::step::{CgroupStep, LimitWrite, Step};
use crate::model::process::{Pid, ProcessId};
use crate::model::run::SELF;
use crate::model::run::place::Place;
use crate::model::run::report::SwapLimit;

/// How long a group is asked again to go: a process that has ended leaves it a moment later.
const PATIENCE: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(5);

/// How long processes that are ending may take.
const ENDING: Duration = Duration::from_millis(300);

/// What the group may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allowed {
    /// The hard limit in bytes; `None` for none.
    pub memory: Option<u64>,
    /// Bytes of swap, on top of the memory; `None` for as many as the host has.
    pub swap: Option<u64>,
}

/// A group that was made for a command, empty until a process enters it.
#[derive(Debug)]
pub struct RunGroup {
    pub(super) root: SysRoot,
    pub(super) hierarchy: Hierarchy,
    pub(super) place: Place,
    /// Its parent gave no memory control to the groups below before.
    pub(super) enabled: bool,
    pub(super) own: ProcessId,
    pub(super) path: CgroupPath,
    /// The limit that the kernel has kept, in bytes.
    pub limit: Option<u64>,
    /// What holds for swap.
    pub swap: SwapLimit,
}

impl RunGroup {
    /// Its path in the memory hierarchy.
    #[must_use]
    pub fn path(&self) -> &CgroupPath {
        &self.path
    }

    /// Its directory, for messages.
    #[must_use]
    pub fn directory(&self) -> String {
        self.hierarchy.display(&self.path)
    }

    /// Which hierarchy it is in.
    #[must_use]
    pub fn version(&self) -> CgroupVersion {
        self.hierarchy.version
    }

    /// Shuts swap for the group, or bounds it, where the kernel counts it: a limit on memory alone is none where what is
    /// above it goes to swap.
    pub(super) fn limit_swap(
        &mut self,
        writer: &mut KernelWriter,
        allowed: Allowed,
    ) -> Result<(), Failure> {
        let Some((memory, swap)) = self.limit.zip(allowed.swap) else {
            return Ok(());
        };
        let (file, value) = match self.version() {
            CgroupVersion::V2 => (LimitFile::SwapMax, swap),
            // Memory and swap together.
            _ => (LimitFile::V1Memsw, memory.saturating_add(swap)),
        };
        if !self.has(file.name()) {
            self.swap = SwapLimit::Uncounted;
            return Ok(());
        }
        let write = LimitWrite {
            file,
            value: LimitValue::Amount(value),
        };
        let step = CgroupStep::Limit(self.path.clone(), write);
        let receipt = run(writer, &Plan::from_iter([step]));
        if let Some(failure) = receipt.failure() {
            return Err(failure.clone());
        }
        self.swap = SwapLimit::Limited { bytes: swap };
        Ok(())
    }

    /// False if the group's file shows another limit than the one that the kernel has kept: another program has switched
    /// memory control off and on.
    #[must_use]
    pub fn is_limit_kept(&self) -> bool {
        let hard = LimitFile::hard_limit(self.version());
        let now = self.hierarchy.dir().ok().and_then(|dir| {
            let file = self.hierarchy.file(&self.path, hard.name())?;
            let mut buffer = FileBuffer::default();
            let text = buffer.read_whole(dir, file.as_slice()).ok()?;
            hard.shown(text, rustix::param::page_size() as u64)
        });
        let wanted = self.limit.map(LimitValue::Amount);
        wanted.is_none() || now == wanted
    }

    fn has(&self, file: &str) -> bool {
        let found = self.hierarchy.dir().ok().and_then(|dir| {
            let file = self.hierarchy.file(&self.path, file)?;
            rustix::fs::statat(dir, file.as_slice(), rustix::fs::AtFlags::empty()).ok()
        });
        found.is_some()
    }

    /// What a process writes `0` to, to enter the group.
    ///
    /// # Errors
    /// A sentence.
    pub fn door(&self) -> Result<File, String> {
        let opened = self.hierarchy.dir().and_then(|dir| {
            let file = self.hierarchy.file(&self.path, "cgroup.procs");
            let file = file.ok_or(rustix::io::Errno::NOENT)?;
            let flags = OFlags::WRONLY | OFlags::CLOEXEC;
            rustix::fs::openat(dir, file.as_slice(), flags, Mode::empty())
        });
        opened
            .map(File::from)
            .map_err(|errno| format!("cgroup.procs of {} cannot be opened: {errno}", self.path))
    }

    /// Reads it from now on.
    ///
    /// # Errors
    /// A sentence, if `/proc` cannot be read.
    pub fn watch(&self) -> Result<Watcher, String> {
        Watcher::new(&self.root, &self.path)
    }

    /// Who is in the group and below it.
    #[must_use]
    pub fn members(&self) -> Vec<Pid> {
        let found = self.hierarchy.dir().ok().and_then(|dir| {
            let relative = self.hierarchy.relative(&self.path)?;
            members(dir, &relative).ok()
        });
        let all = found.unwrap_or_default();
        // A zombie is listed until its parent takes notice, and holds no group.
        all.into_iter().filter(|pid| self.lives(*pid)).collect()
    }

    /// As [`Self::members`], without those that are ending: who gives gigabytes back takes its time.
    #[must_use]
    pub fn settled_members(&self) -> Vec<Pid> {
        let begun = Instant::now();
        loop {
            let members = self.members();
            if members.is_empty() || begun.elapsed() > ENDING {
                return members;
            }
            std::thread::sleep(LOOK);
        }
    }

    fn lives(&self, pid: Pid) -> bool {
        let mut buffer = FileBuffer::default();
        let stat = open_dir(&self.root.proc).ok().and_then(|proc| {
            let text = buffer.read_single(&proc, format!("{pid}/stat")).ok()?;
            stat_line::parse(text)
        });
        stat.is_some_and(|stat| !stat.has_ended())
    }

    /// Kills all that is in it.
    ///
    /// # Errors
    /// A sentence.
    pub fn kill(&self) -> Result<(), String> {
        let mut writer = KernelWriter::new(self.root.clone(), self.version());
        let step = Step::Cgroup(CgroupStep::Kill(self.path.clone()));
        let receipt = writer.step(&step);
        match receipt.outcome {
            Ok(Reading::Members(left)) if left > 0 => Err(format!(
                "{left} processes of {} have been killed and do not end",
                self.path
            )),
            Ok(_) => Ok(()),
            Err(failure) => Err(failure.sentence),
        }
    }

    /// Removes the group and what was made for it; false if processes are in it, which keep it.
    pub fn remove(&self) -> bool {
        let mut writer = KernelWriter::new(self.root.clone(), self.version());
        let begun = Instant::now();
        while !clear(&self.hierarchy, &mut writer, &self.path) {
            if !self.members().is_empty() || begun.elapsed() > PATIENCE {
                return false;
            }
            std::thread::sleep(LOOK);
        }
        let parent = self.place.parent();
        if self.enabled {
            // Others have come to use it: the note of it stays.
            let own = own_group(&self.root, &self.hierarchy);
            put_back(&self.hierarchy, &mut writer, parent, own.as_ref());
        }
        if let Place::BesideSelf(_) = self.place {
            writer.step(&CgroupStep::Move(self.own, parent.clone()).into());
            let leaf = parent.join(format!("{}{SELF}", self.path.name()));
            return is_gone(&mut writer, CgroupStep::Remove(leaf));
        }
        true
    }
}

/// Removes a group and the groups that its processes have made in it. Groups that hold a process stay, and those around them.
/// True if the group is not there afterwards.
pub(super) fn clear(hierarchy: &Hierarchy, writer: &mut KernelWriter, group: &CgroupPath) -> bool {
    let mut all = Vec::new();
    if let (Ok(dir), Some(relative)) = (hierarchy.dir(), hierarchy.relative(group)) {
        let below = relative.len();
        // What cannot be listed is said by the kernel when the group does not go.
        let _ = each_group(dir, &relative, |path| {
            all.push(group.join(path.get(below..).unwrap_or_default()));
            Ok(())
        });
    }
    all.push(group.clone());
    // Those in a group come after it.
    let mut are_gone = true;
    for group in all.iter().rev() {
        are_gone &= is_gone(writer, CgroupStep::Remove(group.clone()));
    }
    are_gone
}

/// Removes a group that is empty; true if it is not there afterwards.
fn is_gone(writer: &mut KernelWriter, step: CgroupStep) -> bool {
    use crate::model::plan::receipt::FailureKind;
    match writer.step(&step.into()).outcome {
        Ok(_) => true,
        Err(failure) => failure.kind == FailureKind::NoGroup,
    }
}
