//! [`RunGroup`]: the group of one command, from its making to its end.

use std::fs::File;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};

use super::memory::put_back;
use super::place::surroundings;
use super::scope;
use super::watcher::Watcher;
use crate::linux::SysRoot;
use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::cgroup::members::{each_group, members};
use crate::linux::kernel_file::{FileBuffer, open_dir};
use crate::linux::scan::proc::stat_line;
use crate::linux::write::executor::KernelWriter;
use crate::linux::write::pinned::PinnedProcess;
use crate::model::cgroup::limits::{LimitFile, LimitValue};
use crate::model::cgroup::{CgroupPath, CgroupVersion};
use crate::model::plan::Plan;
use crate::model::plan::execute::{Executor as _, run};
use crate::model::plan::receipt::{Failure, PlanReceipt, Reading};
use crate::model::plan::step::{CgroupStep, LimitWrite, Step};
use crate::model::process::{Pid, ProcessId};
use crate::model::run::SELF;
use crate::model::run::group_name;
use crate::model::run::place::{Place, choose, scope_home};
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

/// The group that will be made: its name is known before it is there.
#[derive(Debug)]
pub struct PlannedGroup {
    root: SysRoot,
    hierarchy: Hierarchy,
    place: Place,
    shares_memory: bool,
    own: ProcessId,
}

/// A group that was made for a command, empty until a process enters it.
#[derive(Debug)]
pub struct RunGroup {
    root: SysRoot,
    hierarchy: Hierarchy,
    place: Place,
    /// Its parent gave no memory control to the groups below before.
    enabled: bool,
    own: ProcessId,
    path: CgroupPath,
    /// The limit that the kernel has kept, in bytes.
    pub limit: Option<u64>,
    /// What holds for swap.
    pub swap: SwapLimit,
}

impl PlannedGroup {
    /// Finds the place. Where systemd manages the groups and has left none to oomtop, oomtop moves into a scope of its own
    /// first, which ends with it.
    ///
    /// # Errors
    /// Why no group can be made, and what would do, as a sentence.
    pub fn find(root: &SysRoot) -> Result<Self, String> {
        let hierarchy = Hierarchy::detect(root);
        let mut around = surroundings(root, &hierarchy);
        let (_, stat) =
            PinnedProcess::whoever(root, std::process::id()).map_err(|failure| failure.sentence)?;
        let own = ProcessId {
            pid: std::process::id(),
            start_ticks: stat.start_ticks,
        };
        let place = choose(&around).or_else(|why| {
            let uid = rustix::process::geteuid().as_raw();
            let Some(home) = scope_home(&around, uid) else {
                return Err(why);
            };
            let entered = scope::enter(root, &hierarchy, &home, own);
            around = entered.map_err(|no_scope| format!("{no_scope} And {why}"))?;
            choose(&around)
        })?;
        let is_parent = |(path, _): &&(CgroupPath, _)| path == place.parent();
        let parent = around.levels.iter().find(is_parent);
        let shares_memory = parent.is_some_and(|(_, level)| level.shares_memory);
        Ok(Self {
            root: root.clone(),
            hierarchy,
            shares_memory,
            place,
            own,
        })
    }

    /// The path that it will have.
    #[must_use]
    pub fn path(&self) -> CgroupPath {
        self.place.parent().join(group_name(self.own))
    }

    /// Who makes it.
    #[must_use]
    pub fn own(&self) -> ProcessId {
        self.own
    }

    /// The group whose others get memory control by this, if they have none.
    #[must_use]
    pub fn enables(&self) -> Option<&CgroupPath> {
        let has_none = self.hierarchy.version == CgroupVersion::V2 && !self.shares_memory;
        has_none.then(|| self.place.parent())
    }

    /// Makes it, whole with its limits or not at all.
    ///
    /// # Errors
    /// A sentence.
    pub fn make(self, allowed: Allowed) -> Result<RunGroup, String> {
        let version = self.hierarchy.version;
        let enabled = self.enables().is_some();
        let hard = LimitFile::hard_limit(version);
        let limit = allowed
            .memory
            .map(|bytes| (hard, LimitValue::Amount(bytes)));
        let plan = self.place.plan(
            &group_name(self.own),
            &limit.into_iter().collect(),
            version,
            self.own,
            self.shares_memory,
        );
        let mut writer = KernelWriter::new(self.root.clone(), version);
        let receipt = run(&mut writer, &plan);
        if let Some(failure) = receipt.failure() {
            return Err(failure.sentence.clone());
        }
        let path = self.path();
        let mut group = RunGroup {
            enabled,
            root: self.root,
            hierarchy: self.hierarchy,
            place: self.place,
            own: self.own,
            path,
            limit: kept(&receipt, hard),
            swap: SwapLimit::Free,
        };
        if let Err(failure) = group.limit_swap(&mut writer, allowed) {
            group.remove();
            return Err(failure.sentence);
        }
        Ok(group)
    }
}

/// What the kernel made of a limit: it rounds down to pages.
fn kept(receipt: &PlanReceipt, wanted: LimitFile) -> Option<u64> {
    receipt.steps.iter().find_map(|step| match &step.step {
        Step::Cgroup(CgroupStep::Limit(_, write)) if write.file == wanted => {
            step.outcome.as_ref().ok()?.limit()?.amount()
        }
        _ => None,
    })
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
    fn limit_swap(&mut self, writer: &mut KernelWriter, allowed: Allowed) -> Result<(), Failure> {
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
        stat.is_some_and(|stat| !stat.state.is_dead() || stat.threads > 1)
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
            // Where others have come to use it, the note of it stays.
            put_back(&self.hierarchy, &mut writer, parent);
        }
        if let Place::BesideSelf(_) = self.place {
            writer.step(&CgroupStep::Move(self.own, parent.clone()).into());
            let leaf = parent.join(format!("{}{SELF}", self.path.name()));
            return is_gone(&mut writer, CgroupStep::Remove(leaf));
        }
        true
    }
}

/// Removes a group with those that its processes have made in it; true if it is not there afterwards. Where a process is left
/// nothing above it goes.
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
