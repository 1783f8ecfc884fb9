//! Who comes into a new group because a thread of it has got the number of a process that was to come.
//!
//! `cgroup.procs` takes the number of a thread for that of its process (kernel/cgroup/cgroup.c `cgroup_procs_write_start`). Such a
//! process is no newborn: it belongs where it was, which only a look before the order can tell. The thread may be gone again.

use std::collections::HashMap;

use rustix::time::{ClockId, clock_gettime};

use super::{CgroupWriter, write_file};
use crate::linux::kernel_file::{FileBuffer, text};
use crate::linux::write::errors::failure;
use crate::linux::write::pinned::PinnedProcess;
use crate::model::cgroup::CgroupPath;
use crate::model::plan::receipt::{Failure, FailureKind};
use crate::model::plan::step::CgroupStep;
use crate::model::process::ProcessId;

/// Where all processes are, before somebody moves some of them by their numbers.
#[derive(Debug)]
pub(in crate::linux::write) struct Homes {
    groups: HashMap<u32, CgroupPath>,
    /// The moment, in ticks since boot as `/proc/PID/stat` has them.
    at: u64,
}

impl CgroupWriter {
    /// Reads where everybody is.
    pub(in crate::linux::write) fn homes(&self) -> Homes {
        let names = std::fs::read_dir(&self.root.proc).into_iter().flatten();
        let pids = names.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let home = |pid: u32| {
            let (process, _) = PinnedProcess::whoever(&self.root, pid).ok()?;
            Some((pid, self.group_of(&process)?))
        };
        Homes {
            groups: pids.filter_map(home).collect(),
            at: ticks_since_boot(),
        }
    }

    /// Moves back whoever is in the new group, was there before the order and is none of the targets; `None` if nobody is. The
    /// number of `target` led to it.
    pub(in crate::linux::write) fn bring_home(
        &self,
        (step, target): (&CgroupStep, ProcessId),
        group: &CgroupPath,
        (targets, homes): (&[ProcessId], &Homes),
    ) -> Option<Failure> {
        let dir = self.open(step, group).ok()?;
        let listed = FileBuffer::default()
            .read_whole(&dir, "cgroup.procs")
            .map(text);
        let listed = listed.ok()?;
        let pids = listed.lines().filter_map(|line| line.parse().ok());
        let is_target = |pid: u32| targets.iter().any(|target| target.pid == pid);
        let strangers = pids.filter(|pid| !is_target(*pid)).filter_map(|pid| {
            let home = homes.groups.get(&pid)?;
            let (process, stat) = PinnedProcess::whoever(&self.root, pid).ok()?;
            (stat.start_ticks <= homes.at && home != group).then_some((pid, process, stat, home))
        });
        let strangers: Vec<_> = strangers.collect();
        let back = strangers.into_iter().map(|(pid, process, stat, home)| {
            let name = PinnedProcess::name(&stat);
            let back = self.open(step, home).and_then(|dir| {
                write_file(&dir, "cgroup.procs", &pid.to_string())
                    .map_err(|errno| self.explain(step, home, errno))
            });
            let is_home = self.group_of(&process).as_ref() == Some(home);
            let came = format!(
                "Process {} ended during the move, and its number went to a thread of {pid} {name}, which came into {group}",
                target.pid
            );
            let sentence = match back {
                Ok(()) if is_home => format!("{came}: it was moved back to {home}."),
                Ok(()) => format!("{came}, and another program moves it too."),
                Err(why) => format!(
                    "{came} and could not be moved back to {home} ({}): move {pid} yourself.",
                    why.sentence
                ),
            };
            failure(FailureKind::Reused, sentence)
        });
        // All go back; one is told of.
        back.fold(None, |first, next| first.or(Some(next)))
    }
}

fn ticks_since_boot() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    let hz = rustix::param::clock_ticks_per_second();
    let (seconds, nanos) = (now.tv_sec, now.tv_nsec);
    let whole = u64::try_from(seconds).unwrap_or(0).saturating_mul(hz);
    whole + u64::try_from(nanos).unwrap_or(0) * hz / 1_000_000_000
}
