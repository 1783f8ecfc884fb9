//! Who comes into a group because a thread of it has got the number of a process that was to come.
//!
//! `cgroup.procs` takes the number of a thread for that of its process (kernel/cgroup/cgroup.c
//! `cgroup_procs_write_start`). Such a process is no newborn: it belongs where it was, which only a look before the write
//! can tell. The thread may be gone again, and then nothing but the list of the group tells of it.

use std::collections::{BTreeSet, HashMap};

use rustix::io::Errno;

use super::homes::Homes;
use super::{CgroupWriter, write_file};
use crate::linux::cgroup::members::threads;
use crate::linux::kernel_file::{FileBuffer, is_gone};
use crate::linux::write::errors::failure;
use crate::linux::write::pinned::PinnedProcess;
use crate::model::cgroup::CgroupPath;
use crate::model::plan::receipt::{Failure, FailureKind};
use crate::model::plan::step::CgroupStep;
use crate::model::process::{Pid, ProcessId};

/// How often the group is looked at: whoever is moved back may have started others meanwhile.
const ROUNDS: usize = 4;

/// Whom a look into a group has found that does not belong there.
enum Found {
    /// Moved back, or not: the sentence about the first of them.
    Somebody(Failure),
    /// In the group now, and where it was is not known: it may be younger than the look at the homes.
    Unknown(Pid, String),
    Nobody,
    /// The list of the group could not be read.
    Unread,
}

/// What became of a process that was to go back.
enum Sent {
    Home,
    /// Another program has moved it since.
    Elsewhere,
    /// It ended; whoever had the number then was moved, and back again, as the sentence says.
    Ended(Option<String>),
    Refused(Failure),
}

impl CgroupWriter {
    /// The threads in a group itself.
    ///
    /// # Errors
    /// Those of the read; a group that is gone has none.
    pub(super) fn threads(&self, group: &CgroupPath) -> Result<BTreeSet<Pid>, Errno> {
        let Ok(relative) = self.relative(group) else {
            return Ok(BTreeSet::new());
        };
        let root = self.hierarchy.dir()?;
        match threads(root, &relative, self.made_for, &mut FileBuffer::default()) {
            Err(errno) if is_gone(errno) => Ok(BTreeSet::new()),
            threads => threads,
        }
    }

    /// The target was reaped around the write. Moves back whom the write has hit instead: the process of a thread, or a
    /// newborn. `spared` are those who belong in the group; `None` if that is not known.
    pub(in crate::linux::write) fn set_right(
        &self,
        (step, target): (&CgroupStep, ProcessId),
        group: &CgroupPath,
        (spared, homes): (Option<&BTreeSet<Pid>>, &Homes),
    ) -> Failure {
        let found = match spared {
            Some(spared) => self.bring_home((step, target), group, (spared, homes)),
            None => Found::Unread,
        };
        let mut back = self.bring_back(step, target, group);
        let doubt = match found {
            Found::Somebody(failure) => return failure,
            Found::Nobody if homes.is_whole() => return back,
            Found::Unknown(pid, name) => format!("Where {pid} {name} came from is not known"),
            Found::Nobody => "Not all groups could be read".to_owned(),
            Found::Unread => format!("The processes of {group} could not be listed"),
        };
        back.sentence = format!(
            "{} {doubt}: another process may have come in its place, look who is in {group}.",
            back.sentence
        );
        back
    }

    /// Moves back whoever is in the group now, ran before the write and is none of `spared`, and whom such a one has
    /// started in the group since. The number of `target` led to it.
    fn bring_home(
        &self,
        (step, target): (&CgroupStep, ProcessId),
        group: &CgroupPath,
        (spared, homes): (&BTreeSet<Pid>, &Homes),
    ) -> Found {
        let mut told = None;
        let mut known = HashMap::new();
        let mut unknown = None;
        let mut is_read = true;
        for _ in 0..ROUNDS {
            let before = known.len();
            let Ok(inside) = self.threads(group) else {
                is_read = false;
                break;
            };
            for &pid in &inside {
                // A process that has the number itself is a newborn.
                if pid == target.pid || spared.contains(&pid) || known.contains_key(&pid) {
                    continue;
                }
                let Some((process, stat)) = PinnedProcess::whoever(&self.root, pid).ok() else {
                    continue;
                };
                let home = homes.of(pid, stat.start_ticks);
                let Some(home) = home.or_else(|| known.get(&stat.ppid)).cloned() else {
                    // Who was started in the group belongs there.
                    let is_native = |parent: &Pid| {
                        *parent == target.pid || inside.contains(parent) || spared.contains(parent)
                    };
                    if !is_native(&stat.ppid) {
                        unknown.get_or_insert_with(|| (pid, PinnedProcess::name(&stat)));
                    }
                    continue;
                };
                // The others come with the first of their process.
                if home == *group || process.is_thread() {
                    continue;
                }
                let name = PinnedProcess::name(&stat);
                let id = ProcessId {
                    pid,
                    start_ticks: stat.start_ticks,
                };
                let came = format!(
                    "Process {} ended during the move, and its number went to a thread of {pid} {name}, which came \
                     into {group}",
                    target.pid
                );
                let sentence = match self.send(step, &process, id, &home) {
                    Sent::Home => format!("{came}: it was moved back to {home}."),
                    Sent::Elsewhere => format!("{came}, and another program moves it too."),
                    Sent::Ended(None) => format!("{came} and ended meanwhile."),
                    Sent::Ended(Some(next)) => format!("{came} and ended meanwhile. {next}"),
                    Sent::Refused(why) => format!(
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
        match (told, unknown) {
            (Some(failure), _) => Found::Somebody(failure),
            (None, Some((pid, name))) => Found::Unknown(pid, name),
            (None, None) if is_read => Found::Nobody,
            (None, None) => Found::Unread,
        }
    }

    /// Moves a process to where it was, and whoever gets its number meanwhile back again.
    fn send(
        &self,
        step: &CgroupStep,
        process: &PinnedProcess,
        id: ProcessId,
        home: &CgroupPath,
    ) -> Sent {
        let dir = match self.open_any(step, home) {
            Ok(dir) => dir,
            Err(why) => return Sent::Refused(why),
        };
        // As near to the write as can be.
        if process.is_reaped() {
            return Sent::Ended(None);
        }
        let written = write_file(&dir, "cgroup.procs", &id.pid.to_string());
        if process.is_reaped() {
            let back = written.map(|()| self.bring_back(step, id, home));
            let back = back.ok().filter(|back| back.kind == FailureKind::Reused);
            return Sent::Ended(back.map(|back| back.sentence));
        }
        match written {
            Err(errno) => Sent::Refused(self.explain(step, home, errno)),
            Ok(()) if self.group_of(process).as_ref() == Some(home) => Sent::Home,
            Ok(()) => Sent::Elsewhere,
        }
    }
}
