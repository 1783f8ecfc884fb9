//! Which tree to read, as options of the command line.

use std::path::{Path, PathBuf};

use crate::linux::SysRoot;

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
