//! Stops one process, lets it run on, or ends it and takes its memory at once.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};

use crate::linux::SysRoot;
use crate::linux::frozen::of_process;
use crate::linux::write::pinned::gone;
use crate::linux::write::pins::Pins;
use crate::linux::write::signal::{own_pids, refused};
use crate::linux::write::spared;
use crate::model::freezer::FreezerState;
use crate::model::plan::receipt::{Failure, FailureKind, Reading, Reaped};
use crate::model::process::ProcessId;
use crate::model::process::signal::{SIGNALS, Signal};

/// How long the answer waits for a process to stop, or to run on.
const SETTLE: Duration = Duration::from_millis(300);
/// How long it waits for one that was killed to end, once its memory is free.
const PARTING: Duration = Duration::from_millis(500);
const LOOK: Duration = Duration::from_millis(5);
/// How often a busy memory is tried again.
const TRIES: usize = 20;

/// Sends SIGSTOP or SIGCONT and waits a moment for what comes of it.
pub(super) fn stop(
    root: &SysRoot,
    pins: &Pins,
    target: ProcessId,
    stop: bool,
    before: &mut Reading,
) -> Result<Reading, Failure> {
    if stop {
        spared::refuse_process(root, target.pid, "stopping")?;
    }
    own_pids(root, "signals")?;
    let pidfd = open(target, named("STOP"))?;
    let process = pins.process(target)?;
    *before = Reading::Freezer(of_process(&process)?);
    send(&pidfd, target, named(if stop { "STOP" } else { "CONT" }))?;
    let begun = Instant::now();
    loop {
        let now = of_process(&process)?;
        let is_done = match now {
            FreezerState::Frozen => stop,
            FreezerState::Thawed => !stop,
            FreezerState::Freezing => false,
        };
        if is_done {
            return Ok(Reading::Freezer(now));
        }
        if begun.elapsed() >= SETTLE {
            return match (stop, now) {
                // It waits in the kernel and has taken the signal, or another program lets it run.
                (true, FreezerState::Thawed | FreezerState::Freezing) => {
                    Ok(Reading::Freezer(FreezerState::Freezing))
                }
                _ => Err(Failure {
                    kind: FailureKind::NotKept,
                    sentence: format!(
                        "SIGCONT was sent to {}, but it still stands still: somebody else stops it (a debugger, a \
                         shell's job control).",
                        target.pid
                    ),
                }),
            };
        }
        std::thread::sleep(LOOK);
    }
}

/// How far the process is stopped.
pub(super) fn look(root: &SysRoot, pins: &Pins, target: ProcessId) -> Result<Reading, Failure> {
    own_pids(root, "signals")?;
    let process = pins.process(target)?;
    of_process(&process).map(Reading::Freezer)
}

/// Sends SIGKILL, then asks the kernel to free the memory without waiting for the process to end: one that hangs in the
/// kernel keeps its memory otherwise.
pub(super) fn reap(root: &SysRoot, pins: &Pins, target: ProcessId) -> Result<Reading, Failure> {
    spared::refuse_process(root, target.pid, "killing")?;
    let kill = named("KILL");
    let pidfd = open(target, kill)?;
    pins.process(target)?;
    send(&pidfd, target, kill)?;
    let mut outcome = release(&pidfd);
    for _ in 0..TRIES {
        if outcome != Err(Errno::AGAIN) {
            break;
        }
        std::thread::sleep(LOOK);
        outcome = release(&pidfd);
    }
    if outcome == Err(Errno::SRCH) || has_ended(&pidfd) {
        return Ok(Reading::Reaped(Reaped::Ended));
    }
    Ok(Reading::Reaped(match outcome {
        Ok(()) => Reaped::Released,
        Err(Errno::NOSYS) => Reaped::NoReaper,
        Err(Errno::AGAIN | Errno::INTR) => Reaped::Busy,
        Err(_) => Reaped::Shared,
    }))
}

/// process_mrelease(2), 5.15. Only for a process that is being killed: EINVAL otherwise, and where a process that lives
/// on shares the memory (mm/oom_kill.c `task_will_free_mem`).
fn release(pidfd: &OwnedFd) -> Result<(), Errno> {
    // SAFETY: a system call on a descriptor of ours; it takes no pointer.
    #[expect(unsafe_code, reason = "no library has this call")]
    let done = unsafe { libc::syscall(libc::SYS_process_mrelease, pidfd.as_raw_fd(), 0) };
    if done == 0 {
        return Ok(());
    }
    let error = std::io::Error::last_os_error();
    Err(Errno::from_io_error(&error).unwrap_or(Errno::INVAL))
}

/// Waits a moment for the end: a pidfd is readable then (pidfd_open(2)).
fn has_ended(pidfd: &OwnedFd) -> bool {
    let limit = Timespec::try_from(PARTING).ok();
    let mut ready = [PollFd::from_borrowed_fd(pidfd.as_fd(), PollFlags::IN)];
    poll(&mut ready, limit.as_ref()).is_ok_and(|ready| ready > 0)
}

fn open(target: ProcessId, signal: Signal) -> Result<OwnedFd, Failure> {
    let pid = i32::try_from(target.pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
        .ok_or_else(|| gone(target))?;
    pidfd_open(pid, PidfdFlags::empty()).map_err(|errno| refused(target, signal, errno))
}

fn send(pidfd: &OwnedFd, target: ProcessId, signal: Signal) -> Result<(), Failure> {
    let number = rustix::process::Signal::from_named_raw(signal.number);
    let sent = number
        .ok_or(Errno::INVAL)
        .and_then(|number| pidfd_send_signal(pidfd, number));
    sent.map_err(|errno| refused(target, signal, errno))
}

/// A signal of the table.
fn named(name: &'static str) -> Signal {
    let found = SIGNALS.iter().find(|signal| signal.name == name);
    found.copied().unwrap_or(Signal {
        name,
        number: 0,
        effect: "",
    })
}
