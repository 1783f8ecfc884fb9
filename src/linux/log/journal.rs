//! The kernel's lines in the journal: the one place that runs journalctl(1).
//!
//! [`Journalctl`] says what to ask for, [`JournalReader`] is the running program. It is read line by line with a
//! timeout, or as a stream ([`Read`]). The program ends with its reader, in every case.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::linux::ReadError;

/// A line longer than this is cut: a record's message is a few KiB.
const LINE_MOST: usize = 1 << 20;
/// Most bytes read of what is no endless stream. All journals together are at most 4 GiB on disk unless
/// somebody asked for more (`SystemMaxUse=`, journald.conf(5)).
const MOST: u64 = 4 << 30;
/// Bytes kept of what the program wrote to its standard error, the last ones.
const COMPLAINT_MOST: usize = 4096;
/// Most bytes that a pipe holds unless it was made larger (pipe(7)).
const PIPE: usize = 64 * 1024;
/// How long the question for a single line may take before the journal counts as readable but slow.
const PROBE_WITHIN: Duration = Duration::from_secs(10);

const REMEDY: &str = "run oomtop as root, or join the group systemd-journal";

/// Which boot's journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Boot {
    /// So many boots before this one.
    Before(u32),
    /// An offset or an id as `journalctl --boot` takes it.
    Named(String),
}

impl fmt::Display for Boot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Before(boots) => write!(f, "-{boots}"),
            Self::Named(name) => f.write_str(name),
        }
    }
}

/// A call of journalctl for the kernel's lines, one JSON object each.
#[derive(Debug, Clone)]
pub struct Journalctl {
    program: OsString,
    boot: Option<Boot>,
    last: Option<u32>,
    follow: bool,
    most: u64,
}

impl Journalctl {
    /// All kernel lines of this boot.
    #[must_use]
    pub fn kernel() -> Self {
        Self {
            program: "journalctl".into(),
            boot: None,
            last: None,
            follow: false,
            most: MOST,
        }
    }

    /// Of another boot.
    #[must_use]
    pub fn boot(mut self, boot: Boot) -> Self {
        self.boot = Some(boot);
        self
    }

    /// Only the last `lines`.
    #[must_use]
    pub fn last(mut self, lines: u32) -> Self {
        self.last = Some(lines);
        self
    }

    /// And then what is new, without end.
    #[must_use]
    pub fn follow(mut self) -> Self {
        self.follow = true;
        self
    }

    /// Another program that takes the same arguments.
    #[must_use]
    pub fn program(mut self, program: &OsStr) -> Self {
        program.clone_into(&mut self.program);
        self
    }

    /// At most so many bytes of an output that is not followed; more is an error. 4 GiB unless set.
    #[must_use]
    pub fn most(mut self, bytes: u64) -> Self {
        self.most = bytes;
        self
    }

    fn arguments(&self) -> Vec<String> {
        let mut arguments: Vec<String> = ["-k", "-o", "json"].map(str::to_owned).into();
        if self.follow {
            arguments.push("-f".to_owned());
        }
        if let Some(lines) = self.last {
            arguments.extend(["-n".to_owned(), lines.to_string()]);
        }
        if let Some(boot) = &self.boot {
            arguments.push(format!("--boot={boot}"));
        }
        // Quiet: a journal without lines prints nothing instead of "-- No entries --".
        arguments.extend(["-q", "--no-pager"].map(str::to_owned));
        arguments
    }

    /// Runs it.
    ///
    /// # Errors
    /// If there is no such program.
    pub fn start(&self) -> Result<JournalReader, ReadError> {
        let mut child = Command::new(&self.program)
            .args(self.arguments())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| {
                cannot_read(&self.program, error, "run oomtop as root to read /dev/kmsg")
            })?;
        let (out, complaints) = (child.stdout.take(), child.stderr.take());
        Ok(JournalReader {
            child,
            out,
            complaints,
            said: Vec::new(),
            partial: Vec::new(),
            left: if self.follow { u64::MAX } else { self.most },
            program: self.program.clone(),
        })
    }
}

