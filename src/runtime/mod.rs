//! The shell: threads, the terminal, and the one place where effects happen.
//!
//! ```text
//!  keys ─────┐                       ┌─► sampler thread ──┐
//!  time  ────┤                       │                    │
//!  signals ──┼─► Msg ─► update ─► Effect ─► blocking pool ┼─► Msg …
//!  kmsg ─────┘            │                               │
//!                         └─► draw, when the inbox is empty
//! ```

mod clock;
mod effects;
mod event_loop;
mod explain;
mod facts;
mod log_source;
mod older;
mod once;
mod save;
mod sources;
mod terminal;

use std::io;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::app::State;
use crate::app::settings::Settings;
use crate::linux::scan::backend::BackendChoice;
use crate::linux::{ReadError, SysRoot};
use crate::ui::theme::Theme;

pub use explain::explain;
pub use facts::facts;
pub use once::once;

/// Messages that may wait: a storm of log lines slows its thread down, not the keyboard.
const INBOX: usize = 1024;

/// Why oomtop could not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A kernel file without which nothing can be shown.
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

/// Locks oomtop's own memory and lowers its own adj, as far as it may: what is refused is refused, it
/// works without. Before anything else, so that all that comes later is locked too.
pub fn protect_self() {
    let _ = crate::linux::host::self_protection::protect_self();
}

/// Runs the full screen until the user leaves. Returns the exit status: 0, or 128 + the signal that
/// ended it.
///
/// # Errors
/// See [`RunError`]; the terminal has been restored by then.
pub fn run(
    settings: Settings,
    theme: &Theme,
    root: SysRoot,
    backend: BackendChoice,
    mouse: bool,
) -> Result<u8, RunError> {
    let (send, inbox) = mpsc::channel(INBOX);
    // Before the terminal changes: an unreadable /proc is told on an ordinary line.
    let sources::Sampling { host, ask } = sources::sampler(root.clone(), backend, send.clone())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .max_blocking_threads(4)
        .build()
        .map_err(RunError::Thread)?;
    let size = crossterm::terminal::size().map_err(RunError::Terminal)?;
    let version = host.cgroups;
    let read_only = settings.read_only;
    let state = State::new(settings, host, size, clock::now());
    let mut screen = terminal::Screen::enter(mouse).map_err(RunError::Terminal)?;
    let outcome = runtime.block_on(async {
        let stop = sources::Stop::default();
        sources::log(&root, send.clone(), Arc::clone(&stop.flag)).map_err(RunError::Thread)?;
        let tasks = sources::tasks(&send).map_err(RunError::Thread)?;
        let performer = effects::Performer::new(root, version, read_only, ask, send);
        let ended =
            event_loop::run(&mut screen, state, theme, inbox, performer, &tasks.ended_by).await;
        // Before the terminal is given back: a key that is typed early for the shell must not end here.
        tasks.end().await;
        ended.map_err(RunError::Terminal)
    });
    // A blocked read of /proc or the log must not hold the user's shell.
    runtime.shutdown_background();
    drop(screen);
    outcome
}
