//! [`Keyboard`]: a thread that reads the terminal and sends keys, mouse and pasted text to the loop.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::thread::JoinHandle;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;
use tokio::sync::mpsc::Sender;

use crate::app::input::bytes::Decoder;
use crate::app::msg::Msg;
use crate::linux::urgent;
use crate::runtime::RunError;
use crate::runtime::clock::now;

/// Bytes of one read: as many as a terminal holds (drivers/tty/n_tty.c `N_TTY_BUF_SIZE`).
const AT_ONCE: usize = 4096;

/// Most bytes that are taken before what they mean is sent.
const MOST: usize = 1 << 18;

/// The thread, until [`Self::end`].
#[derive(Debug)]
pub(super) struct Keyboard {
    stop: Arc<OwnedFd>,
    thread: JoinHandle<io::Result<()>>,
}

impl Keyboard {
    /// Starts to read.
    ///
    /// # Errors
    /// If there is no terminal to read, or no thread can be made.
    pub(super) fn start(send: Sender<Msg>) -> Result<Self, RunError> {
        let terminal = Terminal::open().map_err(RunError::Terminal)?;
        let stop = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(|error| RunError::Thread(error.into()))?;
        let stop = Arc::new(stop);
        let told = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("keyboard".to_owned())
            .spawn(move || {
                let _in_time = urgent::OWN.join();
                let ended = read_keys(&terminal, &told, &send);
                if ended.is_err() {
                    // The terminal is gone, or nobody can read it.
                    let _ = send.blocking_send(Msg::Stop);
                }
                ended
            })
            .map_err(RunError::Thread)?;
        Ok(Self { stop, thread })
    }

    /// Stops reading: what is typed from here on is the shell's. The loop takes no messages any more.
    ///
    /// # Errors
    /// Why the terminal could not be read to this point.
    pub(super) fn end(self) -> io::Result<()> {
        let _ = rustix::io::write(&self.stop, &1_u64.to_ne_bytes());
        // A panic of the thread has ended the process.
        self.thread.join().unwrap_or(Ok(()))
    }
}

/// Where keys come from: standard input, or the terminal behind it.
enum Terminal {
    Input,
    Own(File),
}

impl Terminal {
    fn open() -> io::Result<Self> {
        if rustix::termios::isatty(rustix::stdio::stdin()) {
            Ok(Self::Input)
        } else {
            File::open("/dev/tty").map(Self::Own)
        }
    }

    fn fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Input => rustix::stdio::stdin(),
            Self::Own(file) => file.as_fd(),
        }
    }
}

/// Reads until told to stop, or until nobody listens.
fn read_keys(terminal: &Terminal, stop: &OwnedFd, send: &Sender<Msg>) -> io::Result<()> {
    let (mut decoder, mut out) = (Decoder::default(), Vec::new());
    let mut bytes = Vec::new();
    loop {
        let waits = decoder.patience().map(|patience| Timespec {
            tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(patience.subsec_nanos()),
        });
        let mut ready = [
            PollFd::from_borrowed_fd(terminal.fd(), PollFlags::IN),
            PollFd::new(stop, PollFlags::IN),
        ];
        match poll(&mut ready, waits.as_ref()) {
            Ok(0) => decoder.quiet(&mut out),
            Ok(_) if !ready[1].revents().is_empty() => return Ok(()),
            Ok(_) => {
                bytes.clear();
                drain(terminal, &mut bytes)?;
                let at = now().monotonic;
                out.push(Msg::Read(at));
                decoder.feed(&bytes, at, &mut out);
                if out.len() == 1 {
                    // Nothing came of it yet.
                    out.clear();
                }
            }
            // Stopped and continued.
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for msg in out.drain(..) {
            if send.blocking_send(msg).is_err() {
                return Ok(());
            }
        }
    }
}

/// Takes all there is: what was typed while oomtop was stopped came before what is drawn next, and mouse reports
/// that nobody needs must not delay a key.
fn drain(terminal: &Terminal, bytes: &mut Vec<u8>) -> io::Result<()> {
    let mut buffer = [0; AT_ONCE];
    while bytes.len() < MOST {
        match rustix::io::read(terminal.fd(), &mut buffer) {
            // A terminal in raw mode has no end but this: it hung up (drivers/tty/tty_io.c `hung_up_tty_read`).
            Ok(0) => return Err(Errno::IO.into()),
            Ok(n) => bytes.extend_from_slice(buffer.get(..n).unwrap_or_default()),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(error) => return Err(error.into()),
        }
        let mut more = [PollFd::from_borrowed_fd(terminal.fd(), PollFlags::IN)];
        let at_once = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        if !matches!(poll(&mut more, Some(&at_once)), Ok(1..)) {
            break;
        }
    }
    Ok(())
}
