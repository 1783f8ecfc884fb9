//! [`Printer`]: writes lines on a thread of its own: who does not read them must not keep events from the hook.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use crate::linux::helper::helper;
use crate::runtime::complain;
use crate::text::format::number_of;
use crate::text::tone::printable;

/// Most lines that wait for whoever reads them; more are left out and counted.
const QUEUE: usize = 1024;

/// How long the last lines have to be read at the end.
const END: Duration = Duration::from_secs(1);

/// How often output that takes nothing now is tried again.
const AGAIN: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(super) struct Printer {
    lines: SyncSender<String>,
    shared: Arc<Output>,
}

#[derive(Debug, Default)]
struct Output {
    closed: AtomicBool,
    left_out: AtomicU64,
    waiting: AtomicU64,
}

impl Printer {
    /// Starts the thread.
    pub(super) fn start() -> io::Result<Self> {
        let (lines, queue) = sync_channel(QUEUE);
        let shared = Arc::new(Output::default());
        let own = Arc::clone(&shared);
        // Without a buffer: what could not be written must not come later, and twice.
        let mut out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        helper("lines", move || {
            print_all(&queue, &own, &mut out, &complain);
        })?;
        Ok(Self { lines, shared })
    }

    /// Hands a line over, if there is room for it.
    pub(super) fn print(&self, line: String) {
        self.shared.waiting.fetch_add(1, Ordering::SeqCst);
        if let Err(TrySendError::Full(_)) = self.lines.try_send(line) {
            self.shared.waiting.fetch_sub(1, Ordering::SeqCst);
            self.shared.left_out.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// True if nobody reads the lines any more.
    pub(super) fn is_closed(&self) -> bool {
        self.shared.closed.load(Ordering::SeqCst)
    }

    /// Gives the last lines a moment.
    pub(super) fn finish(&self) {
        let until = Instant::now() + END;
        while self.shared.waiting.load(Ordering::SeqCst) > 0
            && !self.is_closed()
            && Instant::now() < until
        {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn print_all(
    lines: &Receiver<String>,
    shared: &Output,
    out: &mut impl Write,
    complain: &impl Fn(&str),
) {
    let mut unwritten = 0;
    // A line that was written in part ends before the next one begins.
    let mut torn = false;
    for line in lines {
        let left_out = shared.left_out.swap(0, Ordering::SeqCst);
        if left_out > 0 {
            let lost = number_of(left_out, "line", "lines");
            complain(&format!("{lost} left out: nobody read them in time"));
        }
        let begin = if torn { "\n" } else { "" };
        let text = format!("{begin}{}\n", printable(&line));
        match put(out, text.as_bytes()) {
            Ok(()) => {
                torn = false;
                if unwritten > 0 {
                    let lost = number_of(unwritten, "line was", "lines were");
                    complain(&format!("{lost} not written; output works again"));
                    unwritten = 0;
                }
            }
            Err((_, error)) if error.kind() == ErrorKind::BrokenPipe => {
                shared.closed.store(true, Ordering::SeqCst);
                return;
            }
            Err((written, error)) => {
                torn |= written > begin.len();
                if unwritten == 0 {
                    complain(&format!(
                        "lines are lost, output cannot be written: {error}"
                    ));
                }
                unwritten += 1;
            }
        }
        shared.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Writes all bytes, or says how many were written before the failure.
fn put(out: &mut impl Write, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match out.write(rest) {
            Ok(0) => return Err((bytes.len() - rest.len(), ErrorKind::WriteZero.into())),
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(AGAIN),
            Err(error) => return Err((bytes.len() - rest.len(), error)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io::{self, ErrorKind, Write};
    use std::sync::atomic::Ordering;
    use std::sync::mpsc::sync_channel;

    use super::{Output, print_all};

    /// A disk with so many bytes of room, which becomes free after so many refusals.
    struct Disk {
        room: usize,
        refusals: usize,
        error: ErrorKind,
        text: Vec<u8>,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.room == 0 && self.refusals > 0 {
                self.refusals -= 1;
                return Err(self.error.into());
            }
            let taken = if self.room == 0 {
                bytes.len()
            } else {
                self.room.min(bytes.len())
            };
            self.room = self.room.saturating_sub(taken);
            self.text.extend(bytes.iter().take(taken));
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn printed(room: usize, refusals: usize, error: ErrorKind) -> (String, Vec<String>, bool) {
        let (send, lines) = sync_channel(9);
        for line in ["one", "two", "three", "four"] {
            send.send(line.to_owned()).expect("room");
        }
        drop(send);
        let mut disk = Disk {
            room,
            refusals,
            error,
            text: Vec::new(),
        };
        let (shared, said) = (Output::default(), RefCell::new(Vec::new()));
        print_all(&lines, &shared, &mut disk, &|text: &str| {
            said.borrow_mut().push(text.to_owned());
        });
        let text = String::from_utf8(disk.text).expect("text");
        (
            text,
            said.into_inner(),
            shared.closed.load(Ordering::SeqCst),
        )
    }

    #[test]
    fn a_full_disk_loses_lines_and_says_so_once_and_only_a_closed_pipe_ends_it() {
        let (text, said, closed) = printed(6, 2, ErrorKind::StorageFull);
        assert_eq!((text.as_str(), closed), ("one\ntw\nfour\n", false));
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].starts_with("lines are lost, output cannot be written: "));
        assert_eq!(said[1], "2 lines were not written; output works again");
        let (text, said, closed) = printed(4, 1, ErrorKind::BrokenPipe);
        assert_eq!((text.as_str(), said.len(), closed), ("one\n", 0, true));
    }
}
