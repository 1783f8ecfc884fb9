//! [`Writer`]: the thread that writes to the kernel, and nothing else.
//!
//! Writes can block (a frozen cgroup, a hung filesystem), so they never run on the loop's thread; and no slow read
//! may keep a write waiting, so they share no thread with reads. The thread and the descriptors it needs are there
//! from the start. Kills, stops and their like have a second thread of that kind: systemd may take seconds to answer, and
//! who kills has none.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::{Duration, Instant};

use super::audit::{Audit, Which};
use super::noted::Noted;
use super::pool::STACK;
use crate::app::msg::{Msg, Receipt, Undo, WriteId};
use crate::linux::SysRoot;
use crate::linux::patience::{LONG, Patience};
use crate::linux::write::executor::KernelWriter;
use crate::model::cgroup::{CgroupPath, CgroupVersion};
use crate::model::plan::Plan;
use crate::model::plan::execute::{self, Executor};
use crate::model::plan::receipt::{Failure, FailureKind, PlanReceipt};
use crate::model::plan::step::{CgroupStep, Step};
use crate::model::process::ProcessId;

/// Descriptors kept for a write: a group, a process, their files, the audit log.
const RESERVED: usize = 9;

/// How long the end of oomtop waits for writes that were asked for: a moment for the wait for systemd to end, and as long
/// as the way back of half a plan may take.
const LAST_WRITES: Duration = Duration::from_secs(3);

/// What the thread is asked to do.
#[derive(Debug)]
pub(super) enum Order {
    /// Hold the targets of the open dialogs.
    Hold(Vec<ProcessId>),
    /// Hold the groups of the open dialogs.
    HoldGroups(Vec<(CgroupPath, Option<u64>)>),
    /// Carry out a write.
    Write(Work),
    /// Say when all orders before this one are done.
    Flush(Sender<()>),
}

/// One write.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) id: WriteId,
    pub(super) plans: Vec<Plan>,
    /// For an undo, of which write, and what it expects to find.
    pub(super) undo: Option<Undo>,
}

/// The way to the threads.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    orders: Sender<Order>,
    urgent: Sender<Order>,
    withdrawn: Withdrawn,
}

impl Writer {
    /// Starts the threads. They end with the last clone of the writer. `answer` takes the receipts; writes are logged to
    /// `audit`.
    pub(super) fn start(
        root: &SysRoot,
        version: CgroupVersion,
        audit: Option<Audit>,
        answer: impl Fn(Msg) + Clone + Send + 'static,
    ) -> io::Result<Self> {
        let withdrawn = Withdrawn::default();
        let audit = audit.map(Arc::new);
        let noted = Noted::start(root);
        let start = |name: &str| {
            let noted = noted.clone();
            let (orders, inbox) = channel();
            let (root, audit) = (root.clone(), audit.clone());
            let (shared, answer) = (withdrawn.clone(), answer.clone());
            let thread = Builder::new().name(name.to_owned()).stack_size(STACK);
            let started = thread.spawn(move || {
                let mut kernel = KernelWriter::new(root, version);
                kernel.tell_of_groups(noted.teller());
                kernel.prepare();
                serve((kernel, noted), audit.as_deref(), &inbox, &shared, &answer);
            });
            started.map(|_| orders)
        };
        Ok(Self {
            orders: start("writer")?,
            urgent: start("killer")?,
            withdrawn: withdrawn.clone(),
        })
    }

    pub(super) fn hold(&self, targets: Vec<ProcessId>) {
        let _ = self.urgent.send(Order::Hold(targets.clone()));
        let _ = self.orders.send(Order::Hold(targets));
    }

    pub(super) fn hold_groups(&self, groups: Vec<(CgroupPath, Option<u64>)>) {
        let _ = self.urgent.send(Order::HoldGroups(groups.clone()));
        let _ = self.orders.send(Order::HoldGroups(groups));
    }

    /// Requests a write. Gives the work back if the thread has ended.
    pub(super) fn write(&self, work: Work) -> Result<(), Work> {
        let orders = if work.is_urgent() {
            &self.urgent
        } else {
            &self.orders
        };
        orders
            .send(Order::Write(work))
            .map_err(|unsent| match unsent.0 {
                Order::Write(work) => work,
                Order::Hold(_) | Order::HoldGroups(_) | Order::Flush(_) => {
                    unreachable!("a write was sent")
                }
            })
    }

    /// The plans of this write that have not begun are not carried out.
    pub(super) fn withdraw(&self, id: WriteId) {
        self.withdrawn.lock().insert(id);
    }

    /// Waits for the writes that were asked for, but not for ever: nobody waits for systemd any more, so that a plan that
    /// does is taken back.
    pub(super) fn finish(&self) {
        self.withdrawn.ends.store(true, Ordering::SeqCst);
        let until = Instant::now() + LAST_WRITES;
        for orders in [&self.urgent, &self.orders] {
            let (done, wait) = channel();
            if orders.send(Order::Flush(done)).is_ok() {
                let _ = wait.recv_timeout(until.saturating_duration_since(Instant::now()));
            }
        }
    }
}

