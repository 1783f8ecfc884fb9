//! Who comes into a group because a thread of it has got the number of a process that was to come.
//!
//! `cgroup.procs` takes the number of a thread for that of its process (kernel/cgroup/cgroup.c `cgroup_procs_write_start`). Such a
//! process is no newborn: it belongs where it was, which only a look before the write can tell. The thread may be gone again, and
//! then nothing but the list of the group tells of it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use super::{CgroupWriter, write_file};
use crate::linux::cgroup::members::{each_group, threads};
use crate::linux::kernel_file::FileBuffer;
use crate::linux::write::errors::failure;
use crate::linux::write::pinned::PinnedProcess;
use crate::model::cgroup::CgroupPath;
use crate::model::plan::receipt::{Failure, FailureKind};
use crate::model::plan::step::CgroupStep;
use crate::model::process::{Pid, ProcessId};

/// How often the group is looked at: whoever is moved back may have started others meanwhile.
const ROUNDS: usize = 4;

/// How long the places of all are good for the next move into the same group.
const FRESH: Duration = Duration::from_millis(100);

/// Where all threads are, before somebody moves some of them by their numbers: 4 bytes for each.
#[derive(Debug)]
pub(in crate::linux::write) struct Homes {
    /// Each group with its threads, in their order.
    groups: Vec<(CgroupPath, Vec<Pid>)>,
    /// The moment, in ticks since boot as `/proc/PID/stat` has them.
    at: u64,
}

impl Homes {
    /// Where a process of this start time was; `None` for one that is younger.
    fn of(&self, pid: Pid, start_ticks: u64) -> Option<&CgroupPath> {
        let mut groups = self.groups.iter();
        let (group, _) = groups.find(|(_, threads)| threads.binary_search(&pid).is_ok())?;
        (start_ticks <= self.at).then_some(group)
    }
}

/// What was found before a move, for the next one into the same group.
#[derive(Debug)]
pub(super) struct LastLook {
    group: CgroupPath,
    read: Instant,
    homes: Arc<Homes>,
}

impl CgroupWriter {
    /// Reads where everybody is: from the lists of the groups, which are far fewer than the processes.
    pub(in crate::linux::write) fn homes(&self) -> Homes {
        let mut groups = Vec::new();
        let mut buffer = FileBuffer::default();
        if let Ok(root) = self.hierarchy.dir() {
            let look = |relative: &[u8]| {
                // Nobody is moved back to a group that cannot be read.
                let all = threads(root, relative, self.made_for, &mut buffer).unwrap_or_default();
                if !all.is_empty() {
                    let path = self.hierarchy.root_group();
                    let path = path.join(relative.strip_prefix(b".").unwrap_or(relative));
                    groups.push((path, all.into_iter().collect()));
                }
                Ok(())
            };
            let _ = each_group(root, b".", look);
        }
        Homes {
            groups,
            at: ticks_since_boot(),
        }
    }

    /// As [`Self::homes`], for one of many moves into a group.
    pub(super) fn homes_before(&self, group: &CgroupPath) -> Arc<Homes> {
        let mut last = self.last_look.borrow_mut();
        // Whom a move of ours has brought elsewhere belongs there now.
        if let Some(look) = &*last
            && look.group == *group
            && look.read.elapsed() < FRESH
        {
            return Arc::clone(&look.homes);
        }
        let homes = Arc::new(self.homes());
        *last = Some(LastLook {
            group: group.clone(),
            read: Instant::now(),
            homes: Arc::clone(&homes),
        });
        homes
    }

    /// The threads in a group itself; none if that cannot be read.
    pub(in crate::linux::write) fn threads(&self, group: &CgroupPath) -> BTreeSet<Pid> {
        let threads = self.relative(group).ok().and_then(|relative| {
            let root = self.hierarchy.dir().ok()?;
            threads(root, &relative, self.made_for, &mut FileBuffer::default()).ok()
        });
        threads.unwrap_or_default()
    }

    /// Moves back whoever is in the group now, ran before the write and is none of `spared`, and whom such a one has started in
    /// the group since; `None` if nobody is. The number of `target` led to it.
    pub(in crate::linux::write) fn bring_home(
        &self,
        (step, target): (&CgroupStep, ProcessId),
        group: &CgroupPath,
        (spared, homes): (&BTreeSet<Pid>, &Homes),
    ) -> Option<Failure> {
        let mut told = None;
        let mut known = HashMap::new();
        for _ in 0..ROUNDS {
            let before = known.len();
            for pid in self.threads(group) {
                // A process that has the number itself is a newborn.
                if pid == target.pid || spared.contains(&pid) || known.contains_key(&pid) {
                    continue;
                }
                let Some((process, stat)) = PinnedProcess::whoever(&self.root, pid).ok() else {
                    continue;
                };
                let home = homes.of(pid, stat.start_ticks);
                let Some(home) = home.or_else(|| known.get(&stat.ppid)).cloned() else {
                    continue;
                };
                // The others come with the first of their process.
                if home == *group || process.is_thread() {
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
