//! Carries out a cgroup plan: make a group, limit it, move a process, take it back.
//!
//! Every step is read back; the first that fails ends the plan. Only paths below the memory
//! hierarchy's root are touched, and a group is removed only if the kernel finds it empty.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use crate::model::cgroup::{CgroupPath, CgroupVersion};
use crate::model::plan::step::{
    CgroupStep, Failure, FailureKind, LimitWrite, PlanReceipt, StepResult,
};
use crate::model::process::ProcessId;

use crate::linux::SysRoot;
use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::kernel_file::{FileBuffer, keyed, number, text};
use crate::linux::write::errors::{Attempt, failure, no_group};
use crate::linux::write::pinned::{PinnedProcess, gone};
use crate::linux::write::signal::own_pids;

/// Does the steps in order until one fails.
///
/// `version` is the hierarchy the plan was made for; if the host has another by now, nothing is
/// done. `target` is the process whose present group is reported as `before`.
#[must_use]
pub fn run_plan(
    root: &SysRoot,
    version: CgroupVersion,
    target: Option<ProcessId>,
    steps: &[CgroupStep],
) -> PlanReceipt {
    let hierarchy = Hierarchy::detect(root);
    let before = target
        .and_then(|id| PinnedProcess::open(root, id).ok())
        .and_then(|process| process.cgroup(hierarchy.version));
    let mut receipt = PlanReceipt {
        target,
        before,
        steps: Vec::with_capacity(steps.len()),
    };
    let plan = Plan {
        root,
        hierarchy,
        made_for: version,
    };
    for step in steps {
        let mut before = None;
        let outcome = plan.run(step, &mut before);
        let failed = outcome.is_err();
        receipt.steps.push(StepResult {
            step: step.clone(),
            before,
            outcome,
        });
        if failed {
            break;
        }
    }
    receipt
}

struct Plan<'a> {
    root: &'a SysRoot,
    hierarchy: Hierarchy,
    made_for: CgroupVersion,
}

impl Plan<'_> {
    /// `before` takes what a limit was right before it is written.
    fn run(&self, step: &CgroupStep, before: &mut Option<String>) -> Result<String, Failure> {
        if self.hierarchy.version != self.made_for || self.made_for == CgroupVersion::None {
            return Err(failure(
                FailureKind::Other,
                format!(
                    "The plan is for {}, but this host has {}; nothing was done.",
                    self.made_for.name(),
                    self.hierarchy.version.name()
                ),
            ));
        }
        match step {
            CgroupStep::EnableMemory(group) => self.enable(step, group),
            CgroupStep::Create(group) => self.create(step, group),
            CgroupStep::Limit(group, write) => self.limit(step, group, write, before),
            CgroupStep::Move(target, group) => self.move_process(step, *target, group),
            CgroupStep::Remove(group) => self.remove(step, group),
        }
    }

    fn enable(&self, step: &CgroupStep, group: &CgroupPath) -> Result<String, Failure> {
        let file = "cgroup.subtree_control";
        let dir = self.open(step, group)?;
        write_file(&dir, file, "+memory").map_err(|errno| self.explain(step, group, errno))?;
        let now = self.read(step, group, &dir, file)?;
        if now.split_ascii_whitespace().any(|c| c == "memory") {
            Ok(now)
        } else {
            Err(not_kept(group, file, "+memory", &now))
        }
    }

    fn create(&self, step: &CgroupStep, group: &CgroupPath) -> Result<String, Failure> {
        let relative = self.relative(group)?;
        self.hierarchy
            .dir()
            .and_then(|root| rustix::fs::mkdirat(root, relative, Mode::from_raw_mode(0o755)))
            .map_err(|errno| self.explain(step, group, errno))?;
        self.open(step, group)?;
        Ok(group.to_string())
    }

    fn limit(
        &self,
        step: &CgroupStep,
        group: &CgroupPath,
        write: &LimitWrite,
        before: &mut Option<String>,
    ) -> Result<String, Failure> {
        if write.file.contains(['/', '\0']) {
            return Err(self.explain(step, group, Errno::INVAL));
        }
        let dir = self.open(step, group)?;
        // What cannot be read could not be taken back: then it is not written either.
        *before = Some(setting(
            write.file,
            &self.read(step, group, &dir, write.file)?,
        ));
        write_file(&dir, write.file, &write.value)
            .map_err(|errno| self.explain(step, group, errno))?;
        let now = setting(write.file, &self.read(step, group, &dir, write.file)?);
        if is_kept(&write.value, &now) {
            Ok(now)
        } else {
            Err(not_kept(group, write.file, &write.value, &now))
        }
    }

    fn move_process(
        &self,
        step: &CgroupStep,
        target: ProcessId,
        group: &CgroupPath,
    ) -> Result<String, Failure> {
        own_pids(self.root, "a move")?;
        let dir = self.open(step, group)?;
        // The start time is compared here, as near to the write as can be: cgroup.procs takes only
        // a number, so a pid that is reused in between cannot be told by the kernel …
        let process = PinnedProcess::open(self.root, target)?;
        write_file(&dir, "cgroup.procs", &target.pid.to_string())
            .map_err(|errno| self.explain(step, group, errno))?;
        // … but here, after it, and the group is read of the process that was meant.
        process.check()?;
        let now = process
            .cgroup(self.hierarchy.version)
            .ok_or_else(|| gone(target))?;
        if now == *group {
            Ok(now.to_string())
        } else {
            Err(failure(
                FailureKind::NotKept,
                format!(
                    "Process {} was written to {group}, but is in {now} now: another program \
                     (systemd, a container runtime) moves it too.",
                    target.pid
                ),
            ))
        }
    }

    fn remove(&self, step: &CgroupStep, group: &CgroupPath) -> Result<String, Failure> {
        let relative = self.relative(group)?;
        if relative == "." {
            return Err(failure(
                FailureKind::Other,
                "The root group cannot be removed.".to_owned(),
            ));
        }
        self.hierarchy
            .dir()
            .and_then(|root| rustix::fs::unlinkat(root, relative, AtFlags::REMOVEDIR))
            .map_err(|errno| self.explain(step, group, errno))?;
        Ok(format!("{group} removed"))
    }

    fn relative<'p>(&self, group: &'p CgroupPath) -> Result<&'p str, Failure> {
        self.hierarchy.relative(group).ok_or_else(|| {
            failure(
                FailureKind::NoGroup,
                format!("{group} is not a group that can be reached from here."),
            )
        })
    }

    fn open(&self, step: &CgroupStep, group: &CgroupPath) -> Result<OwnedFd, Failure> {
        let relative = self.relative(group)?;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = self
            .hierarchy
            .dir()
            .and_then(|root| rustix::fs::openat(root, relative, flags, Mode::empty()));
        match opened {
            Err(Errno::NOENT) => Err(no_group(group)),
            other => other.map_err(|errno| self.explain(step, group, errno)),
        }
    }

    fn read(
        &self,
        step: &CgroupStep,
        group: &CgroupPath,
        dir: impl AsFd,
        file: &str,
    ) -> Result<String, Failure> {
        FileBuffer::default()
            .read_whole(dir, file)
            .map(text)
            .map_err(|errno| self.explain(step, group, errno))
    }

    fn explain(&self, step: &CgroupStep, group: &CgroupPath, errno: Errno) -> Failure {
        let relative = self.hierarchy.relative(group).unwrap_or(".");
        let root = self.hierarchy.dir();
        let exists = root.is_ok_and(|root| {
            rustix::fs::statat(root, relative, AtFlags::SYMLINK_NOFOLLOW).is_ok()
        });
        let file = if self.made_for.is_v1() {
            "memory.usage_in_bytes"
        } else {
            "memory.current"
        };
        let usage = root.ok().and_then(|root| {
            let mut buffer = FileBuffer::default();
            number(buffer.read_whole(root, format!("{relative}/{file}")).ok()?)
        });
        let attempt = Attempt {
            version: self.made_for,
            directory: self.hierarchy.display(group),
            exists,
            usage,
            step,
        };
        attempt.explain(errno)
    }
}

