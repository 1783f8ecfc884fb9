//! The only code that opens kernel files.
//!
//! Every path starts at a [`SysRoot`], so the whole floor can run on another tree: the host's `/proc` mounted
//! in a container, or a fake tree in a test. It imports `model`, `oomlog` and nothing above them.

mod as_root;
mod assess;
mod blast;
pub(crate) mod bounded_file;
pub mod cgroup;
pub mod log;
pub mod own_room;
pub mod write;

use std::io;
use std::path::{Path, PathBuf};

pub mod foreground;
mod frozen;
mod held;
pub(crate) mod helper;
pub mod host;
mod kernel_file;
mod killers;
pub mod ledger;
pub mod patience;
pub mod presence;

pub mod runs;
pub mod sampler;
pub mod scan;
mod snapshot_pool;
pub mod starts;
pub mod subjects;
pub(crate) mod systemd;
pub(crate) mod trust;
pub mod urgent;
pub mod wake;

/// Where the kernel's files are. `--root` sets all of them, `--proc`, `--cgroup` and `--kmsg` one each.
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
    /// The usual paths below another root directory, e.g. `/host` in a container.
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

/// A kernel file that oomtop needs could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {what} ({}): {source}; {remedy}", path.display())]
pub struct ReadError {
    /// The file or directory.
    pub path: PathBuf,
    /// What the file holds, as a noun phrase: "the process table".
    pub what: &'static str,
    /// The error of the system call.
    pub source: io::Error,
    /// What the user can do, as a clause without a full stop.
    pub remedy: String,
}

impl ReadError {
    pub(crate) fn new(
        path: &Path,
        what: &'static str,
        source: impl Into<io::Error>,
        remedy: &str,
    ) -> Self {
        let source = source.into();
        // Whatever file it was: when something has run out, the file is not to blame.
        let errno = source
            .raw_os_error()
            .map(rustix::io::Errno::from_raw_os_error);
        let shortage = errno.and_then(host::descriptors::shortage);
        Self {
            path: path.to_owned(),
            what,
            source,
            remedy: shortage.unwrap_or(remedy).to_owned(),
        }
    }
}
