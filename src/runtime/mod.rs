//! The imperative shell: threads, the terminal, and the only place where effects happen.
//!
//! [`screen`] is the full screen. [`headless`] serves the commands without a screen ([`once()`], [`facts()`],
//! [`explain()`]). [`effects`] carries out what the full screen asks for: writes, saved reports, other boots.
//!
//! ```text
//!  keys ─────┐                       ┌─► sampler thread ──┐
//!  time  ────┤                       │                    │
//!  signals ──┼─► Msg ─► update ─► Effect ─► blocking pool ┼─► Msg …
//!  kmsg ─────┘            │                               │
//!                         └─► draw, when the inbox is empty
//! ```

mod clock;
pub mod effects;
mod explain;
mod facts;
pub mod headless;
mod once;
pub mod screen;

use std::io;

use crate::linux::ReadError;

pub use explain::explain;
pub use facts::facts;
pub use once::once;
pub use screen::run;

/// Why oomtop could not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A kernel file that oomtop cannot work without.
    #[error("{0}")]
    Read(#[from] ReadError),
    /// The terminal.
    #[error("the terminal failed: {0}")]
    Terminal(io::Error),
    /// A thread could not be started.
    #[error("a thread could not be started: {0}")]
    Thread(io::Error),
    /// Output could not be written.
    #[error("the output could not be written: {0}")]
    Output(io::Error),
}

/// Locks oomtop's own memory and lowers its own adj, as far as the kernel allows. oomtop works without both,
/// so refusals are ignored. Call this first: memory mapped later is locked too.
pub fn protect_self() {
    let _ = crate::linux::host::self_protection::protect_self();
}
