//! Who comes into a new group because a thread of it has got the number of a process that was to come.
//!
//! `cgroup.procs` takes the number of a thread for that of its process (kernel/cgroup/cgroup.c `cgroup_procs_write_start`). Such a
//! process is no newborn: it belongs where it was, which only a look before the order can tell. The thread may be gone again.

use std::collections::HashMap;

use rustix::time::{ClockId, clock_gettime};

use super::{CgroupWriter, write_file};
use crate::linux::write::errors::failure;
use crate::linux::write::pinned::PinnedProcess;
use crate::model::cgroup::CgroupPath;
use crate::model::plan::receipt::{Failure, FailureKind};
use crate::model::plan::step::CgroupStep;
use crate::model::process::ProcessId;

/// How often the group is looked at: whoever is moved back may have started others meanwhile.
const ROUNDS: usize = 4;

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

    /// Moves back whoever is in the new group, ran before the order and is none of the targets that live, and whom such a one has
    /// started in the group since; `None` if nobody is. The number of `target` led to it.
    pub(in crate::linux::write) fn bring_home(
        &self,
        (step, target): (&CgroupStep, ProcessId),
        group: &CgroupPath,
        (living, homes): (&[ProcessId], &Homes),
    ) -> Option<Failure> {
        let mut told = None;
        let mut known = HashMap::new();
        for _ in 0..ROUNDS {
            let before = known.len();
            for pid in self.members(step, group).unwrap_or_default() {
                if living.iter().any(|one| one.pid == pid) || known.contains_key(&pid) {
                    continue;
                }
                let Some((process, stat)) = PinnedProcess::whoever(&self.root, pid).ok() else {
                    continue;
                };
                let was = homes.groups.get(&pid);
                let was = was.filter(|_| stat.start_ticks <= homes.at);
                let Some(home) = was.or_else(|| known.get(&stat.ppid)).cloned() else {
                    continue;
                };
                if home == *group {
                    continue;
                }
                let name = PinnedProcess::name(&stat);
                let came = format!(
                    "Process {} ended during the move, and its number went to a thread of {pid} {name}, which came into {group}",
                    target.pid
                );
                let sentence = match self.send(step, &process, pid, &home) {
                    Ok(true) => format!("{came}: it was moved back to {home}."),
                    Ok(false) => format!("{came}, and another program moves it too."),
                    Err(why) => format!(
                        "{came} and could not be moved back to {home} ({}): move {pid} yourself.",
                        why.sentence
                    ),
                };
                // All go back, and the first is told of.
                told.get_or_insert_with(|| failure(FailureKind::Reused, sentence));
                known.insert(pid, home);
            }
            if known.len() == before {
                break;
            }
        }
        told
    }

    /// Moves a process to where it was. False if it is elsewhere all the same.
    fn send(
        &self,
        step: &CgroupStep,
        process: &PinnedProcess,
        pid: u32,
        home: &CgroupPath,
    ) -> Result<bool, Failure> {
        let dir = self.open(step, home)?;
        write_file(&dir, "cgroup.procs", &pid.to_string())
            .map_err(|errno| self.explain(step, home, errno))?;
        Ok(self.group_of(process).as_ref() == Some(home))
    }
}

fn ticks_since_boot() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    let hz = rustix::param::clock_ticks_per_second();
    let (seconds, nanos) = (now.tv_sec, now.tv_nsec);
    let whole = u64::try_from(seconds).unwrap_or(0).saturating_mul(hz);
    whole + u64::try_from(nanos).unwrap_or(0) * hz / 1_000_000_000
}
