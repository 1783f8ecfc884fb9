//! `oomtop metrics`.

use std::path::PathBuf;
use std::time::Duration;

use crate::app::settings::Settings;
use crate::config::environment::Environment;
use crate::config::root::RootArgs;
use crate::config::rules::RuleFiles;
use crate::config::{Stop, sources};
use crate::linux::SysRoot;
use crate::linux::scan::backend::BackendChoice;

/// Where Prometheus scrapes.
const LISTEN: &str = "127.0.0.1:9469";

/// The end of the help.
const NOTES: &str = "\
Prometheus scrapes http://HOST:9469/metrics (OpenMetrics, or the older text format). Nobody is asked for a password: the address \
is of this machine alone unless --listen says otherwise. With --textfile nothing listens; the file appears whole, and is removed at \
the end. A page has at most 128 domains, 20 processes and 64 rules; oomtop_left_out counts the others.";

/// Metrics for Prometheus: how near each OOM is, who dies next, who was killed.
#[derive(Debug, clap::Args)]
#[command(after_help = NOTES)]
pub(in crate::config) struct MetricsArgs {
    /// Serve metrics on this address
    #[arg(long, value_name = "HOST:PORT", default_value = LISTEN, conflicts_with = "textfile")]
    listen: String,

    /// Write metrics into this file for node_exporter's textfile collector (its name ends in .prom)
    #[arg(long, value_name = "FILE")]
    textfile: Option<PathBuf>,

    /// Seconds between two writes of the file, 1 to 3600
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=3600), requires = "textfile")]
    every: u64,

    #[command(flatten)]
    root: RootArgs,
}

/// Metrics to show.
#[derive(Debug)]
pub struct MetricsLaunch {
    /// The address to serve them on; `None` with a file.
    pub listen: Option<String>,
    /// The file to write, and how often.
    pub textfile: Option<(PathBuf, Duration)>,
    /// Settings of the run.
    pub settings: Settings,
    /// Where the kernel's files are.
    pub root: SysRoot,
    /// How to read the processes.
    pub backend: BackendChoice,
    /// Where the rules of `oomtop protect` are.
    pub rules: RuleFiles,
}

impl MetricsArgs {
    /// # Errors
    /// Wrong settings.
    pub(super) fn resolve(
        self,
        environment: &Environment,
        warnings: &mut Vec<String>,
    ) -> Result<MetricsLaunch, Stop> {
        let sources = sources::for_service(environment, warnings).map_err(Stop::wrong)?;
        let values = sources.configuration.values;
        let every = Duration::from_secs(self.every);
        Ok(MetricsLaunch {
            listen: self.textfile.is_none().then_some(self.listen),
            textfile: self.textfile.map(|path| (path, every)),
            settings: values.settings,
            root: self.root.resolve(),
            backend: values.backend,
            rules: RuleFiles::new(Vec::new(), environment),
        })
    }
}
