//! From limits and targets to the steps of a plan, in an order the kernel takes.

use super::Plan;
use super::step::{CgroupStep, LimitWrite, ScopeStart, Step, UnitLimit, UnitStep};
use crate::model::cgroup::limits::{LimitFile, LimitPatch, LimitValue, Limits, WriteOrder};
use crate::model::cgroup::{CgroupPath, CgroupVersion};
use crate::model::process::ProcessId;
use crate::model::process::score::OomScoreAdj;
use crate::model::process::signal::Signal;
use crate::model::systemd::{Lasting, UnitName};

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanError {
    /// The group to make is there already.
    Exists(CgroupPath),
    /// The group to change is not there.
    Missing(CgroupPath),
    /// The root group has no limit files.
    Root,
    /// No limit was given.
    NoLimits,
    /// The kernel refuses this limit below the hard limit.
    BelowHardLimit(LimitFile, LimitValue),
}

/// One plan for each target, so that one that fails does not keep the others from it.
#[must_use]
pub fn adj(targets: impl IntoIterator<Item = ProcessId>, value: OomScoreAdj) -> Vec<Plan> {
    let step = |target| Plan::from_iter([Step::Adj { target, value }]);
    targets.into_iter().map(step).collect()
}

/// One plan for each target.
#[must_use]
pub fn signal(targets: impl IntoIterator<Item = ProcessId>, signal: Signal) -> Vec<Plan> {
    let step = |target| Plan::from_iter([Step::Signal { target, signal }]);
    targets.into_iter().map(step).collect()
}

/// Moves processes into a group that is there.
#[must_use]
pub fn enter(targets: &[ProcessId], group: &CgroupPath) -> Plan {
    moves(targets, group).collect()
}

fn moves(targets: &[ProcessId], group: &CgroupPath) -> impl Iterator<Item = CgroupStep> {
    targets
        .iter()
        .map(move |target| CgroupStep::Move(*target, group.clone()))
}

/// Makes a group with these limits and moves the targets into it. `is_there` tells which groups exist. On v2 a group
/// for which `has_memory` holds needs no step in the groups around it: they share memory out already, and may be
/// another user's.
///
/// # Errors
/// If the group is there already, or the kernel would not take the limits together.
pub fn create(
    targets: &[ProcessId],
    group: &CgroupPath,
    limits: &LimitPatch,
    version: CgroupVersion,
    is_there: impl Fn(&CgroupPath) -> bool,
    has_memory: impl Fn(&CgroupPath) -> bool,
) -> Result<Plan, PlanError> {
    if is_there(group) {
        return Err(PlanError::Exists(group.clone()));
    }
    let mut steps = Vec::new();
    // Outermost first: the parents that are not there yet, and on v2 the controller in each.
    let mut above: Vec<_> = std::iter::successors(group.parent(), CgroupPath::parent).collect();
    // The root has no memory files itself.
    let shared = above
        .iter()
        .position(|parent| !parent.is_root() && has_memory(parent));
    above.truncate(shared.map_or(above.len(), |at| at + 1));
    above.reverse();
    for parent in above {
        if !parent.is_root() && !is_there(&parent) {
            steps.push(CgroupStep::Create(parent.clone()));
        }
        if version == CgroupVersion::V2 {
            steps.push(CgroupStep::EnableMemory(parent));
        }
    }
    steps.push(CgroupStep::Create(group.clone()));
    steps.extend(limit_steps(group, Limits::default(), limits)?);
    steps.extend(moves(targets, group));
    Ok(steps.into_iter().collect())
}

/// The same with each move as a plan of its own, if there are several: one that fails does not keep the others from it. What
/// makes their group comes first ([`super::execute::run_all`]).
#[must_use]
pub fn each_move(plan: Plan) -> Vec<Plan> {
    let is_move = |step: &Step| matches!(step, Step::Cgroup(CgroupStep::Move(..)));
    if plan.steps.iter().filter(|step| is_move(step)).count() < 2 {
        return vec![plan];
    }
    let (moves, first): (Vec<_>, Vec<_>) = plan.steps.into_iter().partition(is_move);
    let with = |steps| Plan {
        steps,
        groups: plan.groups.clone(),
    };
    let first = (!first.is_empty()).then(|| with(first));
    let moves = moves.into_iter().map(|step| with(vec![step]));
    first.into_iter().chain(moves).collect()
}

