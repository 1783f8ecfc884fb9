//! [`Mode`]: what to run, each mode with what it needs.

use std::path::PathBuf;

use super::own_file::OwnFile;
use super::rules::RuleFiles;
use crate::app::settings::Settings;
use crate::app::settings::printing::Printing;
use crate::linux::SysRoot;
use crate::linux::scan::backend::BackendChoice;
use crate::ui::theme::Themes;

pub use super::commands::explain::ExplainLaunch;
pub use super::commands::fleet::FleetLaunch;
pub use super::commands::metrics::MetricsLaunch;
pub use super::commands::protect::{ProtectLaunch, ProtectTask};
pub use super::commands::record::RecordLaunch;
pub use super::commands::replay::ReplayLaunch;
pub use super::commands::run::{RunLaunch, RunScreen};
pub use super::commands::watch::WatchLaunch;
pub use super::commands::why::WhyLaunch;

/// What to run.
#[derive(Debug)]
pub enum Mode {
    /// The full screen.
    Screen(Box<ScreenLaunch>),
    /// Samples to print.
    Samples(SampleLaunch),
    /// How this machine is read, then exit.
    Facts(FactsLaunch),
    /// Print this text: what `--print` asks for.
    Print(String),
    /// The OOM reports of a log, then exit.
    Explain(ExplainLaunch),
    /// Why a process or a unit died, then exit.
    Why(WhyLaunch),
    /// Rules to apply, once or as long as it runs.
    Protect(ProtectLaunch),
    /// A command in a group of its own.
    Run(Box<RunLaunch>),
    /// Metrics as long as it runs.
    Metrics(Box<MetricsLaunch>),
    /// Events as long as it runs.
    Watch(Box<WatchLaunch>),
    /// Many hosts.
    Fleet(Box<FleetLaunch>),
    /// A recording to make.
    Record(Box<RecordLaunch>),
    /// A recording to show.
    Replay(Box<ReplayLaunch>),
}

/// The full screen.
#[derive(Debug)]
pub struct ScreenLaunch {
    /// Settings of the run.
    pub settings: Settings,
    /// How it looks.
    pub theme: Themes,
    /// Where the kernel's files are.
    pub root: SysRoot,
    /// How to read the processes.
    pub backend: BackendChoice,
    /// Listen to the mouse.
    pub mouse: bool,
    /// Lock oomtop's own memory and lower its own adj, where allowed.
    pub self_protect: bool,
    /// Append every write to this file.
    pub audit: Option<PathBuf>,
    /// Where the rules of `oomtop protect` are.
    pub rules: RuleFiles,
    /// The user's configuration file.
    pub own_file: OwnFile,
}

/// Samples, printed.
#[derive(Debug)]
pub struct SampleLaunch {
    /// What to print, and how often.
    pub printing: Printing,
    /// Settings of the run.
    pub settings: Settings,
    /// Where the kernel's files are.
    pub root: SysRoot,
    /// How to read the processes.
    pub backend: BackendChoice,
}

/// How this machine is read.
#[derive(Debug)]
pub struct FactsLaunch {
    /// Where the kernel's files are.
    pub root: SysRoot,
    /// How to read the processes.
    pub backend: BackendChoice,
}
