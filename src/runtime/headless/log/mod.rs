//! Follows all logs that tell of kills at once: `/dev/kmsg` for the kernel's, the journal for those of
//! systemd-oomd, earlyoom and others, and for the kernel's too where `/dev/kmsg` is refused. Where nothing can be
//! read there are counters. [`LogItem::Source`] says what is missing. Where the kernel lets BPF programs in, its
//! tracepoints tell of kills at once ([`tracing`]), whatever the logs say later.
//!
//! Each log has a reader on a thread of its own ([`reading`], [`journal`]): one that blocks keeps no other
//! waiting. What they read comes together in one [`merge::Merge`], so that a kill that two of them tell of is one.

mod journal;
mod merge;
mod reading;
mod tracing;

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use rustix::event::{EventfdFlags, eventfd};

use crate::linux::SysRoot;
use crate::linux::helper::helper;
use crate::linux::host::allocator;
use crate::linux::log::child::Leash;
use crate::linux::urgent;
use crate::model::event_source::{EventSource, Tracing};
use crate::model::traced::Traced;
use crate::oomlog::{LogRecord, OomEvent};
use merge::Merge;

/// How long a read waits before the thread looks whether it shall end.
const WAIT: Duration = Duration::from_millis(200);
/// The same where something else ends the wait: an idle machine is not woken five times a second.
const REST: Duration = Duration::from_mins(1);
/// Messages of the readers that may wait to be merged: a flood slows its reader down.
const QUEUE: usize = 256;
/// Most records in one message.
const BATCH: usize = 64;

/// What the log gives, in the order of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogItem {
    /// An OOM report (again whenever a line adds to it), another program's kill, or a gap.
    Event(OomEvent),
    /// What a tracepoint told, at once: a kill of which the log may tell later, or who sent SIGKILL.
    Traced(Traced),
    /// Where events come from, what is missing, and whether the history has been read.
    Source(EventSource),
}

/// One of the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// The kernel's: `/dev/kmsg`, or the file that stands for it.
    Kernel,
    Journal,
}

/// How a reader fares.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Status {
    /// It is being opened.
    Opening,
    /// It reads what was there at the start.
    Reading,
    /// That has been read. The text says what is wrong with it; empty if nothing is.
    Live(String),
    /// It cannot be read, for this reason.
    Off(String),
}

/// What a reader sends.
enum Arrival {
    Journal(LogRecord),
    /// Records of the kernel's own log that were ready together. One message for each would make two threads take
    /// turns a thousand times for one report.
    Kernel(Vec<LogRecord>),
    /// Records were overwritten unread.
    Lost,
    Status(Reader, Status),
    Traced(Traced),
    Tracing(Tracing),
}

/// What a reader shares with the others.
struct Shared {
    stop: AtomicBool,
    /// `/dev/kmsg` cannot be read: the journal must tell of the kernel's kills too.
    kernel_off: AtomicBool,
    leash: Leash,
    /// Ready to be read once the readers shall stop; `None` where no descriptor could be had.
    stopped: Option<OwnedFd>,
}

impl Shared {
    fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(stopped) = &self.stopped {
            // It fails only if the counter is full: then it is ready already.
            let _ = rustix::io::write(stopped, &1_u64.to_ne_bytes());
        }
        self.leash.end_all();
    }

    fn stops(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}

/// The logs to read.
#[derive(Debug, Clone)]
struct Sources {
    kmsg: PathBuf,
    /// The program that reads this kernel's journal; `None` if the log is of another host.
    journalctl: Option<OsString>,
    /// Where the tracepoints of this kernel are asked, too.
    traced: Option<SysRoot>,
}

/// What is followed besides the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::runtime) enum Follow {
    /// Nothing: somebody wants the history.
    Logs,
    /// The kernel's tracepoints, for who stays.
    LogsAndTracepoints,
}

/// A thread that follows the logs. It ends with this value, and so does every program it reads from.
pub(in crate::runtime) struct LogThread {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for LogThread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogThread").finish_non_exhaustive()
    }
}

