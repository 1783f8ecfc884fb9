//! `oomtop protect`.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;

use crate::config::environment::Environment;
use crate::config::rules::{RuleFiles, trusted};
use crate::config::{Stop, sources};
use crate::linux::SysRoot;
use crate::linux::starts::Way;
use crate::model::process::Pid;

/// How often all processes are looked at, in seconds.
const EVERY: f64 = 30.0;

/// The end of the help.
const PLACES: &str = "\
Rules are in /etc/oomtop/rules.toml, /etc/oomtop/rules.d/*.toml and $XDG_CONFIG_HOME/oomtop/rules.toml. Of those that match a \
process the last one holds it. Without --check, --why and --once oomtop stays for processes that start later; SIGHUP makes it \
read the rules again.

Exit status: with --check 1 if something would change, with --why 1 if no rule holds the process, with --once 1 if something \
was not done; 2 if rules are wrong.";

/// Gives processes the oom_score_adj that rules say, and stays for those that start later.
#[derive(Debug, clap::Args)]
#[command(after_help = PLACES)]
pub(in crate::config) struct ProtectArgs {
    /// Print what would change, and write nothing
    #[arg(long, conflicts_with_all = ["why", "once"])]
    check: bool,

    /// Print which rule holds this process, which others lose, and why
    #[arg(long, value_name = "PID", conflicts_with = "once", value_parser = clap::value_parser!(u32).range(1..))]
    why: Option<Pid>,

    /// Write once and exit
    #[arg(long)]
    once: bool,

    /// Read these rules alone; may be given more than once
    #[arg(long, value_name = "FILE")]
    rules: Vec<PathBuf>,

    /// Append every write to this file, as lines of JSON
    #[arg(long, value_name = "FILE")]
    audit: Option<PathBuf>,

    /// Seconds between two looks at all processes, 0.1 to 3600
    #[arg(long, value_name = "SECONDS", default_value_t = EVERY, value_parser = seconds, conflicts_with_all = ["check", "why", "once"])]
    every: f64,

    /// How to notice processes that start
    #[arg(long, value_name = "HOW", default_value = "auto", conflicts_with_all = ["check", "why", "once"])]
    starts: Noticing,

    /// Read and write this procfs
    #[arg(long, value_name = "DIR")]
    proc: Option<PathBuf>,
}

/// How to notice starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Noticing {
    /// The first of the others that works here
    Auto,
    /// Tracepoints of the kernel: CAP_BPF, CAP_PERFMON, Linux 5.8 or later
    Tracepoints,
    /// The process connector: CAP_NET_ADMIN
    Connector,
    /// A look at the process table each second
    Scan,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok();
    seconds
        .filter(|seconds| (0.1..=3600.0).contains(seconds))
        .ok_or_else(|| "takes seconds from 0.1 to 3600".to_owned())
}

/// What to do.
#[derive(Debug, PartialEq)]
pub enum ProtectTask {
    /// Print what would change.
    Check,
    /// Print which rule holds this process.
    Why(Pid),
    /// Write once.
    Once,
    /// Stay.
    Stay {
        /// How to notice starts.
        way: Way,
        /// How often all processes are looked at.
        every: Duration,
    },
}

/// Rules to apply.
#[derive(Debug, PartialEq)]
pub struct ProtectLaunch {
    /// What to do.
    pub task: ProtectTask,
    /// Where the rules are.
    pub rules: RuleFiles,
    /// Where the kernel's files are.
    pub root: SysRoot,
    /// Append every write to this file.
    pub audit: Option<PathBuf>,
}

impl ProtectArgs {
    /// # Errors
    /// Wrong settings, and a write where settings forbid all.
    pub(super) fn resolve(
        self,
        environment: &Environment,
        warnings: &mut Vec<String>,
    ) -> Result<ProtectLaunch, Stop> {
        let sources = sources::for_service(environment, warnings).map_err(Stop::wrong)?;
        let values = sources.configuration.values;
        let task = match (self.check, self.why, self.once) {
            (true, ..) => ProtectTask::Check,
            (_, Some(pid), _) => ProtectTask::Why(pid),
            (.., true) => ProtectTask::Once,
            _ => ProtectTask::Stay {
                way: match self.starts {
                    Noticing::Auto => Way::Auto,
                    Noticing::Tracepoints => Way::Tracepoints,
                    Noticing::Connector => Way::Connector,
                    Noticing::Scan => Way::Scan,
                },
                every: Duration::from_secs_f64(self.every),
            },
        };
        let writes = !matches!(task, ProtectTask::Check | ProtectTask::Why(_));
        if writes && values.settings.read_only {
            return Err(Stop::wrong(["the setting read_only forbids every write; oomtop protect --check says what would change".to_owned()]));
        }
        if writes && self.audit.is_none() && values.audit.is_some() {
            // Root creates and writes the file that these name; after `sudo` HOME may still be another user's.
            let files = sources.files.iter().filter(|file| file.is_there);
            let refused: Vec<String> = files.filter_map(|file| trusted(&file.path).err()).collect();
            if !refused.is_empty() {
                return Err(Stop::wrong(refused));
            }
        }
        Ok(ProtectLaunch {
            task,
            rules: RuleFiles::new(self.rules, environment),
            root: match self.proc {
                Some(proc) => SysRoot {
                    proc,
                    ..SysRoot::default()
                },
                None => SysRoot::default(),
            },
            audit: self.audit.or(values.audit),
        })
    }
}
