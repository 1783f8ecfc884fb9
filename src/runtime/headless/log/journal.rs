//! The reader of the journal: a journalctl that follows it, started again when it ends.

use std::ffi::OsStr;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use super::{Arrival, Reader, Shared, Status, WAIT};
use crate::linux::ReadError;
use crate::linux::log::journal::{HISTORY, Journalctl};
use crate::oomlog::{LogRecord, Monotonic};

/// No record for this long, though there should be none any more: the history has been read.
const QUIET: Duration = Duration::from_millis(50);
/// How long the newest record of the history is waited for.
const HISTORY_WITHIN: Duration = Duration::from_secs(10);
/// How long a read waits for news: who stops it ends the program that it reads from.
const LISTENS: Duration = Duration::from_secs(2);
/// Pause before it is started again, doubled each time.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MOST: Duration = Duration::from_mins(1);
/// Most bytes taken in a second. The records asked for are few: more is a flood, and waits in the pipe.
const RATE: usize = 4 << 20;

/// Reads until it shall stop, nobody listens, or there is no journal.
pub(super) fn follow(program: &OsStr, shared: &Shared, send: &SyncSender<Arrival>) {
    let mut follower = Follower {
        program,
        shared,
        send,
        latest: None,
    };
    let mut pause = PAUSE;
    while !shared.stops() {
        let begun = Instant::now();
        let Err(ended) = follower.run() else {
            return;
        };
        let is_missing = ended.source.kind() == io::ErrorKind::NotFound;
        let reason = format!("journal: {}", ended.source);
        let status = Arrival::Status(Reader::Journal, Status::Off(reason));
        if send.send(status).is_err() || is_missing {
            return;
        }
        if begun.elapsed() > PAUSE_MOST {
            pause = PAUSE;
        }
        let until = Instant::now() + pause;
        while Instant::now() < until && !shared.stops() {
            std::thread::sleep(WAIT.min(pause));
        }
        pause = (pause * 2).min(PAUSE_MOST);
    }
}

struct Follower<'a> {
    program: &'a OsStr,
    shared: &'a Shared,
    send: &'a SyncSender<Arrival>,
    /// Stamp of the newest record taken: a program that is started again repeats the history.
    latest: Option<Monotonic>,
}

impl Follower<'_> {
    /// Follows until it shall stop or nobody listens.
    fn run(&mut self) -> Result<(), ReadError> {
        // Read before the question is chosen: an error of /dev/kmsg comes at once or hardly ever.
        let kernel_too = self.kernel_off();
        let call = if kernel_too {
            Journalctl::kills()
        } else {
            Journalctl::killers()
        };
        let call = call.program(self.program).held_by(&self.shared.leash);
        let (call, newest) = call.anchored()?;
        let mut history = History::new(&newest);
        if !self.tell(Status::Reading) {
            return Ok(());
        }
        let mut reader = call.last(HISTORY).follow().start()?;
        let mut taken = 0;
        let mut second = Instant::now();
        while !self.shared.stops() {
            if self.kernel_off() != kernel_too {
                // The kernel's records are wanted too, all of them.
                self.latest = None;
                return self.run();
            }
            let wait = if history.is_over { LISTENS } else { QUIET };
            let line = reader.next(wait)?;
            let was_over = history.is_over;
            history.take(line.as_deref());
            if let Some(line) = line {
                taken += line.len();
                if !self.take(&line) {
                    return Ok(());
                }
            }
            if history.is_over && !was_over && !self.tell(Status::Live(String::new())) {
                return Ok(());
            }
            if second.elapsed() > Duration::from_secs(1) {
                (taken, second) = (0, Instant::now());
            } else if taken > RATE {
                std::thread::sleep(WAIT);
            }
        }
        Ok(())
    }

    fn kernel_off(&self) -> bool {
        self.shared.kernel_off.load(Ordering::SeqCst)
    }

    fn tell(&self, status: Status) -> bool {
        let status = Arrival::Status(Reader::Journal, status);
        self.send.send(status).is_ok()
    }

    /// Sends a record that is proven and new; false when nobody listens.
    fn take(&mut self, line: &[u8]) -> bool {
        let Ok(Some(record)) = LogRecord::parse_journal(line) else {
            return true;
        };
        if record.at.is_some() && record.at < self.latest {
            return true;
        }
        self.latest = record.at.max(self.latest);
        let record = Arrival::Journal(record);
        self.send.send(record).is_ok()
    }
}

/// Whether what the journal held at the start has been read.
struct History {
    /// The newest record at the start; `None` once it has been read.
    newest: Option<String>,
    until: Instant,
    is_over: bool,
}

impl History {
    fn new(newest: &[u8]) -> Self {
        Self {
            newest: cursor(newest),
            until: Instant::now() + HISTORY_WITHIN,
            is_over: false,
        }
    }

    /// Takes a line, or that none came for [`QUIET`].
    fn take(&mut self, line: Option<&[u8]>) {
        if self.is_over {
            return;
        }
        match line {
            Some(line) if self.newest.is_some() && cursor(line) == self.newest => {
                self.newest = None;
                // What follows at once is as good as history.
                self.until = self.until.min(Instant::now() + Duration::from_secs(1));
            }
            Some(_) => {}
            None => self.is_over = self.newest.is_none(),
        }
        self.is_over |= Instant::now() >= self.until;
    }
}

/// The journal's own name of a record.
fn cursor(line: &[u8]) -> Option<String> {
    let record: serde_json::Value = serde_json::from_slice(line).ok()?;
    Some(record.get("__CURSOR")?.as_str()?.to_owned())
}
