//! [`Job`]: the command while it runs. Signals reach it until it is reaped, and never whoever has its pid afterwards.

use std::io;
use std::process::Child;
use std::sync::{Mutex, PoisonError};

use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid,
};
use tokio::sync::mpsc::Sender;

use crate::app::msg::Msg;
use crate::model::run::report::Ended;
use crate::runtime::screen::Companion;

/// The command.
#[derive(Debug)]
pub(super) struct Job {
    pid: Pid,
    /// It leads a process group of its own.
    apart: bool,
    state: Mutex<JobState>,
}

#[derive(Debug, Default)]
struct JobState {
    has_ended: bool,
    is_reaped: bool,
    /// Whom to tell of its end.
    screen: Option<Sender<Msg>>,
}

impl Job {
    pub(super) fn new(child: &Child, apart: bool) -> io::Result<Self> {
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        Ok(Self {
            pid: pid.ok_or_else(|| io::Error::other("a process without a pid"))?,
            apart,
            state: Mutex::default(),
        })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, JobState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True if no signal to oomtop's process group reaches it.
    pub(super) const fn is_apart(&self) -> bool {
        self.apart
    }

    /// Hands a signal of oomtop's to the command. What was sent to the whole process group, the command has got already, if it
    /// is in that of oomtop.
    pub(super) fn pass_on(&self, signal: Signal, to_group: bool) {
        if self.apart || !to_group {
            Companion::signal(self, signal);
        }
    }

    /// Waits until it has ended; it keeps its pid.
    pub(super) fn await_end(&self) {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while matches!(waitid(WaitId::Pid(self.pid), options), Err(Errno::INTR)) {}
        let screen = {
            let mut state = self.state();
            state.has_ended = true;
            state.screen.take()
        };
        if let Some(screen) = screen {
            let _ = screen.blocking_send(Msg::Stop);
        }
    }

    /// Lets its pid go.
    pub(super) fn reap(&self, child: &mut Child) -> io::Result<Ended> {
        use std::os::unix::process::ExitStatusExt as _;
        let mut state = self.state();
        let status = child.wait()?;
        state.is_reaped = true;
        let byte = |number: i32| u8::try_from(number).unwrap_or(u8::MAX);
        Ok(match (status.code(), status.signal()) {
            (_, Some(signal)) => Ended::Signal(byte(signal)),
            (code, None) => Ended::Exit(byte(code.unwrap_or(1))),
        })
    }
}

impl Companion for Job {
    fn shown(&self, screen: Sender<Msg>) {
        let mut state = self.state();
        if state.has_ended {
            // The inbox is new and has room.
            let _ = screen.try_send(Msg::Stop);
        } else {
            state.screen = Some(screen);
        }
    }

    fn signal(&self, signal: Signal) {
        let state = self.state();
        if state.is_reaped {
            return;
        }
        let send = |signal| {
            // It fails only if all have ended.
            let _ = if self.apart {
                kill_process_group(self.pid, signal)
            } else {
                kill_process(self.pid, signal)
            };
        };
        // In a session of its own nobody could continue it: the kernel drops SIGTSTP there, and oomtop continues it.
        let signal = match signal {
            Signal::TSTP if self.apart => Signal::STOP,
            signal => signal,
        };
        send(signal);
        // Who is stopped takes a signal that ends it only when it runs on.
        if matches!(
            signal,
            Signal::INT | Signal::TERM | Signal::HUP | Signal::QUIT
        ) {
            send(Signal::CONT);
        }
    }
}
