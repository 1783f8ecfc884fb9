//! Carries out the steps of a plan that concern cgroups: make a group, limit it, move a process, take it back.
//!
//! Every step is read back. Only paths below the memory hierarchy's root are touched, and a group is removed
//! only if the kernel finds it empty.

pub(in crate::linux::write) mod beside;
pub(in crate::linux::write) mod bonds;
mod by_thread;
mod freeze;
mod homes;
mod kill;
mod look;
mod movement;
mod reclaim;

use std::borrow::Cow;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use crate::model::cgroup::limits::{LimitFile, LimitPatch, LimitValue, Limits};
use crate::model::cgroup::{CgroupPath, CgroupVersion};
use crate::model::plan::receipt::{Failure, FailureKind, Reading};
use crate::model::plan::step::{CgroupStep, LimitWrite};
use crate::model::process::ProcessId;

use bonds::Bonds;
use homes::LastLook;

use crate::linux::SysRoot;
use crate::linux::cgroup::files::usage_file;
use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::kernel_file::{FileBuffer, number, text};
use crate::linux::write::errors::{Attempt, failure, no_group};
use crate::linux::write::pins::Pins;

/// Writes in the memory hierarchy of this host.
#[derive(Debug)]
pub(crate) struct CgroupWriter {
    root: SysRoot,
    hierarchy: Hierarchy,
    made_for: CgroupVersion,
    last_look: LastLook,
    bonds: Arc<Bonds>,
}

impl CgroupWriter {
    /// `bonds` say which groups the paths in steps mean.
    pub(crate) fn new(root: SysRoot, made_for: CgroupVersion, bonds: Arc<Bonds>) -> Self {
        let hierarchy = Hierarchy::detect(&root);
        Self {
            root,
            hierarchy,
            made_for,
            last_look: LastLook::default(),
            bonds,
        }
    }

    /// Does a step and reads it back; `before` takes what was there.
    pub(crate) fn run(
        &self,
        pins: &Pins,
        step: &CgroupStep,
        before: &mut Reading,
    ) -> Result<Reading, Failure> {
        self.fits()?;
        match step {
            CgroupStep::EnableMemory(group) => self.control(step, group, true, before),
            CgroupStep::DisableMemory(group) => self.control(step, group, false, before),
            CgroupStep::Create(group) => self.create(step, group),
            CgroupStep::Limit(group, write) => self.limit(step, group, *write, before),
            CgroupStep::Move(target, group) => {
                self.move_process(pins, step, (*target, group), before)
            }
            CgroupStep::Remove(group) => self.remove(step, group, before),
            CgroupStep::Freeze(group, frozen) => self.freeze(step, group, *frozen, before),
            CgroupStep::Reclaim(group, bytes) => self.reclaim(step, group, *bytes, before),
            CgroupStep::Kill(group) => self.kill(step, group, before),
        }
    }

    /// Refuses plans for another hierarchy than this host's.
    fn fits(&self) -> Result<(), Failure> {
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
        Ok(())
    }

    /// Enables or disables the controller for the groups below.
    fn control(
        &self,
        step: &CgroupStep,
        group: &CgroupPath,
        wanted: bool,
        before: &mut Reading,
    ) -> Result<Reading, Failure> {
        let dir = self.open(step, group)?;
        // What cannot be read could not be taken back.
        *before = self.controllers(step, group, &dir)?;
        let order = if wanted { "+memory" } else { "-memory" };
        write_file(&dir, SUBTREE_CONTROL, order)
            .map_err(|errno| self.explain(step, group, errno))?;
        let now = self.read(step, group, &dir, SUBTREE_CONTROL)?;
        if now.split_ascii_whitespace().any(|c| c == "memory") == wanted {
            Ok(Reading::Controllers(now))
        } else {
            Err(not_kept(group, SUBTREE_CONTROL, order, &now))
        }
    }

    fn controllers(
        &self,
        step: &CgroupStep,
        group: &CgroupPath,
        dir: impl AsFd,
    ) -> Result<Reading, Failure> {
        self.read(step, group, dir, SUBTREE_CONTROL)
            .map(Reading::Controllers)
    }

    fn create(&self, step: &CgroupStep, group: &CgroupPath) -> Result<Reading, Failure> {
        let relative = self.relative(group)?;
        if let Some(parent) = group.parent() {
            self.refuse_successor(&parent)?;
        }
        self.hierarchy
            .dir()
            .and_then(|root| {
                rustix::fs::mkdirat(root, relative.as_ref(), Mode::from_raw_mode(0o755))
            })
            .map_err(|errno| self.explain(step, group, errno))?;
        self.bonds.forget(group);
        if let Err(failure) = self.open(step, group) {
            // Made, but not usable: the step has failed, so its directory must not stay.
            let root = self.hierarchy.dir();
            let _ = root
                .and_then(|root| rustix::fs::unlinkat(root, relative.as_ref(), AtFlags::REMOVEDIR));
            return Err(failure);
        }
        Ok(Reading::Group(group.clone()))
    }

