//! [`start`]: a command whose first instruction runs in its group.
//!
//! The child enters the group between fork and exec, so that nothing of the command is charged elsewhere and none of its
//! children can be missed.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use rustix::fs::{Mode, OFlags};
use rustix::pipe::{PipeFlags, pipe_with};

use crate::model::process::score::OomScoreAdj;

/// Where the streams of the command lead.
#[derive(Debug)]
pub enum Streams {
    /// Where those of oomtop lead.
    Inherit,
    /// Nothing to read, and all output to this file or pipe.
    Apart(OwnedFd),
}

/// What to start.
#[derive(Debug)]
pub struct Start<'a> {
    /// The program and its arguments.
    pub command: &'a [OsString],
    /// `cgroup.procs` of its group.
    pub door: &'a File,
    /// The `oom_score_adj` that it gets.
    pub adj: Option<OomScoreAdj>,
    /// Its streams.
    pub streams: Streams,
    /// It gets a process group of its own: no key of a terminal reaches it.
    pub apart: bool,
}

/// Why the command was not started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The group did not take the process.
    #[error("the command could not enter its cgroup: {0}")]
    Group(io::Error),
    /// The kernel refused the adj.
    #[error(
        "oom_score_adj {1} was refused: {0}; without CAP_SYS_RESOURCE it can only be raised above what oomtop has"
    )]
    Adj(io::Error, OomScoreAdj),
    /// There is no such program.
    #[error("{0}: no such program")]
    NotFound(String),
    /// It cannot be executed.
    #[error("{0} cannot be executed: {1}")]
    NotExecutable(String, io::Error),
    /// No process could be made.
    #[error("no process could be made: {0}")]
    Fork(io::Error),
}

/// What the child says before it becomes the command: how far it came.
const ENTERED: u8 = b'g';
const ADJUSTED: u8 = b'a';

/// Starts the command in its group.
///
/// # Errors
/// See [`StartError`]; nothing runs then.
pub fn start(start: Start<'_>) -> Result<Child, StartError> {
    let (program, arguments) = start
        .command
        .split_first()
        .ok_or_else(|| StartError::NotFound(String::new()))?;
    let (said, say) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)
        .map_err(|errno| StartError::Fork(errno.into()))?;
    let mut command = Command::new(program);
    command.args(arguments);
    let no_terminal = matches!(start.streams, Streams::Apart(_));
    if start.apart && !no_terminal {
        command.process_group(0);
    }
    if let Streams::Apart(output) = start.streams {
        let error = output.try_clone().map_err(StartError::Fork)?;
        command.stdin(Stdio::null()).stdout(output).stderr(error);
    }
    let door = start.door.as_raw_fd();
    let speak = say.as_raw_fd();
    let adj = start.adj.map(|adj| adj.to_string());
    // SAFETY: the closure only makes system calls, on descriptors that are open and on memory that is there; it takes no
    // lock and allocates nothing (signal-safety(7)).
    #[expect(unsafe_code, reason = "std enters no cgroup")]
    unsafe {
        command.pre_exec(move || {
            if no_terminal {
                // The dashboard has the terminal: who asked it for a password would stop for ever (SIGTTIN). A session
                // of its own is a process group, too.
                rustix::process::setsid()?;
            }
            enter(door, speak, adj.as_deref())
        });
    }
    let spawned = command.spawn();
    drop(say);
    // The closure holds no descriptor of its own.
    drop(command);
    spawned.map_err(|error| {
        let mut steps = Vec::new();
        let _ = File::from(said).read_to_end(&mut steps);
        let name = program.to_string_lossy().into_owned();
        why(&steps, error, name, start.adj)
    })
}

/// Runs in the child.
fn enter(door: i32, speak: i32, adj: Option<&str>) -> io::Result<()> {
    // SAFETY: the parent keeps both open until the child has become the command.
    #[expect(unsafe_code, reason = "only numbers are left between fork and exec")]
    let (door, speak) = unsafe {
        (
            std::os::fd::BorrowedFd::borrow_raw(door),
            std::os::fd::BorrowedFd::borrow_raw(speak),
        )
    };
    // 0 is whoever writes it.
    rustix::io::write(door, b"0")?;
    rustix::io::write(speak, &[ENTERED])?;
    if let Some(adj) = adj {
        let file = rustix::fs::open(
            c"/proc/self/oom_score_adj",
            OFlags::WRONLY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        rustix::io::write(file.as_fd(), adj.as_bytes())?;
    }
    rustix::io::write(speak, &[ADJUSTED])?;
    Ok(())
}

fn why(steps: &[u8], error: io::Error, name: String, adj: Option<OomScoreAdj>) -> StartError {
    match (steps.last(), error.kind()) {
        (Some(&ADJUSTED), io::ErrorKind::NotFound) => StartError::NotFound(name),
        (Some(&ADJUSTED), _) => StartError::NotExecutable(name, error),
        (Some(_), _) => StartError::Adj(error, adj.unwrap_or_default()),
        // EAGAIN and ENOMEM of fork(2): no child was there to say anything.
        (None, _) if matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::ENOMEM)) => {
            StartError::Fork(error)
        }
        (None, _) => StartError::Group(error),
    }
}

/// True if what is started inherits an `oom_score_adj` of -1000: the kernel cannot enforce the limit of a group in which
/// nobody can be killed, and its tasks wait for ever (mm/oom_kill.c, "no killable processes").
#[must_use]
pub fn makes_immune() -> bool {
    let own = std::fs::read_to_string("/proc/self/oom_score_adj");
    let own = own.ok().and_then(|text| text.trim().parse().ok());
    own == Some(OomScoreAdj::IMMUNE)
}

impl StartError {
    /// The exit status that shells and env(1) have for it.
    #[must_use]
    pub fn status(&self) -> u8 {
        match self {
            Self::NotFound(_) => 127,
            Self::NotExecutable(..) => 126,
            Self::Group(_) | Self::Adj(..) | Self::Fork(_) => 125,
        }
    }
}
