//! [`JournalReader`]: a running journalctl, read line by line with a timeout, or as a stream ([`Read`]).

use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::path::Path;
use std::process::{ChildStderr, ChildStdout};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::child::OwnChild;
use crate::linux::ReadError;
use crate::linux::as_root::as_root;

/// A line longer than this is cut: a record's message is a few KiB.
const LINE_MOST: usize = 1 << 20;
/// Bytes kept of what the program wrote to its standard error, the last ones.
const COMPLAINT_MOST: usize = 4096;
/// Most bytes that a pipe holds unless it was made larger (pipe(7)).
const PIPE: usize = 64 * 1024;
/// How long a program whose output has ended may take to end itself.
const END_WITHIN: Duration = Duration::from_secs(5);

const REMEDY: &str = "run oomtop as root, or join the group systemd-journal";

/// How much of the output is read, and for how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Most bytes.
    pub(super) bytes: u64,
    /// Longest time from the start to the end of the output.
    pub(super) within: Option<Duration>,
    /// Longest time without a byte, for who reads it as a stream.
    pub(super) silence: Duration,
}

/// A running journalctl. It is killed when this value is dropped.
#[derive(Debug)]
pub struct JournalReader {
    child: OwnChild,
    /// `None` once it has ended.
    out: Option<ChildStdout>,
    /// `None` once it has ended.
    complaints: Option<ChildStderr>,
    /// The end of what it wrote to its standard error.
    said: Vec<u8>,
    /// A line whose end is still to come.
    partial: Vec<u8>,
    /// So many bytes of it hold no newline.
    searched: usize,
    /// Bytes that may still be read.
    left: u64,
    /// The end of the time the whole output may take, and that time.
    deadline: Deadline,
    silence: Duration,
    program: OsString,
}

impl JournalReader {
    pub(super) fn new(mut child: OwnChild, program: &OsStr, bounds: Bounds) -> Self {
        let (out, complaints) = child.take_outputs();
        let deadline = bounds
            .within
            .map(|within| (Instant::now() + within, within));
        Self {
            child,
            out,
            complaints,
            said: Vec::new(),
            partial: Vec::new(),
            searched: 0,
            left: bounds.bytes,
            deadline,
            silence: bounds.silence,
            program: program.to_owned(),
        }
    }

    /// The next line (one JSON object), or `None` if none came within `timeout`.
    ///
    /// # Errors
    /// When the program has ended; the sentence holds the last line of its standard error.
    pub fn next(&mut self, timeout: Duration) -> Result<Option<Vec<u8>>, ReadError> {
        let until = Instant::now() + timeout;
        let mut buffer = [0; 16 * 1024];
        loop {
            if let Some(line) = self.take_line() {
                return Ok(Some(line));
            }
            match self.fill(&mut buffer, until) {
                Ok(None) => return Ok(None),
                Ok(Some(0)) => return Err(self.ended(io::ErrorKind::UnexpectedEof.into())),
                Ok(Some(size)) => {
                    let bytes = buffer.get(..size).unwrap_or_default();
                    self.partial.extend_from_slice(bytes);
                }
                Err(error) => return Err(self.ended(error)),
            }
        }
    }

