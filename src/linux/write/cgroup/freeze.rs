//! Freezes and thaws a group.

use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::CgroupWriter;
use crate::linux::as_root::as_root;
use crate::linux::cgroup::freezer::GroupFreezer;
use crate::linux::write::errors::failure;
use crate::linux::write::spared;
use crate::model::cgroup::CgroupPath;
use crate::model::freezer::FreezerState;
use crate::model::incident::{Freezer, Survey};
use crate::model::plan::receipt::{Failure, FailureKind, Reading};
use crate::model::plan::step::CgroupStep;

/// How long the answer waits for the last task to stop. It then says that the group is freezing.
const SETTLE: Duration = Duration::from_millis(500);
const LOOK: Duration = Duration::from_millis(5);

impl CgroupWriter {
    pub(super) fn freeze(
        &self,
        step: &CgroupStep,
        group: &CgroupPath,
        frozen: bool,
        before: &mut Reading,
    ) -> Result<Reading, Failure> {
        self.open(step, group)?;
        if frozen {
            spared::refuse_group(&self.root, &self.hierarchy, group, "freezing")?;
        }
        let freezer = self.freezer(group, frozen)?;
        // The freezer was opened by its path: between two looks at the same group it is that group's.
        self.open(step, group)?;
        let state = || {
            freezer
                .state()
                .map_err(|errno| self.explain(step, group, errno))
        };
        *before = Reading::Freezer(state()?);
        freezer
            .set(frozen)
            .map_err(|errno| self.refused_freeze(step, (group, frozen), &freezer, errno))?;
        let begun = Instant::now();
        loop {
            let now = state()?;
            let is_done = match now {
                FreezerState::Frozen => frozen,
                FreezerState::Thawed => !frozen,
                FreezerState::Freezing => false,
            };
            if is_done {
                return Ok(Reading::Freezer(now));
            }
            if begun.elapsed() >= SETTLE {
                return if now.is_stopped() == frozen {
                    Ok(Reading::Freezer(now))
                } else {
                    Err(not_kept(group, frozen))
                };
            }
            std::thread::sleep(LOOK);
        }
    }

    /// On v1 the file is in another hierarchy, which the sentence must name.
    fn refused_freeze(
        &self,
        step: &CgroupStep,
        (group, frozen): (&CgroupPath, bool),
        freezer: &GroupFreezer,
        errno: Errno,
    ) -> Failure {
        if !self.made_for.is_v1() || !matches!(errno, Errno::ACCESS | Errno::PERM) {
            return self.explain(step, group, errno);
        }
        let did = if frozen { "frozen" } else { "thawed" };
        failure(
            FailureKind::Denied,
            format!(
                "{group} was not {did}: no permission for its group in the freezer hierarchy; {}: {}",
                as_root("run oomtop as root, or as root"),
                freezer.command(frozen)
            ),
        )
    }

    /// How far the group is frozen now.
    pub(super) fn look_at_freezer(
        &self,
        step: &CgroupStep,
        group: &CgroupPath,
    ) -> Result<Reading, Failure> {
        self.open(step, group)?;
        let state = self.freezer(group, false)?.state();
        state
            .map(Reading::Freezer)
            .map_err(|errno| self.explain(step, group, errno))
    }

    fn freezer(&self, group: &CgroupPath, frozen: bool) -> Result<GroupFreezer, Failure> {
        let found = if frozen {
            GroupFreezer::find(&self.root, &self.hierarchy, group)
        } else {
            GroupFreezer::holding(&self.root, &self.hierarchy, group)
        };
        found.ok_or_else(|| {
            let why = if self.made_for.is_v1() {
                "on cgroup v1 that takes a group of the freezer hierarchy with the same path and the same processes"
            } else {
                "this kernel has no cgroup.freeze (Linux 5.2)"
            };
            failure(
                FailureKind::Other,
                format!("Nothing can freeze or thaw {group} as a whole: {why}."),
            )
        })
    }

    /// What can be done with the group.
    ///
    /// # Errors
    /// If the group cannot be looked at.
    pub(crate) fn survey(&self, group: &CgroupPath) -> Result<Survey, Failure> {
        self.fits()?;
        let step = CgroupStep::Kill(group.clone());
        let dir = self.open(&step, group)?;
        let offers = |file: &str| {
            let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
            rustix::fs::statat(&dir, file, flags).is_ok()
        };
        let freezer = GroupFreezer::find(&self.root, &self.hierarchy, group)
            .or_else(|| GroupFreezer::holding(&self.root, &self.hierarchy, group).filter(is_held));
        let freezer = freezer.and_then(|freezer| {
            Some(Freezer {
                state: freezer.state().ok()?,
                held_from_above: freezer.is_held_from_above(),
                thaw: freezer.command(false),
            })
        });
        let members = self.members(&step, group)?;
        Ok(Survey {
            group: group.clone(),
            freezer,
            kills_at_once: !group.is_root() && offers("cgroup.kill"),
            reclaims: offers("memory.reclaim"),
            members: members.len(),
        })
    }
}

/// It can be thawed at least.
fn is_held(freezer: &GroupFreezer) -> bool {
    freezer.state().is_ok_and(FreezerState::is_stopped)
}

fn not_kept(group: &CgroupPath, frozen: bool) -> Failure {
    let (did, now) = if frozen {
        ("frozen", "runs")
    } else {
        ("thawed", "is frozen")
    };
    failure(
        FailureKind::NotKept,
        format!(
            "{group} was {did}, but {now} again: another program (systemd, a container runtime) does the opposite."
        ),
    )
}
