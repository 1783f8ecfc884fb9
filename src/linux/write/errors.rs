//! The sentence for every error a cgroup write can give.
//!
//! Which errno means what: kernel/cgroup/cgroup.c, mm/memcontrol.c, mm/memcontrol-v1.c.

use rustix::io::Errno;

use crate::model::cgroup::{CgroupPath, CgroupVersion};
use crate::model::plan::receipt::{Failure, FailureKind};
use crate::model::plan::step::{CgroupStep, LimitWrite};
use crate::model::process::ProcessId;
use crate::model::shell::quoted;

use crate::linux::kernel_file::{is_gone, shortage};
use crate::linux::write::pinned::gone;

/// What is known when a step fails.
pub(crate) struct Attempt<'a> {
    pub(crate) version: CgroupVersion,
    /// The group's directory as text.
    pub(crate) directory: String,
    /// The group is there (for telling a missing file from a missing group).
    pub(crate) exists: bool,
    /// Its usage, for a limit that does not fit.
    pub(crate) usage: Option<u64>,
    pub(crate) step: &'a CgroupStep,
}

impl Attempt<'_> {
    /// The failure of this step with this errno.
    pub(crate) fn explain(&self, errno: Errno) -> Failure {
        if let Some(shortage) = shortage(errno) {
            return failure(
                FailureKind::Other,
                format!("{} was not reached: {shortage}.", self.directory),
            );
        }
        if errno == Errno::ROFS {
            return failure(
                FailureKind::Denied,
                format!(
                    "{} is read-only here (a container?): do this on the host.",
                    self.directory
                ),
            );
        }
        match self.step {
            CgroupStep::EnableMemory(group) => self.enable(group, errno),
            CgroupStep::DisableMemory(group) => disable(group, errno),
            CgroupStep::Create(group) => self.create(group, errno),
            CgroupStep::Limit(group, write) => self.limit(group, *write, errno),
            CgroupStep::Move(target, group) => self.movement(*target, group, errno),
            CgroupStep::Remove(group) => self.remove(group, errno),
            CgroupStep::Freeze(group, frozen) => {
                let did = if *frozen { "frozen" } else { "thawed" };
                let order = ("cgroup.freeze", u8::from(*frozen).to_string());
                self.order(group, order, did, errno)
            }
            CgroupStep::Reclaim(group, bytes) => {
                let order = ("memory.reclaim", bytes.to_string());
                self.order(group, order, "made smaller", errno)
            }
            CgroupStep::Kill(group) => {
                self.order(group, ("cgroup.kill", "1".to_owned()), "killed", errno)
            }
        }
    }

    /// A file that takes an order and keeps nothing.
    fn order(
        &self,
        group: &CgroupPath,
        (file, order): (&str, String),
        did: &str,
        errno: Errno,
    ) -> Failure {
        match errno {
            Errno::NOENT if self.exists => failure(
                FailureKind::Other,
                format!("{group} was not {did}: this kernel has no {file} there."),
            ),
            _ if is_gone(errno) => no_group(group),
            Errno::ACCESS | Errno::PERM => {
                self.denied(&format!("echo {order} > {}", self.file(file)))
            }
            Errno::OPNOTSUPP => failure(
                FailureKind::Other,
                format!(
                    "{group} holds threads, not whole processes (see cgroup.type): it was not {did}."
                ),
            ),
            _ => unknown(&format!("{group} was not {did}"), errno),
        }
    }

    fn enable(&self, group: &CgroupPath, errno: Errno) -> Failure {
        match errno {
            Errno::NOENT if !self.exists => no_group(group),
            Errno::NOENT => failure(
                FailureKind::Other,
                format!(
                    "The memory controller is not available in {group}: it must be enabled in the \
                     groups above it first (or {group} is threaded)."
                ),
            ),
            Errno::BUSY => failure(
                FailureKind::Other,
                format!(
                    "{group} holds processes itself, so it cannot hand memory control to groups \
                     below it (cgroup v2 rule). Move them into a group below first, or use another \
                     parent."
                ),
            ),
            Errno::OPNOTSUPP | Errno::INVAL => failure(
                FailureKind::Other,
                format!(
                    "{group} is threaded or \"domain invalid\" (see cgroup.type): it cannot hand memory control to \
                     groups below it. Use another parent."
                ),
            ),
            Errno::ACCESS | Errno::PERM => self.denied(&format!(
                "echo +memory > {}",
                self.file("cgroup.subtree_control")
            )),
            _ => unknown(&format!("Memory control in {group} was not enabled"), errno),
        }
    }

    fn create(&self, group: &CgroupPath, errno: Errno) -> Failure {
        match errno {
            Errno::EXIST => failure(
                FailureKind::Other,
                format!("{group} exists already; choose another name or move into it."),
            ),
            Errno::NOENT => failure(
                FailureKind::NoGroup,
                format!("The group above {group} is not there (any more)."),
            ),
            Errno::AGAIN => failure(
                FailureKind::Other,
                format!(
                    "{group} was not made: cgroup.max.descendants or cgroup.max.depth of a group \
                     above it is reached."
                ),
            ),
            Errno::NAMETOOLONG | Errno::INVAL => failure(
                FailureKind::Other,
                format!("The kernel does not take the name of {group}."),
            ),
            Errno::NOMEM | Errno::NOSPC => failure(
                FailureKind::Other,
                format!(
                    "{group} was not made: the kernel has no room for another group ({errno})."
                ),
            ),
            Errno::ACCESS | Errno::PERM => {
                self.denied(&format!("mkdir {}", quoted(&self.directory)))
            }
            _ => unknown(&format!("{group} was not made"), errno),
        }
    }

    fn limit(&self, group: &CgroupPath, write: LimitWrite, errno: Errno) -> Failure {
        let (file, value) = (write.file.name(), write.text());
        match errno {
            Errno::NOENT if self.exists => failure(
                FailureKind::NoFile,
                if group.is_root() {
                    format!("The root group has no {file}: it cannot be limited.")
                } else {
                    format!(
                        "{group} has no file {file}: this kernel does not offer it, or memory \
                         control is not enabled in the group above."
                    )
                },
            ),
            _ if is_gone(errno) => no_group(group),
            Errno::BUSY => failure(
                FailureKind::Other,
                format!(
                    "{group} uses {} now and the kernel could not bring it below {value} bytes: \
                     cgroup v1 refuses such a limit (nothing was killed). Set a higher one, or free \
                     memory first.",
                    self.usage
                        .map_or_else(|| "more".to_owned(), |bytes| format!("{bytes} bytes"))
                ),
            ),
            Errno::INVAL if self.version.is_v1() => failure(
                FailureKind::Other,
                format!(
                    "The kernel does not take '{value}' for {file}. On cgroup v1 memory+swap may \
                     not be below memory, and no limit is written as -1."
                ),
            ),
            Errno::INVAL | Errno::RANGE | Errno::DOM => failure(
                FailureKind::Other,
                format!("The kernel does not take '{value}' for {file}."),
            ),
            Errno::OPNOTSUPP => failure(
                FailureKind::Other,
                format!("{file} is not supported for {group} by this kernel."),
            ),
            Errno::ACCESS | Errno::PERM => {
                self.denied(&format!("echo {value} > {}", self.file(file)))
            }
            _ => unknown(&format!("{file} of {group} was not set"), errno),
        }
    }

    fn movement(&self, target: ProcessId, group: &CgroupPath, errno: Errno) -> Failure {
        let pid = target.pid;
        match errno {
            Errno::SRCH => gone(target),
            Errno::NODEV => no_group(group),
            Errno::NOENT if !self.exists => no_group(group),
            Errno::NOENT => failure(
                FailureKind::Other,
                format!("{group} or the group of process {pid} is outside this cgroup namespace."),
            ),
            Errno::BUSY => failure(
                FailureKind::Other,
                format!(
                    "{group} hands control to the groups below it and may hold no processes itself \
                     (cgroup v2 rule). Choose or make a group below it."
                ),
            ),
            Errno::OPNOTSUPP => failure(
                FailureKind::Other,
                format!(
                    "{group} cannot take whole processes: its type is threaded or \"domain \
                     invalid\" (see cgroup.type)."
                ),
            ),
            Errno::INVAL => failure(
                FailureKind::Other,
                format!("Process {pid} cannot be moved: a kernel thread, or bound to its group."),
            ),
            Errno::AGAIN => failure(
                FailureKind::Other,
                format!("Process {pid} was not moved to {group}: the kernel asks to try again."),
            ),
            Errno::NOMEM => failure(
                FailureKind::Other,
                format!("Process {pid} was not moved: the kernel is out of memory for it."),
            ),
            Errno::ACCESS | Errno::PERM => {
                let command = format!("echo {pid} > {}", self.file("cgroup.procs"));
                let mut failure = self.denied(&command);
                if !self.version.is_v1() {
                    failure.sentence.push_str(
                        ". cgroup v2 wants write access to cgroup.procs of the group that encloses both the \
                         old and the new one, too",
                    );
                }
                failure
            }
            _ => unknown(&format!("Process {pid} was not moved to {group}"), errno),
        }
    }

    fn remove(&self, group: &CgroupPath, errno: Errno) -> Failure {
        match errno {
            _ if is_gone(errno) => no_group(group),
            Errno::BUSY | Errno::NOTEMPTY => failure(
                FailureKind::Other,
                format!("{group} is not empty (processes or groups in it); it was left as it is."),
            ),
            Errno::ACCESS | Errno::PERM => {
                self.denied(&format!("rmdir {}", quoted(&self.directory)))
            }
            _ => unknown(&format!("{group} was not removed"), errno),
        }
    }

    /// A file of the group's directory, as a shell reads it.
    fn file(&self, name: &str) -> String {
        quoted(&format!("{}/{name}", self.directory))
    }

    fn denied(&self, command: &str) -> Failure {
        let who = if rustix::process::geteuid().is_root() {
            "oomtop runs as root, but this part of the tree is not its own (a container?); on the \
             host"
        } else {
            "run oomtop as root, or as root"
        };
        failure(
            FailureKind::Denied,
            format!("No permission for {}: {who}: {command}", self.directory),
        )
    }
}

fn disable(group: &CgroupPath, errno: Errno) -> Failure {
    match errno {
        _ if is_gone(errno) => no_group(group),
        Errno::BUSY => failure(
            FailureKind::Other,
            format!("Memory control in {group} stays enabled: a group below hands it on already."),
        ),
        _ => unknown(
            &format!("Memory control in {group} was not disabled"),
            errno,
        ),
    }
}

fn unknown(what: &str, errno: Errno) -> Failure {
    failure(FailureKind::Other, format!("{what}: {errno}."))
}

/// The group is not there.
pub(crate) fn no_group(group: &CgroupPath) -> Failure {
    failure(
        FailureKind::NoGroup,
        format!("{group} is not there (any more)."),
    )
}

pub(crate) fn failure(kind: FailureKind, sentence: String) -> Failure {
    Failure { kind, sentence }
}

#[cfg(test)]
mod tests;