/// Moves the processes into a new scope of systemd with these limits.
///
/// # Errors
/// If the kernel would not take the limits together.
pub fn scope(
    targets: &[ProcessId],
    (unit, group): (UnitName, CgroupPath),
    slice: &str,
    limits: &LimitPatch,
) -> Result<Plan, PlanError> {
    let writes = limit_steps(&group, Limits::default(), limits)?;
    let writes = writes.into_iter().filter_map(|step| match step {
        CgroupStep::Limit(_, write) => Some(write),
        _ => None,
    });
    let has_property = |write: &LimitWrite| write.file.row().systemd.is_some();
    let (limits, others) = writes.partition::<Vec<_>, _>(has_property);
    let start = ScopeStart {
        targets: targets.to_vec(),
        unit,
        slice: slice.to_owned(),
        group: group.clone(),
        limits,
    };
    let mut steps = vec![Step::Unit(UnitStep::Scope(start))];
    steps.extend(
        others
            .into_iter()
            .map(|write| CgroupStep::Limit(group.clone(), write).into()),
    );
    Ok(steps.into_iter().collect())
}

/// Gives a group that is there other limits. `now` are those it has, `None` if it is not there.
///
/// # Errors
/// If there is nothing to write, or the kernel would not take it.
pub fn change_limits(
    group: &CgroupPath,
    now: Option<Limits>,
    limits: &LimitPatch,
) -> Result<Plan, PlanError> {
    let now = now.ok_or_else(|| PlanError::Missing(group.clone()))?;
    // A container's root group has limits: it is no root on the host.
    if group.is_root() && now.max.is_none() {
        return Err(PlanError::Root);
    }
    if limits.is_empty() {
        return Err(PlanError::NoLimits);
    }
    Ok(limit_steps(group, now, limits)?.into_iter().collect())
}

/// The same plan with every limit of the unit's group that systemd has a property for given by systemd, so that
/// systemd does not undo it. Other steps stay.
#[must_use]
pub fn by_systemd(plan: Plan, unit: &UnitName, lasting: Lasting) -> Plan {
    let by_systemd = |step| match step {
        Step::Cgroup(CgroupStep::Limit(group, write))
            if write.file.row().systemd.is_some()
                && UnitName::of_group(&group).as_ref() == Some(unit) =>
        {
            Step::Unit(UnitStep::Limit(UnitLimit {
                unit: unit.clone(),
                group,
                write,
                lasting,
                leave: None,
            }))
        }
        other => other,
    };
    plan.steps.into_iter().map(by_systemd).collect()
}

/// One step for each limit, in an order the kernel takes, from the limits the group has `now`.
fn limit_steps(
    group: &CgroupPath,
    now: Limits,
    limits: &LimitPatch,
) -> Result<Vec<CgroupStep>, PlanError> {
    let after = limits.applied_to(now);
    let mut writes = Vec::new();
    for (file, value) in limits.iter() {
        let rank = match file.row().order {
            WriteOrder::AsListed => 1,
            // The table lists it behind the hard limit.
            WriteOrder::AroundHardLimit if bytes(file, &after) <= bytes(file, &now) => 1,
            WriteOrder::AroundHardLimit => 0,
            WriteOrder::Last => 2,
        };
        writes.push((rank, LimitWrite { file, value }));
    }
    // Stable: the table decides the rest.
    writes.sort_by_key(|(rank, _)| *rank);
    refuse_below_hard_limit(limits, &after)?;
    let step = |(_, write)| CgroupStep::Limit(group.clone(), write);
    Ok(writes.into_iter().map(step).collect())
}

/// What the kernel would answer with EINVAL, whichever of the two is written.
fn refuse_below_hard_limit(limits: &LimitPatch, after: &Limits) -> Result<(), PlanError> {
    let Some((written, _)) = limits.iter().next() else {
        return Ok(());
    };
    let version = written.row().version;
    let hard = bytes(LimitFile::hard_limit(version), after);
    let around =
        LimitFile::of(version).filter(|file| file.row().order == WriteOrder::AroundHardLimit);
    for file in around {
        if bytes(file, after) < hard
            && let Some(value) = file.get(after)
        {
            return Err(PlanError::BelowHardLimit(file, value));
        }
    }
    Ok(())
}

fn bytes(file: LimitFile, limits: &Limits) -> u64 {
    let value = file.get(limits).and_then(LimitValue::amount);
    value.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
