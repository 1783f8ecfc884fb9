//! Writes as data: what is to be written, step by step, what came of it, and what takes it back.
//!
//! ```text
//!  limits, targets ─► build ─► Plan ─► an Executor ─► PlanReceipt ─► inverse ─► Plan
//! ```
//!
//! Whoever writes to the kernel makes a [`Plan`] and gives it to an [`execute::Executor`]. A new kind of write
//! is a variant of [`step::Step`]; the compiler then names its executor and its inverse.

pub mod build;
pub mod execute;
pub mod inverse;
pub mod receipt;
pub mod step;

use crate::model::cgroup::GroupId;
use step::{CgroupStep, Step, UnitStep};

/// Steps that belong together, in the order they are done; the first that fails ends the plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// In this order.
    pub steps: Vec<Step>,
    /// Groups that are meant as they were seen: a step that would write to another one of the same path fails. A path that
    /// is not here means whatever group has it; what the plan itself makes is bound to what it has made. A step of
    /// systemd means the unit, which keeps its settings from start to start.
    pub groups: Vec<GroupId>,
}

impl Plan {
    /// Where its first move puts a process.
    #[must_use]
    pub fn destination(&self) -> Option<&crate::model::cgroup::CgroupPath> {
        self.steps.iter().find_map(|step| match step {
            Step::Cgroup(CgroupStep::Move(_, path)) => Some(path),
            Step::Unit(UnitStep::Scope(scope)) => Some(&scope.group),
            _ => None,
        })
    }
}

impl<S: Into<Step>> FromIterator<S> for Plan {
    fn from_iter<I: IntoIterator<Item = S>>(steps: I) -> Self {
        Self {
            steps: steps.into_iter().map(Into::into).collect(),
            groups: Vec::new(),
        }
    }
}
