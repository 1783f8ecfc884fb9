//! [`Halt`]: why a run without a screen ends early, and the exit status for it.

use std::io::{self, Write};

use crate::linux::ReadError;
use crate::runtime::RunError;

/// Why a run ends early. A signal and a closed pipe end it quietly: the caller prints nothing.
#[derive(Debug, thiserror::Error)]
pub enum Halt {
    /// SIGTERM or SIGINT, by number.
    #[error("ended by signal {0}")]
    Signal(u8),
    /// The reader of standard output closed it (`oomtop --once | head -1`).
    #[error("nobody reads the output any more")]
    ClosedPipe,
    /// The run failed.
    #[error(transparent)]
    Failed(#[from] RunError),
}

impl Halt {
    /// The exit status: 128 + the signal as in a shell, or 0 after a closed pipe.
    ///
    /// # Errors
    /// The failure, if the run failed.
    pub fn status(self) -> Result<u8, RunError> {
        match self {
            Self::Signal(signal) => Ok(128 + signal),
            Self::ClosedPipe => Ok(0),
            Self::Failed(error) => Err(error),
        }
    }
}

/// An error while writing the output.
impl From<io::Error> for Halt {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ClosedPipe,
            _ => Self::Failed(RunError::Output(error)),
        }
    }
}

impl From<ReadError> for Halt {
    fn from(error: ReadError) -> Self {
        Self::Failed(error.into())
    }
}

/// Writes a whole text to standard output.
///
/// # Errors
/// If it cannot be written.
pub fn print(text: &str) -> Result<(), Halt> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    // A last line without a newline is still in the buffer, and the error of a write at exit is lost.
    Ok(out.flush()?)
}
