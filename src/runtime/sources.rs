//! Where messages come from: keys, signals, the sampler's thread, the log's thread.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

use crossterm::event::{Event, EventStream, KeyEventKind, MouseButton, MouseEventKind};
use futures_util::StreamExt;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{self, Sender};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::clock::now;
use super::{RunError, log_source};
use crate::app::input::key::Key;
use crate::app::msg::{Mouse, MouseAction, Msg};
use crate::linux::SysRoot;
use crate::linux::sampler::Sampler;
use crate::linux::scan::backend::BackendChoice;
use crate::model::snapshot::{Host, Needs};

/// How long the loop has to leave after a signal before it is left behind.
const GRACE: Duration = Duration::from_secs(2);

/// How long the reader of the keys may take to notice that nobody listens any more.
const READER_LEAVES: Duration = Duration::from_millis(20);

/// Told to threads that wait: the program is leaving.
#[derive(Debug, Default)]
pub(super) struct Stop {
    pub(super) flag: Arc<AtomicBool>,
}

impl Drop for Stop {
    fn drop(&mut self) {
        self.flag.store(true, Ordering::SeqCst);
    }
}

/// The tasks on the loop's own thread; they end with this value.
pub(super) struct Tasks {
    handles: Vec<JoinHandle<()>>,
    /// The signal that asked to stop; 0 if none did.
    pub(super) ended_by: Arc<AtomicU8>,
}

impl Drop for Tasks {
    fn drop(&mut self) {
        for handle in &self.handles {
            handle.abort();
        }
    }
}

impl Tasks {
    /// Ends the tasks, and the reading of keys with them: what is typed from here on is the shell's.
    pub(super) async fn end(mut self) {
        let handles = std::mem::take(&mut self.handles);
        for handle in &handles {
            handle.abort();
        }
        for handle in handles {
            let _ = handle.await;
        }
        // The stream's own thread has been woken and lets go of the terminal's input within this time:
        // this waits for its lock.
        let _ = crossterm::event::poll(READER_LEAVES);
    }
}

/// Starts keys and signals.
pub(super) fn tasks(send: &Sender<Msg>) -> io::Result<Tasks> {
    let ended_by = Arc::new(AtomicU8::new(0));
    let mut handles = vec![tokio::spawn(input(send.clone()))];
    for (kind, number) in [
        (SignalKind::terminate(), 15),
        (SignalKind::interrupt(), 2),
        (SignalKind::hangup(), 1),
        (SignalKind::quit(), 3),
    ] {
        let mut caught = signal(kind)?;
        let (send, ended_by) = (send.clone(), Arc::clone(&ended_by));
        handles.push(tokio::spawn(async move {
            if caught.recv().await.is_some() {
                ended_by.store(number, Ordering::SeqCst);
                let deadline = Instant::now() + GRACE;
                let _ = timeout_at(deadline, send.send(Msg::Stop)).await;
                // The loop may be stuck in a write to a terminal that takes nothing, and the inbox be
                // full of messages: then nobody else can give the terminal back.
                sleep_until(deadline).await;
                // On a thread of its own: the loop may go on after all, and then ends this task.
                let give_up = move || {
                    super::terminal::abandon();
                    std::process::exit(128 + i32::from(number));
                };
                if std::thread::Builder::new().spawn(give_up).is_err() {
                    give_up();
                }
            }
        }));
    }
    // Ctrl-Z is a key in raw mode; this is for `kill -TSTP`, which would stop us in raw mode.
    let mut stopped = signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()))?;
    let to_loop = send.clone();
    handles.push(tokio::spawn(async move {
        while stopped.recv().await.is_some() {
            let _ = to_loop.send(Msg::Key(ctrl_z())).await;
        }
    }));
    // A stop by SIGSTOP shows only in this: the terminal may be in the shell's modes.
    let mut continued = signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?;
    let to_loop = send.clone();
    handles.push(tokio::spawn(async move {
        while continued.recv().await.is_some() {
            let _ = to_loop.send(Msg::Resumed).await;
        }
    }));
    Ok(Tasks { handles, ended_by })
}

