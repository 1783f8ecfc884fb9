//! [`KernelWriter`]: the [`Executor`] that writes to the kernel of this host.

use std::cell::OnceCell;

use crate::linux::SysRoot;
use crate::linux::write::adj::write_adj;
use crate::linux::write::cgroup::CgroupWriter;
use crate::linux::write::signal::send_signal;
use crate::model::cgroup::CgroupVersion;
use crate::model::plan::execute::Executor;
use crate::model::plan::receipt::{Reading, StepReceipt};
use crate::model::plan::step::Step;

/// Writes below a [`SysRoot`].
#[derive(Debug)]
pub struct KernelWriter {
    root: SysRoot,
    version: CgroupVersion,
    /// Looked for when the first step needs it: adj and signals do not.
    cgroups: OnceCell<CgroupWriter>,
}

impl KernelWriter {
    /// `version` is the memory hierarchy the plans are made for; if the host has another by now, no group is
    /// touched.
    #[must_use]
    pub fn new(root: SysRoot, version: CgroupVersion) -> Self {
        Self {
            root,
            version,
            cgroups: OnceCell::new(),
        }
    }
}

impl Executor for KernelWriter {
    fn step(&mut self, step: &Step) -> StepReceipt {
        let mut before = Reading::Nothing;
        let outcome = match step {
            Step::Adj { target, value } => write_adj(&self.root, *target, *value, &mut before),
            Step::Signal { target, signal } => {
                send_signal(&self.root, *target, *signal).map(|()| Reading::Nothing)
            }
            Step::Cgroup(step) => self
                .cgroups
                .get_or_init(|| CgroupWriter::new(self.root.clone(), self.version))
                .run(step, &mut before),
        };
        StepReceipt {
            step: step.clone(),
            before,
            outcome,
        }
    }
}
