//! [`Subject`]: what rules know of a process.

use std::sync::Arc;

use crate::model::cgroup::CgroupPath;
use crate::model::process::comm::Comm;
use crate::model::process::score::OomScoreAdj;
use crate::model::process::{Pid, ProcessId};

/// The facts of one process that rules compare. `None` is what nobody asked for, or what could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Subject {
    /// Which process.
    pub id: ProcessId,
    /// Its parent; 0 for the first processes, and for those whose parent is outside the namespace.
    pub ppid: Pid,
    /// Short name.
    pub comm: Comm,
    /// A kernel thread, or the host's pid 1.
    pub exempt: Option<Exempt>,
    /// Effective uid.
    pub uid: Option<u32>,
    /// Name of that user.
    pub user: Option<Arc<str>>,
    /// The arguments joined by spaces.
    pub command: Option<String>,
    /// Path of the executable (`/proc/PID/exe`).
    pub exe: Option<String>,
    /// The memory cgroup.
    pub cgroup: Option<CgroupPath>,
    /// The present value.
    pub adj: Option<OomScoreAdj>,
}

/// Why no rule holds a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exempt {
    /// The kernel never chooses it.
    KernelThread,
    /// The kernel never chooses it, and all that it starts would inherit its value.
    Init,
}

impl Subject {
    /// No rule holds it.
    #[must_use]
    pub fn is_exempt(&self) -> bool {
        self.exempt.is_some()
    }

    /// The name: the whole file name of the executable where the kernel has cut that to 15 bytes.
    #[must_use]
    pub fn name(&self) -> std::borrow::Cow<'_, str> {
        let comm = self.comm.as_bytes();
        let file = self.exe.as_deref().and_then(|exe| exe.rsplit('/').next());
        let is_cut = comm.len() == crate::model::process::comm::COMM_LEN;
        match file.filter(|file| is_cut && file.as_bytes().starts_with(comm)) {
            Some(file) => std::borrow::Cow::Borrowed(file),
            None => self.comm.text(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Subject;

    #[test]
    fn a_name_that_the_kernel_cut_is_that_of_the_file() {
        let subject = |comm: &str, exe: &str| Subject {
            comm: comm.into(),
            exe: Some(exe.to_owned()),
            ..Subject::default()
        };
        let browser = subject("chromium-browser", "/usr/lib/chromium-browser");
        assert_eq!(browser.name(), "chromium-browser");
        let script = subject("backup", "/usr/bin/dash");
        assert_eq!(script.name(), "backup");
        let renamed = subject("fifteen-letters", "/usr/bin/dash");
        assert_eq!(renamed.name(), "fifteen-letters");
    }
}