fn ctrl_z() -> Key {
    use crossterm::event::{KeyCode, KeyModifiers};
    Key {
        code: KeyCode::Char('z'),
        modifiers: KeyModifiers::CONTROL,
    }
}

async fn input(send: Sender<Msg>) {
    let mut events = EventStream::new();
    while let Some(event) = events.next().await {
        let msg = match event {
            Ok(event) => translate(event),
            // The terminal is gone.
            Err(_) => Some(Msg::Stop),
        };
        if let Some(msg) = msg
            && send.send(msg).await.is_err()
        {
            return;
        }
    }
    let _ = send.send(Msg::Stop).await;
}

fn translate(event: Event) -> Option<Msg> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => Some(Msg::Key(key.into())),
        Event::Paste(text) => Some(Msg::Paste(text)),
        Event::Resize(width, height) => Some(Msg::Resized(width, height)),
        Event::Mouse(mouse) => {
            let action = match mouse.kind {
                MouseEventKind::Down(MouseButton::Left) => MouseAction::Click,
                MouseEventKind::ScrollUp => MouseAction::ScrollUp,
                MouseEventKind::ScrollDown => MouseAction::ScrollDown,
                _ => return None,
            };
            Some(Msg::Mouse(Mouse {
                x: mouse.column,
                y: mouse.row,
                action,
            }))
        }
        Event::Key(_) | Event::FocusGained | Event::FocusLost => None,
    }
}

/// The sampler's thread at work.
pub(super) struct Sampling {
    /// Facts the sampler found at start.
    pub(super) host: Host,
    /// What is sent here is sampled and answered as a message.
    pub(super) ask: std::sync::mpsc::Sender<Needs>,
}

/// Starts the sampler on its own thread: a stalled `/proc` stalls it, never the keyboard.
///
/// It is made there too: what it allocates to find out about the host is used again for its tables
/// only by the thread that gave it back, and all of it is locked memory.
pub(super) fn sampler(
    root: SysRoot,
    backend: BackendChoice,
    send: Sender<Msg>,
) -> Result<Sampling, RunError> {
    let (ask, asked) = std::sync::mpsc::channel::<Needs>();
    let (ready, made) = std::sync::mpsc::sync_channel(1);
    std::thread::Builder::new()
        .name("sampler".to_owned())
        .spawn(move || {
            let mut sampler = match Sampler::with_backend(root, backend) {
                Ok(sampler) => sampler,
                Err(error) => {
                    let _ = ready.send(Err(error));
                    return;
                }
            };
            if ready.send(Ok(sampler.host().clone())).is_err() {
                return;
            }
            while let Ok(needs) = asked.recv() {
                let msg = match sampler.sample(&needs, now()) {
                    Ok(snapshot) => Msg::Sampled(snapshot),
                    Err(error) => Msg::SampleFailed(error.to_string()),
                };
                if send.blocking_send(msg).is_err() {
                    return;
                }
            }
        })
        .map_err(RunError::Thread)?;
    let host = made
        .recv()
        .map_err(|error| RunError::Thread(io::Error::other(error)))??;
    Ok(Sampling { host, ask })
}

/// Starts the log's own thread.
pub(super) fn log(
    root: &SysRoot,
    send: mpsc::Sender<Msg>,
    stop: Arc<AtomicBool>,
) -> io::Result<()> {
    let path = root.kmsg.clone();
    let is_own = *root == SysRoot::default();
    std::thread::Builder::new()
        .name("oom-log".to_owned())
        .spawn(move || {
            log_source::follow(&path, is_own, &stop, &mut |msg| {
                send.blocking_send(msg).is_ok()
            });
        })?;
    Ok(())
}
