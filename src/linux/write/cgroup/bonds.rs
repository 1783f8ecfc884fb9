//! [`Bonds`]: which group a path means while a plan is carried out.
//!
//! A path can be that of another group by the time of the write: a service has started again, a container was made anew. A limit
//! of the old group could kill in the new one. So a group that somebody has seen is known by the inode of its
//! `cgroup.procs`, which is compared on the descriptor that the write goes through.

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::AtFlags;

use super::CgroupWriter;
use crate::linux::write::errors::failure;
use crate::model::cgroup::{CgroupPath, GroupId};
use crate::model::plan::receipt::{Failure, FailureKind};
use crate::model::plan::step::CgroupStep;

/// The groups of the plan that is carried out, and of the dialogs that are open.
#[derive(Debug, Default)]
pub(crate) struct Bonds(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Those of open dialogs, as the dialogs found them.
    held: BTreeMap<CgroupPath, u64>,
    /// Those of the plan under way; `None` while there is none.
    plan: Option<OfPlan>,
    /// A unit is meant, whichever group it has.
    by_unit: bool,
}

#[derive(Debug, Default)]
struct OfPlan {
    meant: BTreeMap<CgroupPath, u64>,
    met: BTreeMap<CgroupPath, u64>,
}

impl Bonds {
    /// Holds these groups and lets go of all others. One that was held already stays the same; `find` knows which
    /// it is where the caller does not.
    pub(in crate::linux::write) fn hold(
        &self,
        groups: &[(CgroupPath, Option<u64>)],
        find: impl Fn(&CgroupPath) -> Option<u64>,
    ) {
        let found: Vec<_> = {
            let mut known = self.lock();
            known
                .held
                .retain(|path, _| groups.iter().any(|(group, _)| group == path));
            let new = |(path, _): &&(CgroupPath, _)| !known.held.contains_key(path);
            groups.iter().filter(new).collect()
        };
        for (path, instance) in found {
            if let Some(instance) = instance.or_else(|| find(path)) {
                self.lock().held.insert(path.clone(), instance);
            }
        }
    }

    /// Begins a plan that means these groups.
    pub(in crate::linux::write) fn bind(&self, groups: &[GroupId]) {
        let mut known = self.lock();
        let mut meant = known.held.clone();
        meant.extend(
            groups
                .iter()
                .map(|group| (group.path.clone(), group.instance)),
        );
        known.plan = Some(OfPlan {
            meant,
            met: BTreeMap::new(),
        });
    }

    /// Ends the plan. The groups that it met.
    pub(in crate::linux::write) fn release(&self) -> Vec<GroupId> {
        let met = self.lock().plan.take().unwrap_or_default().met;
        met.into_iter()
            .map(|(path, instance)| GroupId { path, instance })
            .collect()
    }

    /// Does something for a unit, which keeps its settings from start to start: its path means whatever group it has.
    pub(in crate::linux::write) fn by_unit<T>(&self, work: impl FnOnce() -> T) -> T {
        self.lock().by_unit = true;
        let done = work();
        self.lock().by_unit = false;
        done
    }

    /// The plan has made or removed the group itself.
    pub(super) fn forget(&self, group: &CgroupPath) {
        if let Some(plan) = &mut self.lock().plan {
            plan.meant.remove(group);
            plan.met.remove(group);
        }
    }

    /// The plan is about to use this group.
    ///
    /// # Errors
    /// If it is not the one that is meant.
    pub(super) fn meet(&self, group: &CgroupPath, dir: impl AsFd) -> Result<(), Failure> {
        let mut known = self.lock();
        let by_unit = known.by_unit;
        let (Some(plan), Some(now)) = (&mut known.plan, instance(dir)) else {
            return Ok(());
        };
        if by_unit {
            plan.met.insert(group.clone(), now);
            return Ok(());
        }
        let meant = plan.meant.get(group).or_else(|| plan.met.get(group));
        if meant.is_some_and(|meant| *meant != now) {
            return Err(successor(group));
        }
        plan.met.insert(group.clone(), now);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CgroupWriter {
    /// Which group has this path now.
    pub(in crate::linux::write) fn instance_of(&self, group: &CgroupPath) -> Option<u64> {
        let step = CgroupStep::Kill(group.clone());
        instance(self.open_any(&step, group).ok()?)
    }

    /// Refuses if another group has this path than the one that is meant.
    pub(super) fn refuse_successor(&self, group: &CgroupPath) -> Result<(), Failure> {
        let step = CgroupStep::Kill(group.clone());
        match self.open_any(&step, group) {
            Ok(dir) => self.bonds.meet(group, dir),
            // The step itself says it better.
            Err(_) => Ok(()),
        }
    }
}

/// The same number as [`crate::model::cgroup::Cgroup::instance`].
fn instance(dir: impl AsFd) -> Option<u64> {
    let stat = rustix::fs::statat(dir, "cgroup.procs", AtFlags::SYMLINK_NOFOLLOW);
    stat.ok().map(|stat| stat.st_ino)
}

fn successor(group: &CgroupPath) -> Failure {
    failure(
        FailureKind::NoGroup,
        format!(
            "{group} is another group now: the one that was meant is gone, and a new one was made in its place. Nothing \
             was written to it."
        ),
    )
}
