//! [`CommandLines`]: reads `/proc/PID/cmdline` on a thread that the sample does not wait for when it blocks.
//!
//! The kernel takes the mmap lock of the target for this file (fs/proc/base.c `get_mm_cmdline`; also for `environ`,
//! `maps` and `smaps`, which oomtop never reads). Any process can hold that lock for as long as it likes, e.g. while a
//! page of a stopped FUSE file system is read. A read that blocks cannot be cancelled: its thread is left to it, and
//! another thread reads the other processes.

use std::fmt::Write as _;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::time::{Duration, Instant};

use crate::linux::helper::helper;
use crate::linux::kernel_file::FileBuffer;
use crate::linux::scan::proc::stat_line;
use crate::model::process::{Pid, ProcessId};

/// Bytes kept of a command line: some are megabytes long, and no screen shows more.
const COMMAND_MOST: usize = 16 * 1024;

/// A read that sleeps for so many [`LOOK`]s in a row blocks.
const PATIENCE: u32 = 5;
/// How often the thread is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// The longest wait in one sample, even if the thread only waits for a processor.
const LONGEST: Duration = Duration::from_secs(5);

/// Most threads that are left to reads that block: each costs a stack. With so many, no command line is read until
/// one of the reads returns.
const MOST_BLOCKED: usize = 8;

/// The answer for one process: its command line, `None` if it cannot be read.
type Answer = (ProcessId, Option<String>);

/// Reads command lines, and remembers which reads have not returned.
#[derive(Debug)]
pub(crate) struct CommandLines {
    proc: Arc<OwnedFd>,
    worker: Option<Worker>,
    blocked: Vec<Blocked>,
}

/// A read that has not returned.
#[derive(Debug)]
struct Blocked {
    id: ProcessId,
    since: Instant,
    worker: Worker,
}

/// A thread that reads.
#[derive(Debug)]
struct Worker {
    ask: Sender<Vec<ProcessId>>,
    answers: Receiver<Answer>,
    /// Its thread id.
    tid: Pid,
    /// Nobody needs more than the answer that it is reading.
    left: Arc<AtomicBool>,
}

impl CommandLines {
    /// Reads below the procfs directory `proc`.
    ///
    /// # Errors
    /// If the descriptor cannot be copied.
    pub(crate) fn new(proc: &OwnedFd) -> std::io::Result<Self> {
        Ok(Self {
            proc: Arc::new(proc.try_clone()?),
            worker: None,
            blocked: Vec::new(),
        })
    }

    /// Hands the command lines of `wanted` to `take`, and those whose reads blocked in earlier samples. What blocks
    /// now is missing, and so is what would come after it: it is read in the next sample.
    pub(crate) fn read(&mut self, wanted: &[ProcessId], mut take: impl FnMut(Answer)) {
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
            .or_else(|| Worker::start(&self.proc).ok());
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

impl Worker {
    fn start(proc: &Arc<OwnedFd>) -> std::io::Result<Self> {
        let (ask, asked) = channel::<Vec<ProcessId>>();
        let (answer, answers) = channel();
        let (tell, told) = channel();
        let left = Arc::new(AtomicBool::new(false));
        let (proc, is_left) = (Arc::clone(proc), Arc::clone(&left));
        helper("cmdline", move || {
            let _ = tell.send(rustix::thread::gettid().as_raw_nonzero().get());
            let (mut buffer, mut name) = (FileBuffer::default(), String::new());
            for batch in asked {
                for id in batch {
                    let line = read(&proc, id.pid, &mut buffer, &mut name);
                    if answer.send((id, line)).is_err() || is_left.load(Ordering::SeqCst) {
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
    fn answer(&self, until: Instant) -> Result<Answer, RecvTimeoutError> {
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

/// The arguments joined by spaces; empty for a process without a command line (zombies, kernel threads).
fn read(proc: &impl AsFd, pid: Pid, buffer: &mut FileBuffer, name: &mut String) -> Option<String> {
    name.clear();
    // Writing to a String cannot fail.
    let _ = write!(name, "{pid}/cmdline");
    let text = buffer.read_whole(proc, name.as_str()).ok()?;
    let text = text.get(..COMMAND_MOST).unwrap_or(text);
    let end = text.iter().rposition(|b| *b != 0).map_or(0, |at| at + 1);
    let mut line = String::from_utf8_lossy(text.get(..end)?).into_owned();
    if line.contains('\0') {
        line = line.replace('\0', " ");
    }
    Some(line)
}
