//! The full screen: a terminal and its keys around a [`Dashboard`].
//!
//! Each part can be exchanged: [`Dashboard`] is everything but the terminal, [`run_loop`] draws on any ratatui
//! back end, [`TerminalControl`] suspends and retakes a terminal, and [`Screen`] is the real terminal, which a
//! panic restores.

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

/// Runs the full screen until the user quits. Returns the exit status: 0, or 128 + the signal that ended the
/// program.
///
/// # Errors
/// See [`RunError`]; the terminal is restored before this returns.
pub fn run(
    settings: Settings,
    theme: &Theme,
    root: SysRoot,
    backend: BackendChoice,
    mouse: bool,
) -> Result<u8, RunError> {
    // Before the terminal changes modes: an error about /proc is then an ordinary line.
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
        // Before the terminal is restored: oomtop must not swallow keys meant for the shell.
        tasks.end().await;
        ended.map(|()| status).map_err(RunError::Terminal)
    });
    // A blocked read of /proc or the log must not keep the user from the shell.
    runtime.shutdown_background();
    drop(screen);
    outcome
}
