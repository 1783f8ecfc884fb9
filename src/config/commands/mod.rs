//! Subcommands: each has a file and a variant of [`Command`].

pub(super) mod explain;

use super::launch::Mode;

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Explain the OOM reports in a log: what ran out, who died, why, and what to do
    Explain(explain::ExplainArgs),
}

impl Command {
    /// The mode that the subcommand runs.
    pub(super) fn resolve(self) -> Mode {
        match self {
            Self::Explain(args) => Mode::Explain(args.resolve()),
        }
    }
}
