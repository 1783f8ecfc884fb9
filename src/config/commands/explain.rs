//! `oomtop explain`.

use std::path::PathBuf;

use crate::linux::SysRoot;
use crate::linux::log::LogSource;

/// Reads kernel logs in any form: `dmesg`, `/dev/kmsg` records, syslog, the journal's text or JSON,
/// container logs. Exit status: 0 if there were kills, 1 if none, 2 if something could not be read.
#[derive(Debug, clap::Args)]
pub(in crate::config) struct ExplainArgs {
    /// Logs to read; `-` is standard input; without any, the running kernel's log
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Read the journal of another boot: -1 is the one before
    #[arg(
        long,
        value_name = "BOOT",
        allow_hyphen_values = true,
        conflicts_with = "files"
    )]
    boot: Option<String>,

    /// Read this kernel log (a device or a file of kmsg records) as the running kernel's
    #[arg(long, value_name = "FILE", conflicts_with_all = ["files", "boot"])]
    kmsg: Option<PathBuf>,

    /// Print one JSON document with every report
    #[arg(long)]
    json: bool,
}

/// The OOM reports of a log.
#[derive(Debug, PartialEq, Eq)]
pub struct ExplainLaunch {
    /// Which log to read.
    pub source: LogSource,
    /// Where the running kernel's log is.
    pub root: SysRoot,
    /// Print one JSON document.
    pub json: bool,
}

impl ExplainArgs {
    pub(super) fn resolve(self) -> ExplainLaunch {
        let source = match self.boot {
            Some(boot) => LogSource::Boot(boot),
            None if self.files.is_empty() => LogSource::Running,
            None => LogSource::Files(self.files),
        };
        ExplainLaunch {
            source,
            root: match self.kmsg {
                Some(kmsg) => SysRoot {
                    kmsg,
                    ..SysRoot::default()
                },
                None => SysRoot::default(),
            },
            json: self.json,
        }
    }
}
