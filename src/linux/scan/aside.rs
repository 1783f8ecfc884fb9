//! [`Aside`]: reads files of other processes on a thread that the sample does not wait for when it blocks.
//!
//! The kernel takes the mmap lock of the target for `cmdline` and `environ` (fs/proc/base.c `get_mm_cmdline`,
//! `environ_read`; also for `maps` and `smaps`, which oomtop never reads). Any process can hold that lock for as long as it likes, e.g. while a
//! page of a stopped FUSE file system is read. A read that blocks cannot be cancelled: its thread is left to it, and
//! another thread reads the other processes.

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
/// The longest wait in one sample, even if the thread only waits for a processor.
const LONGEST: Duration = Duration::from_secs(5);

/// Most threads that are left to reads that block: each costs a stack. With so many, nothing is read until one of the
/// reads returns.
const MOST_BLOCKED: usize = 8;

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
    blocked: Vec<Blocked<T>>,
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
            blocked: Vec::new(),
        })
    }

    /// Hands what is read of `wanted` to `take`, and what blocked in earlier samples. What blocks
    /// now is missing, and so is what would come after it: it is read in the next sample.
    pub(crate) fn read(&mut self, wanted: &[ProcessId], mut take: impl FnMut(Answer<T>)) {
        self.blocked
            .retain(|read| match read.worker.done.try_recv() {
                Ok(()) => {
                    read.worker.taken().into_iter().for_each(&mut take);
                    false
                }
                Err(TryRecvError::Empty) => true,
                Err(TryRecvError::Disconnected) => false,
            });
        let blocks = |id: &ProcessId| self.blocked.iter().any(|read| read.id == *id);
        let wanted: Vec<_> = wanted.iter().copied().filter(|id| !blocks(id)).collect();
        if wanted.is_empty() || self.blocked.len() >= MOST_BLOCKED {
            return;
        }
        let worker = self
            .worker
            .take()
            .or_else(|| Worker::start(self.name, &self.proc, self.read).ok());
        // Without a thread now: the next sample tries again.
        let Some(worker) = worker else { return };
        if worker.ask.send(wanted.clone()).is_err() {
            return;
        }
        let outcome = worker.await_end();
        let answers = worker.taken();
        let next = wanted.get(answers.len()).copied();
        answers.into_iter().for_each(take);
        match (outcome, next) {
            (Ok(()), _) => self.worker = Some(worker),
            (Err(RecvTimeoutError::Timeout), Some(id)) => {
                worker.left.store(true, Ordering::SeqCst);
                let since = Instant::now();
                self.blocked.push(Blocked { id, since, worker });
            }
            // It is gone, or it has answered all in this moment.
            (Err(_), _) => {}
        }
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

    /// Waits until all is answered. Gives up when the thread sleeps in a read, or after [`LONGEST`].
    fn await_end(&self) -> Result<(), RecvTimeoutError> {
        let until = Instant::now() + LONGEST;
        let (mut slept, mut before) = (0, 0);
        loop {
            match self.done.recv_timeout(LOOK) {
                Err(RecvTimeoutError::Timeout) => {}
                other => return other,
            }
            let answered = keep(&self.answers).len();
            // On a busy machine a thread that could run may have to wait for a processor: then nothing blocks it.
            let is_stuck = answered == before && !self.may_run();
            slept = if is_stuck { slept + 1 } else { 0 };
            before = answered;
            if slept >= PATIENCE || Instant::now() >= until {
                return self.done.try_recv().map_err(|_| RecvTimeoutError::Timeout);
            }
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
