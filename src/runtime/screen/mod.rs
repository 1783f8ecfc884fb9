//! The full screen: a terminal and its keys around a [`Dashboard`].
//!
//! The parts are separate so that each can be exchanged: [`Dashboard`] is everything but the terminal,
//! [`run_loop`] draws on any ratatui back end, [`TerminalControl`] is what the loop asks of a terminal
//! besides, and [`Screen`] is the real terminal, which a panic restores.

mod dashboard;
mod event_loop;
mod input;
mod keyboard;
mod terminal;

use crate::app::settings::Settings;
use crate::linux::SysRoot;
use crate::linux::scan::backend::BackendChoice;
use crate::runtime::RunError;
use crate::ui::theme::Theme;

pub use dashboard::Dashboard;
pub use event_loop::{TerminalControl, run_loop};
pub use terminal::{JobControl, Screen, ScreenBackend};

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
    // Before the terminal changes: an unreadable /proc is told on an ordinary line.
    let dashboard = Dashboard::start(settings, root, backend)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .max_blocking_threads(4)
        .build()
        .map_err(RunError::Thread)?;
    let mut screen = Screen::enter(mouse).map_err(RunError::Terminal)?;
    let outcome = runtime.block_on(async {
        let tasks = input::tasks(&dashboard.sender()).map_err(RunError::Thread)?;
        let Screen { terminal, control } = &mut screen;
        let ended = dashboard.run(terminal, control, theme).await;
        let status = tasks.exit_status();
        // Before the terminal is given back: a key that is typed early for the shell must not end here.
        tasks.end().await;
        ended.map(|()| status).map_err(RunError::Terminal)
    });
    // A blocked read of /proc or the log must not hold the user's shell.
    runtime.shutdown_background();
    drop(screen);
    outcome
}
