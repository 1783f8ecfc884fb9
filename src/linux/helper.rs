//! Threads for work that may block: small ones, because all memory of oomtop is locked.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// Bytes of the stack. Only pages that are used are resident.
const STACK: usize = 256 * 1024;

/// Starts a thread.
///
/// # Errors
/// If no thread can be started now, e.g. at a limit on processes.
pub(crate) fn helper<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    Builder::new()
        .name(name.to_owned())
        .stack_size(STACK)
        .spawn(work)
}

/// Processor time of this thread, in microseconds.
pub(crate) fn thread_time() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let time = Duration::try_from(time).unwrap_or_default();
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Makes sure that so many more threads can run, with ordinary stacks. Libraries panic when they get no thread.
///
/// # Errors
/// If fewer can be started now.
pub(crate) fn require_threads(count: usize) -> io::Result<()> {
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.lock().unwrap_or_else(PoisonError::into_inner);
    let mut waiting = Vec::with_capacity(count);
    let mut failed = Ok(());
    while waiting.len() < count && failed.is_ok() {
        let gate = Arc::clone(&gate);
        match Builder::new().spawn(move || drop(gate.lock())) {
            Ok(thread) => waiting.push(thread),
            Err(error) => failed = Err(error),
        }
    }
    drop(closed);
    for thread in waiting {
        let _ = thread.join();
    }
    failed
}
