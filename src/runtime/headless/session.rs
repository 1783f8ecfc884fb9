//! [`Session`]: one inbox for samples, log events, the clock and signals.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use super::LogItem;
use super::halt::Halt;
use super::log::{Follow, LogThread};
use super::sampling::{Sample, SamplerThread};
use super::signals::Signals;
use crate::linux::SysRoot;
use crate::linux::host::descriptors::require;
use crate::linux::scan::backend::BackendChoice;
use crate::model::snapshot::{Host, Needs, Snapshot};
use crate::model::time::Now;
use crate::runtime::{RunError, clock};

/// Most events that may wait. A flood of log records then blocks the log's thread, not the session.
const INBOX: usize = 1024;

/// Files that a session has open at the same time: the signals' pipe, `/proc`, the log, a back end, the file that is
/// read, and the pipes of a child that reads the journal.
const FILES: usize = 20;

/// How often a session that waits for a sample checks that the sampler's thread still runs.
const LOOK: Duration = Duration::from_secs(1);

/// How long a command waits for the log's history. Reading a ring buffer takes well under a second; a log
/// that grows as fast as oomtop reads it has no end.
pub const HISTORY_MOST: Duration = Duration::from_secs(20);

/// What [`Session::next`] returns.
#[derive(Debug)]
pub enum Event {
    /// The deadline has passed.
    Tick(Now),
    /// The answer to one [`Session::ask`].
    Sample(Sample),
    /// An item from the log.
    Log(LogItem),
    /// This signal asks the program to end. Every later call returns it again.
    Stop(u8),
}

/// What the threads send.
enum Arrival {
    Sample(Sample),
    Log(LogItem),
    /// A signal came, or an alarm: see [`Signals`] and [`Session::alarm`].
    Wake,
}

/// Samples and events without a terminal. The threads of the sampler and the log start when first needed and
/// end when this value is dropped.
///
/// A session catches SIGTERM and SIGINT, so a process has one session at a time.
#[derive(Debug)]
pub struct Session {
    root: SysRoot,
    backend: BackendChoice,
    sampler: Option<SamplerThread>,
    log: Option<LogThread>,
    caught_up: bool,
    /// How many requested samples have not come yet.
    asked: usize,
    /// Events that came while the session waited for something else.
    waiting: VecDeque<Event>,
    signals: Signals,
    /// Something has happened that makes a sample worth while: see [`Self::alarm`].
    woken: Arc<AtomicBool>,
    send: SyncSender<Arrival>,
    inbox: Receiver<Arrival>,
}

impl Session {
    /// A session on these kernel files. Starts only the thread that waits for signals.
    ///
    /// # Errors
    /// If a thread cannot be started, the signals cannot be caught, or too few files can be opened.
    pub fn new(root: SysRoot, backend: BackendChoice) -> Result<Self, RunError> {
        require(FILES)?;
        let (send, inbox) = sync_channel(INBOX);
        let waker = send.clone();
        let wake = move || {
            // A full inbox wakes the session as well.
            let _ = waker.try_send(Arrival::Wake);
        };
        Ok(Self {
            root,
            backend,
            sampler: None,
            log: None,
            caught_up: false,
            asked: 0,
            waiting: VecDeque::new(),
            signals: Signals::catch(wake).map_err(RunError::Thread)?,
            woken: Arc::default(),
            send,
            inbox,
        })
    }

    /// Facts about the host. Starts the sampler unless it runs.
    ///
    /// # Errors
    /// If the process table cannot be read with the back end that was asked for.
    pub fn host(&mut self) -> Result<&Host, RunError> {
        Ok(&self.sampler()?.host)
    }

    /// How far the memory of a row off the screen and far from the top can be off, in pages. Starts the sampler
    /// unless it runs.
    ///
    /// # Errors
    /// As [`Self::host`].
    pub fn unshown_error(&mut self) -> Result<u64, RunError> {
        Ok(self.sampler()?.unshown_error)
    }

    /// Asks for a sample and returns at once; the sample comes as [`Event::Sample`]. Starts the sampler unless it
    /// runs.
    ///
    /// # Errors
    /// As [`Self::host`], and if the sampler's thread has ended.
    pub fn ask(&mut self, needs: &Needs) -> Result<(), RunError> {
        let sent = self.sampler()?.ask.send(needs.clone());
        sent.map_err(|_| sampler_ended())?;
        self.asked += 1;
        Ok(())
    }

    /// Checks that a sample that was asked for can still come.
    ///
    /// # Errors
    /// If the sampler's thread has ended.
    pub(in crate::runtime) fn check_sampler(&mut self) -> Result<(), RunError> {
        if self.sampler()?.is_over() {
            return Err(sampler_ended());
        }
        Ok(())
    }

    /// Takes a sample and waits for it. Keeps other events for [`Self::next`].
    ///
    /// # Errors
    /// If the sample fails, or a signal asks the program to end.
    pub fn sample(&mut self, needs: &Needs) -> Result<Arc<Snapshot>, Halt> {
        let mut earlier = self.asked;
        self.ask(needs)?;
        loop {
            match self.receive(Instant::now() + LOOK) {
                Event::Sample(sample) if earlier == 0 => return Ok(sample?),
                Event::Stop(signal) => return Err(Halt::Signal(signal)),
                Event::Tick(_) => self.check_sampler()?,
                event => {
                    earlier -= usize::from(matches!(event, Event::Sample(_)));
                    self.waiting.push_back(event);
                }
            }
        }
    }

