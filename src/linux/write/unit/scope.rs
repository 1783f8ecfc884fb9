//! A process that systemd moves into a new scope, looked at before and after.

use std::os::fd::AsFd as _;

use rustix::process::{PidfdFlags, pidfd_open};

use super::{UnitWriter, not_kept};
use crate::linux::systemd::manager::Connected;
use crate::linux::systemd::manager::scope::{Named, NewScope};
use crate::linux::write::errors::failure;
use crate::linux::write::pinned::gone;
use crate::linux::write::signal::own_pids;
use crate::model::cgroup::limits::LimitValue;
use crate::model::plan::receipt::{Failure, FailureKind, Reading};
use crate::model::plan::step::{CgroupStep, ScopeStart};

impl UnitWriter<'_> {
    pub(super) fn scope(
        &self,
        scope: &ScopeStart,
        before: &mut Reading,
    ) -> Result<Reading, Failure> {
        own_pids(self.root, "a move")?;
        let target = scope.target;
        let pid = i32::try_from(target.pid).ok();
        let pid = pid
            .and_then(rustix::process::Pid::from_raw)
            .ok_or_else(|| gone(target))?;
        // Taken before the look at the process: if that is the right one, this is its descriptor.
        let pidfd = pidfd_open(pid, PidfdFlags::empty());
        let process = self.pins.process(target)?;
        let pidfd = pidfd.map_err(|errno| {
            failure(
                FailureKind::Other,
                format!("Process {} has no pidfd: {errno}.", target.pid),
            )
        })?;
        let step = as_move(scope);
        *before = self.cgroups.look(self.pins, &step)?;
        let mut manager = self.connect_by(scope.unit.manager, Connected::open_for_scopes)?;
        let limits: Vec<_> = scope
            .limits
            .iter()
            .filter_map(|write| {
                let property = write.file.row().systemd?;
                Some((property, write.value.amount().unwrap_or(u64::MAX)))
            })
            .collect();
        process.check()?;
        let (started, named) = manager.start_scope(&NewScope {
            name: &scope.unit.name,
            description: "A process that oomtop has moved",
            slice: &scope.slice,
            pid: target.pid,
            pidfd: pidfd.as_fd(),
            delegate: false,
            limits: &limits,
        });
        // Whatever systemd says: by its descriptor nobody else can have been moved, by its number somebody can.
        if named == Named::ByNumber && process.is_reaped() {
            return Err(self.cgroups.bring_back(&step, target, &scope.group));
        }
        let group = started.map_err(|refusal| {
            if refusal.is_open {
                self.was_silent();
            }
            refusal.failure
        })?;
        process.check()?;
        let now = self
            .cgroups
            .group_of(&process)
            .ok_or_else(|| gone(target))?;
        if now.as_str() != group || now != scope.group {
            let sentence = format!(
                "systemd has started {} as {group}, but process {} is in {now} now.",
                scope.unit, target.pid
            );
            // What another program has moved is not moved back.
            let kind = if now == scope.group || now.as_str() == group {
                FailureKind::NotKept
            } else {
                FailureKind::Elsewhere
            };
            return Err(failure(kind, sentence));
        }
        self.are_kept(scope)?;
        Ok(Reading::Group(now))
    }

    /// The files of the group show the limits.
    fn are_kept(&self, scope: &ScopeStart) -> Result<(), Failure> {
        for write in &scope.limits {
            let step = CgroupStep::Limit(scope.group.clone(), *write);
            let shown = self.cgroups.look(self.pins, &step);
            let shown = shown.map_err(|failure| not_kept(failure.sentence))?;
            let shown = shown.limit().unwrap_or(LimitValue::Unlimited);
            let page_size = rustix::param::page_size() as u64;
            if !write.file.is_kept(write.value, shown, page_size) {
                return Err(not_kept(format!(
                    "systemd has started {}, but {} of {} reads '{}' and not {}.",
                    scope.unit,
                    write.file.name(),
                    scope.group,
                    write.file.text(shown),
                    write.text()
                )));
            }
        }
        Ok(())
    }
}

/// The same without systemd: what is looked at is the same.
pub(super) fn as_move(scope: &ScopeStart) -> CgroupStep {
    CgroupStep::Move(scope.target, scope.group.clone())
}
