//! The command line without a subcommand: the settings, what to print instead of the dashboard, and which tree to read.

use clap::Parser;

use super::commands::Command;
use super::flags::Flags;
use super::list_args::ListArgs;
use super::print;
use super::root::RootArgs;

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
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Option<Command>,

    #[command(flatten)]
    pub(super) list: ListArgs,

    /// Print what oomtop knows about itself, and exit
    #[arg(long, value_names = ["WHAT", "NAME"], num_args = 1..=2, value_parser = print::words())]
    pub(super) print: Option<Vec<String>>,

    /// The name that `--print config` had
    #[arg(long, hide = true, conflicts_with = "print")]
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
