//! [`Executor`]: who carries plans out. The kernel's is `linux::write::executor`; tests have one in memory.

use super::Plan;
use super::receipt::{PlanReceipt, StepReceipt};
use super::step::Step;

/// Carries out steps.
pub trait Executor {
    /// Does one step and reads it back. It looks at what is there before it writes, so that the step can be
    /// taken back ([`super::inverse`]).
    fn step(&mut self, step: &Step) -> StepReceipt;
}

/// Carries out a plan, until a step fails.
pub fn run<E: Executor + ?Sized>(executor: &mut E, plan: &Plan) -> PlanReceipt {
    let mut receipt = PlanReceipt::default();
    for step in &plan.steps {
        receipt.steps.push(executor.step(step));
        if receipt.failure().is_some() {
            break;
        }
    }
    receipt
}

/// Carries out several plans one after the other. One that fails does not keep the next from being tried.
pub fn run_all<E: Executor + ?Sized>(executor: &mut E, plans: &[Plan]) -> Vec<PlanReceipt> {
    plans.iter().map(|plan| run(executor, plan)).collect()
}
