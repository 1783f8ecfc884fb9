//! The plan of the dialog: whom it moves, into what, by whom.

use std::sync::Arc;

use super::once::Once;
use super::whom::group_of;
use super::{CgroupDialog, Mode, change, typed};
use crate::app::dialog::DialogContext;
use crate::model::cgroup::{CgroupPath, CgroupVersion};
use crate::model::oom_domain::whatif::Prospect;
use crate::model::plan::{Plan, build};
use crate::model::process::ProcessId;
use crate::model::snapshot::{Host, Snapshot};
use crate::model::systemd::UnitName;
use crate::model::systemd::scope::ScopeHome;

/// What follows from the dialog and a sample: thousands of moves are planned once for both, not for every frame.
#[derive(Debug, Default)]
pub(super) struct Memo {
    plan: Once<Result<Arc<Plan>, String>>,
    /// With what systemd does.
    whole: Once<Result<Arc<Plan>, String>>,
    /// The limits that hold after it.
    pub(super) prospects: Once<Option<Vec<Prospect>>>,
}

impl CgroupDialog {
    /// Where systemd runs, a process of one of its units gets a new scope from it rather than a group past it.
    #[must_use]
    pub fn under(mut self, host: &Host) -> Self {
        let asks = host.systemd && host.cgroups == CgroupVersion::V2;
        let from = self
            .from
            .as_ref()
            .filter(|from| asks && UnitName::around(from).is_some());
        self.home = from.map(|from| ScopeHome::of(from, host.uid));
        self
    }

    /// The place for a scope, while one is to be made.
    pub(super) fn scope_home(&self) -> Option<&ScopeHome> {
        let is_asked = self.mode == Mode::Create && self.by.lasting().is_some();
        self.home.as_ref().filter(|_| is_asked)
    }

    /// The plan that Enter would carry out, or what is still missing.
    pub(super) fn plan(&self, snapshot: &Snapshot) -> Result<Arc<Plan>, String> {
        self.memo.plan.value(snapshot, self.revision, || {
            self.planned(snapshot).map(Arc::new)
        })
    }

    fn planned(&self, snapshot: &Snapshot) -> Result<Plan, String> {
        let targets = || self.targets_in(snapshot);
        match self.mode {
            Mode::Oomd => Err("systemd has to be asked".to_owned()),
            Mode::Limits => {
                let path = self.group.as_ref();
                let path = path.ok_or_else(|| "its group is not known".to_owned())?;
                let now = change::group_at(path, snapshot).map(|group| group.limits);
                let limits = typed::patch(&self.changes)?;
                build::change_limits(path, now, &limits).map_err(typed::why_not)
            }
            Mode::Move => {
                let group = self.matching().get(self.chosen).map(|g| g.path.clone());
                let group = group.ok_or_else(|| "no group matches".to_owned())?;
                if Some(&group) == self.from.as_ref() && !self.is_for_many() {
                    return Err("the process is in this group already".to_owned());
                }
                let mut targets = targets()?;
                if self.is_for_many() {
                    targets.retain(|id| {
                        let process = snapshot.process(*id);
                        process.and_then(|process| group_of(process, snapshot)) != Some(&group)
                    });
                }
                if targets.is_empty() {
                    return Err("all of them are in this group already".to_owned());
                }
                Ok(build::enter(&targets, &group))
            }
            Mode::Create => {
                if let Some(home) = self.scope_home() {
                    let scope = home.scope(typed::last_part(self.path.text()))?;
                    let limits = typed::patch(&self.limits)?;
                    let targets = targets()?;
                    if targets.len() > typed::MOST_IN_SCOPE {
                        return Err(typed::too_many(targets.len()));
                    }
                    return build::scope(&targets, scope, &home.slice, &limits)
                        .map_err(typed::why_not);
                }
                // Without the list the plan shown could differ from the write.
                let Some(groups) = &self.groups else {
                    return Err("reading the groups …".to_owned());
                };
                let is_there = |path: &CgroupPath| match groups {
                    Ok(groups) => groups.iter().any(|g| g.path == *path),
                    Err(_) => false,
                };
                let has_memory = |path: &CgroupPath| match groups {
                    Ok(groups) => groups.iter().any(|g| g.path == *path && g.has_memory),
                    Err(_) => false,
                };
                let targets = targets()?;
                let path = typed::checked_path(self.path.text())?;
                typed::may_make(&path, groups.as_deref().unwrap_or_default())?;
                let limits = typed::patch(&self.limits)?;
                build::create(&targets, &path, &limits, self.version, is_there, has_memory)
                    .map_err(typed::why_not)
            }
        }
    }

    /// The processes that the plan moves, if it moves any.
    pub(super) fn moving(&self, snapshot: &Snapshot) -> Vec<ProcessId> {
        if !self.mode.moves() {
            return Vec::new();
        }
        self.targets_in(snapshot).unwrap_or_default()
    }

    /// Who is to be moved: one process whatever becomes of it, or those of several that live.
    fn targets_in(&self, snapshot: &Snapshot) -> Result<Vec<ProcessId>, String> {
        match self.whom.chosen() {
            [] => Err(nobody()),
            [one] => Ok(vec![one.id]),
            _ => match self.whom.living(snapshot).as_slice() {
                [] => Err("all of them have ended".to_owned()),
                living => Ok(living.iter().map(|process| process.id).collect()),
            },
        }
    }

    /// Where Enter would move the process.
    pub(super) fn destination(&self, snapshot: &Snapshot) -> Option<CgroupPath> {
        self.plan(snapshot).ok()?.destination().cloned()
    }

    /// The group that is chosen or typed, whether or not a plan can go there.
    pub(super) fn named(&self) -> Option<CgroupPath> {
        match self.mode {
            Mode::Limits | Mode::Oomd => None,
            Mode::Move => self.matching().get(self.chosen).map(|g| g.path.clone()),
            Mode::Create => typed::checked_path(self.path.text()).ok(),
        }
    }

    /// The group that the plan is about: the destination of a move, or the group whose limits change.
    pub(super) fn subject(&self, snapshot: &Snapshot) -> Option<CgroupPath> {
        match self.mode {
            Mode::Limits | Mode::Oomd => self.group.clone(),
            Mode::Move | Mode::Create => self.destination(snapshot),
        }
    }

    /// The plan, with what systemd does for its units.
    pub(super) fn whole_plan(&self, context: &DialogContext<'_>) -> Result<Arc<Plan>, String> {
        if self.mode == Mode::Oomd {
            return self.oomd_plan(context).map(Arc::new);
        }
        let snapshot = context.cells.snapshot;
        self.memo.whole.value(snapshot, self.revision, || {
            let plan = self.plan(snapshot)?;
            Ok(match (self.unit(context), self.by.lasting()) {
                (Some(unit), Some(_)) => {
                    let plan = Plan::clone(&plan);
                    Arc::new(self.by.plan(plan, Some(&unit)))
                }
                _ => plan,
            })
        })
    }

    /// The unit that systemd can give the limits.
    pub(super) fn unit(&self, context: &DialogContext<'_>) -> Option<UnitName> {
        if self.mode == Mode::Create {
            let scope = self
                .home
                .as_ref()?
                .scope(typed::last_part(self.path.text()));
            return scope.ok().map(|(unit, _)| unit);
        }
        self.unit_of_group(context).filter(|_| !self.mode.moves())
    }
}

fn nobody() -> String {
    "nobody can be moved: no process of this domain can be killed".to_owned()
}
