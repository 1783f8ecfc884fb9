//! The kernel log, read independently of the program under test.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, SeekFrom, seek};

use super::patience::PATIENCE;

/// Kernel lines that appear after [`KernelLog::listen`], each with the time it could first be read.
pub(crate) struct KernelLog {
    lines: Receiver<(Instant, String)>,
}

impl KernelLog {
    /// Starts listening; `None`, said loudly, when the log may not be read.
    pub(crate) fn listen(test: &str) -> Option<Self> {
        super::patience::alone();
        // The log gives pids of the first pid namespace (PROC_PID_INIT_INO, include/linux/proc_ns.h). In any
        // other namespace a test knows its children by other pids.
        let namespace = std::fs::read_link("/proc/self/ns/pid").ok();
        if namespace.as_deref() != Some(std::path::Path::new("pid:[4026531836]")) {
            super::skipped(
                test,
                "this is a pid namespace of its own, the kernel's log is not",
            );
            return None;
        }
        let opened = OpenOptions::new()
            .read(true)
            .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
            .open("/dev/kmsg");
        let file = match opened {
            Ok(file) => file,
            Err(error) => {
                super::skipped(test, &format!("/dev/kmsg cannot be opened: {error}"));
                return None;
            }
        };
        seek(&file, SeekFrom::End(0)).expect("the end of the log");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            let mut file = file;
            while let Some(line) = next(&mut file) {
                if sender.send((Instant::now(), line)).is_err() {
                    return;
                }
            }
        });
        Some(Self { lines })
    }

    /// The next line, if one comes in time.
    pub(crate) fn next_within(&self, limit: Duration) -> Option<String> {
        self.lines.recv_timeout(limit).ok().map(|(_, line)| line)
    }

    /// Waits for the line that kills one of `pids`: the machine may log unrelated kills.
    ///
    /// # Panics
    /// If the line does not come in time.
    pub(crate) fn wait_kill(&self, pids: &[u32]) -> (Instant, String) {
        let wanted: Vec<String> = pids
            .iter()
            .map(|pid| format!("Killed process {pid} ("))
            .collect();
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Ok((at, line)) = self.lines.recv_timeout(left) else {
                panic!("the kernel killed none of {pids:?} within {PATIENCE:?}");
            };
            if wanted.iter().any(|text| line.contains(text)) {
                return (at, line);
            }
        }
    }
}

/// The next record's text; `None` after some minutes of silence, so that the thread ends eventually.
fn next(file: &mut File) -> Option<String> {
    let mut record = [0; 8192];
    loop {
        match file.read(&mut record) {
            Ok(n) => {
                let text = String::from_utf8_lossy(&record[..n]).into_owned();
                return Some(
                    text.split_once(';')
                        .map_or(text.clone(), |(_, t)| t.to_owned()),
                );
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                let mut fds = [PollFd::new(file, PollFlags::IN)];
                let minutes = Timespec {
                    tv_sec: 300,
                    tv_nsec: 0,
                };
                if poll(&mut fds, Some(&minutes)).is_ok_and(|ready| ready == 0) {
                    return None;
                }
            }
            // EPIPE: records were overwritten before they were read; the next read goes on.
            Err(_) => {}
        }
    }
}
