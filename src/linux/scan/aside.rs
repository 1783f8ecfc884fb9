//! [`Aside`]: reads files of other processes on a thread that the sample does not wait for when it blocks.
//!
//! The kernel takes the mmap lock of the target for `cmdline` and `environ` (fs/proc/base.c `get_mm_cmdline`,
//! `environ_read`; also for `maps` and `smaps`, which oomtop never reads). Any process can hold that lock for as long as it likes, e.g. while a
//! page of a stopped FUSE file system is read. A read that blocks cannot be cancelled: its thread is left to it, and
//! another thread reads the other processes.

use std::collections::HashSet;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::linux::helper::helper;
use crate::linux::kernel_file::FileBuffer;
use crate::linux::scan::proc::stat_line;
use crate::model::process::{Pid, ProcessId};

/// A read that sleeps for so many [`LOOK`]s in a row blocks.
const PATIENCE: u32 = 5;
/// How often the thread is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Most threads that are left to reads that block: each costs a stack. With so many, nothing is read until one of the
/// reads returns.
const MOST_BLOCKED: usize = 8;

/// How long to wait for a thread that works. One that sleeps in a read is left after 0.25 s in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// All is wanted now: 5 s, because the thread may wait for a processor.
    ForAll,
    /// The next sample takes what is late: 0.25 s. The thread needs memory for each read, and reclaims it itself where
    /// there is none: that may take seconds.
    InTurn,
}

impl Wait {
    const fn longest(self) -> Duration {
        match self {
            Self::ForAll => Duration::from_secs(5),
            Self::InTurn => Duration::from_millis(250),
        }
    }
}

/// The answer for one process: `None` if its files cannot be read.
type Answer<T> = (ProcessId, Option<T>);

/// What is read of a process, below the procfs directory.
type Read<T> = fn(&OwnedFd, Pid, &mut FileBuffer) -> Option<T>;

/// Reads `T` of processes, and remembers which reads have not returned.
#[derive(Debug)]
pub(crate) struct Aside<T> {
    proc: Arc<OwnedFd>,
    /// Name of its threads.
    name: &'static str,
    read: Read<T>,
    worker: Option<Worker<T>>,
    /// What the thread has been asked for and has not answered: it has been slow.
    late: Vec<ProcessId>,
    blocked: Vec<Blocked<T>>,
}

/// How the wait for a thread ended.
enum End {
    Answered,
    /// It works, and has not answered all.
    Late,
    /// It sleeps in a read.
    Blocks,
    /// It has ended.
    Gone,
}

/// A read that has not returned.
#[derive(Debug)]
struct Blocked<T> {
    id: ProcessId,
    since: Instant,
    worker: Worker<T>,
}

/// A thread that reads.
#[derive(Debug)]
struct Worker<T> {
    ask: Sender<Vec<ProcessId>>,
    /// The answers so far, in the order of the question. Nobody is woken for each of them: that costs more than a read.
    answers: Arc<Mutex<Vec<Answer<T>>>>,
    /// All is answered.
    done: Receiver<()>,
    /// Its thread id.
    tid: Pid,
    /// Nobody needs more than the answer that it is reading.
    left: Arc<AtomicBool>,
}

