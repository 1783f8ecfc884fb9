//! [`Desk`]: a thread that does jobs on files, and nobody waits for it for ever. A file system that does not answer must hold up a
//! write for a moment only.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use super::pool::STACK;

/// Who does the jobs of a desk.
pub(in crate::runtime) trait Clerk: Send + 'static {
    /// What is to be done.
    type Job: Send + 'static;

    /// Does it, however long that takes.
    fn take(&mut self, job: &Self::Job) -> io::Result<()>;

    /// The last job was done, but too late: whoever asked has given up.
    fn was_late(&mut self, job: &Self::Job) {
        let _ = job;
    }
}

type Answer = Receiver<io::Result<()>>;

/// Who has asked.
#[derive(Debug)]
struct Asked {
    answer: Sender<io::Result<()>>,
    is_awaited: Awaited,
}

/// Whether the answer is still waited for: the thread and whoever asked agree on it.
#[derive(Debug, Clone)]
struct Awaited(Arc<AtomicBool>);

impl Awaited {
    fn new() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }

    /// True for the first who ends it.
    fn end(&self) -> bool {
        self.0.swap(false, Ordering::SeqCst)
    }
}

/// The way to the thread.
#[derive(Debug)]
pub(in crate::runtime) struct Desk<J> {
    jobs: Sender<(J, Asked)>,
    /// The answer that did not come in time.
    late: Mutex<Option<Answer>>,
    within: Duration,
}

impl<J: Send + 'static> Desk<J> {
    /// Starts the thread, which ends with the desk. Nobody waits longer for it than `within`.
    ///
    /// # Errors
    /// There is no thread.
    pub(in crate::runtime) fn start(
        name: &str,
        mut clerk: impl Clerk<Job = J>,
        within: Duration,
    ) -> io::Result<Self> {
        let (jobs, inbox) = channel::<(J, Asked)>();
        Builder::new()
            .name(name.to_owned())
            .stack_size(STACK)
            .spawn(move || {
                for (job, asked) in inbox {
                    let done = clerk.take(&job);
                    if done.is_ok() && !asked.is_awaited.end() {
                        clerk.was_late(&job);
                    }
                    // Nobody hears an answer that comes too late.
                    let _ = asked.answer.send(done);
                }
            })?;
        Ok(Self {
            jobs,
            late: Mutex::new(None),
            within,
        })
    }

    /// Waits until it is done, but not for ever. While an older job has no answer none is taken.
    ///
    /// # Errors
    /// What went wrong, or that there was no answer in time.
    pub(in crate::runtime) fn ask(&self, job: J) -> io::Result<()> {
        let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        let is_stuck = late
            .as_ref()
            .is_some_and(|answer| matches!(answer.try_recv(), Err(TryRecvError::Empty)));
        if is_stuck {
            return Err(silent());
        }
        *late = None;
        let (answer, wait) = channel();
        let ended = || io::Error::other("its thread has ended");
        let is_awaited = Awaited::new();
        let asked = Asked {
            answer,
            is_awaited: is_awaited.clone(),
        };
        self.jobs.send((job, asked)).map_err(|_| ended())?;
        match wait.recv_timeout(self.within) {
            Ok(done) => done,
            Err(RecvTimeoutError::Disconnected) => Err(ended()),
            // It was done in the last moment.
            Err(RecvTimeoutError::Timeout) if !is_awaited.end() => {
                wait.recv().map_err(|_| ended())?
            }
            Err(RecvTimeoutError::Timeout) => {
                *late = Some(wait);
                Err(silent())
            }
        }
    }
}

fn silent() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "its file system does not answer")
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;

    use super::{Clerk, Desk};

    /// A disk that answers when it is let.
    struct Slow(Receiver<()>);

    impl Clerk for Slow {
        type Job = ();

        fn take(&mut self, (): &()) -> io::Result<()> {
            self.0.recv().map_err(io::Error::other)
        }
    }

    #[test]
    fn a_disk_that_does_not_answer_holds_up_nothing_and_is_used_again_when_it_does() {
        let (let_go, wait) = channel();
        let desk = Desk::start("slow", Slow(wait), Duration::from_millis(20)).expect("a thread");
        let ask = || desk.ask(());
        assert_eq!(ask().expect_err("silent").kind(), io::ErrorKind::TimedOut);
        // It does not wait again for a disk that is known to be stuck.
        for _ in 0..1000 {
            assert_eq!(ask().expect_err("silent").kind(), io::ErrorKind::TimedOut);
        }
        for _ in 0..1_000_000 {
            let_go.send(()).expect("the thread lives");
            if ask().is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("it is not used again");
    }
}
