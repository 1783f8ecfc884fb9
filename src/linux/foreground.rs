//! Which process group has the terminal: a command gets it and gives it back, as in a shell with job control.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitStatus};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, getpgrp, kill_process_group, waitpid};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr, tcsetpgrp};

/// A command that has stopped, with the modes that it had given the terminal. Dropped, it is told that nobody will go on with
/// it: SIGHUP, as by a shell that ends.
#[derive(Debug)]
pub struct Stopped {
    pid: Option<Pid>,
    modes: Option<Termios>,
}

impl Drop for Stopped {
    fn drop(&mut self) {
        if let Some(pid) = self.pid {
            let _ = kill_process_group(pid, Signal::HUP);
            let _ = kill_process_group(pid, Signal::CONT);
        }
    }
}

/// How a command has given the terminal back.
#[derive(Debug)]
pub enum Returned {
    /// It has ended.
    Ended(ExitStatus),
    /// It has stopped, by Ctrl-Z as a rule.
    Stopped(Stopped),
}

/// Starts a command in a process group of its own, gives it the terminal and waits until it ends or stops.
///
/// # Errors
/// If the command cannot be run, or nobody can wait for it.
pub fn start(mut command: Command) -> io::Result<Returned> {
    let Some(terminal) = Terminal::open() else {
        return command.status().map(Returned::Ended);
    };
    let child = command.process_group(0).spawn()?;
    let pid = Pid::from_child(&child);
    terminal.lend(pid, None)
}

/// Gives a command that has stopped the terminal again, and waits as [`start`].
///
/// # Errors
/// If nobody can wait for it.
pub fn go_on(mut stopped: Stopped) -> io::Result<Returned> {
    let terminal = Terminal::open().ok_or(Errno::NOTTY)?;
    let pid = stopped.pid.take().ok_or(Errno::SRCH)?;
    terminal.lend(pid, stopped.modes.as_ref())
}

/// The terminal, its modes, and the group that had it.
struct Terminal {
    file: File,
    modes: Option<Termios>,
    owner: Pid,
}

impl Terminal {
    fn open() -> Option<Self> {
        let file = OpenOptions::new().read(true).write(true).open("/dev/tty");
        let file = file.ok()?;
        let modes = tcgetattr(&file).ok();
        Some(Self {
            file,
            modes,
            owner: getpgrp(),
        })
    }

    fn lend(&self, pid: Pid, modes: Option<&Termios>) -> io::Result<Returned> {
        if let Some(modes) = modes {
            let _ = tcsetattr(&self.file, OptionalActions::Drain, modes);
        }
        // Of a group that has just ended the wait below tells.
        let _ = tcsetpgrp(&self.file, pid);
        // It may have asked for the terminal before it had it, and have been stopped for that (SIGTTIN, SIGTTOU).
        let _ = kill_process_group(pid, Signal::CONT);
        let status = wait(pid);
        let theirs = tcgetattr(&self.file).ok();
        self.take_back();
        let status = status?;
        Ok(if status.stopped() {
            Returned::Stopped(Stopped {
                pid: Some(pid),
                modes: theirs,
            })
        } else {
            Returned::Ended(ExitStatus::from_raw(status.as_raw()))
        })
    }

    /// With the modes as they were: a command that was killed may have left raw ones.
    fn take_back(&self) {
        // Who is not in the foreground is stopped for taking the terminal, unless the signal for that is blocked
        // (drivers/tty/tty_jobctrl.c `__tty_check_change`).
        let before = mask(libc::SIG_BLOCK, &only_ttou());
        let _ = tcsetpgrp(&self.file, self.owner);
        if let Some(modes) = &self.modes {
            let _ = tcsetattr(&self.file, OptionalActions::Drain, modes);
        }
        if let Some(before) = before {
            mask(libc::SIG_SETMASK, &before);
        }
    }
}

fn wait(pid: Pid) -> io::Result<rustix::process::WaitStatus> {
    loop {
        match waitpid(Some(pid), WaitOptions::UNTRACED) {
            Ok(Some((_, status))) => return Ok(status),
            Ok(None) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn only_ttou() -> libc::sigset_t {
    // SAFETY: a set is plain bits, and sigemptyset(3) makes it one.
    #[expect(unsafe_code, reason = "rustix has no portable set of signals")]
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGTTOU);
        set
    }
}

/// Changes what this thread blocks; returns what it was.
fn mask(how: libc::c_int, signals: &libc::sigset_t) -> Option<libc::sigset_t> {
    let mut before = only_ttou();
    // SAFETY: both point to sets that outlive the call.
    #[expect(unsafe_code, reason = "no crate in use changes the mask")]
    let failed = unsafe { libc::pthread_sigmask(how, signals, &raw mut before) };
    (failed == 0).then_some(before)
}
