//! A simulated kernel: processes and groups in memory, and the rules that make steps fail.

use std::collections::{BTreeMap, BTreeSet};

use oomtop::model::cgroup::limits::{LimitFile, LimitPatch, LimitValue, Limits};
use oomtop::model::cgroup::{CgroupPath, CgroupVersion};
use oomtop::model::freezer::FreezerState;
use oomtop::model::plan::execute::Executor;
use oomtop::model::plan::receipt::{Failure, FailureKind, Home, Reading, Reaped, StepReceipt};
use oomtop::model::plan::step::{CgroupStep, LimitWrite, Step, UnitStep};
use oomtop::model::process::ProcessId;
use oomtop::model::process::score::OomScoreAdj;
use oomtop::model::rules::own::{self, RuleEdit, RuleFound};
use oomtop::model::systemd::drop_in::Found;
use oomtop::model::systemd::oomd::{OomdSetting, OomdValue, UnitOomd, UnitOomdReading};
use oomtop::model::systemd::{Kept, UnitLimitReading};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PaperKernel {
    pub(crate) version: CgroupVersion,
    pub(crate) processes: BTreeMap<ProcessId, (OomScoreAdj, CgroupPath)>,
    pub(crate) groups: BTreeMap<CgroupPath, Limits>,
    /// Groups with the memory controller enabled for children.
    pub(crate) enabled: BTreeSet<CgroupPath>,
    /// Groups that are frozen.
    pub(crate) frozen: BTreeSet<CgroupPath>,
    /// Processes that are stopped.
    pub(crate) stopped: BTreeSet<ProcessId>,
    /// Drop-ins by their path.
    pub(crate) drop_ins: BTreeMap<String, String>,
    /// Settings for systemd-oomd, by unit and name.
    pub(crate) oomd: BTreeMap<(String, &'static str), OomdValue>,
    /// Files of rules by their path.
    pub(crate) rules: BTreeMap<String, String>,
    /// How many steps still succeed; the next step is then denied once.
    pub(crate) until_denied: Option<usize>,
    /// How many looks and steps are left before these processes die.
    pub(crate) deaths: Vec<(usize, ProcessId)>,
}

fn state(stopped: bool) -> FreezerState {
    if stopped {
        FreezerState::Frozen
    } else {
        FreezerState::Thawed
    }
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

/// What a unit has where nobody has set anything.
fn unset(setting: OomdSetting) -> OomdValue {
    let first = setting.words().first();
    first.map_or(OomdValue::Scaled(0), |word| OomdValue::Word(word))
}

fn of_unit(reading: &Reading) -> Reading {
    let reading = reading.limit().map(|value| UnitLimitReading {
        property: value,
        shown: value,
        kept: Kept::Nothing,
    });
    reading.map_or(Reading::Nothing, Reading::UnitLimit)
}

impl PaperKernel {
    fn group(&mut self, path: &CgroupPath) -> Result<&mut Limits, Failure> {
        match self.groups.get_mut(path) {
            Some(limits) => Ok(limits),
            None => refused(FailureKind::NoGroup),
        }
    }

    /// Ends the processes whose time has come.
    fn pass_time(&mut self) {
        for (left, target) in &mut self.deaths {
            if let Some(less) = left.checked_sub(1) {
                *left = less;
            } else {
                self.processes.remove(target);
                self.stopped.remove(target);
            }
        }
    }

    fn frozen_now(&self, path: &CgroupPath) -> Reading {
        Reading::Freezer(state(self.frozen.contains(path)))
    }

    fn controllers(&self, path: &CgroupPath) -> Reading {
        let enabled = self.enabled.contains(path);
        Reading::Controllers(if enabled { "cpu memory" } else { "cpu" }.to_owned())
    }

    fn home(&self, group: &CgroupPath) -> Reading {
        let file = LimitFile::hard_limit(self.version);
        let value = self.groups.get(group).and_then(|limits| file.get(limits));
        let limit = value.map(|value| LimitWrite { file, value });
        Reading::Home(group.clone(), limit)
    }

    /// The limits of a new group: swappiness is the one that has a value without a write.
    fn fresh(&self) -> Limits {
        Limits {
            swappiness: self.version.is_v1().then_some(60),
            ..Limits::default()
        }
    }

    /// systemd, which has the limit that the file shows.
    fn unit(&mut self, step: &UnitStep, before: &mut Reading) -> Result<Reading, Failure> {
        match step {
            UnitStep::Limit(limit) => {
                let step = CgroupStep::Limit(limit.group.clone(), limit.write);
                let mut was = Reading::Nothing;
                let outcome = self.cgroup(&step, &mut was);
                *before = of_unit(&was);
                outcome.map(|now| of_unit(&now))
            }
            UnitStep::Oomd(oomd) => {
                *before = self.oomd_of(oomd);
                let key = (oomd.unit.name.clone(), oomd.setting.name());
                if oomd.value == unset(oomd.setting) {
                    self.oomd.remove(&key);
                } else {
                    self.oomd.insert(key, oomd.value);
                }
                Ok(self.oomd_of(oomd))
            }
            UnitStep::Scope(scope) => {
                let mut limits = self.fresh();
                for write in &scope.limits {
                    write.file.set(&mut limits, Some(write.value));
                }
                self.groups.insert(scope.group.clone(), limits);
                if let [only] = scope.targets.as_slice() {
                    let step = CgroupStep::Move(*only, scope.group.clone());
                    return self.cgroup(&step, before);
                }
                let (mut homes, mut came) = (Vec::new(), Vec::new());
                for target in &scope.targets {
                    let mut home = Reading::Nothing;
                    let step = CgroupStep::Move(*target, scope.group.clone());
                    came.push((*target, self.cgroup(&step, &mut home).map(drop)));
                    if let Reading::Home(group, limit) = home {
                        homes.push(Home {
                            process: *target,
                            group,
                            limit,
                        });
                    }
                }
                *before = Reading::Homes(homes);
                Ok(Reading::Came(came))
            }
            UnitStep::DropIn(write) => {
                let found = self.drop_in(&write.path());
                *before = Reading::DropIn(found.clone());
                if found.text == write.text {
                    return Ok(Reading::DropIn(found));
                }
                if found.text != write.was {
                    return refused(FailureKind::Other);
                }
                match &write.text {
                    Some(text) => self.drop_ins.insert(write.path(), text.clone()),
                    None => self.drop_ins.remove(&write.path()),
                };
                Ok(Reading::DropIn(self.drop_in(&write.path())))
            }
        }
    }

    /// Nobody has set it before.
    fn oomd_of(&self, oomd: &UnitOomd) -> Reading {
        let key = (oomd.unit.name.clone(), oomd.setting.name());
        let value = self.oomd.get(&key).copied();
        Reading::UnitOomd(UnitOomdReading {
            value: value.unwrap_or(unset(oomd.setting)),
            kept: Kept::Nothing,
            is_pending: false,
        })
    }

    fn drop_in(&self, path: &str) -> Found {
        let text = self.drop_ins.get(path).cloned();
        Found {
            directory: text.is_some(),
            text,
        }
    }

    fn cgroup(&mut self, step: &CgroupStep, before: &mut Reading) -> Result<Reading, Failure> {
        match step {
            CgroupStep::EnableMemory(path) => {
                self.group(path)?;
                *before = self.controllers(path);
                self.enabled.insert(path.clone());
                return Ok(self.controllers(path));
            }
            CgroupStep::DisableMemory(path) => {
                self.group(path)?;
                *before = self.controllers(path);
                self.enabled.remove(path);
                return Ok(self.controllers(path));
            }
            CgroupStep::Create(path) => {
                if self.groups.contains_key(path) {
                    return refused(FailureKind::Other);
                }
                self.group(&path.parent().expect("no root is made"))?;
                self.groups.insert(path.clone(), self.fresh());
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
                let from = std::mem::replace(group, to.clone());
                *before = self.home(&from);
                return Ok(Reading::Group(to.clone()));
            }
            CgroupStep::Freeze(path, frozen) => {
                self.group(path)?;
                *before = self.frozen_now(path);
                if *frozen {
                    self.frozen.insert(path.clone());
                } else {
                    self.frozen.remove(path);
                }
                return Ok(self.frozen_now(path));
            }
            CgroupStep::Reclaim(path, bytes) => {
                self.group(path)?;
                return Ok(Reading::Reclaimed(*bytes));
            }
            CgroupStep::Kill(path) => {
                self.group(path)?;
                let all = self.processes.len();
                self.processes.retain(|_, (_, home)| !home.is_within(path));
                let living = &self.processes;
                self.stopped.retain(|id| living.contains_key(id));
                *before = Reading::Members(all - self.processes.len());
                return Ok(Reading::Members(0));
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
                self.enabled.remove(path);
            }
        }
        Ok(Reading::Nothing)
    }
}

fn rule(edit: &RuleEdit, text: Option<&String>) -> Reading {
    let is_there = text.is_some_and(|text| own::holds(text, &edit.block));
    Reading::Rule(RuleFound {
        is_there,
        told: 0,
        made: 0,
    })
}

impl PaperKernel {
    fn rule(&mut self, edit: &RuleEdit, before: &mut Reading) -> Result<Reading, Failure> {
        let text = self.rules.get(&edit.path);
        *before = rule(edit, text);
        let new = if edit.add {
            let is_new = text.is_none_or(|text| !own::holds(text, &edit.block));
            is_new.then(|| own::with(text.map(String::as_str), &edit.block))
        } else {
            text.and_then(|text| own::without(text, &edit.block))
        };
        let Some(new) = new else {
            return refused(FailureKind::NoRule);
        };
        if new.is_empty() {
            self.rules.remove(&edit.path);
        } else {
            self.rules.insert(edit.path.clone(), new);
        }
        Ok(rule(edit, self.rules.get(&edit.path)))
    }
}

impl Executor for PaperKernel {
    fn look(&mut self, step: &Step) -> Result<Reading, Failure> {
        self.pass_time();
        let targets = step.processes();
        let lives = |target| self.processes.contains_key(target);
        if !targets.is_empty() && !targets.iter().any(lives) {
            return refused(FailureKind::Gone);
        }
        Ok(match step {
            Step::Adj { target, .. } => Reading::Adj(self.processes[target].0),
            Step::Rule(edit) => rule(edit, self.rules.get(&edit.path)),
            Step::Cgroup(CgroupStep::Move(target, _)) => self.home(&self.processes[target].1),
            Step::Cgroup(CgroupStep::Limit(path, write)) => {
                let value = write.file.get(self.group(path)?);
                value.map_or(Reading::Nothing, Reading::Limit)
            }
            Step::Cgroup(CgroupStep::Freeze(path, _)) => {
                self.group(path)?;
                self.frozen_now(path)
            }
            Step::Stop { target, .. } => Reading::Freezer(state(self.stopped.contains(target))),
            Step::Unit(UnitStep::Limit(limit)) => {
                let value = limit.write.file.get(self.group(&limit.group)?);
                of_unit(&value.map_or(Reading::Nothing, Reading::Limit))
            }
            Step::Unit(UnitStep::Oomd(oomd)) => self.oomd_of(oomd),
            Step::Unit(UnitStep::DropIn(write)) => Reading::DropIn(self.drop_in(&write.path())),
            _ => Reading::Nothing,
        })
    }

    fn step(&mut self, step: &Step) -> StepReceipt {
        let mut before = Reading::Nothing;
        self.pass_time();
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
            Step::Rule(edit) => self.rule(edit, &mut before),
            Step::Signal { .. } => Ok(Reading::Nothing),
            Step::Stop { target, stop } if self.processes.contains_key(target) => {
                before = Reading::Freezer(state(self.stopped.contains(target)));
                if *stop {
                    self.stopped.insert(*target);
                } else {
                    self.stopped.remove(target);
                }
                Ok(Reading::Freezer(state(*stop)))
            }
            Step::Reap { target } if self.processes.remove(target).is_some() => {
                self.stopped.remove(target);
                Ok(Reading::Reaped(Reaped::Ended))
            }
            Step::Stop { .. } | Step::Reap { .. } => refused(FailureKind::Gone),
            Step::Cgroup(step) => self.cgroup(step, &mut before),
            Step::Unit(step) => self.unit(step, &mut before),
        };
        StepReceipt {
            step: step.clone(),
            before,
            outcome,
        }
    }
}
