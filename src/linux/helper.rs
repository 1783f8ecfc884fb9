//! Threads for work that may block: small ones, because all memory of oomtop is locked.

use std::io;
use std::thread::{Builder, JoinHandle};

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
