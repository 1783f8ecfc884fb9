//! [`Hook`]: a program that is run for each event, one at a time.

use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::linux::helper::helper;
use crate::output::watch::Told;
use crate::runtime::complain;
use crate::runtime::headless::rounds::Reminder;

/// Most events that wait for the hook; more are left out and counted.
const QUEUE: usize = 64;

/// How long one run may take; then it is killed with all that it has started.
const WITHIN: Duration = Duration::from_secs(30);

/// Least time between two starts.
const APART: Duration = Duration::from_secs(1);

/// How often it is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

/// Runs the program on a thread of its own until dropped.
#[derive(Debug)]
pub(super) struct Hook {
    queue: Option<SyncSender<Told>>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    left_out: AtomicU64,
}

impl Hook {
    /// Starts the thread.
    pub(super) fn start(program: &Path) -> io::Result<Self> {
        let (queue, events) = sync_channel(QUEUE);
        let shared = Arc::new(Shared::default());
        let (own, program) = (Arc::clone(&shared), program.to_owned());
        let thread = helper("hook", move || run_all(&program, &events, &own))?;
        Ok(Self {
            queue: Some(queue),
            shared,
            thread: Some(thread),
        })
    }

    /// Hands an event over, if there is room for it.
    pub(super) fn tell(&self, told: &Told) {
        if let Some(queue) = &self.queue
            && let Err(TrySendError::Full(_)) = queue.try_send(told.clone())
        {
            self.shared.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run_all(program: &Path, events: &Receiver<Told>, shared: &Shared) {
    let mut unwell = Reminder::default();
    let mut next = Instant::now();
    while !shared.stop.load(Ordering::SeqCst) {
        let told = match events.recv_timeout(Duration::from_secs(1)) {
            Ok(told) => told,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        while Instant::now() < next && !shared.stop.load(Ordering::SeqCst) {
            std::thread::sleep(LOOK);
        }
        if shared.stop.load(Ordering::SeqCst) {
            return;
        }
        next = Instant::now() + APART;
        let left_out = shared.left_out.swap(0, Ordering::Relaxed);
        match run(program, &told, left_out, shared) {
            Ok(()) => unwell.is_over(),
            Err(sentence) if unwell.is_due() => complain(&sentence),
            Err(_) => {}
        }
    }
}

/// Runs the program once. Facts are in its environment alone: nothing that somebody has named is part of a command line.
fn run(program: &Path, told: &Told, left_out: u64, shared: &Shared) -> Result<(), String> {
    let name = program.display();
    let spawned = Command::new(program)
        .envs(told.environment())
        .env("OOMTOP_LEFT_OUT", left_out.to_string())
        .stdin(Stdio::null())
        // Standard output has the events.
        .stdout(io::stderr())
        .process_group(0)
        .spawn();
    let mut child = spawned.map_err(|error| format!("the hook {name} cannot be run: {error}"))?;
    // oomtop may be protected, what it starts shall not be. Raising needs no privilege; who has ended needs none.
    let _ = std::fs::write(format!("/proc/{}/oom_score_adj", child.id()), "0");
    let status =
        await_end(&mut child, shared).map_err(|error| format!("the hook {name}: {error}"))?;
    match status {
        // oomtop ends, and the hook with it.
        None if shared.stop.load(Ordering::SeqCst) => Ok(()),
        None => Err(format!(
            "the hook {name} was killed: it took longer than {} s",
            WITHIN.as_secs()
        )),
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(match (status.code(), status.signal()) {
            (Some(code), _) => format!("the hook {name} failed with status {code}"),
            (None, Some(signal)) => format!("the hook {name} was ended by signal {signal}"),
            (None, None) => format!("the hook {name} failed"),
        }),
    }
}

/// Waits for the end; `None` if the program had to be killed.
fn await_end(child: &mut Child, shared: &Shared) -> io::Result<Option<ExitStatus>> {
    let until = Instant::now() + WITHIN;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= until || shared.stop.load(Ordering::SeqCst) {
            // Its process is not waited for yet, so the number is still that of its group.
            let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(LOOK);
    }
}
