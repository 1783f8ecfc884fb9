//! [`Performer`]: the one place where effects happen. Each ends in a message.

mod older;
mod pool;
mod save;
mod writer;

use std::io;

use tokio::sync::mpsc::Sender;

use crate::app::msg::{Effect, GroupChoice, Msg, OlderBoot, Receipt};
use crate::linux::SysRoot;
use crate::linux::cgroup::list::list_groups;
use crate::model::cgroup::CgroupVersion;
use crate::model::plan::receipt::FailureKind;
use crate::model::snapshot::Needs;
use crate::output::saved;

use pool::Pool;
use writer::{Work, Writer};

/// Performs effects.
#[derive(Debug, Clone)]
pub struct Performer {
    root: SysRoot,
    /// The second guard of `--read-only`: a write that slipped through `update` stops here.
    read_only: bool,
    samples: std::sync::mpsc::Sender<Needs>,
    send: Sender<Msg>,
    writer: Writer,
    pool: Pool,
}

impl Performer {
    /// A performer that writes below `root`. Requests for samples go to `samples`, answers to all other effects
    /// to `send`. All threads that effects need are started here.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub fn new(
        root: SysRoot,
        version: CgroupVersion,
        read_only: bool,
        samples: std::sync::mpsc::Sender<Needs>,
        send: Sender<Msg>,
    ) -> io::Result<Self> {
        let answers = send.clone();
        let writer = Writer::start(root.clone(), version, move |msg| {
            let _ = answers.blocking_send(msg);
        })?;
        Ok(Self {
            root,
            read_only,
            samples,
            send,
            writer,
            pool: Pool::start()?,
        })
    }

    /// Waits a moment for the writes that were asked for: a plan must not end half way with the program.
    pub fn finish_writes(&self) {
        self.writer.finish();
    }

    /// Starts an effect, which sends its message when done. Call this in a tokio runtime.
    pub fn perform(&self, effect: Effect) {
        match effect {
            Effect::Sample(needs) => {
                // The sampler's thread ends only with the loop: if it is gone, nobody needs the sample.
                let _ = self.samples.send(needs);
            }
            Effect::ListGroups => self.aside(|own| Msg::Groups(own.groups())),
            Effect::Hold(targets) => self.writer.hold(targets),
            Effect::Withdraw(id) => self.writer.withdraw(id),
            Effect::Write { id, plans, undo } => self.write(Work { id, plans, undo }),
            Effect::ReadOlderBoots => self.aside(|own| Msg::Older(own.older())),
            Effect::Save { report, remembered } => self.aside(move |_| {
                let stem = saved::file_stem(&report);
                let text = saved::text(&report, &remembered);
                let json = saved::json(&report, &remembered);
                Msg::Done(Receipt::Saved(save::save(&stem, &text, &json)))
            }),
        }
    }

    /// Does `work` on another thread and sends the resulting message.
    fn aside(&self, work: impl FnOnce(&Self) -> Msg + Send + 'static) {
        let own = self.clone();
        self.pool.run(move || {
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

    fn write(&self, work: Work) {
        if self.read_only {
            self.refuse(&work, "oomtop is read-only: nothing was written");
        } else if let Err(work) = self.writer.write(work) {
            self.refuse(
                &work,
                "Nothing was written: the thread that writes has ended. Start oomtop again.",
            );
        }
    }

    /// Answers for a write that is not carried out.
    fn refuse(&self, work: &Work, sentence: &str) {
        let refused = |plan| writer::refused(plan, FailureKind::Denied, sentence);
        let plans = work.plans.iter().map(refused).collect();
        let msg = Msg::Done(Receipt::Write { id: work.id, plans });
        self.aside(move |_| msg);
    }
}
