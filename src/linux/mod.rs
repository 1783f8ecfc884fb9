//! The only code that opens kernel files.
//!
//! Every path starts at a [`SysRoot`], so the whole floor runs on another tree: the host's `/proc`
//! mounted in a container, or a fake one in a test. It imports `domain` and nothing above it.

use std::io;
use std::path::{Path, PathBuf};

mod bpf;
mod cgroup_errors;
mod cgroup_files;
mod cgroup_table;
mod detail;
mod exact_rows;
mod first_look;
mod hierarchy;
mod host;
mod kernel_file;
mod killers;
mod memory;
mod nodes;
mod own_cost;
mod own_group;
mod passed_over;
mod pid_table;
mod pinned;
mod proc_row;
mod proc_scan;
mod root_bonus;
mod rss_evidence;
mod stat_line;
mod status_lines;
mod tie_order;
mod tracked;
mod turns;
mod unit_files;
mod users;
mod vm_settings;

mod assessing;
pub mod backend;
pub mod cgroup_writer;
mod group_kills;
mod group_turns;
mod group_visit;
mod group_walk;
pub mod groups;
pub mod journal;
pub mod kmsg;
pub mod sampler;
pub mod scan;
pub mod self_protection;
pub mod signal;
pub mod writer;

/// Where the kernel's files are. `--proc`, `--cgroup` and `--kmsg` set these three.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SysRoot {
    /// The procfs mount, normally `/proc`.
    pub proc: PathBuf,
    /// Where the cgroup hierarchies are mounted, normally `/sys/fs/cgroup`.
    pub cgroup: PathBuf,
    /// The kernel log device, normally `/dev/kmsg`.
    pub kmsg: PathBuf,
    /// Where `/etc`, `/run`, `/usr` and `/sys` are, normally `/`: settings of systemd-oomd and others.
    pub base: PathBuf,
}

impl Default for SysRoot {
    fn default() -> Self {
        Self::under(Path::new("/"))
    }
}

impl SysRoot {
    /// The usual three paths below another root directory, e.g. `/host` in a container.
    #[must_use]
    pub fn under(root: &Path) -> Self {
        Self {
            proc: root.join("proc"),
            cgroup: root.join("sys/fs/cgroup"),
            kmsg: root.join("dev/kmsg"),
            base: root.to_owned(),
        }
    }
}

/// A kernel file without which a source cannot work could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {what} ({}): {source}; {remedy}", path.display())]
pub struct ReadError {
    /// The file or directory.
    pub path: PathBuf,
    /// What it holds, as a noun: "the process table".
    pub what: &'static str,
    /// What the system said.
    pub source: io::Error,
    /// What helps, as a clause without a final stop.
    pub remedy: String,
}

impl ReadError {
    pub(crate) fn new(
        path: &Path,
        what: &'static str,
        source: impl Into<io::Error>,
        remedy: &str,
    ) -> Self {
        Self {
            path: path.to_owned(),
            what,
            source: source.into(),
            remedy: remedy.to_owned(),
        }
    }
}
