//! [`Inbox`]: starts, signals and the clock in one queue.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::Builder;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::linux::SysRoot;
use crate::linux::starts::{Starts, Way};
use crate::model::rules::start::Start;
use crate::runtime::RunError;

/// Batches that wait. When it is full the kernel keeps the rest, and tells if it could not.
const WAITING: usize = 8;

/// What comes.
#[derive(Debug)]
pub(super) enum Arrival {
    /// Processes have started or changed. True: others were lost.
    Starts(Vec<Start>, bool),
    /// The source of starts does not work any more.
    Ended(io::Error),
    /// SIGHUP: read the rules again.
    Reload,
    /// This signal asks the program to end.
    Stop,
    /// The deadline.
    Tick,
}

/// The queue and the threads that fill it.
#[derive(Debug)]
pub(super) struct Inbox {
    arrivals: Receiver<Arrival>,
    /// The source of starts, if there is one.
    pub(super) source: Option<&'static str>,
    /// Why better sources are not used.
    pub(super) refused: Vec<String>,
    /// Closed with the inbox: the threads that read starts end then.
    _stop: Vec<OwnedFd>,
}

impl Inbox {
    /// Opens a source of starts, and catches SIGTERM, SIGINT and SIGHUP.
    ///
    /// # Errors
    /// If signals cannot be caught, or a thread cannot be started.
    pub(super) fn open(root: &SysRoot, way: Way) -> Result<Self, RunError> {
        let (send, arrivals) = sync_channel(WAITING);
        catch(send.clone())?;
        let (starts, refused) = Starts::open(root, way);
        let source = starts.as_ref().map(Starts::name);
        let mut stop = Vec::new();
        let users = starts.as_ref().and_then(|starts| starts.of_users(root));
        for (name, starts) in [("starts", starts), ("users", users)] {
            let Some(starts) = starts else { continue };
            let (ours, theirs) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
                .map_err(|errno| RunError::Thread(errno.into()))?;
            stop.push(theirs);
            let send = send.clone();
            Builder::new()
                .name(name.to_owned())
                .spawn(move || read(starts, &ours, &send))
                .map_err(RunError::Thread)?;
        }
        Ok(Self {
            arrivals,
            source,
            refused,
            _stop: stop,
        })
    }

    /// The next arrival, or [`Arrival::Tick`] at the deadline.
    pub(super) fn next(&self, deadline: Instant) -> Arrival {
        let left = deadline.saturating_duration_since(Instant::now());
        match self.arrivals.recv_timeout(left) {
            Ok(arrival) => arrival,
            Err(RecvTimeoutError::Timeout) => Arrival::Tick,
            // The thread of the signals holds a sender as long as the program runs.
            Err(RecvTimeoutError::Disconnected) => Arrival::Stop,
        }
    }
}

fn catch(send: SyncSender<Arrival>) -> Result<(), RunError> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP]).map_err(RunError::Signals)?;
    Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for signal in &mut signals {
                let arrival = match signal {
                    SIGHUP => Arrival::Reload,
                    _ => Arrival::Stop,
                };
                if send.send(arrival).is_err() {
                    return;
                }
            }
        })
        .map_err(RunError::Thread)?;
    Ok(())
}

/// What [`read`] needs of [`Starts`].
trait Source {
    fn wait(&self, stop: BorrowedFd<'_>) -> bool;
    fn take(&mut self, out: &mut Vec<Start>) -> io::Result<bool>;
}

impl Source for Starts {
    fn wait(&self, stop: BorrowedFd<'_>) -> bool {
        Self::wait(self, stop)
    }

    fn take(&mut self, out: &mut Vec<Start>) -> io::Result<bool> {
        Self::take(self, out)
    }
}

/// Reads starts until the inbox is closed. A source that ends by itself is told.
fn read(mut starts: impl Source, stop: &OwnedFd, send: &SyncSender<Arrival>) {
    while starts.wait(stop.as_fd()) {
        let mut batch = Vec::new();
        let arrival = match starts.take(&mut batch) {
            Ok(false) if batch.is_empty() => continue,
            Ok(lost) => Arrival::Starts(batch, lost),
            Err(error) => {
                let _ = send.send(Arrival::Ended(error));
                return;
            }
        };
        if send.send(arrival).is_err() {
            return;
        }
    }
    let mut fds = [PollFd::new(stop, PollFlags::IN)];
    let polled = poll(&mut fds, Some(&Timespec::default()));
    if polled.is_err() || fds.iter().all(|fd| fd.revents().is_empty()) {
        let why = io::Error::other("waiting for it fails");
        let _ = send.send(Arrival::Ended(why));
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::os::fd::BorrowedFd;
    use std::sync::mpsc::sync_channel;

    use super::{Arrival, Source, read};
    use crate::model::rules::start::Start;

    /// Cannot be waited for.
    struct Broken;

    impl Source for Broken {
        fn wait(&self, _: BorrowedFd<'_>) -> bool {
            false
        }

        fn take(&mut self, _: &mut Vec<Start>) -> io::Result<bool> {
            Ok(false)
        }
    }

    #[test]
    fn a_source_that_ends_by_itself_is_told_and_one_that_is_stopped_is_not() {
        let (ours, theirs) = rustix::pipe::pipe().expect("a pipe");
        let (send, arrivals) = sync_channel(1);
        read(Broken, &ours, &send);
        assert!(matches!(arrivals.try_recv(), Ok(Arrival::Ended(_))));
        drop(theirs);
        read(Broken, &ours, &send);
        assert!(arrivals.try_recv().is_err());
    }
}
