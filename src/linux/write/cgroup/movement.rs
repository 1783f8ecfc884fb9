//! Moves a process, and sets right what a move did to a stranger.
//!
//! `cgroup.procs` takes a number. If the process ends between the last look and the write, the number can be
//! another's by then, or that of a thread of another ([`super::by_thread`]): the kernel moves that one. No look before
//! the write can prevent it, so a look after the write finds out whom it has hit.

use std::os::fd::AsFd;

use super::{CgroupWriter, not_moved, write_file};
use crate::linux::write::errors::failure;
use crate::linux::write::pinned::{PinnedProcess, gone};
use crate::linux::write::pins::Pins;
use crate::linux::write::signal::own_pids;
use crate::model::cgroup::CgroupPath;
use crate::model::cgroup::limits::LimitFile;
use crate::model::plan::receipt::{Failure, FailureKind, Reading};
use crate::model::plan::step::{CgroupStep, LimitWrite};
use crate::model::process::ProcessId;

/// How often a stranger is looked for: a move back can hit the next stranger.
const ROUNDS: usize = 4;

impl CgroupWriter {
    pub(super) fn move_process(
        &self,
        pins: &Pins,
        step: &CgroupStep,
        (target, group): (ProcessId, &CgroupPath),
        before: &mut Reading,
    ) -> Result<Reading, Failure> {
        own_pids(&self.root, "a move")?;
        let dir = self.open(step, group)?;
        let process = pins.process(target)?;
        *before = self.home(step, &process);
        // oomtop does not end during its own move.
        let is_own = target.pid == std::process::id();
        let places = (!is_own).then(|| (self.homes_before(), self.threads(group).ok()));
        // As near to the write as can be.
        process.check()?;
        write_file(&dir, "cgroup.procs", &target.pid.to_string())
            .map_err(|errno| self.explain(step, group, errno))?;
        if let Err(failure) = process.check() {
            // Until it is reaped, the pid is its own: then a zombie was moved.
            let places = places.filter(|_| process.is_reaped());
            let hit = places.map(|(homes, inside)| {
                self.set_right((step, target), group, (inside.as_ref(), &homes))
            });
            return Err(hit.unwrap_or(failure));
        }
        drop(places);
        let now = process
            .cgroup(&self.hierarchy)
            .ok_or_else(|| gone(target))?;
        if now == *group {
            self.last_look.note(target.pid, group);
            Ok(Reading::Group(now))
        } else {
            Err(not_moved(target, group, &now))
        }
    }

    /// The group a process is in now.
    pub(in crate::linux::write) fn group_of(&self, process: &PinnedProcess) -> Option<CgroupPath> {
        process.cgroup(&self.hierarchy)
    }

    /// The group a process is in, with its hard limit.
    pub(super) fn home(&self, step: &CgroupStep, process: &PinnedProcess) -> Reading {
        let Some(group) = process.cgroup(&self.hierarchy) else {
            return Reading::Nothing;
        };
        let file = LimitFile::hard_limit(self.made_for);
        let limit = self.open(step, &group).ok().and_then(|dir| {
            let (_, value) = self.shown(step, &group, dir.as_fd(), file).ok()?;
            Some(LimitWrite { file, value })
        });
        Reading::Home(group, limit)
    }

    /// The target was reaped around the write. Moves back whoever has the pid now, if the write hit that one.
    pub(in crate::linux::write) fn bring_back(
        &self,
        step: &CgroupStep,
        target: ProcessId,
        group: &CgroupPath,
    ) -> Failure {
        let mut written = vec![group.clone()];
        let mut moved = None;
        for _ in 0..ROUNDS {
            let stranger = PinnedProcess::whoever(&self.root, target.pid).ok();
            let stranger = stranger.and_then(|(process, stat)| {
                let now = process.cgroup(&self.hierarchy)?;
                Some((process, stat, now))
            });
            // Nobody, or one that no write of ours can have moved.
            let Some((process, stat, now)) = stranger.filter(|(_, _, now)| written.contains(now))
            else {
                break;
            };
            // It was born a moment ago, so it belongs where its parent is (fork inherits the group).
            let parent = PinnedProcess::whoever(&self.root, stat.ppid).ok();
            let home = parent.and_then(|(parent, _)| parent.cgroup(&self.hierarchy));
            if home.as_ref() == Some(&now) {
                break;
            }
            let name = PinnedProcess::name(&stat);
            let home = home.filter(|_| !process.is_thread());
            let Some(home) = home else {
                return stayed(target, &name, &now, "where it was is not known");
            };
            let back = self.open_any(step, &home).and_then(|dir| {
                write_file(&dir, "cgroup.procs", &target.pid.to_string())
                    .map_err(|errno| self.explain(step, &home, errno))
            });
            if let Err(why) = back {
                return stayed(target, &name, &now, &why.sentence);
            }
            if !process.is_reaped() {
                let now = process.cgroup(&self.hierarchy);
                return match now.filter(|now| *now != home) {
                    None => returned(target, &name, group, &home),
                    Some(now) => stayed(target, &name, &now, "another program moves it too"),
                };
            }
            moved = Some((name, home.clone()));
            written.push(home);
        }
        match moved {
            Some((name, home)) => returned(target, &name, group, &home),
            None => gone(target),
        }
    }
}

fn returned(target: ProcessId, name: &str, group: &CgroupPath, home: &CgroupPath) -> Failure {
    let pid = target.pid;
    failure(
        FailureKind::Reused,
        format!(
            "Process {pid} ended during the move, and the pid went to another process ({name}), which came into \
             {group}: it was moved back to {home}, the group of its parent."
        ),
    )
}

fn stayed(target: ProcessId, name: &str, group: &CgroupPath, why: &str) -> Failure {
    let pid = target.pid;
    failure(
        FailureKind::Reused,
        format!(
            "Process {pid} ended during the move, and the pid went to another process ({name}), which is in {group} \
             now and could not be moved back ({why}): move {pid} yourself."
        ),
    )
}
