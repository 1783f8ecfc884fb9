//! `oomtop watch`.

use std::path::PathBuf;
use std::time::Duration;

use crate::app::settings::Settings;
use crate::config::environment::Environment;
use crate::config::root::RootArgs;
use crate::config::rules::RuleFiles;
use crate::config::{Stop, sources};
use crate::linux::SysRoot;
use crate::linux::scan::backend::BackendChoice;

/// The end of the help.
const NOTES: &str = "\
Events: kill, kill_explained (who it was, where only a counter had told), forecast (a domain is full within --forecast), band, stuck, drift (processes have not what a rule of oomtop protect gives \
them, are not in its group, or the group has not its limits), and the end of each.

The hook is run without arguments and without a shell, once for each event, one at a time and one a second at most, for 30 seconds at \
most (5 while a kill waits). Kills come first; 64 of them and 64 other events wait, more are left out. Its environment has OOMTOP_EVENT, OOMTOP_TEXT, OOMTOP_TIME, OOMTOP_HOST, OOMTOP_JSON, \
OOMTOP_LEFT_OUT, and as far as the event has them OOMTOP_DOMAIN, _UNIT, _PID, _COMM, _BY, _SCOPE, _CGROUP, _LIMIT_OF, _PROCESSES, \
_SECONDS_LEFT, _BAND, _USED_PERCENT, _HOW, _RULE, _LIMITS.";

/// Tells of kills and of what comes before them, a line for each event.
#[derive(Debug, clap::Args)]
#[command(after_help = NOTES)]
pub(in crate::config) struct WatchArgs {
    /// Run this program for each event, with the facts in its environment
    #[arg(long, value_name = "PROGRAM")]
    hook: Option<PathBuf>,

    /// Tell when a domain will be full within this time, such as 60s, 10m or 1h
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = span)]
    forecast: Duration,

    /// A line of JSON for each event
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    root: RootArgs,
}

/// `60`, `60s`, `10m`, `1h`.
fn span(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.chars().last() {
        Some('s') => (text.strip_suffix('s'), 1),
        Some('m') => (text.strip_suffix('m'), 60),
        Some('h') => (text.strip_suffix('h'), 3600),
        _ => (Some(text), 1),
    };
    let number = number.and_then(|number| number.parse::<u64>().ok());
    let seconds = number.and_then(|number| number.checked_mul(unit));
    seconds
        .filter(|seconds| (1..=86_400).contains(seconds))
        .map(Duration::from_secs)
        .ok_or_else(|| "takes a time from 1s to 24h, such as 60s, 10m or 1h".to_owned())
}

/// Events to tell.
#[derive(Debug)]
pub struct WatchLaunch {
    /// The program to run for each event.
    pub hook: Option<PathBuf>,
    /// Forecasts below this are told.
    pub forecast: Duration,
    /// Lines are JSON.
    pub json: bool,
    /// Settings of the run.
    pub settings: Settings,
    /// Where the kernel's files are.
    pub root: SysRoot,
    /// How to read the processes.
    pub backend: BackendChoice,
    /// Where the rules of `oomtop protect` are.
    pub rules: RuleFiles,
}

impl WatchArgs {
    /// # Errors
    /// Wrong settings.
    pub(super) fn resolve(
        self,
        environment: &Environment,
        warnings: &mut Vec<String>,
    ) -> Result<WatchLaunch, Stop> {
        let sources = sources::for_service(environment, warnings).map_err(Stop::wrong)?;
        let values = sources.configuration.values;
        Ok(WatchLaunch {
            hook: self.hook,
            forecast: self.forecast,
            json: self.json,
            settings: values.settings,
            root: self.root.resolve(),
            backend: values.backend,
            rules: RuleFiles::new(Vec::new(), environment),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::span;

    #[test]
    fn a_time_has_a_unit_or_is_in_seconds() {
        let seconds = |text| span(text).map(|span: Duration| span.as_secs()).ok();
        assert_eq!(
            ["60", "60s", "10m", "1h", "24h"].map(seconds),
            [Some(60), Some(60), Some(600), Some(3600), Some(86_400)]
        );
        for wrong in [
            "",
            "0",
            "s",
            "1d",
            "25h",
            "-1",
            "1.5m",
            "99999999999999999999h",
            "1é",
        ] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }
}
