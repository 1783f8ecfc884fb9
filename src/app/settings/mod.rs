//! [`Settings`]: what flags, variables and files decided. Those in [`live::LIVE`], the rules and the refresh period change
//! during the run.

pub mod draft;
pub mod live;
pub mod printing;
pub mod text;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::app::input::keymap::Bindings;
use crate::app::input::presets::Preset;
use crate::app::view::processes::columns::chosen::ChosenColumns;
use crate::model::cgroup::CgroupPath;
use crate::model::filter::Filter;
use crate::model::memory::band::Thresholds;
use crate::model::rules::Rules;

/// Shortest refresh period, in seconds.
pub const MIN_DELAY: f64 = 0.1;
/// Longest refresh period, in seconds.
pub const MAX_DELAY: f64 = 3600.0;

/// Resolved settings. `Default` has the built-in values.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own, as the user gives it"
)]
pub struct Settings {
    /// Time between two samples.
    pub delay: Duration,
    /// Marks of the gauge.
    pub thresholds: Thresholds,
    /// All writes are off.
    pub read_only: bool,
    /// Only ASCII on the screen.
    pub ascii: bool,
    /// Show kernel threads at start.
    pub kernel_threads: bool,
    /// Show parents and children as a tree at start.
    pub tree: bool,
    /// Filter at start.
    pub filter: Filter,
    /// Sort column at start, by id.
    pub sort: Option<&'static str>,
    /// Columns of the table, in order; empty for those that are shown by themselves.
    pub columns: ChosenColumns,
    /// Listen to the mouse.
    pub mouse: bool,
    /// Which keys.
    pub keys: Preset,
    /// The user's own keys, on top of them.
    pub bind: Bindings,
    /// The name of the theme.
    pub theme: String,
    /// The names of the themes there are.
    pub themes: Arc<[String]>,
    /// Keep the last minutes, and save them in this directory after a kill.
    pub record_kills: Option<PathBuf>,
    /// The rules that `oomtop protect` applies, or what is wrong with their files.
    pub rules: Result<Arc<Rules>, String>,
    /// The group of the command that `oomtop run` has started: the table shows its processes, and Ctrl-C is the command's.
    pub watched: Option<CgroupPath>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            delay: Duration::from_secs(1),
            thresholds: Thresholds::default(),
            read_only: false,
            ascii: false,
            kernel_threads: false,
            tree: false,
            filter: Filter::default(),
            sort: None,
            columns: ChosenColumns::default(),
            mouse: true,
            keys: Preset::Oomtop,
            bind: Bindings::default(),
            theme: "oomtop".to_owned(),
            themes: Arc::default(),
            record_kills: None,
            rules: Ok(Arc::default()),
            watched: None,
        }
    }
}
