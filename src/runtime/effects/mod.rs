//! [`Performer`]: the one place where effects happen. Each ends in a message.

mod older;
mod save;

use tokio::sync::mpsc::Sender;

use crate::app::msg::{AdjWrite, Effect, GroupChoice, Msg, OlderBoot, Receipt};
use crate::linux::SysRoot;
use crate::linux::cgroup::list::list_groups;
use crate::linux::write::adj::write_adj;
use crate::linux::write::cgroup::run_plan;
use crate::linux::write::signal::send_signal;
use crate::model::cgroup::CgroupVersion;
use crate::model::plan::step::{
    AdjReceipt, CgroupStep, Failure, FailureKind, PlanReceipt, StepResult,
};
use crate::model::process::ProcessId;
use crate::model::process::signal::Signal;
use crate::model::snapshot::Needs;

/// Performs effects.
#[derive(Debug, Clone)]
pub struct Performer {
    root: SysRoot,
    version: CgroupVersion,
    /// The second lock of `--read-only`: even a write that slipped through `update` stops here.
    read_only: bool,
    samples: std::sync::mpsc::Sender<Needs>,
    send: Sender<Msg>,
}

impl Performer {
    /// Writes below `root`. Requests for samples go to `samples`, all other answers to `send`.
    pub fn new(
        root: SysRoot,
        version: CgroupVersion,
        read_only: bool,
        samples: std::sync::mpsc::Sender<Needs>,
        send: Sender<Msg>,
    ) -> Self {
        Self {
            root,
            version,
            read_only,
            samples,
            send,
        }
    }

    /// Starts an effect; its message comes when it is done. Call it in a tokio runtime.
    pub fn perform(&self, effect: Effect) {
        if let Effect::Sample(needs) = effect {
            // The thread lives as long as the loop; if it is gone, so are we.
            let _ = self.samples.send(needs);
            return;
        }
        let own = self.clone();
        // Writes can block (a frozen cgroup, a hung filesystem): never on the loop's thread.
        tokio::task::spawn_blocking(move || {
            if let Some(msg) = own.carry_out(effect) {
                let _ = own.send.blocking_send(msg);
            }
        });
    }

    fn carry_out(&self, effect: Effect) -> Option<Msg> {
        match effect {
            Effect::ListGroups => Some(Msg::Groups(self.groups())),
            Effect::WriteAdj { writes, undo } => {
                let receipts = writes.iter().map(|write| self.adj(write)).collect();
                Some(Msg::Done(Receipt::Adj { receipts, undo }))
            }
            Effect::RunPlan {
                target,
                steps,
                undo,
            } => Some(Msg::Done(Receipt::Plan {
                receipt: self.plan(target, &steps),
                undo,
            })),
            Effect::SendSignal { targets, signal } => {
                let results = targets
                    .into_iter()
                    .map(|id| (id, self.signal(id, signal)))
                    .collect();
                Some(Msg::Done(Receipt::Signal { signal, results }))
            }
            Effect::ReadOlderBoots => Some(Msg::Older(self.older())),
            Effect::Save { stem, text, json } => {
                Some(Msg::Done(Receipt::Saved(save::save(&stem, &text, &json))))
            }
            Effect::Sample(_)
            | Effect::Suspend
            | Effect::Redraw
            | Effect::Retake
            | Effect::Quit => None,
        }
    }

    fn older(&self) -> Result<Vec<OlderBoot>, String> {
        if self.root != SysRoot::default() {
            return Err("the journal of another root is not read".to_owned());
        }
        older::read()
    }

    fn groups(&self) -> Result<Vec<GroupChoice>, String> {
        let list = list_groups(&self.root).map_err(|error| error.to_string())?;
        let choice = |group: crate::model::cgroup::Cgroup| GroupChoice {
            path: group.path,
            limit: group.limits.max,
            usage: group.usage,
        };
        Ok(list.groups.into_iter().map(choice).collect())
    }

    fn adj(&self, write: &AdjWrite) -> AdjReceipt {
        if self.read_only {
            return AdjReceipt {
                target: write.target,
                before: None,
                outcome: Err(refused()),
            };
        }
        write_adj(&self.root, write.target, write.value)
    }

    fn plan(&self, target: Option<ProcessId>, steps: &[CgroupStep]) -> PlanReceipt {
        if self.read_only {
            let first = steps.first().cloned().map(|step| StepResult {
                step,
                before: None,
                outcome: Err(refused()),
            });
            return PlanReceipt {
                target,
                before: None,
                steps: first.into_iter().collect(),
            };
        }
        run_plan(&self.root, self.version, target, steps)
    }

    fn signal(&self, target: ProcessId, signal: Signal) -> Result<(), Failure> {
        if self.read_only {
            return Err(refused());
        }
        send_signal(&self.root, target, signal)
    }
}

fn refused() -> Failure {
    Failure {
        kind: FailureKind::Denied,
        sentence: "oomtop runs with --read-only: nothing was written".to_owned(),
    }
}
