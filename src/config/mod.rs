//! From the command line and the environment to a [`Launch`]: what to run, and how.

mod args;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;

use crate::app::settings::{MAX_DELAY, MIN_DELAY, Settings};
use crate::app::view::processes::columns::COLUMNS;
use crate::linux::SysRoot;
use crate::linux::scan::backend::BackendChoice;
use crate::model::filter::Filter;
use crate::model::memory::band::Thresholds;
use crate::ui::theme::Theme;
use args::{Args, Command, ExplainArgs};

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The full screen.
    Screen,
    /// One plain table, then exit.
    Table,
    /// One JSON document, then exit.
    Json,
    /// The OOM reports of a log, then exit.
    Explain,
    /// How this machine is read, then exit.
    Facts,
}

/// What `explain` reads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LogSource {
    /// The running kernel's log.
    #[default]
    Running,
    /// These files; `-` is standard input.
    Files(Vec<PathBuf>),
    /// The journal of another boot, as `journalctl --boot` names it.
    Boot(String),
}

/// Everything `main` hands to the runtime.
#[derive(Debug)]
pub struct Launch {
    /// What to do.
    pub mode: Mode,
    /// Settings of the run.
    pub settings: Settings,
    /// How it looks.
    pub theme: Theme,
    /// Where the kernel's files are.
    pub root: SysRoot,
    /// How to read the processes.
    pub backend: BackendChoice,
    /// Listen to the mouse.
    pub mouse: bool,
    /// Lock oomtop's own memory and lower its own adj, where allowed.
    pub self_protect: bool,
    /// What `explain` reads.
    pub logs: LogSource,
    /// `explain` prints JSON.
    pub json: bool,
}

/// What to print instead of running, and with which exit status.
#[derive(Debug, PartialEq, Eq)]
pub struct Stop {
    /// The text.
    pub text: String,
    /// 0 for `--help` and `--version`, 2 for anything wrong.
    pub status: u8,
}

impl Stop {
    fn wrong(text: impl Into<String>) -> Self {
        Self {
            text: format!("oomtop: {}\n", text.into()),
            status: 2,
        }
    }
}

/// Reads the command line.
///
/// # Errors
/// Help, version, or a sentence about what is wrong.
pub fn resolve(arguments: impl IntoIterator<Item = OsString>) -> Result<Launch, Stop> {
    let args = Args::try_parse_from(arguments).map_err(|error| Stop {
        text: error.render().to_string(),
        status: u8::try_from(error.exit_code()).unwrap_or(2),
    })?;
    let (logs, explain_json) = match &args.command {
        Some(Command::Explain(explain)) => (log_source(explain), explain.json),
        None => (LogSource::default(), false),
    };
    if args.version && !args.verbose {
        return Err(Stop {
            text: concat!("oomtop ", env!("CARGO_PKG_VERSION"), "\n").to_owned(),
            status: 0,
        });
    }
    let mode = match (&args.command, args.once, args.json) {
        _ if args.version => Mode::Facts,
        (Some(Command::Explain(_)), ..) => Mode::Explain,
        (None, _, true) => Mode::Json,
        (None, true, false) => Mode::Table,
        (None, false, false) => Mode::Screen,
    };
    // What is wrong on the command line is wrong with and without a terminal.
    let settings = settings(&args)?;
    if mode == Mode::Screen && !(std::io::stdout().is_terminal() && std::io::stdin().is_terminal())
    {
        return Err(Stop::wrong(
            "the dashboard needs a terminal for its input and output; use --once for a plain table, or --once --json",
        ));
    }
    // https://no-color.org: set and not empty.
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let theme = if args.no_color || no_color {
        Theme::mono()
    } else {
        Theme::colours()
    };
    Ok(Launch {
        mode,
        settings,
        theme,
        root: root(&args),
        backend: args.backend.into(),
        mouse: !args.no_mouse,
        // Nothing at all is written with --read-only.
        self_protect: !args.no_self_protect && !args.read_only,
        logs,
        json: explain_json,
    })
}

fn log_source(explain: &ExplainArgs) -> LogSource {
    match &explain.boot {
        Some(boot) => LogSource::Boot(boot.clone()),
        None if explain.files.is_empty() => LogSource::Running,
        None => LogSource::Files(explain.files.clone()),
    }
}

