//! Writes one process's `oom_score_adj`, never another's.

use std::os::fd::AsFd;

use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use crate::model::plan::receipt::{Failure, FailureKind, Reading};
use crate::model::process::ProcessId;
use crate::model::process::score::OomScoreAdj;

use crate::linux::host::own_user;
use crate::linux::kernel_file::{FileBuffer, is_gone, signed};
use crate::linux::write::pinned::{PinnedProcess, gone};
use crate::linux::write::pins::Pins;

const FILE: &str = "oom_score_adj";

/// Writes `value` to the process with exactly this start time and reads it back.
///
/// All of its threads share the value, and so does every process that shares its memory
/// (`CLONE_VM`): the kernel writes those too, and `/proc` does not tell which.
///
/// `before` takes the value right before the write, where it could be read.
///
/// # Errors
/// `Gone` or `Reused` if it is not that process, `Denied` without permission, `NotKept` if another value is
/// read back.
pub(crate) fn write_adj(
    pins: &Pins,
    target: ProcessId,
    value: OomScoreAdj,
    before: &mut Reading,
) -> Result<Reading, Failure> {
    let process = pins.process(target)?;
    *before = read(&process).map_or(Reading::Nothing, Reading::Adj);
    write(&process, target, value)?;
    read_back(&process, target, value).map(Reading::Adj)
}

/// The present value.
///
/// # Errors
/// `Gone` or `Reused` if it is not that process, `Other` if the value cannot be read.
pub(crate) fn look_at_adj(pins: &Pins, target: ProcessId) -> Result<Reading, Failure> {
    let process = pins.process(target)?;
    let now = read(&process).map(Reading::Adj);
    now.ok_or_else(|| Failure {
        kind: FailureKind::Other,
        sentence: format!("oom_score_adj of process {} cannot be read.", target.pid),
    })
}

fn read(process: &PinnedProcess) -> Option<OomScoreAdj> {
    let mut buffer = FileBuffer::default();
    let text = buffer.read_single(process.dir(), FILE).ok()?;
    signed(text).and_then(OomScoreAdj::new)
}

fn write(process: &PinnedProcess, target: ProcessId, value: OomScoreAdj) -> Result<(), Failure> {
    let flags = OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = rustix::fs::openat(process.dir(), FILE, flags, Mode::empty())
        .map_err(|errno| refused_to_open(target, value, errno))?;
    let text = value.to_string();
    retry_on_intr(|| rustix::io::write(file.as_fd(), text.as_bytes()))
        .map(|_| ())
        .map_err(|errno| refused_to_write(process, target, value, errno))
}

fn read_back(
    process: &PinnedProcess,
    target: ProcessId,
    value: OomScoreAdj,
) -> Result<OomScoreAdj, Failure> {
    match read(process) {
        Some(now) if now == value => Ok(now),
        Some(now) => Err(Failure {
            kind: FailureKind::NotKept,
            sentence: format!(
                "{value} was written to process {}, but it reads {now} now: another program sets \
                 it too (systemd, a container runtime, the process itself).",
                target.pid
            ),
        }),
        None => Err(gone(target)),
    }
}

fn command(target: ProcessId, value: OomScoreAdj) -> String {
    own_user().as_root(&format!("choom -p {} -n {value}", target.pid))
}

fn refused_to_open(target: ProcessId, value: OomScoreAdj, errno: Errno) -> Failure {
    let pid = target.pid;
    let (kind, sentence) = match errno {
        _ if is_gone(errno) => return gone(target),
        Errno::ACCESS | Errno::PERM => (
            FailureKind::Denied,
            format!(
                "Process {pid} belongs to another user; only root may change it. Run oomtop as \
                 root, or: {}",
                command(target, value)
            ),
        ),
        Errno::ROFS => (
            FailureKind::Denied,
            "/proc is mounted read-only here (a container?): write from the host.".to_owned(),
        ),
        _ => (
            FailureKind::Other,
            format!("oom_score_adj of process {pid} cannot be opened: {errno}."),
        ),
    };
    Failure { kind, sentence }
}

fn refused_to_write(
    process: &PinnedProcess,
    target: ProcessId,
    value: OomScoreAdj,
    errno: Errno,
) -> Failure {
    let pid = target.pid;
    let (kind, sentence) = match errno {
        _ if is_gone(errno) => return gone(target),
        Errno::ACCESS | Errno::PERM => {
            let now = read(process).map_or_else(String::new, |adj| format!(" (now {adj})"));
            let who = if rustix::process::geteuid().is_root() {
                "oomtop runs as root but without that capability, and uid 0 alone is not enough; \
                 on the host itself: "
            } else {
                "as an administrator: "
            };
            (
                FailureKind::Denied,
                format!(
                    "{value} is below the lowest value process {pid}{now} may have without \
                     CAP_SYS_RESOURCE: {who}{}",
                    command(target, value)
                ),
            )
        }
        Errno::INVAL | Errno::RANGE => (
            FailureKind::Other,
            format!("The kernel does not take {value} as an oom_score_adj."),
        ),
        _ => (
            FailureKind::Other,
            format!("oom_score_adj of process {pid} was not written: {errno}."),
        ),
    };
    Failure { kind, sentence }
}
