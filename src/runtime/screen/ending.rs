//! The end of a full screen: the keyboard stops, the signals, the threads, and the shell has its terminal back.

use std::io::{self, Write as _};

use tokio::runtime::Runtime;

use super::keyboard::Keyboard;
use super::{Screen, input, terminal};
use crate::runtime::RunError;

/// The exit status after SIGHUP.
const HUNG_UP: u8 = 128 + 1;

/// The exit status of a screen whose terminal may have hung up: the kernel sends SIGHUP to some programs of a terminal
/// only, the others leave in the same way.
pub(super) fn hung_up(outcome: Result<u8, RunError>) -> Result<u8, RunError> {
    match outcome {
        Err(RunError::Terminal(error)) if terminal::is_hang_up(&error) => Ok(HUNG_UP),
        outcome => outcome,
    }
}

/// Ends keyboard and signals. Comes before the terminal is restored: oomtop must not swallow keys meant for the shell.
///
/// # Errors
/// What ended the screen, or the keyboard.
pub(super) async fn leave(
    keyboard: Keyboard,
    tasks: input::Tasks,
    ended: io::Result<()>,
) -> Result<u8, RunError> {
    let keys = keyboard.end();
    let status = tasks.exit_status(ended.and(keys));
    tasks.end().await;
    status.map_err(RunError::Terminal)
}

/// Restores the terminal and says what had to wait until then; passes the outcome on.
pub(super) fn give_back(
    runtime: Runtime,
    mut screen: Screen,
    outcome: Result<u8, RunError>,
) -> Result<u8, RunError> {
    // A blocked read of /proc or the log must not keep the user from the shell.
    runtime.shutdown_background();
    // Nobody waits for signals any more, and the terminal may take no output.
    terminal::give_up_after(input::GRACE, *outcome.as_ref().unwrap_or(&1));
    let word = screen.control.take_word();
    drop(screen);
    if !word.is_empty() {
        // Where standard error is closed nobody can be told.
        let _ = io::stderr().write_all(word.as_bytes());
    }
    outcome
}
