//! [`Pool`]: the threads for reads and saves, made before they are needed.
//!
//! When a fork bomb or `pids.max` keeps the kernel from making a thread, oomtop is needed most. So no effect starts
//! a thread: too few threads make it wait.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;

/// One for the list of groups, one for older boots, one for the ledger, one for a save: none of them waits for another.
const THREADS: usize = 4;

/// Bytes of stack of a thread. Pages that are not used take no memory.
pub(super) const STACK: usize = 1 << 20;

type Job = Box<dyn FnOnce() + Send>;

/// Runs jobs in the order they come, as threads become free.
#[derive(Debug, Clone)]
pub(super) struct Pool(Sender<Job>);

impl Pool {
    /// Starts the threads. They end with the last clone of the pool.
    pub(super) fn start() -> io::Result<Self> {
        let (send, jobs) = channel::<Job>();
        let jobs = Arc::new(Mutex::new(jobs));
        for number in 0..THREADS {
            let jobs = Arc::clone(&jobs);
            Builder::new()
                .name(format!("effects-{number}"))
                .stack_size(STACK)
                .spawn(move || serve(&jobs))?;
        }
        Ok(Self(send))
    }

    pub(super) fn run(&self, job: impl FnOnce() + Send + 'static) {
        // The threads live as long as this sender.
        let _ = self.0.send(Box::new(job));
    }
}

fn serve(jobs: &Mutex<Receiver<Job>>) {
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            Ok(job) => job(),
            Err(_) => return,
        }
    }
}
