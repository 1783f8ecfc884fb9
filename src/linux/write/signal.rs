//! Sends a signal to one process, never to another that got its pid.

use rustix::io::Errno;
use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};

use crate::linux::as_root::as_root;
use crate::model::plan::receipt::{Failure, FailureKind};
use crate::model::process::ProcessId;
use crate::model::process::signal::Signal;

use crate::linux::SysRoot;
use crate::linux::host::is_own_namespace;
use crate::linux::kernel_file;
use crate::linux::write::pinned::gone;
use crate::linux::write::pins::Pins;

/// Sends `signal` through a pidfd that is taken before the start time is compared.
///
/// # Errors
/// `Gone` or `Reused` if it is not that process (nothing is sent), `Denied` without permission,
/// `Other` on a kernel without pidfds (before 5.3) or if [`SysRoot::proc`] shows other pids than
/// those of the namespace oomtop runs in.
pub(crate) fn send_signal(
    root: &SysRoot,
    pins: &Pins,
    target: ProcessId,
    signal: Signal,
) -> Result<(), Failure> {
    own_pids(root, "signals")?;
    let pid = i32::try_from(target.pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
        .ok_or_else(|| gone(target))?;
    let number = rustix::process::Signal::from_named_raw(signal.number)
        .ok_or_else(|| other(format!("There is no signal {}.", signal.number)))?;
    let pidfd =
        pidfd_open(pid, PidfdFlags::empty()).map_err(|errno| refused(target, signal, errno))?;
    // The pidfd is bound now: if the start time is right, it is bound to the right process.
    pins.process(target)?;
    pidfd_send_signal(&pidfd, number).map_err(|errno| refused(target, signal, errno))
}

/// Refuses what goes by pid where the pids shown are not those of our namespace.
pub(crate) fn own_pids(root: &SysRoot, what: &str) -> Result<(), Failure> {
    let own = kernel_file::open_dir(&root.proc).is_ok_and(|dir| {
        use std::os::fd::AsFd;
        is_own_namespace(&root.proc, dir.as_fd())
    });
    if own {
        return Ok(());
    }
    Err(other(format!(
        "{} shows the processes of another pid namespace: {what} would hit the wrong ones. Run \
         oomtop on that host.",
        root.proc.display()
    )))
}

pub(super) fn refused(target: ProcessId, signal: Signal, errno: Errno) -> Failure {
    let pid = target.pid;
    match errno {
        Errno::SRCH => gone(target),
        Errno::PERM | Errno::ACCESS => Failure {
            kind: FailureKind::Denied,
            sentence: format!(
                "Process {pid} belongs to another user; {}, or: sudo kill -{} {pid}",
                as_root("run oomtop as root"),
                signal.name
            ),
        },
        Errno::NOSYS => other(format!(
            "This kernel has no pidfds (Linux 5.3), so a signal could hit another process. Use: \
             kill -{} {pid}",
            signal.name
        )),
        _ => other(format!("{} was not sent to {pid}: {errno}.", signal.name)),
    }
}

fn other(sentence: String) -> Failure {
    Failure {
        kind: FailureKind::Other,
        sentence,
    }
}
