//! [`Member`]: a process of a trial, `member.py`, driven through a pipe.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running member; dropping it kills it.
pub(crate) struct Member {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// The other process that shares its memory, where it was asked for.
    pub(crate) twin: Option<u32>,
    pub(crate) name: String,
}

/// The interpreter itself, if it has the modules the members need: a wrapper in `PATH` can be slow and is a process of its own.
pub(crate) fn interpreter() -> Option<String> {
    let ask = ["-c", "import ctypes, mmap, sys; print(sys.executable)"];
    let output = Command::new("python3").args(ask).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !path.is_empty()).then_some(path)
}

impl Member {
    /// Starts one; [`Self::ready`] waits for it.
    pub(crate) fn start(python: &str, name: &str) -> Self {
        let mut child = Command::new(python)
            .args(["-S", "-E", "-c", include_str!("member.py"), name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python starts");
        Self {
            orders: child.stdin.take().expect("piped"),
            answers: BufReader::new(child.stdout.take().expect("piped")),
            child,
            twin: None,
            name: name.to_owned(),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// True for its pid and that of its twin.
    pub(crate) fn is(&self, pid: u32) -> bool {
        self.pid() == pid || self.twin == Some(pid)
    }

    /// Waits until it takes orders; false if it has ended.
    pub(crate) fn ready(&mut self) -> bool {
        self.answer().is_some()
    }

    /// Sends an order and returns the member's answer; `None` if the member has ended.
    pub(crate) fn order(&mut self, order: &str) -> Option<u32> {
        writeln!(self.orders, "{order}").ok()?;
        self.answer()
    }

    fn answer(&mut self) -> Option<u32> {
        let mut line = String::new();
        let read = self.answers.read_line(&mut line).ok()?;
        let number = || line.split_whitespace().nth(1)?.parse().ok();
        (read > 0).then(|| number().unwrap_or(0))
    }

    pub(crate) fn set_adj(&self, adj: i16) {
        let path = format!("/proc/{}/oom_score_adj", self.pid());
        std::fs::write(path, adj.to_string()).expect("its oom_score_adj");
    }

    /// Its `oom_score_adj`, inherited from the test.
    pub(crate) fn adj(&self) -> i16 {
        let path = format!("/proc/{}/oom_score_adj", self.pid());
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.trim().parse().unwrap_or(0)
    }

    /// True if SIGKILL ended it.
    pub(crate) fn was_killed(&mut self) -> bool {
        let status = self.child.try_wait().expect("it is our child");
        status.is_some_and(|status| status.signal() == Some(9))
    }

    /// True if the member and its twin have ended.
    pub(crate) fn is_gone(&mut self) -> bool {
        let twin = self.twin.is_some_and(|pid| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.rsplit_once(") ")
                .is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
        });
        !twin && self.child.try_wait().expect("it is our child").is_some()
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        // A twin dies when its group is removed.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