/// The setting in what a limit file shows, as it can be written back. v1 `memory.oom_control` shows three
/// lines and takes the number of one (mm/memcontrol-v1.c `mem_cgroup_oom_control_read`).
fn setting(file: &str, shown: &str) -> String {
    let disabled = keyed(shown.as_bytes(), "oom_kill_disable");
    match disabled.filter(|_| file == "memory.oom_control") {
        Some(disabled) => disabled.to_string(),
        None => shown.to_owned(),
    }
}

fn write_file(dir: impl AsFd, file: &str, value: &str) -> Result<(), Errno> {
    let flags = OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = rustix::fs::openat(dir, file, flags, Mode::empty())?;
    retry_on_intr(|| rustix::io::write(&file, value.as_bytes())).map(|_| ())
}

/// A byte limit is rounded down to whole pages; anything else that differs was not kept (an
/// overflow, which the kernel takes silently). What is not a plain number (`max`, `-1`) is not
/// compared: each version prints it its own way.
fn is_kept(wanted: &str, now: &str) -> bool {
    let (Some(wanted), Some(now)) = (number(wanted.as_bytes()), number(now.as_bytes())) else {
        return true;
    };
    let page = rustix::param::page_size() as u64;
    now == wanted || now == wanted - wanted % page
}

fn not_kept(group: &CgroupPath, file: &str, wanted: &str, now: &str) -> Failure {
    failure(
        FailureKind::NotKept,
        format!("'{wanted}' was written to {file} of {group}, but it reads '{now}' now."),
    )
}

#[cfg(test)]
mod tests {
    use super::{is_kept, setting};

    #[test]
    fn rounding_is_kept_and_overflow_is_not() {
        let page = rustix::param::page_size() as u64;
        assert!(is_kept(
            &(10 * page + 1).to_string(),
            &(10 * page).to_string()
        ));
        let shown = "oom_kill_disable 1\nunder_oom 0\noom_kill 3";
        assert_eq!(setting("memory.oom_control", shown), "1");
        assert_eq!(setting("memory.max", "max"), "max");
        assert!(is_kept("max", "max"));
        assert!(is_kept("-1", "9223372036854771712"));
        assert!(is_kept("1", "1"));
        assert!(!is_kept("1000000", "7766279631452237824"));
    }
}