fn settings(args: &Args) -> Result<Settings, Stop> {
    if !(MIN_DELAY..=MAX_DELAY).contains(&args.delay) {
        return Err(Stop::wrong(format!(
            "--delay takes seconds from {MIN_DELAY} to {MAX_DELAY}, not {}",
            args.delay
        )));
    }
    let filter = Filter::parse(args.filter.as_deref().unwrap_or_default())
        .map_err(|error| Stop::wrong(format!("--filter: {error}")))?;
    let sort = match &args.sort {
        None => None,
        Some(name) => Some(
            COLUMNS
                .iter()
                .find(|c| c.id == *name)
                .map(|c| c.id)
                .ok_or_else(|| {
                    let names: Vec<_> = COLUMNS.iter().map(|c| c.id).collect();
                    Stop::wrong(format!(
                        "--sort: there is no column '{name}'; the columns are {}",
                        names.join(", ")
                    ))
                })?,
        ),
    };
    Ok(Settings {
        delay: Duration::from_secs_f64(args.delay),
        thresholds: bands(args.bands.as_deref())?,
        read_only: args.read_only,
        ascii: args.ascii,
        kernel_threads: args.kernel_threads,
        filter,
        sort,
    })
}

fn bands(text: Option<&str>) -> Result<Thresholds, Stop> {
    let Some(text) = text else {
        return Ok(Thresholds::default());
    };
    let marks: Result<Vec<f64>, _> = text
        .split(',')
        .map(|mark| mark.trim().trim_end_matches('%').parse())
        .collect();
    let marks: Option<[f64; 3]> = marks.ok().and_then(|marks| marks.try_into().ok());
    let marks = marks.ok_or_else(|| {
        Stop::wrong(format!(
            "--bands takes three percentages such as 70,85,95, not '{text}'"
        ))
    })?;
    Thresholds::new(marks).map_err(|error| Stop::wrong(format!("--bands: {error}")))
}

fn root(args: &Args) -> SysRoot {
    let base = args
        .root
        .as_deref()
        .map_or_else(SysRoot::default, SysRoot::under);
    // `--proc /host/proc` alone: the settings of that host are beside it.
    let beside = args.proc.as_deref().and_then(|proc| {
        let named = args.root.is_none() && proc.ends_with("proc");
        named.then(|| proc.parent()).flatten()
    });
    SysRoot {
        base: beside.map_or(base.base, Path::to_owned),
        proc: args.proc.clone().unwrap_or(base.proc),
        cgroup: args.cgroup.clone().unwrap_or(base.cgroup),
        kmsg: args.kmsg.clone().unwrap_or(base.kmsg),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{Launch, LogSource, Mode, Stop, resolve};
    use crate::linux::scan::backend::BackendChoice;

    fn launch(line: &str) -> Result<Launch, Stop> {
        resolve(line.split_whitespace().map(Into::into))
    }

    #[test]
    fn options() {
        let launch = launch("oomtop --once -d 0.5 --bands 60,80,90% --root /host --kmsg /k --sort rss --read-only --filter adj<0 --backend proc")
            .expect("valid");
        assert_eq!(launch.mode, Mode::Table);
        assert_eq!(launch.settings.delay.as_millis(), 500);
        assert_eq!(launch.root.proc, PathBuf::from("/host/proc"));
        assert_eq!(launch.root.kmsg, PathBuf::from("/k"));
        assert_eq!(launch.backend, BackendChoice::Proc);
        assert!(!launch.self_protect, "--read-only");
        assert!(launch.settings.read_only);
    }

    #[test]
    fn explain_takes_files_or_a_boot() {
        let launch = |line| launch(line).expect("valid");
        assert_eq!(launch("oomtop explain").logs, LogSource::Running);
        assert_eq!(
            launch("oomtop explain --json - a.log").logs,
            LogSource::Files(vec!["-".into(), "a.log".into()])
        );
        assert_eq!(
            launch("oomtop explain --boot -1").logs,
            LogSource::Boot("-1".to_owned())
        );
        assert_eq!(launch("oomtop explain a").mode, Mode::Explain);
    }

    #[test]
    fn nonsense_is_refused_with_a_sentence() {
        for line in [
            "oomtop --once -d 0",
            "oomtop --once -d nan",
            "oomtop --once --bands 1,2",
            "oomtop --once --bands 90,80,70",
            "oomtop --once --sort size",
            "oomtop --once --filter rss>x",
            "oomtop --backend magic",
            "oomtop --frobnicate",
            "oomtop extra",
        ] {
            let stop = launch(line).expect_err(line);
            assert_eq!(stop.status, 2, "{line}");
            assert!(stop.text.len() > 20, "{line}: {}", stop.text);
        }
        assert_eq!(launch("oomtop --help").expect_err("help").status, 0);
        assert_eq!(launch("oomtop --version").expect_err("version").status, 0);
    }
}
