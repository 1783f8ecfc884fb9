//! What is done to the log, and its file. A disk that does not answer must hold up a write for a moment, not for ever: the
//! thread of a [`Desk`] writes.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::time::Duration;

use crate::runtime::effects::desk::{Clerk, Desk};

/// How long a line may take until it is on disk.
const WITHIN: Duration = Duration::from_secs(2);

/// What is done to the log.
#[derive(Debug)]
pub(super) enum Job {
    /// Look whether lines can be appended.
    Probe,
    /// The first line of a write: on disk before the answer.
    Begin(String),
    /// A line.
    Add(String),
    /// The last line of a write: all of them are on disk before the answer.
    End(String),
}

/// Where lines go.
pub(super) trait Log: Clerk<Job = Job> {}

impl<T: Clerk<Job = Job>> Log for T {}

/// Starts the thread that writes the log.
pub(super) fn start(log: impl Log) -> io::Result<Desk<Job>> {
    Desk::start("audit", log, WITHIN)
}

/// The file of the log.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    /// Open from the first line of a write to its last: a kill may begin and end meanwhile.
    file: Option<File>,
    writes: usize,
    /// The last line may be cut.
    torn: bool,
}

impl LogFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            file: None,
            writes: 0,
            torn: true,
        }
    }

    /// Opened for each write: whoever rotates the log renames it.
    fn open(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true).mode(0o600);
        // A pipe that nobody reads must not hold up the write, and no link leads root's lines elsewhere.
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_NOFOLLOW);
        let file = options.open(&self.path)?;
        if file.metadata()?.is_file() {
            Ok(file)
        } else {
            Err(io::Error::other("it is not a regular file"))
        }
    }

    fn add(&mut self, line: &str) -> io::Result<()> {
        let file = self.file.as_mut();
        let file = file.ok_or_else(|| io::Error::other("it is not open"))?;
        if self.torn {
            end_torn_line(file)?;
        }
        self.torn = true;
        file.write_all(line.as_bytes())?;
        self.torn = false;
        Ok(())
    }

    /// One of the writes has ended; the last one closes the file.
    fn end(&mut self) {
        self.writes = self.writes.saturating_sub(1);
        if self.writes == 0 {
            self.file = None;
        }
    }

    fn sync(&self) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), File::sync_data)
    }
}

impl Clerk for LogFile {
    type Job = Job;

    fn take(&mut self, job: &Job) -> io::Result<()> {
        match job {
            Job::Probe => self.open().map(|_| ()),
            Job::Begin(line) => {
                self.file = Some(self.open()?);
                self.torn = true;
                // If this fails the write is not carried out and sends no last line: it must not be counted.
                self.add(line)?;
                self.sync()?;
                self.writes += 1;
                Ok(())
            }
            Job::Add(line) => self.add(line),
            Job::End(line) => {
                // What stands before it goes to disk whatever becomes of this line.
                let added = self.add(line);
                let synced = self.sync();
                self.end();
                added.and(synced)
            }
        }
    }

    fn was_late(&mut self, job: &Job) {
        // The write is not carried out, and sends no last line.
        if matches!(job, Job::Begin(_)) {
            self.end();
        }
    }
}

/// A full disk may have cut the last line: the next one must not be glued to it.
fn end_torn_line(file: &mut File) -> io::Result<()> {
    let Some(last) = file.metadata()?.len().checked_sub(1) else {
        return Ok(());
    };
    let mut byte = [b'\n'];
    file.read_exact_at(&mut byte, last)?;
    if byte == [b'\n'] {
        Ok(())
    } else {
        file.write_all(b"\n")
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::time::Duration;

    use super::{Job, LogFile};
    use crate::runtime::effects::desk::{Clerk, Desk};

    /// The same in front of a file: what it lets through, and the count of writes after each job.
    struct SlowFile(Receiver<()>, LogFile, Sender<usize>);

    impl Clerk for SlowFile {
        type Job = Job;

        fn take(&mut self, job: &Job) -> io::Result<()> {
            if matches!(job, Job::Probe) {
                self.2.send(self.1.writes).map_err(io::Error::other)?;
                return Ok(());
            }
            self.0.recv().map_err(io::Error::other)?;
            self.1.take(job)
        }

        fn was_late(&mut self, job: &Job) {
            self.1.was_late(job);
        }
    }

    #[test]
    fn a_first_line_that_is_written_too_late_leaves_the_file_closed() {
        let dir = tempfile::tempdir().expect("a directory");
        let (let_go, wait) = channel();
        let (count, counts) = channel();
        let file = LogFile::new(dir.path().join("log"));
        let log = SlowFile(wait, file, count);
        let desk = Desk::start("audit", log, Duration::from_millis(20)).expect("a thread");
        let begun = desk.ask(Job::Begin("begin\n".to_owned()));
        assert_eq!(begun.expect_err("silent").kind(), io::ErrorKind::TimedOut);
        let_go.send(()).expect("the thread lives");
        while desk.ask(Job::Probe).is_err() {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(counts.recv().expect("it looks"), 0);
    }
}
