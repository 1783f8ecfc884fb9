//! The kernel's lines through the journal, where `/dev/kmsg` is denied (journalctl(1)).

use std::ffi::OsStr;
use std::io::Read as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::linux::ReadError;

const ARGUMENTS: [&str; 7] = ["-k", "-o", "json", "-f", "-n", "2000", "--no-pager"];

/// Asks for the last kernel line and ends: there is one in every boot's journal.
const PROBE: [&str; 7] = ["-k", "-o", "json", "-n", "1", "-q", "--no-pager"];

/// A line longer than this is cut: a record's message is a few KiB.
const LINE_MOST: usize = 1 << 20;

/// A running `journalctl -k -o json -f`. It ends with this value.
#[derive(Debug)]
pub struct JournalReader {
    child: Child,
    out: ChildStdout,
    partial: Vec<u8>,
    program: std::ffi::OsString,
}

impl JournalReader {
    /// Starts `journalctl`: the last 2000 kernel lines of this boot, then what is new.
    ///
    /// # Errors
    /// If there is no such program, or it shows no kernel line at all: there is no journal, or this
    /// user may not see it. Following it would wait for ever and say nothing.
    pub fn spawn() -> Result<Self, ReadError> {
        let program = OsStr::new("journalctl");
        let remedy = "run oomtop as root, or join the group systemd-journal";
        let probe = Command::new(program)
            .args(PROBE)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| cannot_read(program, error, remedy))?;
        if probe.stdout.is_empty() {
            let error = std::io::Error::other("it shows no kernel line to this user");
            return Err(cannot_read(program, error, remedy));
        }
        Self::spawn_program(program)
    }

    /// As [`Self::spawn`] with another program that takes the same arguments.
    ///
    /// # Errors
    /// As [`Self::spawn`].
    pub fn spawn_program(program: &OsStr) -> Result<Self, ReadError> {
        let mut child = Command::new(program)
            .args(ARGUMENTS)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| cannot_read(program, error, "run oomtop as root to read /dev/kmsg"))?;
        let Some(out) = child.stdout.take() else {
            let _ = child.kill();
            let _ = child.wait();
            return Err(cannot_read(
                program,
                std::io::Error::other("it has no output"),
                "run oomtop as root to read /dev/kmsg",
            ));
        };
        Ok(Self {
            child,
            out,
            partial: Vec::new(),
            program: program.to_owned(),
        })
    }

    /// The next line (one JSON object), or `None` if none came within `timeout`.
    ///
    /// # Errors
    /// When the program has ended; the sentence holds what it wrote to its standard error.
    pub fn next(&mut self, timeout: Duration) -> Result<Option<Vec<u8>>, ReadError> {
        let until = Instant::now() + timeout;
        loop {
            if let Some(line) = self.take_line() {
                return Ok(Some(line));
            }
            let left = until.saturating_duration_since(Instant::now());
            let mut fds = [PollFd::new(&self.out, PollFlags::IN)];
            match poll(&mut fds, Timespec::try_from(left).ok().as_ref()) {
                Ok(0) => return Ok(None),
                Ok(_) => {}
                Err(Errno::INTR) if !left.is_zero() => continue,
                Err(Errno::INTR) => return Ok(None),
                Err(errno) => return Err(self.ended(errno.into())),
            }
            let mut buffer = [0; 16 * 1024];
            match self.out.read(&mut buffer) {
                Ok(0) => return Err(self.ended(std::io::ErrorKind::UnexpectedEof.into())),
                Ok(size) => {
                    self.partial
                        .extend_from_slice(buffer.get(..size).unwrap_or_default());
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.ended(error)),
            }
        }
    }

    fn take_line(&mut self) -> Option<Vec<u8>> {
        loop {
            let Some(end) = self.partial.iter().position(|b| *b == b'\n') else {
                // Handed on cut: whoever parses it says that it makes no sense.
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

    /// The program ended: what it said is the reason.
    fn ended(&mut self, error: std::io::Error) -> ReadError {
        let _ = self.child.kill();
        let mut said = Vec::new();
        if let Some(stderr) = &mut self.child.stderr {
            // Bounded; after the kill there is nothing to wait for.
            let _ = stderr.take(4096).read_to_end(&mut said);
        }
        let said = String::from_utf8_lossy(&said);
        let reason = said
            .lines()
            .map(str::trim)
            .rfind(|line| !line.is_empty())
            .map(|line| line.replace(char::is_control, " "));
        let error = match reason {
            Some(reason) => std::io::Error::other(reason),
            None => error,
        };
        cannot_read(
            &self.program,
            error,
            "run oomtop as root, or join the group systemd-journal",
        )
    }
}

impl Drop for JournalReader {
    fn drop(&mut self) {
        // Already ended is fine; the wait takes the zombie away.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn cannot_read(program: &OsStr, error: std::io::Error, remedy: &str) -> ReadError {
    ReadError::new(
        Path::new(program),
        "the kernel's lines in the journal",
        error,
        remedy,
    )
}
