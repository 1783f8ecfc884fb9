//! [`Aside`]: reads files of other processes on a thread that the sample does not wait for when it blocks.
//!
//! The kernel takes the mmap lock of the target for `cmdline` and `environ` (fs/proc/base.c `get_mm_cmdline`,
//! `environ_read`; also for `maps` and `smaps`, which oomtop never reads). Any process can hold that lock for as long as it likes, e.g. while a
//! page of a stopped FUSE file system is read. A read that blocks cannot be cancelled: its thread is left to it, and
//! another thread reads the other processes.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
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
    answers: Receiver<Answer<T>>,
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
            .retain(|read| match read.worker.answers.try_recv() {
                Ok(answer) => {
                    take(answer);
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
        let until = Instant::now() + LONGEST;
        for id in wanted {
            match worker.answer(until) {
                Ok(answer) => take(answer),
                Err(RecvTimeoutError::Timeout) => {
                    worker.left.store(true, Ordering::SeqCst);
                    let since = Instant::now();
                    self.blocked.push(Blocked { id, since, worker });
                    return;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        self.worker = Some(worker);
    }

    /// Since when the reads of which processes have not returned.
    pub(crate) fn blocked(&self) -> impl Iterator<Item = (ProcessId, Duration)> {
        let now = Instant::now();
        self.blocked
            .iter()
            .map(move |read| (read.id, now.saturating_duration_since(read.since)))
    }
}

impl<T: Send + 'static> Worker<T> {
    fn start(name: &str, proc: &Arc<OwnedFd>, read: Read<T>) -> std::io::Result<Self> {
        let (ask, asked) = channel::<Vec<ProcessId>>();
        let (answer, answers) = channel();
        let (tell, told) = channel();
        let left = Arc::new(AtomicBool::new(false));
        let (proc, is_left) = (Arc::clone(proc), Arc::clone(&left));
        helper(name, move || {
            let _ = tell.send(rustix::thread::gettid().as_raw_nonzero().get());
            let mut buffer = FileBuffer::default();
            for batch in asked {
                for id in batch {
                    let found = read(&proc, id.pid, &mut buffer);
                    if answer.send((id, found)).is_err() || is_left.load(Ordering::SeqCst) {
                        return;
                    }
                }
            }
        })?;
        let tid = told.recv().ok().and_then(|tid| Pid::try_from(tid).ok());
        Ok(Self {
            ask,
            answers,
            tid: tid.unwrap_or_default(),
            left,
        })
    }

    /// The next answer. Gives up when the thread sleeps in a read, or at `until`.
    fn answer(&self, until: Instant) -> Result<Answer<T>, RecvTimeoutError> {
        let mut slept = 0;
        loop {
            match self.answers.recv_timeout(LOOK) {
                Err(RecvTimeoutError::Timeout) => {}
                other => return other,
            }
            // On a busy machine a thread that could run may have to wait for a processor: then nothing blocks it.
            slept = if self.may_run() { 0 } else { slept + 1 };
            if slept >= PATIENCE || Instant::now() >= until {
                return self
                    .answers
                    .try_recv()
                    .map_err(|_| RecvTimeoutError::Timeout);
            }
        }
    }

    fn may_run(&self) -> bool {
        let text = std::fs::read(format!("/proc/self/task/{}/stat", self.tid));
        let stat = text.ok().and_then(|text| stat_line::parse(&text));
        stat.is_some_and(|stat| stat.state.0 == 'R')
    }
}
