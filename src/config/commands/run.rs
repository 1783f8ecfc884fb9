//! `oomtop run`.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;

use crate::app::settings::Settings;
use crate::config::environment::Environment;
use crate::config::flags::Flags;
use crate::config::rules::RuleFiles;
use crate::config::{Stop, sources};
use crate::linux::scan::backend::BackendChoice;
use crate::model::process::score::OomScoreAdj;
use crate::model::run::task::RunTask;
use crate::model::size::parse_size;
use crate::ui::theme::Themes;

/// Least limit: one page. The kernel rounds down to pages.
const LEAST: u64 = 4096;

/// The end of the help.
const STATUS: &str = "\
The command is in its group before its first instruction. With --limit the group may not swap, unless --swap allows it. The \
dashboard shows the group; its output is kept aside then, and its end printed afterwards. Without a terminal there is no dashboard. \
SIGINT (Ctrl-C), SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2 are passed on to the command. The report comes when the command \
ends; processes that it has left behind are named, and the group stays for them.

Exit status: that of the command; 128 + n if signal n ended it; 86 with --fail-on-oom, if its limit ran out; 125 if oomtop failed; 126 if the command \
cannot be executed; 127 if it was not found.";

/// Runs a command in a memory cgroup of its own and reports what it needed: peak, pressure, kills, and the limit that would do.
#[derive(Debug, clap::Args)]
#[command(after_help = STATUS)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a command line is a bag of switches"
)]
pub(in crate::config) struct RunArgs {
    /// Limit of the group, such as 512M or 2G
    #[arg(long, value_name = "SIZE", value_parser = limit)]
    limit: Option<u64>,

    /// Swap that the group may use with --limit: a size, or max
    #[arg(long, value_name = "SIZE", default_value = "0", value_parser = swap, requires = "limit")]
    swap: Swap,

    /// oom_score_adj of the command, -1000 to 1000
    #[arg(long, value_name = "ADJ", allow_hyphen_values = true)]
    adj: Option<OomScoreAdj>,

    /// Exit with 86 if the limit of the group or of one below it ran out, whatever the command says
    #[arg(long)]
    fail_on_oom: bool,

    /// Kill what the command leaves in its group
    #[arg(long)]
    kill_left: bool,

    /// No dashboard: the command has the terminal
    #[arg(long)]
    no_tui: bool,

    /// Write the report as JSON: bytes and microseconds
    #[arg(long)]
    json: bool,

    /// Write the report to this file instead of standard error
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// With the dashboard: write all output of the command to this file
    #[arg(long, value_name = "FILE", conflicts_with = "no_tui")]
    log: Option<PathBuf>,

    /// The command and its arguments
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "CMD"
    )]
    command: Vec<OsString>,
}

/// Swap that is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Swap {
    Unlimited,
    Bytes(u64),
}

fn limit(text: &str) -> Result<u64, String> {
    match parse_size(text).map_err(|error| error.to_string())? {
        0..LEAST => Err("takes a size of at least one page (4096)".to_owned()),
        bytes => Ok(bytes),
    }
}

fn swap(text: &str) -> Result<Swap, String> {
    if text == "max" {
        return Ok(Swap::Unlimited);
    }
    let bytes = parse_size(text).map_err(|error| error.to_string())?;
    Ok(Swap::Bytes(bytes))
}

/// A command to run under watch.
#[derive(Debug)]
pub struct RunLaunch {
    /// What to do.
    pub task: RunTask,
    /// Settings of the run.
    pub settings: Settings,
    /// The dashboard; `None` without.
    pub screen: Option<RunScreen>,
}

/// How the dashboard is shown.
#[derive(Debug)]
pub struct RunScreen {
    /// How it looks.
    pub theme: Themes,
    /// How to read the processes.
    pub backend: BackendChoice,
    /// Listen to the mouse.
    pub mouse: bool,
    /// Lock oomtop's own memory and lower its own adj, where allowed.
    pub self_protect: bool,
    /// Append every write of the dashboard to this file.
    pub audit: Option<PathBuf>,
}

impl RunArgs {
    /// # Errors
    /// Wrong settings, and where settings forbid all writes.
    pub(super) fn resolve(
        self,
        environment: &Environment,
        warnings: &mut Vec<String>,
    ) -> Result<RunLaunch, Stop> {
        let has_screen = environment.terminal && !self.no_tui;
        let sources = if has_screen {
            sources::read(Flags::default(), environment)
        } else {
            sources::for_service(environment, warnings)
        };
        let sources = sources.map_err(Stop::wrong)?;
        let theme = sources.themes();
        let values = sources.configuration.values;
        let mut settings = values.settings;
        if settings.read_only {
            return Err(Stop::wrong([
                "the setting read_only forbids every write: no cgroup can be made for a command"
                    .to_owned(),
            ]));
        }
        let rules = RuleFiles::new(Vec::new(), environment).read();
        settings.rules = rules
            .map(Arc::new)
            .map_err(|sentences| sentences.into_iter().next().unwrap_or_default());
        let mouse = settings.mouse;
        if self.log.is_some() && !has_screen {
            return Err(Stop::wrong(["--log is for the dashboard, and there is no terminal for one: redirect the output instead".to_owned()]));
        }
        let runtime_dir = environment.variables.get(OsStr::new("XDG_RUNTIME_DIR"));
        Ok(RunLaunch {
            task: RunTask {
                command: self.command,
                memory: self.limit,
                swap: match self.swap {
                    Swap::Unlimited => None,
                    Swap::Bytes(bytes) => Some(bytes),
                },
                adj: self.adj,
                fail_on_oom: self.fail_on_oom,
                kill_left: self.kill_left,
                json: self.json,
                report: self.output,
                log: self.log,
                runtime_dir: runtime_dir.map(PathBuf::from),
            },
            settings,
            screen: has_screen.then_some(RunScreen {
                theme,
                backend: values.backend,
                mouse,
                self_protect: values.self_protect,
                audit: values.audit,
            }),
        })
    }
}