impl Work {
    /// All it does is to stop or to end processes, which nobody but the kernel answers. What lets them run on waits for the
    /// writes before it: a limit is raised first, and then they go on.
    fn is_urgent(&self) -> bool {
        let mut steps = self.plans.iter().flat_map(|plan| &plan.steps);
        steps.all(|step| match step {
            Step::Signal { signal, .. } => [libc::SIGKILL, libc::SIGSTOP].contains(&signal.number),
            Step::Stop { stop, .. } => *stop,
            Step::Cgroup(CgroupStep::Freeze(_, frozen)) => *frozen,
            Step::Reap { .. } | Step::Cgroup(CgroupStep::Kill(_)) => true,
            Step::Adj { .. } | Step::Rule(_) | Step::Unit(_) | Step::Cgroup(_) => false,
        })
    }
}

/// Writes that nobody wants any more.
#[derive(Debug, Clone, Default)]
struct Withdrawn {
    writes: Arc<Mutex<BTreeSet<WriteId>>>,
    /// oomtop ends: what was asked for is still written, but nobody waits for systemd.
    ends: Arc<AtomicBool>,
}

impl Withdrawn {
    fn lock(&self) -> MutexGuard<'_, BTreeSet<WriteId>> {
        self.writes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True while somebody waits for the answers to this write.
    fn is_waited_for(&self, id: WriteId) -> bool {
        !self.ends.load(Ordering::SeqCst) && !self.lock().contains(&id)
    }
}

fn serve(
    (mut kernel, noted): (KernelWriter, Noted),
    audit: Option<&Audit>,
    orders: &Receiver<Order>,
    withdrawn: &Withdrawn,
    answer: &impl Fn(Msg),
) {
    let mut reserve = Reserve::new();
    for order in orders {
        match order {
            Order::Hold(targets) => kernel.hold(&targets),
            Order::HoldGroups(groups) => kernel.hold_groups(&groups),
            Order::Write(work) => {
                let id = work.id;
                kernel.wait_for_systemd(patience(id, withdrawn));
                let (plans, lost) = reserve.spend(|| {
                    let write = || match audit {
                        Some(audit) => logged(audit, &mut kernel, &work, withdrawn),
                        None => (carry_out(&mut kernel, &work, withdrawn), None),
                    };
                    noted.during(&work.plans, write, |(receipts, _)| receipts.as_slice())
                });
                withdrawn.lock().remove(&id);
                answer(Msg::Done(Receipt::Write { id, plans }));
                if let Some(lost) = lost {
                    answer(Msg::Unlogged(lost));
                }
            }
            Order::Flush(done) => {
                let _ = done.send(());
            }
        }
    }
}

/// Carries out a write and logs it; with what could not be logged. If nothing can, nothing is written.
fn logged(
    audit: &Audit,
    kernel: &mut KernelWriter,
    work: &Work,
    withdrawn: &Withdrawn,
) -> (Vec<PlanReceipt>, Option<String>) {
    let names = kernel.names(&work.plans);
    let name = |id: ProcessId| names.get(&id).cloned();
    let which = Which {
        id: work.id,
        undo_of: work.undo.as_ref().map(|undo| undo.of),
    };
    match audit.begin(kernel, which, &work.plans, name) {
        Ok(mut executor) => {
            let receipts = carry_out(&mut executor, work, withdrawn);
            let lost = executor.end(&receipts).err();
            (receipts, lost)
        }
        Err(sentence) => {
            let refused = |plan| refused(plan, FailureKind::Other, &sentence);
            (work.plans.iter().map(refused).collect(), None)
        }
    }
}

/// A dialog says that it waits, and closing it ends the wait.
fn patience(id: WriteId, withdrawn: &Withdrawn) -> Patience {
    let shared = withdrawn.clone();
    Patience::while_wanted(LONG, move || shared.is_waited_for(id))
}

fn carry_out<E: Executor>(kernel: &mut E, work: &Work, withdrawn: &Withdrawn) -> Vec<PlanReceipt> {
    let stopped = |plan: &Plan| {
        let is_withdrawn = withdrawn.lock().contains(&work.id);
        is_withdrawn.then(|| not_begun(plan))
    };
    match &work.undo {
        Some(undo) => execute::undo_while(kernel, &work.plans, &undo.expected, stopped),
        None => execute::run_while(kernel, &work.plans, stopped),
    }
}

fn not_begun(plan: &Plan) -> PlanReceipt {
    refused(
        plan,
        FailureKind::Withdrawn,
        "Not written: the dialog was closed before this write began.",
    )
}

/// The receipt of a plan that was not begun.
pub(super) fn refused(plan: &Plan, kind: FailureKind, sentence: &str) -> PlanReceipt {
    let failure = Failure {
        kind,
        sentence: sentence.to_owned(),
    };
    let step = plan.steps.first().cloned();
    step.map_or_else(PlanReceipt::default, |step| {
        PlanReceipt::refused(step, failure)
    })
}

/// Descriptors that are free when all others are taken.
struct Reserve(Vec<File>);

impl Reserve {
    fn new() -> Self {
        let mut reserve = Self(Vec::with_capacity(RESERVED));
        reserve.fill();
        reserve
    }

    fn fill(&mut self) {
        let missing = RESERVED - self.0.len().min(RESERVED);
        let files = (0..missing).map_while(|_| File::open("/dev/null").ok());
        self.0.extend(files);
    }

    fn spend<T>(&mut self, work: impl FnOnce() -> T) -> T {
        self.0.clear();
        let done = work();
        self.fill();
        done
    }
}

#[cfg(test)]
mod tests;
