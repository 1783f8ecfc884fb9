//! [`Monitor`]: the thread that reads the group of the command.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::linux::helper::{helper, thread_time};
use crate::linux::runs::watcher::Watcher;
use crate::model::memory::band::Thresholds;
use crate::model::process::Pid;
use crate::model::run::course::{Course, LONG, Reading, pause};
use crate::model::run::growth::Growth;
use crate::model::run::report::{Counters, Waited};
use crate::runtime::clock;

/// Between two looks at the processes, while readings are frequent and otherwise, and the part of the time that they may take.
const SIZES_SHORT: Duration = Duration::from_millis(25);
const SIZES: Duration = Duration::from_millis(250);
const SHARE: u32 = 19;

/// The thread.
#[derive(Debug)]
pub(super) struct Monitor {
    end: Sender<()>,
    thread: JoinHandle<Seen>,
}

/// What it has seen.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) course: Course,
    pub(super) growth: Growth,
    pub(super) counters: Counters,
    pub(super) waited: Option<Waited>,
    /// The group is still there: counters can be read again.
    pub(super) watcher: Watcher,
}

impl Monitor {
    /// Starts to read the group of the command with this pid.
    pub(super) fn start(mut watcher: Watcher, marks: Thresholds, pid: Pid) -> io::Result<Self> {
        let (end, ended) = channel();
        let thread = helper("group", move || {
            let (mut course, mut growth) = (Course::new(marks), Growth::of_command(pid));
            let begun = Instant::now();
            let mut before = Reading::default();
            let mut sizes_at = begun;
            loop {
                let looked = Instant::now();
                let before_it = thread_time();
                let reading = watcher.read(clock::now().monotonic);
                course.accept(&reading);
                // A machine that is busy makes no reading dearer.
                let cost = Duration::from_micros(thread_time().saturating_sub(before_it));
                let wait = pause(begun.elapsed(), &before, &reading, cost);
                before = reading;
                if looked >= sizes_at {
                    let counted = Instant::now();
                    growth.accept(&watcher.sizes());
                    let wanted = if wait < LONG { SIZES_SHORT } else { SIZES };
                    sizes_at = Instant::now() + wanted.max(counted.elapsed() * SHARE);
                }
                match ended.recv_timeout(wait) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            let at = clock::now().monotonic;
            course.accept(&watcher.read(at));
            course.end(at);
            Seen {
                counters: watcher.counters(),
                waited: watcher.waited(),
                course,
                growth,
                watcher,
            }
        })?;
        Ok(Self { end, thread })
    }

    /// The command has ended. `None` if the thread has failed.
    pub(super) fn end(self) -> Option<Seen> {
        let _ = self.end.send(());
        self.thread.join().ok()
    }
}
