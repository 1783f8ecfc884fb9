//! `oomtop replay`.

use std::path::PathBuf;

use crate::app::settings::Settings;
use crate::config::environment::Environment;
use crate::config::flags::Flags;
use crate::config::{Stop, sources};
use crate::ui::theme::Themes;

/// The end of the help.
const KEYS: &str = "\
The screen is that of the dashboard, and nothing is written. b and f go a sample back and forward, ( and ) 10 seconds, { and } \
a minute, J and j to the kill before and after, : to a time; Z stops and goes on, v and V make it faster and slower; M sets a \
mark, C compares it with now.

Exit status of --json and --at: 0, or 1 if there is no sample at that time.";

/// Shows a recording: the same screen, with keys for the time.
#[derive(Debug, clap::Args)]
#[command(after_help = KEYS)]
pub(in crate::config) struct ReplayArgs {
    /// The recording: its newest part finds the others
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Print the sample of this time and exit: HH:MM[:SS], a date and time, or -90s from the end
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    at: Option<String>,

    /// Print a JSON document, of the last sample or that of --at, and exit
    #[arg(long)]
    json: bool,
}

/// A recording to show.
#[derive(Debug)]
pub struct ReplayLaunch {
    /// Where it is.
    pub file: PathBuf,
    /// Print the sample of this time.
    pub at: Option<String>,
    /// Print it as JSON.
    pub json: bool,
    /// Settings of the run.
    pub settings: Settings,
    /// How it looks.
    pub theme: Themes,
    /// Listen to the mouse.
    pub mouse: bool,
}

impl ReplayArgs {
    /// # Errors
    /// Wrong settings, and no terminal for the screen.
    pub(super) fn resolve(self, environment: &Environment) -> Result<ReplayLaunch, Stop> {
        let sources = sources::read(Flags::default(), environment).map_err(Stop::wrong)?;
        let theme = sources.themes();
        let values = sources.configuration.values;
        if !environment.terminal && !self.json && self.at.is_none() {
            return Err(Stop::wrong([
                "replay needs a terminal for its input and output; use --at TIME for a plain table, or --json".to_owned(),
            ]));
        }
        Ok(ReplayLaunch {
            file: self.file,
            at: self.at,
            json: self.json,
            mouse: values.settings.mouse,
            settings: values.settings,
            theme,
        })
    }
}
