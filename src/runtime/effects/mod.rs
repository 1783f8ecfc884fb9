//! [`Performer`]: the one place where effects happen. Each ends in a message.

mod older;
mod save;

use tokio::sync::mpsc::Sender;

use crate::app::msg::{Effect, GroupChoice, Msg, OlderBoot, Receipt};
use crate::linux::SysRoot;
use crate::linux::cgroup::list::list_groups;
use crate::linux::write::executor::KernelWriter;
use crate::model::cgroup::CgroupVersion;
use crate::model::plan::Plan;
use crate::model::plan::execute::{self, Executor};
use crate::model::plan::receipt::{Failure, FailureKind, PlanReceipt, Reading, StepReceipt};
use crate::model::plan::step::Step;
use crate::model::snapshot::Needs;
use crate::output::saved;

/// Performs effects.
#[derive(Debug, Clone)]
pub struct Performer {
    root: SysRoot,
    version: CgroupVersion,
    /// The second guard of `--read-only`: a write that slipped through `update` stops here.
    read_only: bool,
    samples: std::sync::mpsc::Sender<Needs>,
    send: Sender<Msg>,
}

impl Performer {
    /// A performer that writes below `root`. Requests for samples go to `samples`, answers to all other effects
    /// to `send`.
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

    /// Starts an effect, which sends its message when done. Call this in a tokio runtime.
    pub fn perform(&self, effect: Effect) {
        match effect {
            Effect::Sample(needs) => {
                // The sampler's thread ends only with the loop: if it is gone, nobody needs the sample.
                let _ = self.samples.send(needs);
            }
            Effect::ListGroups => self.aside(|own| Msg::Groups(own.groups())),
            Effect::Write { id, plans } => self.aside(move |own| {
                let plans = own.write(&plans);
                Msg::Done(Receipt::Write { id, plans })
            }),
            Effect::ReadOlderBoots => self.aside(|own| Msg::Older(own.older())),
            Effect::Save { report, remembered } => self.aside(move |_| {
                let stem = saved::file_stem(&report);
                let text = saved::text(&report, &remembered);
                let json = saved::json(&report, &remembered);
                Msg::Done(Receipt::Saved(save::save(&stem, &text, &json)))
            }),
        }
    }

    /// Does `work` on another thread and sends the resulting message. Writes can block (a frozen cgroup, a hung
    /// filesystem), so they never run on the loop's thread.
    fn aside(&self, work: impl FnOnce(&Self) -> Msg + Send + 'static) {
        let own = self.clone();
        tokio::task::spawn_blocking(move || {
            let msg = work(&own);
            let _ = own.send.blocking_send(msg);
        });
    }

    fn older(&self) -> Result<Vec<OlderBoot>, String> {
        if self.root != SysRoot::default() {
            return Err(
                "oomtop reads only this machine's journal, not that of another root".to_owned(),
            );
        }
        older::read()
    }

    fn groups(&self) -> Result<Vec<GroupChoice>, String> {
        let list = list_groups(&self.root).map_err(|error| error.to_string())?;
        let choice = |(group, writable): (crate::model::cgroup::Cgroup, bool)| GroupChoice {
            path: group.path,
            limit: group.limits.max,
            usage: group.usage,
            writable,
            has_memory: group.usage.is_some(),
        };
        let groups = list.groups.into_iter().zip(list.writable);
        Ok(groups.map(choice).collect())
    }

    fn write(&self, plans: &[Plan]) -> Vec<PlanReceipt> {
        if self.read_only {
            execute::run_all(&mut ReadOnly, plans)
        } else {
            let mut kernel = KernelWriter::new(self.root.clone(), self.version);
            execute::run_all(&mut kernel, plans)
        }
    }
}

/// Refuses every step.
struct ReadOnly;

impl Executor for ReadOnly {
    fn step(&mut self, step: &Step) -> StepReceipt {
        StepReceipt {
            step: step.clone(),
            before: Reading::Nothing,
            outcome: Err(Failure {
                kind: FailureKind::Denied,
                sentence: "oomtop is read-only: nothing was written".to_owned(),
            }),
        }
    }
}
