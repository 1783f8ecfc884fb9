//! The imperative shell: threads, the terminal, and the only place where effects happen.
//!
//! [`screen`] is the full screen. [`headless`] serves the commands without a screen ([`once()`], [`facts()`],
//! [`explain()`], [`why()`]). [`protect()`] applies rules and can stay. [`metrics()`] shows Prometheus the machine, [`watch()`] tells of events, [`fleet()`] shows many hosts. [`load_test()`] runs a command in a
//! group of its own, with the full screen or without. [`effects`] carries out what the full screen asks for: writes, saved reports, other boots.
//!
//! ```text
//!  keys ─────┐                       ┌─► sampler thread ──┐
//!  time  ────┤                       │                    │
//!  signals ──┼─► Msg ─► update ─► Effect ─► writer, pool ─┼─► Msg …
//!  kmsg ─────┘            │                               │
//!                         └─► draw, when the inbox is empty
//! ```

mod clock;
pub mod effects;
mod explain;
mod facts;
pub mod fleet;
pub mod headless;
pub mod load_test;
pub mod metrics;
mod once;
pub mod protect;
mod record;
mod replay;
mod rules;
pub mod screen;
mod settings_file;
pub mod watch;
mod why;
mod zone;

use std::io::{self, Write};

use crate::linux::ReadError;
use crate::linux::host::descriptors::Shortage;
use crate::linux::own_room::Cramped;
use crate::text::tone::printable;

pub use explain::explain;
pub use facts::facts;
pub use fleet::fleet;
pub use load_test::{Told, load_test, tidy_up};
pub use metrics::metrics;
pub use once::once;
pub use protect::protect;
pub use record::{Recorder, record};
pub use replay::{Showing, replay};
pub use screen::{OwnFiles, run};
pub use settings_file::{Draft, SettingsFile};
pub use watch::watch;
pub use why::why;

/// Why oomtop could not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A kernel file that oomtop cannot work without.
    #[error("{0}")]
    Read(#[from] ReadError),
    /// Too few files can be opened.
    #[error("{0}")]
    Descriptors(#[from] Shortage),
    /// The limit of oomtop's own cgroup is too low.
    #[error("{0}")]
    Memory(#[from] Cramped),
    /// The terminal.
    #[error("the terminal failed: {0}")]
    Terminal(io::Error),
    /// A thread could not be started.
    #[error("a thread could not be started: {0}{hint}", hint = limits(.0))]
    Thread(io::Error),
    /// Signals could not be caught.
    #[error("signals cannot be caught: {0}")]
    Signals(io::Error),
    /// Writes cannot be logged.
    #[error("{0}")]
    Audit(String),
    /// A recording cannot be made or shown.
    #[error("{0}")]
    Recording(String),
    /// A command could not be run under watch.
    #[error("{0}")]
    LoadTest(String),
    /// Metrics cannot be shown.
    #[error("{0}")]
    Metrics(String),
    /// The hook cannot be run.
    #[error("{0}")]
    Watch(String),
    /// Prometheus does not answer.
    #[error("{0}")]
    Fleet(String),
    /// Output could not be written.
    #[error("the output could not be written: {0}")]
    Output(io::Error),
}

/// Reports a failure on standard error, without what a terminal would obey: names of files and hosts may hold
/// anything.
pub fn complain(what: &str) {
    // Nobody can be told where standard error is closed.
    let _ = writeln!(io::stderr(), "oomtop: {}", printable(what));
}

/// Where to look when no thread can be made (pthread_create(3)).
fn limits(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::EAGAIN | libc::ENOMEM) => {
            "; look at the limits on processes (ulimit -u, pids.max of the cgroup) and on memory (ulimit -v)"
        }
        _ => "",
    }
}

/// Locks oomtop's own memory, keeps what it frees, and lowers its own adj, as far as the kernel allows. oomtop works without,
/// so refusals are ignored. Call this first: memory mapped later is locked too, and each thread has an arena.
pub fn protect_self() {
    let _ = crate::linux::host::self_protection::protect_self();
}