    fn limit(
        &self,
        step: &CgroupStep,
        group: &CgroupPath,
        write: LimitWrite,
        before: &mut Reading,
    ) -> Result<Reading, Failure> {
        let LimitWrite { file, value } = write;
        let dir = self.open(step, group)?;
        // What cannot be read could not be taken back: then it is not written either.
        *before = Reading::Limit(self.shown(step, group, &dir, file)?.1);
        write_file(&dir, file.name(), &write.text())
            .map_err(|errno| self.explain(step, group, errno))?;
        let (text, now) = self.shown(step, group, &dir, file)?;
        if file.is_kept(value, now, page_size()) {
            Ok(Reading::Limit(now))
        } else {
            Err(not_kept(group, file.name(), &write.text(), &text))
        }
    }

    /// What a limit file shows, and the value that is.
    fn shown(
        &self,
        step: &CgroupStep,
        group: &CgroupPath,
        dir: impl AsFd,
        file: LimitFile,
    ) -> Result<(String, LimitValue), Failure> {
        let text = self.read(step, group, dir, file.name())?;
        match file.shown(text.as_bytes(), page_size()) {
            Some(value) => Ok((text, value)),
            None => Err(failure(
                FailureKind::Other,
                format!(
                    "{} of {group} reads '{text}', which is no limit.",
                    file.name()
                ),
            )),
        }
    }

    fn remove(
        &self,
        step: &CgroupStep,
        group: &CgroupPath,
        before: &mut Reading,
    ) -> Result<Reading, Failure> {
        let relative = self.relative(group)?;
        if relative.as_ref() == b"." {
            return Err(failure(
                FailureKind::Other,
                "The root group cannot be removed.".to_owned(),
            ));
        }
        self.refuse_successor(group)?;
        let limits = self.set_limits(step, group);
        *before = limits.map_or(Reading::Nothing, Reading::Limits);
        self.hierarchy
            .dir()
            .and_then(|root| rustix::fs::unlinkat(root, relative.as_ref(), AtFlags::REMOVEDIR))
            .map_err(|errno| self.explain(step, group, errno))?;
        self.bonds.forget(group);
        Ok(Reading::Nothing)
    }

    /// The limits that are not those of a new group.
    fn set_limits(&self, step: &CgroupStep, group: &CgroupPath) -> Result<LimitPatch, Failure> {
        let dir = self.open(step, group)?;
        let set = |file: LimitFile| {
            let (_, value) = self.shown(step, group, &dir, file).ok()?;
            (file.get(&Limits::default()) != Some(value)).then_some((file, value))
        };
        Ok(LimitFile::of(self.made_for).filter_map(set).collect())
    }

    fn relative<'p>(&self, group: &'p CgroupPath) -> Result<Cow<'p, [u8]>, Failure> {
        self.hierarchy.relative(group).ok_or_else(|| {
            failure(
                FailureKind::NoGroup,
                format!("{group} is not a group that can be reached from here."),
            )
        })
    }

    /// The directory of the group that is meant: what goes through it cannot hit another one.
    fn open(&self, step: &CgroupStep, group: &CgroupPath) -> Result<OwnedFd, Failure> {
        let dir = self.open_any(step, group)?;
        self.bonds.meet(group, &dir)?;
        Ok(dir)
    }

    /// The directory that has this path, whichever group it is.
    fn open_any(&self, step: &CgroupStep, group: &CgroupPath) -> Result<OwnedFd, Failure> {
        let relative = self.relative(group)?;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = self
            .hierarchy
            .dir()
            .and_then(|root| rustix::fs::openat(root, relative.as_ref(), flags, Mode::empty()));
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
        let relative = self.hierarchy.relative(group);
        let relative = relative.unwrap_or(Cow::Borrowed(b"."));
        let root = self.hierarchy.dir();
        let exists = root.is_ok_and(|root| {
            rustix::fs::statat(root, relative.as_ref(), AtFlags::SYMLINK_NOFOLLOW).is_ok()
        });
        let file = usage_file(self.made_for);
        let usage = root.ok().and_then(|root| {
            let mut buffer = FileBuffer::default();
            let file = self.hierarchy.file(group, file)?;
            number(buffer.read_whole(root, file.as_slice()).ok()?)
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

/// Names the controllers that the groups below have.
const SUBTREE_CONTROL: &str = "cgroup.subtree_control";

fn write_file(dir: impl AsFd, file: &str, value: &str) -> Result<(), Errno> {
    let flags = OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = rustix::fs::openat(dir, file, flags, Mode::empty())?;
    retry_on_intr(|| rustix::io::write(&file, value.as_bytes())).map(|_| ())
}

fn page_size() -> u64 {
    rustix::param::page_size() as u64
}

fn not_kept(group: &CgroupPath, file: &str, wanted: &str, now: &str) -> Failure {
    failure(
        FailureKind::NotKept,
        format!("'{wanted}' was written to {file} of {group}, but it reads '{now}' now."),
    )
}

fn not_moved(target: ProcessId, group: &CgroupPath, now: &CgroupPath) -> Failure {
    failure(
        FailureKind::NotKept,
        format!(
            "Process {} was written to {group}, but is in {now} now: another program (systemd, a container runtime) \
             moves it too.",
            target.pid
        ),
    )
}