    /// Waits for the program after its output has ended.
    ///
    /// # Errors
    /// If it failed; the sentence holds the last line of its standard error.
    pub fn end(mut self) -> Result<(), ReadError> {
        // Closed: a program that still writes ends too.
        self.out = None;
        let until = Instant::now() + END_WITHIN;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => {
                    return Err(self.ended(io::Error::other(status.to_string())));
                }
                Ok(None) if Instant::now() > until => {
                    return Err(self.ended(io::Error::other("it does not end")));
                }
                Ok(None) if self.complaints.is_some() => {
                    self.hear_within(Duration::from_millis(20));
                }
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
                Err(error) => return Err(self.ended(error)),
            }
        }
    }

    /// Waits for output and reads some of it: 0 bytes at its end, `None` if `until` has come. Complaints are
    /// read along: a program that fills that pipe would stop.
    fn fill(&mut self, buffer: &mut [u8], until: Instant) -> io::Result<Option<usize>> {
        loop {
            let Some(out) = &mut self.out else {
                return Ok(Some(0));
            };
            let deadline = self.deadline;
            let until = deadline.map_or(until, |(end, _)| until.min(end));
            let left = until.saturating_duration_since(Instant::now());
            let timeout = Timespec::try_from(left).unwrap_or_default();
            let mut fds = vec![PollFd::new(out, PollFlags::IN)];
            if let Some(complaints) = &self.complaints {
                fds.push(PollFd::new(complaints, PollFlags::IN));
            }
            match poll(&mut fds, Some(&timeout)) {
                Ok(0) => return no_output_yet(deadline),
                Ok(_) if is_too_late(deadline) => return no_output_yet(deadline),
                Ok(_) => {}
                Err(Errno::INTR) if left.is_zero() => {
                    return no_output_yet(deadline);
                }
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(errno.into()),
            }
            let ready = |fd: Option<&PollFd<'_>>| fd.is_some_and(|fd| !fd.revents().is_empty());
            let (has_output, complains) = (ready(fds.first()), ready(fds.get(1)));
            let read = has_output.then(|| out.read(buffer));
            if complains {
                self.hear();
            }
            match read {
                None => {}
                Some(Ok(0)) => self.out = None,
                Some(Ok(size)) => {
                    let bytes = u64::try_from(size).unwrap_or(u64::MAX);
                    self.left = self.left.checked_sub(bytes).ok_or_else(|| {
                        io::Error::new(io::ErrorKind::FileTooLarge, "its output has no end")
                    })?;
                    return Ok(Some(size));
                }
                Some(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Some(Err(error)) => return Err(error),
            }
        }
    }

    /// Reads what the program complains about and keeps the end of it.
    fn hear(&mut self) {
        let mut buffer = [0; COMPLAINT_MOST];
        let read = self.complaints.as_mut().map(|pipe| pipe.read(&mut buffer));
        match read {
            Some(Ok(size)) if size > 0 => {
                self.said
                    .extend_from_slice(buffer.get(..size).unwrap_or_default());
                let old = self.said.len().saturating_sub(COMPLAINT_MOST);
                self.said.drain(..old);
            }
            Some(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Some(Ok(_) | Err(_)) | None => self.complaints = None,
        }
    }

    /// Waits for a complaint and reads it; false if there was none.
    fn hear_within(&mut self, timeout: Duration) -> bool {
        let timeout = Timespec::try_from(timeout).unwrap_or_default();
        let pipe = self.complaints.as_ref();
        let mut fds: Vec<PollFd<'_>> = pipe
            .map(|pipe| PollFd::new(pipe, PollFlags::IN))
            .into_iter()
            .collect();
        let complains = poll(&mut fds, Some(&timeout)).is_ok_and(|ready| ready > 0);
        if complains {
            self.hear();
        }
        complains
    }

    fn take_line(&mut self) -> Option<Vec<u8>> {
        loop {
            let unsearched = self.partial.get(self.searched..).unwrap_or_default();
            let Some(end) = memchr::memchr(b'\n', unsearched) else {
                self.searched = self.partial.len();
                if self.partial.len() <= LINE_MOST {
                    return None;
                }
                // Handed on cut: whoever parses it finds that it makes no sense.
                self.searched = 0;
                return Some(std::mem::take(&mut self.partial));
            };
            let mut line: Vec<u8> = self.partial.drain(..=self.searched + end).collect();
            self.searched = 0;
            line.pop();
            if !line.is_empty() {
                return Some(line);
            }
        }
    }

    /// The program ended, or is ended now. The last line of its complaints is the reason, if there is one.
    fn ended(&mut self, error: io::Error) -> ReadError {
        self.child.kill();
        // What the pipe holds now is all: a child of the program may keep it open.
        for _ in 0..PIPE / COMPLAINT_MOST {
            if !self.hear_within(Duration::ZERO) {
                break;
            }
        }
        let said = String::from_utf8_lossy(&self.said);
        let reason = said
            .lines()
            .map(str::trim)
            .rfind(|line| !line.is_empty())
            .map(|line| line.replace(char::is_control, " "));
        let error = match reason {
            Some(reason) => io::Error::other(reason),
            None => error,
        };
        cannot_read(&self.program, error, as_root(REMEDY))
    }
}

/// The output as a stream. A read error of kind `FileTooLarge` means that the program wrote more than
/// [`super::journal::Journalctl::most`], one of kind `TimedOut` that it was silent or took too long.
impl Read for JournalReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill(buffer, Instant::now() + self.silence)?;
        read.ok_or_else(|| {
            let seconds = self.silence.as_secs();
            io::Error::new(
                io::ErrorKind::TimedOut,
                format!("it was silent for {seconds} s"),
            )
        })
    }
}

/// The deadline of the whole output and the time it allowed.
type Deadline = Option<(Instant, Duration)>;

fn is_too_late(deadline: Deadline) -> bool {
    deadline.is_some_and(|(end, _)| Instant::now() >= end)
}

fn no_output_yet(deadline: Deadline) -> io::Result<Option<usize>> {
    match deadline.filter(|(end, _)| Instant::now() >= *end) {
        Some((_, within)) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("it had not ended after {} s", within.as_secs()),
        )),
        None => Ok(None),
    }
}

pub(super) fn cannot_read(program: &OsStr, error: io::Error, remedy: &str) -> ReadError {
    ReadError::new(Path::new(program), "the journal", error, remedy)
}
