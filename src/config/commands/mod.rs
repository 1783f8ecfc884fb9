//! Subcommands: each has a file and a variant of [`Command`].

pub(super) mod explain;
pub(super) mod fleet;
pub(super) mod metrics;
pub(super) mod protect;
pub(super) mod record;
pub(super) mod replay;
pub(super) mod run;
pub(super) mod watch;
pub(super) mod why;

use super::Stop;
use super::environment::Environment;
use super::launch::Mode;

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Explain the OOM reports in a log: what ran out, who died, why, and what to do
    Explain(explain::ExplainArgs),
    /// Say why a process or a unit died: an OOM kill, a signal, a crash, an exit, each with its evidence
    Why(why::WhyArgs),
    /// Give processes what rules say, now and when they start later
    Protect(protect::ProtectArgs),
    /// Run a command in a cgroup of its own under watch, and report what it needed
    Run(run::RunArgs),
    /// Metrics for Prometheus: how near each OOM is, who dies next, who was killed
    Metrics(metrics::MetricsArgs),
    /// Tell of kills and of what comes before them, a line for each event
    Watch(watch::WatchArgs),
    /// Many hosts, ranked by how near they are to an OOM, from Prometheus
    Fleet(fleet::FleetArgs),
    /// Record samples and OOM events to a file, to be looked at afterwards
    Record(record::RecordArgs),
    /// Show a recording: the same screen, with keys for the time
    Replay(replay::ReplayArgs),
}

impl Command {
    /// The mode that the subcommand runs. `warnings` takes what is wrong and does not matter to it.
    ///
    /// # Errors
    /// Sentences about what is wrong.
    pub(super) fn resolve(
        self,
        environment: &Environment,
        warnings: &mut Vec<String>,
    ) -> Result<Mode, Stop> {
        Ok(match self {
            Self::Explain(args) => Mode::Explain(args.resolve()),
            Self::Why(args) => Mode::Why(args.resolve()),
            Self::Protect(args) => Mode::Protect(args.resolve(environment, warnings)?),
            Self::Record(args) => Mode::Record(Box::new(args.resolve(environment, warnings)?)),
            Self::Replay(args) => Mode::Replay(Box::new(args.resolve(environment)?)),
            Self::Run(args) => Mode::Run(Box::new(args.resolve(environment, warnings)?)),
            Self::Metrics(args) => Mode::Metrics(Box::new(args.resolve(environment, warnings)?)),
            Self::Watch(args) => Mode::Watch(Box::new(args.resolve(environment, warnings)?)),
            Self::Fleet(args) => Mode::Fleet(Box::new(args.resolve(environment)?)),
        })
    }
}