impl<T: Send + std::fmt::Debug + 'static> Aside<T> {
    /// Reads below the procfs directory `proc`.
    ///
    /// # Errors
    /// If the descriptor cannot be copied.
    pub(crate) fn new(name: &'static str, proc: &OwnedFd, read: Read<T>) -> std::io::Result<Self> {
        Ok(Self {
            proc: Arc::new(proc.try_clone()?),
            name,
            read,
            worker: None,
            late: Vec::new(),
            blocked: Vec::new(),
        })
    }

    /// Hands what is read of `wanted` to `take`, and what blocked or was late in earlier samples. What blocks now is
    /// missing, and so is what is late and what would come after it: it is read in the next sample.
    pub(crate) fn read(
        &mut self,
        wanted: &[ProcessId],
        wait: Wait,
        mut take: impl FnMut(Answer<T>),
    ) {
        self.blocked
            .retain(|read| match read.worker.done.try_recv() {
                Ok(()) => {
                    read.worker.taken().into_iter().for_each(&mut take);
                    false
                }
                Err(TryRecvError::Empty) => true,
                Err(TryRecvError::Disconnected) => false,
            });
        let until = Instant::now() + wait.longest();
        let asked = std::mem::take(&mut self.late);
        if !asked.is_empty() {
            self.answers(&asked, until, &mut take);
        }
        if !self.late.is_empty() {
            return;
        }
        let asked: HashSet<_> = asked.into_iter().collect();
        let needless =
            |id: &ProcessId| asked.contains(id) || self.blocked.iter().any(|read| read.id == *id);
        let wanted: Vec<_> = wanted.iter().copied().filter(|id| !needless(id)).collect();
        if wanted.is_empty() || self.blocked.len() >= MOST_BLOCKED {
            return;
        }
        let worker = self
            .worker
            .take()
            .or_else(|| Worker::start(self.name, &self.proc, self.read).ok());
        // Without a thread now: the next sample tries again.
        let Some(worker) = worker else { return };
        if worker.ask.send(wanted.clone()).is_ok() {
            self.worker = Some(worker);
            self.answers(&wanted, until, &mut take);
        }
    }

    /// Waits for the answers of the thread to what it was asked for, and hands them on. A thread whose read blocks is
    /// left to it; what comes late is kept for the next time.
    fn answers(&mut self, asked: &[ProcessId], until: Instant, take: &mut impl FnMut(Answer<T>)) {
        let Some(worker) = self.worker.take() else {
            return;
        };
        let end = worker.await_end(until);
        let answers = worker.taken();
        let rest = asked.get(answers.len()..).unwrap_or_default();
        let next = rest.first().copied();
        match (end, next) {
            (End::Answered, _) => self.worker = Some(worker),
            (End::Late, Some(_)) => {
                self.late = rest.to_vec();
                self.worker = Some(worker);
            }
            (End::Blocks, Some(id)) => {
                worker.left.store(true, Ordering::SeqCst);
                let since = Instant::now();
                self.blocked.push(Blocked { id, since, worker });
            }
            // It is gone, or it has answered all in this moment.
            (End::Late | End::Blocks | End::Gone, _) => {}
        }
        answers.into_iter().for_each(take);
    }

    /// Since when the reads of which processes have not returned.
    pub(crate) fn blocked(&self) -> impl Iterator<Item = (ProcessId, Duration)> {
        let now = Instant::now();
        self.blocked
            .iter()
            .map(move |read| (read.id, now.saturating_duration_since(read.since)))
    }
}

/// The answers, also of a thread that has panicked.
fn keep<T>(answers: &Mutex<Vec<Answer<T>>>) -> std::sync::MutexGuard<'_, Vec<Answer<T>>> {
    answers.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: Send + 'static> Worker<T> {
    fn start(name: &str, proc: &Arc<OwnedFd>, read: Read<T>) -> std::io::Result<Self> {
        let (ask, asked) = channel::<Vec<ProcessId>>();
        let (end, done) = channel();
        let (tell, told) = channel();
        let left = Arc::new(AtomicBool::new(false));
        let answers = Arc::new(Mutex::new(Vec::new()));
        let (proc, is_left, given) = (Arc::clone(proc), Arc::clone(&left), Arc::clone(&answers));
        helper(name, move || {
            let _ = tell.send(rustix::thread::gettid().as_raw_nonzero().get());
            let mut buffer = FileBuffer::default();
            for batch in asked {
                for id in batch {
                    let found = read(&proc, id.pid, &mut buffer);
                    keep(&given).push((id, found));
                    if is_left.load(Ordering::SeqCst) {
                        break;
                    }
                }
                if end.send(()).is_err() || is_left.load(Ordering::SeqCst) {
                    return;
                }
            }
        })?;
        let tid = told.recv().ok().and_then(|tid| Pid::try_from(tid).ok());
        Ok(Self {
            ask,
            answers,
            done,
            tid: tid.unwrap_or_default(),
            left,
        })
    }

    /// Waits until all is answered, the thread sleeps in a read, or the time is over.
    fn await_end(&self, until: Instant) -> End {
        let (mut slept, mut before) = (0, 0);
        loop {
            match self.done.recv_timeout(LOOK) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) => return End::Answered,
                Err(RecvTimeoutError::Disconnected) => return End::Gone,
            }
            let answered = keep(&self.answers).len();
            // On a busy machine a thread that could run may have to wait for a processor: then nothing blocks it.
            let is_stuck = answered == before && !self.may_run();
            slept = if is_stuck { slept + 1 } else { 0 };
            before = answered;
            let end = if slept >= PATIENCE {
                End::Blocks
            } else if Instant::now() >= until {
                End::Late
            } else {
                continue;
            };
            return self.done.try_recv().map_or(end, |()| End::Answered);
        }
    }

    /// What is answered.
    fn taken(&self) -> Vec<Answer<T>> {
        std::mem::take(&mut *keep(&self.answers))
    }

    fn may_run(&self) -> bool {
        let text = std::fs::read(format!("/proc/self/task/{}/stat", self.tid));
        let stat = text.ok().and_then(|text| stat_line::parse(&text));
        stat.is_some_and(|stat| stat.state.0 == 'R')
    }
}

#[cfg(test)]
mod tests;
