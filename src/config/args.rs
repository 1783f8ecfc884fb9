//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::linux::scan::backend::BackendChoice;

/// Who dies next when memory runs out, why, and how to prevent it.
///
/// Without options: a full-screen dashboard of this machine. F1 or ? in it lists all keys.
#[derive(Debug, Parser)]
#[command(
    name = "oomtop",
    disable_version_flag = true,
    max_term_width = 100,
    args_conflicts_with_subcommands = true
)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a command line is a bag of switches"
)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Option<Command>,

    /// Seconds between two samples, 0.1 to 3600
    #[arg(short, long, value_name = "SECONDS", default_value_t = 1.0)]
    pub(super) delay: f64,

    /// Print one plain table (no escape codes) and exit
    #[arg(long)]
    pub(super) once: bool,

    /// Print one JSON document of the whole sample and exit (with or without --once; unfiltered)
    #[arg(long)]
    pub(super) json: bool,

    /// Make every write impossible: no adj, no cgroup, no signal
    #[arg(long, visible_alias = "readonly")]
    pub(super) read_only: bool,

    /// Show only what passes: text, pid:1, user:x, cgroup:x, adj<0, rss>100M, !term
    #[arg(long, short = 'F', value_name = "FILTER")]
    pub(super) filter: Option<String>,

    /// Sort by this column
    #[arg(long, value_name = "COLUMN")]
    pub(super) sort: Option<String>,

    /// Show kernel threads too
    #[arg(long)]
    pub(super) kernel_threads: bool,

    /// Marks of the gauge in percent
    #[arg(long, value_name = "W,D,C")]
    pub(super) bands: Option<String>,

    /// Leave oomtop's own memory unlocked and its own oom_score_adj as it is
    #[arg(long)]
    pub(super) no_self_protect: bool,

    /// Print the version; with --verbose also how this machine is read
    #[arg(long, short = 'V')]
    pub(super) version: bool,

    /// With --version: the back end that reads the processes, and what this kernel counts
    #[arg(long, requires = "version")]
    pub(super) verbose: bool,

    /// No colours (so does the variable `NO_COLOR`)
    #[arg(long)]
    pub(super) no_color: bool,

    /// Only ASCII on the screen
    #[arg(long)]
    pub(super) ascii: bool,

    /// Leave the mouse to the terminal
    #[arg(long)]
    pub(super) no_mouse: bool,

    /// How to read the processes
    #[arg(long, value_name = "HOW", default_value = "auto")]
    pub(super) backend: BackendArg,

    /// Read /proc, /sys/fs/cgroup and /dev/kmsg below this directory (in a container: the host's)
    #[arg(long, value_name = "DIR")]
    pub(super) root: Option<PathBuf>,

    /// Read this procfs
    #[arg(long, value_name = "DIR")]
    pub(super) proc: Option<PathBuf>,

    /// Read these cgroups
    #[arg(long, value_name = "DIR")]
    pub(super) cgroup: Option<PathBuf>,

    /// Read this kernel log (a device or a file of kmsg records)
    #[arg(long, value_name = "FILE")]
    pub(super) kmsg: Option<PathBuf>,
}

/// [`BackendChoice`] as words of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum BackendArg {
    /// The cheapest that works here
    Auto,
    /// A task walk inside the kernel: CAP_BPF and CAP_PERFMON, Linux 6.7; on 5.8 to 6.6 use bpf-iterator
    Bpf,
    /// The kernel's own task iterator: CAP_BPF and CAP_PERFMON, Linux 5.8
    BpfIterator,
    /// Plain /proc; processes at rest are read less often
    Proc,
    /// Plain /proc, every process in every sample
    ProcAll,
}

impl From<BackendArg> for BackendChoice {
    fn from(arg: BackendArg) -> Self {
        match arg {
            BackendArg::Auto => Self::Auto,
            BackendArg::Bpf => Self::Bpf,
            BackendArg::BpfIterator => Self::BpfIterator,
            BackendArg::Proc => Self::Proc,
            BackendArg::ProcAll => Self::ProcAll,
        }
    }
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Explain the OOM reports in a log: what ran out, who died, why, and what to do
    Explain(ExplainArgs),
}

/// Reads kernel logs in any form: `dmesg`, `/dev/kmsg` records, syslog, the journal's text or JSON,
/// container logs. Exit status: 0 if there were kills, 1 if none, 2 if something could not be read.
#[derive(Debug, clap::Args)]
pub(super) struct ExplainArgs {
    /// Logs to read; `-` is standard input; without any, the running kernel's log
    #[arg(value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,

    /// Read the journal of another boot: -1 is the one before
    #[arg(
        long,
        value_name = "BOOT",
        allow_hyphen_values = true,
        conflicts_with = "files"
    )]
    pub(super) boot: Option<String>,

    /// Print one JSON document with every report
    #[arg(long)]
    pub(super) json: bool,
}
