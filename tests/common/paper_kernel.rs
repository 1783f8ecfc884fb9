//! A simulated kernel: processes and groups in memory, and the rules that make steps fail.

use std::collections::{BTreeMap, BTreeSet};

use oomtop::model::cgroup::limits::{LimitFile, LimitPatch, LimitValue, Limits};
use oomtop::model::cgroup::{CgroupPath, CgroupVersion};
use oomtop::model::plan::execute::Executor;
use oomtop::model::plan::receipt::{Failure, FailureKind, Reading, StepReceipt};
use oomtop::model::plan::step::{CgroupStep, LimitWrite, Step};
use oomtop::model::process::ProcessId;
use oomtop::model::process::score::OomScoreAdj;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PaperKernel {
    pub(crate) version: CgroupVersion,
    pub(crate) processes: BTreeMap<ProcessId, (OomScoreAdj, CgroupPath)>,
    pub(crate) groups: BTreeMap<CgroupPath, Limits>,
    /// Groups with the memory controller enabled for children; never disabled again.
    pub(crate) enabled: BTreeSet<CgroupPath>,
    /// How many steps still succeed; the next step is then denied once.
    pub(crate) until_denied: Option<usize>,
}

fn refused<T>(kind: FailureKind) -> Result<T, Failure> {
    Err(Failure {
        kind,
        sentence: format!("{kind:?}"),
    })
}

/// The limits that differ from those of a new group.
fn set_limits(limits: &Limits, version: CgroupVersion) -> LimitPatch {
    let new = Limits::default();
    let set = LimitFile::of(version).filter(|file| file.get(limits) != file.get(&new));
    set.filter_map(|file| Some((file, file.get(limits)?)))
        .collect()
}

impl PaperKernel {
    fn group(&mut self, path: &CgroupPath) -> Result<&mut Limits, Failure> {
        match self.groups.get_mut(path) {
            Some(limits) => Ok(limits),
            None => refused(FailureKind::NoGroup),
        }
    }

    fn cgroup(&mut self, step: &CgroupStep, before: &mut Reading) -> Result<Reading, Failure> {
        match step {
            CgroupStep::EnableMemory(path) => {
                self.group(path)?;
                self.enabled.insert(path.clone());
            }
            CgroupStep::Create(path) => {
                if self.groups.contains_key(path) {
                    return refused(FailureKind::Other);
                }
                self.group(&path.parent().expect("no root is made"))?;
                self.groups.insert(path.clone(), Limits::default());
                return Ok(Reading::Group(path.clone()));
            }
            CgroupStep::Limit(path, LimitWrite { file, value }) => {
                let v1 = self.version.is_v1();
                let limits = self.group(path)?;
                *before = file.get(limits).map_or(Reading::Nothing, Reading::Limit);
                let mut after = *limits;
                file.set(&mut after, Some(*value));
                // mm/memcontrol-v1.c `mem_cgroup_resize_max`.
                let no_limit = |limit: Option<u64>| limit.unwrap_or(u64::MAX);
                if v1 && no_limit(after.memsw_max) < no_limit(after.max) {
                    return refused(FailureKind::Other);
                }
                *limits = after;
                // An overflow: something else is in the file now.
                if !v1 && *value == LimitValue::Amount(u64::MAX) {
                    file.set(limits, Some(LimitValue::Amount(4096)));
                    return refused(FailureKind::NotKept);
                }
                return Ok(Reading::Limit(*value));
            }
            CgroupStep::Move(target, to) => {
                self.group(to)?;
                let Some((_, group)) = self.processes.get_mut(target) else {
                    return refused(FailureKind::Gone);
                };
                *before = Reading::Group(std::mem::replace(group, to.clone()));
                return Ok(Reading::Group(to.clone()));
            }
            CgroupStep::Remove(path) => {
                let below = |other: &CgroupPath| other != path && other.is_within(path);
                let is_used = self.groups.keys().any(below)
                    || self.processes.values().any(|(_, group)| group == path);
                if is_used {
                    return refused(FailureKind::Other);
                }
                let version = self.version;
                *before = Reading::Limits(set_limits(self.group(path)?, version));
                self.groups.remove(path);
            }
        }
        Ok(Reading::Nothing)
    }
}

impl Executor for PaperKernel {
    fn step(&mut self, step: &Step) -> StepReceipt {
        let mut before = Reading::Nothing;
        let denied = self.until_denied == Some(0);
        self.until_denied = self.until_denied.and_then(|left| left.checked_sub(1));
        let outcome = match step {
            _ if denied => refused(FailureKind::Denied),
            Step::Adj { target, value } => match self.processes.get_mut(target) {
                None => refused(FailureKind::Gone),
                Some((adj, _)) => {
                    before = Reading::Adj(std::mem::replace(adj, *value));
                    Ok(Reading::Adj(*value))
                }
            },
            Step::Signal { .. } => Ok(Reading::Nothing),
            Step::Cgroup(step) => self.cgroup(step, &mut before),
        };
        StepReceipt {
            step: step.clone(),
            before,
            outcome,
        }
    }
}
