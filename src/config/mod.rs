//! From the command line, the environment and two files to a [`Mode`]: what to run, and how.
//!
//! Settings come in layers (`layers.rs`); each is a row of the table in `settings/list.rs`. A subcommand is a file in
//! `commands/`; rules are read by `rules/`.

mod args;
mod bind;
mod commands;
mod environment;
mod faults;
mod file;
mod flags;
mod http_file;
mod launch;
mod layers;
mod list_args;
mod own_file;
mod print;
mod root;
mod rules;
mod settings;
mod sources;
mod terminal;
mod themes;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::sync::Arc;

use clap::Parser;

use crate::text::tone::printable;
use args::Args;
pub use environment::Environment;
pub use launch::{
    ExplainLaunch, FactsLaunch, FleetLaunch, MetricsLaunch, Mode, ProtectLaunch, ProtectTask,
    RecordLaunch, ReplayLaunch, RunLaunch, RunScreen, SampleLaunch, ScreenLaunch, WatchLaunch,
    WhyLaunch,
};
pub use own_file::OwnFile;
use print::{Printed, Which};
pub use rules::RuleFiles;
use settings::Values;

/// The exit status of `oomtop run` when oomtop itself fails, as that of env(1) and timeout(1).
pub const RUN_FAILED: u8 = 125;

/// What to print instead of running, and with which exit status.
#[derive(Debug, PartialEq, Eq)]
pub struct Stop {
    /// The text.
    pub text: String,
    /// 0 for `--help` and `--version`, 2 for anything wrong.
    pub status: u8,
}

impl Stop {
    /// A line for each sentence.
    fn wrong(sentences: impl IntoIterator<Item = String>) -> Self {
        let lines = sentences
            .into_iter()
            .map(|sentence| format!("oomtop: {}\n", printable(&sentence)));
        Self {
            text: lines.collect(),
            status: 2,
        }
    }
}

/// Reads the command line, and the lower layers of settings if the chosen mode has settings. `warnings` takes sentences about
/// settings that are wrong and that the mode does without: a service needs no keys.
///
/// # Errors
/// Help, version, or sentences about what is wrong.
pub fn resolve(
    arguments: impl IntoIterator<Item = OsString>,
    environment: &Environment,
    warnings: &mut Vec<String>,
) -> Result<Mode, Stop> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    // The status of `oomtop run` is the command's: oomtop's own failures have one that commands seldom have.
    let is_run = arguments.get(1).is_some_and(|word| word == "run");
    let own = |stop: Stop| Stop {
        status: if is_run && stop.status != 0 {
            RUN_FAILED
        } else {
            stop.status
        },
        ..stop
    };
    let args = Args::try_parse_from(arguments).map_err(|error| {
        own(Stop {
            text: error.render().to_string(),
            status: u8::try_from(error.exit_code()).unwrap_or(2),
        })
    })?;
    if let Some(command) = args.command {
        return command.resolve(environment, warnings).map_err(own);
    }
    if args.version && !args.verbose {
        return Err(Stop {
            text: concat!("oomtop ", env!("CARGO_PKG_VERSION"), "\n").to_owned(),
            status: 0,
        });
    }
    let own_file = OwnFile::new(&args.flags, environment);
    let printed = match (args.print_config, &args.print) {
        (true, _) => Some(Which::Only(Printed::Config)),
        (false, Some(words)) => Some(Which::of(words).map_err(|error| Stop::wrong([error]))?),
        (false, None) => None,
    };
    let sources = || sources::read(args.flags, environment);
    if let Some(printed) = printed.filter(|_| !args.version) {
        let text = printed.text(environment, sources).map_err(Stop::wrong)?;
        return Ok(Mode::Print(text));
    }
    // Wrong settings are an error in every other mode, with and without a terminal.
    let sources = sources().map_err(Stop::wrong)?;
    let theme = sources.themes();
    let Values {
        mut settings,
        color: _,
        color_depth: _,
        backend,
        self_protect,
        audit,
    } = sources.configuration.values;
    let root = args.root.resolve();
    if args.version {
        return Ok(Mode::Facts(FactsLaunch { root, backend }));
    }
    settings.filter = args
        .list
        .narrowed(settings.filter, &root.proc)
        .map_err(|error| Stop::wrong([error]))?;
    if let Some(printing) = args.list.printed() {
        return Ok(Mode::Samples(SampleLaunch {
            printing,
            settings,
            root,
            backend,
        }));
    }
    if !environment.terminal {
        return Err(Stop::wrong(["the dashboard needs a terminal for its input and output; use --once for a plain table, or --once --json".to_owned()]));
    }
    let rules = RuleFiles::new(Vec::new(), environment);
    // The dashboard works without them: their line in the details says what is wrong.
    settings.rules = rules
        .read()
        .map(Arc::new)
        .map_err(|sentences| sentences.into_iter().next().unwrap_or_default());
    Ok(Mode::Screen(Box::new(ScreenLaunch {
        // read_only forbids every write, oomtop's own adj too.
        self_protect: self_protect && !settings.read_only,
        theme,
        mouse: settings.mouse,
        settings,
        root,
        backend,
        audit,
        rules,
        own_file,
    })))
}
