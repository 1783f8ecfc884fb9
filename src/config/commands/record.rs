//! `oomtop record`.

use std::path::PathBuf;
use std::time::Duration;

use crate::app::settings::Settings;
use crate::config::environment::Environment;
use crate::config::root::RootArgs;
use crate::config::settings::seconds;
use crate::config::{Stop, sources};
use crate::linux::SysRoot;
use crate::linux::scan::backend::BackendChoice;
use crate::model::record::RecordTask;
use crate::model::size::parse_size;

/// Least room of a recording.
const LEAST: u64 = 1 << 20;

/// The end of the help.
const PLACES: &str = "\
oomtop replay FILE shows a recording. FILE is the newest part of it; a full part becomes FILE.1, FILE.2 and so on, and the \
oldest is removed when all together are larger than --max. What is recorded can be read by nobody else: command lines are \
in it. SIGTERM and SIGINT end a recording with status 0; after kill -9 the last second may be missing.";

/// Records samples and OOM events to a file, to be looked at afterwards.
#[derive(Debug, clap::Args)]
#[command(after_help = PLACES)]
pub(in crate::config) struct RecordArgs {
    /// Where to record; a file that exists is refused
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,

    /// Time between two samples: 500ms, 1s, 2m, or seconds, 0.1 to 3600
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = every)]
    every: Duration,

    /// Most bytes of all parts together
    #[arg(long, value_name = "SIZE", default_value = "100M", value_parser = most)]
    max: u64,

    /// If FILE is a recording already, make it an older part, which counts for --max
    #[arg(long = "continue")]
    goes_on: bool,

    #[command(flatten)]
    root: RootArgs,
}

fn every(text: &str) -> Result<Duration, String> {
    let unit = [("ms", 0.001), ("s", 1.0), ("m", 60.0)];
    let found = unit
        .iter()
        .find_map(|(unit, by)| Some((text.strip_suffix(unit)?, by)));
    let length = found.and_then(|(number, by)| Some(number.parse::<f64>().ok()? * by));
    let length = length.map_or_else(|| text.to_owned(), |length| length.to_string());
    seconds(&length).map_err(|_| {
        format!("takes a time from 0.1 to 3600 seconds, such as 500ms, 1s or 2m, not '{text}'")
    })
}

fn most(text: &str) -> Result<u64, String> {
    match parse_size(text).map_err(|error| error.to_string())? {
        0..LEAST => Err("takes a size of at least 1M".to_owned()),
        bytes => Ok(bytes),
    }
}

/// A recording to make.
#[derive(Debug)]
pub struct RecordLaunch {
    /// Where, and how much.
    pub task: RecordTask,
    /// Settings of the run; `delay` is the time between two samples.
    pub settings: Settings,
    /// Where the kernel's files are.
    pub root: SysRoot,
    /// How to read the processes.
    pub backend: BackendChoice,
}

impl RecordArgs {
    /// # Errors
    /// Wrong settings.
    pub(super) fn resolve(
        self,
        environment: &Environment,
        warnings: &mut Vec<String>,
    ) -> Result<RecordLaunch, Stop> {
        let sources = sources::for_service(environment, warnings).map_err(Stop::wrong)?;
        let values = sources.configuration.values;
        Ok(RecordLaunch {
            task: RecordTask {
                file: self.output,
                most: self.max,
                goes_on: self.goes_on,
            },
            settings: Settings {
                delay: self.every,
                ..values.settings
            },
            root: self.root.resolve(),
            backend: values.backend,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::every;

    #[test]
    fn a_time_between_samples_has_a_unit_or_is_in_seconds() {
        for (text, millis) in [("500ms", 500), ("1s", 1000), ("0.5", 500), ("2m", 120_000)] {
            assert_eq!(every(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["50ms", "2h", "x", "ms", "61m", "NaNs", "-1s"] {
            let refused = every(text).expect_err(text);
            assert!(refused.contains(&format!("not '{text}'")), "{refused}");
        }
    }
}
