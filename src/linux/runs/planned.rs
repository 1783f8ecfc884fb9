//! [`PlannedGroup`]: the group of one command, from the choice of its place until it is made.

use super::group::{Allowed, RunGroup};
use super::memory::ParentLock;
use super::place::surroundings;
use super::scope;
use crate::linux::SysRoot;
use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::write::executor::KernelWriter;
use crate::linux::write::pinned::PinnedProcess;
use crate::model::cgroup::limits::{LimitFile, LimitValue};
use crate::model::cgroup::{CgroupPath, CgroupVersion};
use crate::model::plan::execute::run;
use crate::model::plan::receipt::PlanReceipt;
use crate::model::plan::step::{CgroupStep, Step};
use crate::model::process::ProcessId;
use crate::model::run::group_name;
use crate::model::run::place::{LeftUnit, Place, choose, scope_home};
use crate::model::run::report::SwapLimit;

/// How often the parent is chosen again where it has changed before it was locked.
const ROUNDS: usize = 3;

/// The group that will be made: its name is known before it is there.
#[derive(Debug)]
pub struct PlannedGroup {
    root: SysRoot,
    hierarchy: Hierarchy,
    place: Place,
    shares_memory: bool,
    own: ProcessId,
    /// The unit that oomtop has left, and its new scope.
    left: Option<LeftUnit>,
    /// Held from the look at the parent until the group is made. `None` on v1, or if it cannot be had.
    lock: Option<ParentLock>,
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
        let mut left = None;
        let mut place = choose(&around).or_else(|why| {
            let uid = rustix::process::geteuid().as_raw();
            let Some(home) = scope_home(&around, uid) else {
                return Err(why);
            };
            let entered = scope::enter(root, &hierarchy, &home, own);
            let before = around.levels.first().map(|(path, _)| path.clone());
            around = entered.map_err(|no_scope| format!("{no_scope} And {why}"))?;
            left = LeftUnit::between(before, &around);
            choose(&around)
        })?;
        let mut lock = None;
        for _ in 0..ROUNDS {
            if hierarchy.version != CgroupVersion::V2 {
                break;
            }
            lock = ParentLock::take(&hierarchy, place.parent());
            around = surroundings(root, &hierarchy);
            let now = choose(&around)?;
            if std::mem::replace(&mut place, now) == place {
                break;
            }
        }
        let is_parent = |(path, _): &&(CgroupPath, _)| path == place.parent();
        let parent = around.levels.iter().find(is_parent);
        let shares_memory = parent.is_some_and(|(_, level)| level.shares_memory);
        Ok(Self {
            root: root.clone(),
            hierarchy,
            shares_memory,
            place,
            own,
            left,
            lock,
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

    /// The unit that oomtop has left for this, if it has.
    #[must_use]
    pub fn left(&self) -> Option<&LeftUnit> {
        self.left.as_ref()
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
        let swap = group.limit_swap(&mut writer, allowed);
        drop(self.lock);
        if let Err(failure) = swap {
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
