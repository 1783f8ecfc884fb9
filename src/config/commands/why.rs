//! `oomtop why`.

use std::path::PathBuf;

use crate::linux::SysRoot;
use crate::oomlog::analysis::death::Question;

/// Reads the kernel's log, the journal, `/proc` and the counters of cgroups. Exit status: 0 if the cause of the newest
/// death is known, 1 if it is not, 2 if nothing could be read.
#[derive(Debug, clap::Args)]
pub(in crate::config) struct WhyArgs {
    /// A process number, a unit, or the name of a process, a container's id, a pod
    #[arg(value_name = "PID|UNIT|NAME", value_parser = named)]
    of: String,

    /// Look at what happened since then, in older boots too: "10 min ago", "12:30", "2026-11-27 12:30"
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,

    /// Read this kernel log (a device or a file of kmsg records) as the running kernel's
    #[arg(long, value_name = "FILE")]
    kmsg: Option<PathBuf>,

    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// What names somebody.
fn named(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("it names nobody: give a process number, a unit, or a name".to_owned()),
        "0" => Err("no process has the number 0".to_owned()),
        name => Ok(name.to_owned()),
    }
}

/// Why somebody died.
#[derive(Debug, PartialEq, Eq)]
pub struct WhyLaunch {
    /// Whose death.
    pub of: Question,
    /// Since when, as typed.
    pub since: Option<String>,
    /// Where the running kernel's files are.
    pub root: SysRoot,
    /// Print one JSON document.
    pub json: bool,
}

impl WhyArgs {
    pub(super) fn resolve(self) -> WhyLaunch {
        WhyLaunch {
            of: Question::parse(&self.of),
            since: self.since,
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