impl LogThread {
    /// Starts the thread: the history first, then what is new. `deliver` takes an item, on that
    /// thread; false when nobody listens any more.
    pub(in crate::runtime) fn spawn(
        root: &SysRoot,
        follow: Follow,
        deliver: impl FnMut(LogItem) -> bool + Send + 'static,
    ) -> io::Result<Self> {
        let is_own = *root == SysRoot::default();
        Self::start(
            Sources {
                kmsg: root.kmsg.clone(),
                journalctl: is_own.then(|| "journalctl".into()),
                traced: (follow == Follow::LogsAndTracepoints).then(|| root.clone()),
            },
            deliver,
        )
    }

    fn start(
        sources: Sources,
        mut deliver: impl FnMut(LogItem) -> bool + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            kernel_off: AtomicBool::new(false),
            leash: Leash::default(),
            stopped: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).ok(),
        });
        let own = Self {
            shared: Arc::clone(&shared),
        };
        std::thread::Builder::new()
            .name("oom-log".to_owned())
            .spawn(move || follow(&sources, &shared, &mut deliver))?;
        Ok(own)
    }
}

impl Drop for LogThread {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

/// Bytes in reserve for the reports of a storm of kills: the details that are kept of them take as many.
const RESERVE: usize = 4 << 20;

/// Merges what the readers send until it shall stop or nobody listens.
fn follow(sources: &Sources, shared: &Arc<Shared>, deliver: &mut dyn FnMut(LogItem) -> bool) {
    let _in_time = urgent::OWN.join();
    allocator::reserve(RESERVE);
    let (send, arrivals) = sync_channel(QUEUE);
    let mut merge = Merge::new(&sources.kmsg);
    start_readers(sources, shared, &send, &mut merge);
    drop(send);
    let mut out = vec![LogItem::Source(merge.source())];
    loop {
        for item in out.drain(..) {
            if !deliver(item) {
                shared.stop();
                return;
            }
        }
        // Readers that are told to stop end, and with the last of them the wait for arrivals.
        let wait = if shared.stopped.is_some() { REST } else { WAIT };
        let wait = urgent::OWN.look().map_or(wait, |left| left.min(wait));
        if shared.stops() || !next(&arrivals, wait, &mut merge, &mut out) {
            return;
        }
    }
}

/// Takes the next arrival in; false when no reader is left.
fn next(
    arrivals: &Receiver<Arrival>,
    wait: Duration,
    merge: &mut Merge,
    out: &mut Vec<LogItem>,
) -> bool {
    match arrivals.recv_timeout(wait) {
        Ok(arrival) => merge.take(arrival, out),
        Err(RecvTimeoutError::Timeout) => {}
        Err(RecvTimeoutError::Disconnected) => return false,
    }
    true
}

fn start_readers(
    sources: &Sources,
    shared: &Arc<Shared>,
    send: &SyncSender<Arrival>,
    merge: &mut Merge,
) {
    let mut start = |reader, name: &str, work: Box<dyn FnOnce() + Send>| {
        let started = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(work);
        if let Err(error) = started {
            let reason = format!("no thread could be started: {error}");
            merge.take(
                Arrival::Status(reader, Status::Off(reason)),
                &mut Vec::new(),
            );
        }
    };
    let (path, own, sender) = (sources.kmsg.clone(), Arc::clone(shared), send.clone());
    start(
        Reader::Kernel,
        "oom-kmsg",
        Box::new(move || reading::follow(&path, &own, &sender)),
    );
    let (own, sender) = (Arc::clone(shared), send.clone());
    match sources.journalctl.clone() {
        Some(program) => start(
            Reader::Journal,
            "oom-journal",
            Box::new(move || journal::follow(&program, &own, &sender)),
        ),
        None => merge.no_journal("the log is not this kernel's, its journal is not read"),
    }
    if let Some(root) = sources.traced.clone() {
        let (own, sender) = (Arc::clone(shared), send.clone());
        // Without a thread it is as without the tracepoint: the logs tell.
        let _ = helper("oom-trace", move || tracing::follow(&root, &own, &sender));
    }
}

#[cfg(test)]
mod tests;
