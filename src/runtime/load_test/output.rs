//! [`Output`]: what the command prints while the dashboard has the terminal.
//!
//! It comes through a pipe, so that no page cache of it is charged to the group that is being watched.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionbio};
use rustix::pipe::{PipeFlags, pipe_with};

use crate::linux::helper::helper;
use crate::text::tone::is_unsafe;

/// Bytes that are kept: the last ones.
const KEPT: usize = 64 << 10;

/// Bytes that a pipe holds (pipe(7)).
const CAPACITY: usize = 64 << 10;

/// How often the end of the command is looked for.
const LOOK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 50_000_000,
};

/// The reader of the pipe.
#[derive(Debug)]
pub(super) struct Output {
    ended: Arc<AtomicBool>,
    thread: JoinHandle<Tail>,
}

/// The end of what was printed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tail {
    bytes: VecDeque<u8>,
    dropped: u64,
    /// Somebody may still write to the pipe, which nobody reads from now on.
    pub(super) is_open: bool,
}

impl Output {
    /// The reader, and what the command writes to.
    pub(super) fn open() -> io::Result<(Self, OwnedFd)> {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
        ioctl_fionbio(&read, true)?;
        let ended = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&ended);
        let thread = helper("output", move || collect(&read, &told))?;
        Ok((Self { ended, thread }, write))
    }

    /// The command has ended: what others still write is not waited for.
    pub(super) fn end(self) -> Tail {
        self.ended.store(true, Ordering::SeqCst);
        self.thread.join().unwrap_or_default()
    }
}

fn collect(pipe: &OwnedFd, ended: &AtomicBool) -> Tail {
    let mut tail = until_end(pipe, ended);
    let mut state = [PollFd::new(pipe, PollFlags::empty())];
    let polled = poll(&mut state, Some(&Timespec::default()));
    let [state] = state;
    tail.is_open = polled.is_ok() && !state.revents().contains(PollFlags::HUP);
    tail
}

fn until_end(pipe: &OwnedFd, ended: &AtomicBool) -> Tail {
    let mut tail = Tail::default();
    let mut buffer = [0; 8192];
    // What was in the pipe at the end is the command's; what it has left behind may go on writing for ever.
    let mut left = CAPACITY;
    loop {
        // Looked at before the pipe: what was written before the end is read.
        let is_last = ended.load(Ordering::SeqCst);
        match rustix::io::read(pipe, &mut buffer) {
            Ok(0) => return tail,
            Ok(got) => {
                tail.push(buffer.get(..got).unwrap_or_default());
                left = left.saturating_sub(if is_last { got } else { 0 });
                if left == 0 {
                    return tail;
                }
            }
            Err(Errno::AGAIN) if is_last => return tail,
            Err(Errno::AGAIN) => {
                let mut ready = [PollFd::new(pipe, PollFlags::IN)];
                let _ = poll(&mut ready, Some(&LOOK));
            }
            Err(Errno::INTR) => {}
            Err(_) => return tail,
        }
    }
}

impl Tail {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
        let over = self.bytes.len().saturating_sub(KEPT);
        self.bytes.drain(..over);
        self.dropped += over as u64;
    }

    /// Fit for a terminal; empty if nothing was printed.
    pub(super) fn text(self) -> String {
        let bytes: Vec<u8> = self.bytes.into();
        let text = String::from_utf8_lossy(&bytes);
        let safe = |c| match c {
            '\n' | '\t' => c,
            c if is_unsafe(c) => '\u{fffd}',
            c => c,
        };
        let mut out = String::new();
        if self.dropped > 0 {
            out = format!(
                "[the first {} bytes of the output are not kept]\n",
                self.dropped
            );
        }
        // Lines that end as those of a terminal do.
        out.extend(text.replace("\r\n", "\n").chars().map(safe));
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    use super::{CAPACITY, KEPT, Output, Tail, collect};

    #[test]
    fn the_end_is_kept_and_the_rest_is_counted() {
        let mut tail = Tail::default();
        tail.push(b"first\n");
        tail.push(&vec![b'x'; KEPT]);
        let text = tail.text();
        assert!(text.starts_with("[the first 6 bytes"), "{text:.80}");
        assert!(text.ends_with("xx\n"));
        assert_eq!(Tail::default().text(), "");
    }

    #[test]
    fn what_goes_on_writing_does_not_hold_the_end_up() {
        // There is always something to read.
        let endless = std::fs::File::open("/dev/zero").expect("the device");
        let (send, done) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let tail = collect(&endless.into(), &AtomicBool::new(true));
            send.send(tail.bytes.len()).ok();
        });
        let got = done.recv_timeout(Duration::from_secs(30));
        assert_eq!(got, Ok(CAPACITY));
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        let mut tail = Tail::default();
        tail.push(b"a\x1b[2Jb\r\nc\td\xff");
        assert_eq!(tail.text(), "a\u{fffd}[2Jb\nc\td\u{fffd}\n");
    }

    #[test]
    fn what_was_written_before_the_end_is_there_though_the_pipe_stays_open() {
        let (output, write) = Output::open().expect("a pipe");
        rustix::io::write(&write, b"last words").expect("room in the pipe");
        let tail = output.end();
        assert!(tail.is_open);
        assert_eq!(tail.text(), "last words\n");
        drop(write);
        let (output, write) = Output::open().expect("a pipe");
        drop(write);
        assert!(!output.end().is_open);
    }
}
