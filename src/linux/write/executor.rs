//! [`KernelWriter`]: the [`Executor`] that writes to the kernel of this host.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::linux::SysRoot;
use crate::linux::patience::Patience;
use crate::linux::write::adj::{look_at_adj, write_adj};
use crate::linux::write::cgroup::CgroupWriter;
use crate::linux::write::cgroup::bonds::Bonds;
use crate::linux::write::pinned::PinnedProcess;
use crate::linux::write::pins::Pins;
use crate::linux::write::rules;
use crate::linux::write::signal::{own_pids, send_signal};
use crate::linux::write::stop;
use crate::linux::write::unit::{Silence, UnitWriter};
use crate::model::cgroup::{CgroupPath, CgroupVersion, GroupId};
use crate::model::incident::Survey;
use crate::model::plan::Plan;
use crate::model::plan::execute::Executor;
use crate::model::plan::receipt::{Failure, Reading, StepReceipt};
use crate::model::plan::step::{CgroupStep, Step};
use crate::model::process::ProcessId;

/// Writes below a [`SysRoot`].
#[derive(Debug)]
pub struct KernelWriter {
    root: SysRoot,
    version: CgroupVersion,
    /// Looked for when the first step needs it: adj and signals do not.
    cgroups: OnceCell<CgroupWriter>,
    pins: Pins,
    silence: Silence,
    made: Option<Made>,
    patience: Patience,
    bonds: Arc<Bonds>,
}

/// What is told of each group as soon as it is made.
struct Made(Box<dyn Fn(&CgroupPath) + Send>);

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Made")
    }
}

impl KernelWriter {
    /// `version` is the memory hierarchy the plans are made for; if the host has another by now, no group is
    /// touched.
    #[must_use]
    pub fn new(root: SysRoot, version: CgroupVersion) -> Self {
        Self {
            pins: Pins::new(root.clone()),
            root,
            version,
            cgroups: OnceCell::new(),
            silence: Silence::default(),
            made: None,
            patience: Patience::default(),
            bonds: Arc::default(),
        }
    }

    /// Holds the processes that the next plans may be about, and lets go of all others: whoever gets the pid of a
    /// held process cannot be taken for that process, not even with the same start time.
    pub fn hold(&mut self, targets: &[ProcessId]) {
        self.pins.hold(targets);
    }

    /// Holds the groups that the next plans may be about, and lets go of all others: a step of a plan that would write to
    /// another group of the same path fails. Each comes with its instance, if the caller knows it.
    pub fn hold_groups(&mut self, groups: &[(CgroupPath, Option<u64>)]) {
        let find = |path: &CgroupPath| self.cgroups().instance_of(path);
        self.bonds.hold(groups, find);
    }

    /// From now on `tell` is told of each group as soon as it is made, before anything else is done with it.
    pub fn tell_of_groups(&mut self, tell: impl Fn(&CgroupPath) + Send + 'static) {
        self.made = Some(Made(Box::new(tell)));
    }

    /// How long the next steps wait for systemd.
    pub fn wait_for_systemd(&mut self, patience: Patience) {
        self.patience = patience;
    }

    /// The short names of the processes that these plans write to, as far as they live.
    #[must_use]
    pub fn names(&self, plans: &[Plan]) -> HashMap<ProcessId, String> {
        let steps = plans.iter().flat_map(|plan| &plan.steps);
        let name = |id: ProcessId| {
            let stat = self.pins.process(id).ok()?.check().ok()?;
            Some((id, PinnedProcess::name(&stat)))
        };
        let targets = steps.flat_map(Step::processes).copied();
        targets.filter_map(name).collect()
    }

    /// What can be done with a group.
    ///
    /// # Errors
    /// If the group cannot be looked at.
    pub fn survey(&self, group: &CgroupPath) -> Result<Survey, Failure> {
        self.cgroups().survey(group)
    }

    /// Opens the cgroup hierarchy now instead of at the first step that needs it.
    pub fn prepare(&self) {
        self.cgroups();
    }
}

impl KernelWriter {
    fn cgroups(&self) -> &CgroupWriter {
        self.cgroups.get_or_init(|| {
            CgroupWriter::new(self.root.clone(), self.version, Arc::clone(&self.bonds))
        })
    }

    fn units(&self) -> UnitWriter<'_> {
        UnitWriter {
            root: &self.root,
            cgroups: self.cgroups(),
            pins: &self.pins,
            silence: &self.silence,
            patience: &self.patience,
        }
    }
}

impl Executor for KernelWriter {
    fn look(&mut self, step: &Step) -> Result<Reading, Failure> {
        match step {
            Step::Adj { target, .. } => look_at_adj(&self.pins, *target),
            Step::Rule(edit) => rules::look(edit),
            Step::Signal { target, .. } => {
                own_pids(&self.root, "signals")?;
                self.pins.process(*target).map(|_| Reading::Nothing)
            }
            Step::Stop { target, .. } => stop::look(&self.root, &self.pins, *target),
            Step::Reap { target } => {
                own_pids(&self.root, "signals")?;
                self.pins.process(*target).map(|_| Reading::Nothing)
            }
            Step::Cgroup(step) => self.cgroups().look(&self.pins, step),
            Step::Unit(step) => self.bonds.by_unit(|| self.units().look(step)),
        }
    }

    fn step(&mut self, step: &Step) -> StepReceipt {
        let mut before = Reading::Nothing;
        let outcome = match step {
            Step::Adj { target, value } => write_adj(&self.pins, *target, *value, &mut before),
            Step::Rule(edit) => rules::run(&self.root, &self.pins, edit, &mut before),
            Step::Signal { target, signal } => {
                send_signal(&self.root, &self.pins, *target, *signal).map(|()| Reading::Nothing)
            }
            Step::Stop { target, stop } => {
                stop::stop(&self.root, &self.pins, *target, *stop, &mut before)
            }
            Step::Reap { target } => stop::reap(&self.root, &self.pins, *target),
            Step::Cgroup(step) => self.cgroups().run(&self.pins, step, &mut before),
            Step::Unit(step) => self.bonds.by_unit(|| self.units().run(step, &mut before)),
        };
        if let (Step::Cgroup(CgroupStep::Create(group)), Ok(_), Some(Made(tell))) =
            (step, &outcome, &self.made)
        {
            tell(group);
        }
        StepReceipt {
            step: step.clone(),
            before,
            outcome,
        }
    }

    fn bind(&mut self, groups: &[GroupId]) {
        self.bonds.bind(groups);
    }

    fn release(&mut self) -> Vec<GroupId> {
        self.bonds.release()
    }

    fn take_back(&mut self, step: &Step) -> StepReceipt {
        // Whoever has stopped waiting for the write has not given up its way back.
        let patience = std::mem::take(&mut self.patience);
        let receipt = self.step(step);
        self.patience = patience;
        receipt
    }
}
