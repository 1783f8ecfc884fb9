//! Kills all processes of a group: by the kernel in one go, or one by one until the group is empty.

use std::collections::BTreeSet;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::{CgroupWriter, write_file};
use crate::linux::cgroup::freezer::GroupFreezer;
use crate::linux::cgroup::members::members;
use crate::linux::kernel_file::is_gone;
use crate::linux::write::pinned::PinnedProcess;
use crate::linux::write::spared;
use crate::model::cgroup::CgroupPath;
use crate::model::freezer::FreezerState;
use crate::model::plan::receipt::{Failure, Reading};
use crate::model::plan::step::CgroupStep;
use crate::model::process::Pid;

/// How long the answer waits for the last process to end: one that waits for a disk can take longer.
const PATIENCE: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(10);

impl CgroupWriter {
    pub(super) fn kill(
        &self,
        step: &CgroupStep,
        group: &CgroupPath,
        before: &mut Reading,
    ) -> Result<Reading, Failure> {
        let dir = self.open(step, group)?;
        spared::refuse_group(&self.root, &self.hierarchy, group, "killing")?;
        *before = Reading::Members(self.members_in(step, group, &dir)?.len());
        let by_kernel = match write_file(&dir, "cgroup.kill", "1") {
            Ok(()) => true,
            // Before 5.14, and on v1.
            Err(Errno::NOENT) => false,
            Err(errno) => return Err(self.explain(step, group, errno)),
        };
        let begun = Instant::now();
        loop {
            if !by_kernel {
                self.kill_each(step, group, &dir)?;
                // On v1 the frozen take their signals when they are thawed: they die before they run on.
                self.thaw(group, GroupFreezer::holds_back_signals);
            }
            let left = self.members_in(step, group, &dir)?.len();
            if left == 0 || begun.elapsed() >= PATIENCE {
                self.thaw(group, |_| true);
                return Ok(Reading::Members(left));
            }
            std::thread::sleep(LOOK);
        }
    }

    /// How many processes there are.
    pub(super) fn look_at_members(
        &self,
        step: &CgroupStep,
        group: &CgroupPath,
    ) -> Result<Reading, Failure> {
        let members = self.members(step, group)?;
        Ok(Reading::Members(members.len()))
    }

    pub(super) fn members(
        &self,
        step: &CgroupStep,
        group: &CgroupPath,
    ) -> Result<BTreeSet<Pid>, Failure> {
        let dir = self.open(step, group)?;
        self.members_in(step, group, &dir)
    }

    /// The members of the group with this directory, whichever has its path by now. A group that is gone has none.
    fn members_in(
        &self,
        step: &CgroupStep,
        group: &CgroupPath,
        dir: impl AsFd,
    ) -> Result<BTreeSet<Pid>, Failure> {
        match members(dir.as_fd(), b".") {
            Err(errno) if is_gone(errno) => Ok(BTreeSet::new()),
            found => found.map_err(|errno| self.explain(step, group, errno)),
        }
    }

    /// Sends SIGKILL to whoever is in the group now. A pid can be another's by the time it is opened: whom the pidfd
    /// holds is asked for its group.
    fn kill_each(
        &self,
        step: &CgroupStep,
        group: &CgroupPath,
        dir: impl AsFd,
    ) -> Result<(), Failure> {
        let mut refused = None;
        let mut sent = false;
        for pid in self.members_in(step, group, dir)? {
            let raw = i32::try_from(pid).ok();
            let Some(pidfd) = raw.and_then(rustix::process::Pid::from_raw) else {
                continue;
            };
            let outcome = pidfd_open(pidfd, PidfdFlags::empty()).and_then(|pidfd| {
                let held = PinnedProcess::whoever(&self.root, pid).ok();
                let home = held.and_then(|(process, _)| process.cgroup(&self.hierarchy));
                match home.filter(|home| home.is_within(group)) {
                    Some(_) => pidfd_send_signal(&pidfd, Signal::KILL),
                    None => Ok(()),
                }
            });
            match outcome {
                Ok(()) => sent = true,
                Err(Errno::SRCH) => {}
                Err(errno) => refused = Some(errno),
            }
        }
        match refused {
            Some(errno) if !sent => Err(self.explain(step, group, errno)),
            _ => Ok(()),
        }
    }

    /// Thaws a frozen group of such a freezer: what is started in it later, a restarted container, must not stand still.
    fn thaw(&self, group: &CgroupPath, which: impl Fn(&GroupFreezer) -> bool) {
        let freezer = GroupFreezer::find(&self.root, &self.hierarchy, group);
        let is_frozen =
            |freezer: &GroupFreezer| freezer.state().is_ok_and(FreezerState::is_stopped);
        if let Some(freezer) = freezer.filter(is_frozen).filter(which) {
            // A group that stays frozen is still full then, and the answer says so.
            let _ = freezer.set(false);
        }
    }
}
