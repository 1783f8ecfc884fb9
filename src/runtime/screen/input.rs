//! [`Tasks`]: send resizes and signals to the loop.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::Sender;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::app::input::key::Key;
use crate::app::msg::Msg;

/// How long the loop may take to end after a signal. Then the terminal is restored without it.
pub(super) const GRACE: Duration = Duration::from_secs(2);

/// The tasks on the loop's thread. Dropping this value ends them.
pub(super) struct Tasks {
    handles: Vec<JoinHandle<()>>,
    /// The signal that asked to stop; 0 if none came.
    ended_by: Arc<AtomicU8>,
    /// Another program has the terminal.
    lent: Arc<AtomicBool>,
}

impl Drop for Tasks {
    fn drop(&mut self) {
        for handle in &self.handles {
            handle.abort();
        }
    }
}

impl Tasks {
    /// The exit status after the loop and the keyboard have ended in this way: 0 if the user quit, 128 + n after
    /// signal n, as in a shell.
    ///
    /// # Errors
    /// The error, if no signal came.
    pub(super) fn exit_status(&self, ended: io::Result<()>) -> io::Result<u8> {
        match self.ended_by.load(Ordering::SeqCst) {
            0 => ended.map(|()| 0),
            signal => Ok(128 + signal),
        }
    }

    /// Says whether another program has the terminal: what Ctrl-C and Ctrl-\\ send is for that program alone then.
    pub(super) fn lend(&self, lent: bool) {
        self.lent.store(lent, Ordering::SeqCst);
    }

    /// Ends the tasks.
    pub(super) async fn end(mut self) {
        let handles = std::mem::take(&mut self.handles);
        for handle in &handles {
            handle.abort();
        }
        for handle in handles {
            let _ = handle.await;
        }
    }
}

/// Catches the signals. Call this before the terminal is taken: a signal in between must not end oomtop in raw
/// mode. Before this call SIGTERM ends oomtop at once, with the terminal as it was.
pub(super) fn signals(send: &Sender<Msg>) -> io::Result<Tasks> {
    let ended_by = Arc::new(AtomicU8::new(0));
    let lent = Arc::new(AtomicBool::new(false));
    let mut handles = Vec::new();
    for (kind, number) in [
        (SignalKind::terminate(), 15),
        (SignalKind::interrupt(), 2),
        (SignalKind::hangup(), 1),
        (SignalKind::quit(), 3),
    ] {
        let mut caught = signal(kind)?;
        let (send, ended_by) = (send.clone(), Arc::clone(&ended_by));
        let lent = Arc::clone(&lent);
        handles.push(tokio::spawn(async move {
            let is_of_a_key = number == 2 || number == 3;
            while caught.recv().await.is_some() {
                if is_of_a_key && lent.load(Ordering::SeqCst) {
                    continue;
                }
                ended_by.store(number, Ordering::SeqCst);
                let deadline = Instant::now() + GRACE;
                let _ = timeout_at(deadline, send.send(Msg::Stop)).await;
                // The loop may be stuck in a write to a terminal that takes no output, with a full inbox.
                // Then only this task can restore the terminal.
                sleep_until(deadline).await;
                // Needs its own thread: the loop may go on after all and end this task.
                let give_up = move || {
                    super::terminal::abandon();
                    std::process::exit(128 + i32::from(number));
                };
                if std::thread::Builder::new().spawn(give_up).is_err() {
                    give_up();
                }
                return;
            }
        }));
    }
    // In raw mode Ctrl-Z is a key. This handles `kill -TSTP`, which would leave the terminal in raw mode.
    let mut stopped = signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()))?;
    let to_loop = send.clone();
    handles.push(tokio::spawn(async move {
        while stopped.recv().await.is_some() {
            let _ = to_loop.send(Msg::Key(ctrl_z())).await;
        }
    }));
    // SIGCONT is the only sign of a stop by SIGSTOP: the terminal may be in the shell's modes.
    let mut continued = signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?;
    let to_loop = send.clone();
    handles.push(tokio::spawn(async move {
        while continued.recv().await.is_some() {
            let _ = to_loop.send(Msg::Resumed).await;
        }
    }));
    let mut resized = signal(SignalKind::window_change())?;
    let to_loop = send.clone();
    handles.push(tokio::spawn(async move {
        while resized.recv().await.is_some() {
            if let Ok((width, height)) = crossterm::terminal::size() {
                let _ = to_loop.send(Msg::Resized(width, height)).await;
            }
        }
    }));
    Ok(Tasks {
        handles,
        ended_by,
        lent,
    })
}

fn ctrl_z() -> Key {
    use crossterm::event::{KeyCode, KeyModifiers};
    Key {
        code: KeyCode::Char('z'),
        modifiers: KeyModifiers::CONTROL,
    }
}
