//! The command line without a subcommand: the settings, what to print instead of the dashboard, and which tree to read.

use std::path::{Path, PathBuf};

use clap::Parser;

use super::commands::Command;
use super::flags::Flags;
use crate::linux::SysRoot;

/// Who dies next when memory runs out, why, and how to prevent it.
///
/// Without options: a full-screen dashboard of this machine. F1 or ? in it lists all keys.
#[derive(Debug, Parser)]
#[command(
    name = "oomtop",
    disable_version_flag = true,
    max_term_width = 100,
    args_conflicts_with_subcommands = true,
    after_long_help = SOURCES
)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a command line is a bag of switches"
)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Option<Command>,

    /// Print one plain table (no escape codes) and exit
    #[arg(long)]
    pub(super) once: bool,

    /// Print one JSON document of the whole sample and exit (with or without --once; unfiltered)
    #[arg(long)]
    pub(super) json: bool,

    /// Print each setting, its value and where it came from, and exit
    #[arg(long)]
    pub(super) print_config: bool,

    /// Print the version; with --verbose also how this machine is read
    #[arg(long, short = 'V')]
    pub(super) version: bool,

    /// With --version: the back end that reads the processes, and what this kernel counts
    #[arg(long, requires = "version")]
    pub(super) verbose: bool,

    #[command(flatten)]
    pub(super) root: RootArgs,

    // Keep this field last: its heading applies to every field that follows.
    #[command(flatten, next_help_heading = "Settings")]
    pub(super) flags: Flags,
}

/// The end of the help.
const SOURCES: &str = "\
Each setting is also a key of /etc/oomtop/config.toml and of $XDG_CONFIG_HOME/oomtop/config.toml (read_only = true), and \
an environment variable (OOMTOP_READ_ONLY=true). A flag overrides the variable, the variable overrides the user's file, \
the user's file overrides the one in /etc. A switch has a flag for each direction: --mouse and --no-mouse.";

/// Which tree to read.
#[derive(Debug, clap::Args)]
pub(super) struct RootArgs {
    /// Read /proc, /sys/fs/cgroup and /dev/kmsg below this directory (in a container: the host's)
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,

    /// Read this procfs
    #[arg(long, value_name = "DIR")]
    proc: Option<PathBuf>,

    /// Read these cgroups
    #[arg(long, value_name = "DIR")]
    cgroup: Option<PathBuf>,

    /// Read this kernel log (a device or a file of kmsg records)
    #[arg(long, value_name = "FILE")]
    kmsg: Option<PathBuf>,
}

impl RootArgs {
    /// Where to read the kernel's files.
    pub(super) fn resolve(self) -> SysRoot {
        let base = self
            .root
            .as_deref()
            .map_or_else(SysRoot::default, SysRoot::under);
        // `--proc /host/proc` alone: the other files of that host are beside it.
        let beside = self.proc.as_deref().and_then(|proc| {
            let named = self.root.is_none() && proc.ends_with("proc");
            named.then(|| proc.parent()).flatten()
        });
        SysRoot {
            base: beside.map_or(base.base, Path::to_owned),
            proc: self.proc.unwrap_or(base.proc),
            cgroup: self.cgroup.unwrap_or(base.cgroup),
            kmsg: self.kmsg.unwrap_or(base.kmsg),
        }
    }
}
