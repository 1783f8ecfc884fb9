//! [`OwnChild`]: a process that a test starts, may change, and ends.
#![allow(
    dead_code,
    reason = "every test crate compiles all of this and uses a part of it"
)]
#![allow(
    clippy::expect_used,
    reason = "a test that cannot start its process fails"
)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use oomtop::model::process::ProcessId;

use super::patience::{beside, until};

/// A shell that waits on its standard input.
#[derive(Debug)]
pub(crate) struct OwnChild {
    child: Child,
    id: ProcessId,
}

impl OwnChild {
    /// Waits for a line, then ends.
    pub(crate) fn waiting() -> Self {
        Self::script("read line")
    }

    /// Waits for a line, then takes about `mib` MiB, says so, and waits again.
    pub(crate) fn hog(mib: u32) -> Self {
        let bytes = mib * 1024 * 1024;
        Self::script(&format!(
            "read go; x=$(head -c {bytes} /dev/zero | tr '\\0' x); echo ready; read line"
        ))
    }

    fn script(script: &str) -> Self {
        beside();
        let child = Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh");
        let id = id_of(child.id()).expect("its start time");
        Self { child, id }
    }

    pub(crate) fn id(&self) -> ProcessId {
        self.id
    }

    /// The identity of another process with the same pid.
    pub(crate) fn other_id(&self) -> ProcessId {
        ProcessId {
            start_ticks: self.id.start_ticks + 1,
            ..self.id
        }
    }

    /// Lets a hog take its memory and waits until it has.
    pub(crate) fn fill(&mut self) {
        let stdin = self.child.stdin.as_mut().expect("its input");
        stdin.write_all(b"go\n").expect("written");
        let out = self.child.stdout.as_mut().expect("its output");
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).expect("a line");
        assert_eq!(line, "ready\n");
    }

    /// Kills it; it stays a zombie until [`Self::reap`].
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("killed");
        assert!(until(|| self.state() == Some('Z')), "SIGKILL ends it");
    }

    /// Sends the line that ends the child; true if the child exits normally.
    pub(crate) fn leaves(mut self) -> bool {
        let stdin = self.child.stdin.as_mut().expect("its input");
        stdin.write_all(b"\n").is_ok() && self.child.wait().expect("waited for").success()
    }

    pub(crate) fn reap(&mut self) {
        self.child.wait().expect("reaped");
    }

    /// Its state letter.
    pub(crate) fn state(&self) -> Option<char> {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.id.pid)).ok()?;
        text.rsplit_once(") ")?.1.chars().next()
    }

    pub(crate) fn adj(&self) -> i64 {
        let path = format!("/proc/{}/oom_score_adj", self.id.pid);
        let text = std::fs::read_to_string(path).expect("oom_score_adj");
        text.trim().parse().expect("a number")
    }
}

impl Drop for OwnChild {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The identity of a live process, read without the code under test.
pub(crate) fn id_of(pid: u32) -> Option<ProcessId> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let after_name = text.rsplit_once(") ")?.1;
    let start_ticks = after_name.split(' ').nth(19)?.parse().ok()?;
    Some(ProcessId { pid, start_ticks })
}