    /// Starts to follow the log from its oldest record, unless the session already does. Items come as
    /// [`Event::Log`]: the history, a source that has caught up, then live events.
    ///
    /// # Errors
    /// If the thread cannot be started. An unreadable log is not an error: a [`LogItem::Source`] says so.
    pub fn follow_log(&mut self) -> Result<(), RunError> {
        self.follow(Follow::Logs)
    }

    /// The same, and the kernel's tracepoints: they tell of kills where no log can be read.
    ///
    /// # Errors
    /// As [`Self::follow_log`].
    pub fn follow_log_and_tracepoints(&mut self) -> Result<(), RunError> {
        self.follow(Follow::LogsAndTracepoints)
    }

    fn follow(&mut self, what: Follow) -> Result<(), RunError> {
        if self.log.is_none() {
            let send = self.send.clone();
            let deliver = move |item| send.send(Arrival::Log(item)).is_ok();
            self.log = Some(LogThread::spawn(&self.root, what, deliver).map_err(RunError::Thread)?);
        }
        Ok(())
    }

    /// True once [`Self::next`] or [`Self::history`] has returned all records that the log held at start.
    #[must_use]
    pub fn caught_up(&self) -> bool {
        self.caught_up
    }

    /// Hands the log's history to `take`, item by item, and returns when the log has caught up. If that takes
    /// longer than `within`, the last item is a source that says what is missing. Keeps samples for [`Self::next`].
    ///
    /// # Errors
    /// If the log's thread cannot be started, or a signal asks the program to end.
    pub fn history(&mut self, within: Duration, mut take: impl FnMut(LogItem)) -> Result<(), Halt> {
        self.follow_log()?;
        let deadline = Instant::now() + within;
        let mut samples = VecDeque::new();
        let mut source = None;
        while !self.caught_up {
            // In a flood an item is always ready, so `receive` alone would never reach the deadline.
            let event = if Instant::now() < deadline {
                self.next(deadline)
            } else {
                Event::Tick(clock::now())
            };
            match event {
                Event::Log(item) => {
                    if let LogItem::Source(latest) = &item {
                        source = Some(latest.clone());
                    }
                    take(item);
                }
                Event::Sample(_) => samples.push_back(event),
                Event::Stop(signal) => return Err(Halt::Signal(signal)),
                Event::Tick(_) => {
                    let mut source = source.take().unwrap_or_default();
                    source.missing = format!(
                        "the log was not read to its end within {} seconds: kills may be missing",
                        within.as_secs_f32()
                    );
                    take(LogItem::Source(source));
                    break;
                }
            }
        }
        samples.append(&mut self.waiting);
        self.waiting = samples;
        Ok(())
    }

    /// Waits for `length`. Keeps events for [`Self::next`].
    ///
    /// # Errors
    /// If a signal asks the program to end.
    pub fn pause(&mut self, length: Duration) -> Result<(), Halt> {
        let deadline = Instant::now() + length;
        loop {
            match self.receive(deadline) {
                Event::Stop(signal) => return Err(Halt::Signal(signal)),
                Event::Tick(_) => return Ok(()),
                event => self.waiting.push_back(event),
            }
        }
    }

    /// Ends a wait of the session before its deadline, whenever it is called.
    pub(in crate::runtime) fn alarm(&self) -> impl Fn() + Send + 'static {
        let (woken, send) = (Arc::clone(&self.woken), self.send.clone());
        move || {
            woken.store(true, Ordering::SeqCst);
            // A full inbox wakes the session as well.
            let _ = send.try_send(Arrival::Wake);
        }
    }

    /// True if [`Self::alarm`] was called since the last call.
    pub(in crate::runtime) fn was_woken(&self) -> bool {
        self.woken.swap(false, Ordering::SeqCst)
    }

    /// The next event, or [`Event::Tick`] at the deadline. A signal overtakes everything else.
    pub fn next(&mut self, deadline: Instant) -> Event {
        if let Some(signal) = self.signals.caught() {
            return Event::Stop(signal);
        }
        let kept = self.waiting.pop_front();
        let event = kept.unwrap_or_else(|| self.receive(deadline));
        if let Event::Log(LogItem::Source(source)) = &event {
            self.caught_up |= source.caught_up;
        }
        event
    }

    /// The next event from the threads, or a tick at the deadline.
    fn receive(&mut self, deadline: Instant) -> Event {
        loop {
            if let Some(signal) = self.signals.caught() {
                return Event::Stop(signal);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.inbox.recv_timeout(left) {
                Ok(Arrival::Sample(sample)) => {
                    self.asked = self.asked.saturating_sub(1);
                    return Event::Sample(sample);
                }
                Ok(Arrival::Log(item)) => return Event::Log(item),
                Ok(Arrival::Wake) if self.woken.load(Ordering::SeqCst) => {
                    return Event::Tick(clock::now());
                }
                Ok(Arrival::Wake) => {}
                // The session holds a sender, so the error can only be the timeout.
                Err(_) => return Event::Tick(clock::now()),
            }
        }
    }

    fn sampler(&mut self) -> Result<&mut SamplerThread, RunError> {
        let sampler = if let Some(sampler) = self.sampler.take() {
            sampler
        } else {
            let send = self.send.clone();
            let deliver = move |sample| send.send(Arrival::Sample(sample)).is_ok();
            SamplerThread::spawn(self.root.clone(), self.backend, deliver)?
        };
        Ok(self.sampler.insert(sampler))
    }
}

fn sampler_ended() -> RunError {
    RunError::Thread(io::Error::other("the sampler has ended"))
}