/// A running journalctl. It is killed when this value is dropped.
#[derive(Debug)]
pub struct JournalReader {
    child: Child,
    /// `None` once it has ended.
    out: Option<ChildStdout>,
    /// `None` once it has ended.
    complaints: Option<ChildStderr>,
    /// The end of what it wrote to its standard error.
    said: Vec<u8>,
    /// A line whose end is still to come.
    partial: Vec<u8>,
    /// Bytes that may still be read.
    left: u64,
    program: OsString,
}

impl JournalReader {
    /// The last 2000 kernel lines of this boot, then what is new.
    ///
    /// # Errors
    /// If there is no such program, or it shows no kernel line at all: there is no journal, or this
    /// user may not see it. To follow it would wait for ever and say nothing.
    pub fn spawn() -> Result<Self, ReadError> {
        let journal = Journalctl::kernel();
        let mut probe = journal.clone().last(1).start()?;
        if let Err(error) = probe.next(PROBE_WITHIN) {
            let kind = error.source.kind();
            return Err(if kind == io::ErrorKind::UnexpectedEof {
                let nothing = io::Error::other("it shows no kernel line to this user");
                cannot_read(&probe.program, nothing, REMEDY)
            } else {
                error
            });
        }
        journal.last(2000).follow().start()
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
            match self.fill(&mut buffer, Some(until)) {
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
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => {
                    return Err(self.ended(io::Error::other(status.to_string())));
                }
                Ok(None) => self.hear_within(Duration::from_millis(20)),
                Err(error) => return Err(self.ended(error)),
            };
        }
    }

    /// Waits for output and reads some of it: 0 bytes at its end, `None` if `until` has come. Complaints are
    /// read along: a program that fills that pipe would stop.
    fn fill(&mut self, buffer: &mut [u8], until: Option<Instant>) -> io::Result<Option<usize>> {
        loop {
            let Some(out) = &mut self.out else {
                return Ok(Some(0));
            };
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            let timeout = left.and_then(|left| Timespec::try_from(left).ok());
            let mut fds = vec![PollFd::new(out, PollFlags::IN)];
            if let Some(complaints) = &self.complaints {
                fds.push(PollFd::new(complaints, PollFlags::IN));
            }
            match poll(&mut fds, timeout.as_ref()) {
                Ok(0) => return Ok(None),
                Ok(_) => {}
                Err(Errno::INTR) if left.is_some_and(|left| left.is_zero()) => return Ok(None),
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
            let Some(end) = self.partial.iter().position(|b| *b == b'\n') else {
                // Handed on cut: whoever parses it finds that it makes no sense.
                let long = self.partial.len() > LINE_MOST;
                return long.then(|| std::mem::take(&mut self.partial));
            };
            let mut line: Vec<u8> = self.partial.drain(..=end).collect();
            line.pop();
            if !line.is_empty() {
                return Some(line);
            }
        }
    }

    /// The program ended, or is ended now. The last line of its complaints is the reason, if there is one.
    fn ended(&mut self, error: io::Error) -> ReadError {
        let _ = self.child.kill();
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
        cannot_read(&self.program, error, REMEDY)
    }
}

/// The output as a stream. Waits as long as it takes; a read error of kind `FileTooLarge` means that the program
/// wrote more than [`Journalctl::most`].
impl Read for JournalReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.fill(buffer, None).map(Option::unwrap_or_default)
    }
}

impl Drop for JournalReader {
    fn drop(&mut self) {
        // An error means that it has ended; the wait takes the zombie away.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn cannot_read(program: &OsStr, error: io::Error, remedy: &str) -> ReadError {
    ReadError::new(
        Path::new(program),
        "the kernel's lines in the journal",
        error,
        remedy,
    )
}
