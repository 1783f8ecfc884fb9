//! [`RunTask`]: what `oomtop run` is asked to do. Whoever reads command lines fills it in, whoever runs commands takes it.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::model::process::score::OomScoreAdj;

/// A command to run under watch.
#[derive(Debug)]
pub struct RunTask {
    /// The command and its arguments.
    pub command: Vec<OsString>,
    /// The limit in bytes.
    pub memory: Option<u64>,
    /// Bytes of swap that a limited group may use; `None` for all.
    pub swap: Option<u64>,
    /// `oom_score_adj` of the command.
    pub adj: Option<OomScoreAdj>,
    /// The status tells of an OOM.
    pub fail_on_oom: bool,
    /// Kill who is left in the group.
    pub kill_left: bool,
    /// The report is JSON.
    pub json: bool,
    /// Where the report goes; standard error if nowhere else.
    pub report: Option<PathBuf>,
    /// Where the output of the command goes while the dashboard has the terminal.
    pub log: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`.
    pub runtime_dir: Option<PathBuf>,
}
