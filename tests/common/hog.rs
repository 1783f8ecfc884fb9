//! Processes that take known amounts of memory: a second run of the test binary itself.
//!
//! No other program is needed, the name (`comm`) is free to choose, and a hog ends with the test:
//! it reads commands from a pipe and leaves when the pipe is closed.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::memcg::Memcg;
use super::patience::{beside, until};

/// Set for the child: it is a hog, not a test.
const SWITCH: &str = "OOMTOP_TEST_HOG";

/// A running hog; dropping it kills it.
pub(crate) struct Hog {
    child: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    name: String,
}

impl Hog {
    /// Starts a hog that shows up as `name` in `comm` (15 bytes count) and in its command line.
    pub(crate) fn start(name: &str) -> Self {
        Self::start_bytes(name.as_bytes())
    }

    /// [`Hog::start`] for a name of any bytes but NUL.
    pub(crate) fn start_bytes(name: &[u8]) -> Self {
        beside();
        // The test harness refuses arguments that are not UTF-8; only `comm` keeps the exact bytes.
        let shown = String::from_utf8_lossy(name);
        let mut child = Command::new(std::env::current_exe().expect("the test's own path"))
            .arg0(&*shown)
            .args([
                "common::hog::hog_child",
                "--exact",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(SWITCH, OsStr::from_bytes(name))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the test binary starts again");
        let mut hog = Self {
            commands: child.stdin.take(),
            answers: BufReader::new(child.stdout.take().expect("piped")),
            child,
            name: shown.into_owned(),
        };
        hog.await_answer();
        hog
    }

    /// Process number.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The name it was started with.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Sets its `oom_score_adj`.
    pub(crate) fn adj(self, adj: i32) -> Self {
        let path = format!("/proc/{}/oom_score_adj", self.pid());
        std::fs::write(path, adj.to_string()).expect("oom_score_adj of the hog");
        self
    }

    /// Puts it into a cgroup. Memory it has taken before stays charged elsewhere.
    pub(crate) fn in_group(self, group: &Memcg) -> Self {
        group.add(self.pid());
        self
    }

    /// Takes so many MiB more, touched; returns when it has them.
    pub(crate) fn grow(mut self, mib: usize) -> Self {
        self.order(&format!("grow {mib}"));
        self.await_answer();
        self
    }

    /// Takes MiB after MiB, one every `pause`, until it is killed or has `most` more. Returns at once.
    pub(crate) fn leak(&mut self, most: usize, pause: Duration) {
        self.order(&format!("leak {most} {}", pause.as_millis()));
    }

    fn order(&mut self, command: &str) {
        let pipe = self.commands.as_mut().expect("the pipe is open");
        writeln!(pipe, "{command}").expect("the hog takes commands");
    }

    fn await_answer(&mut self) {
        let mut line = String::new();
        while !line.contains("hog:ok") {
            line.clear();
            let n = self.answers.read_line(&mut line).expect("an answer");
            assert!(n > 0, "hog {} ended: {:?}", self.name, self.child.wait());
        }
    }

    /// `None` while it runs.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the hog is our child")
    }

    /// Waits until it is gone; true when SIGKILL ended it.
    pub(crate) fn is_killed(&mut self) -> bool {
        let mut status = None;
        until(|| {
            status = self.ended();
            status.is_some()
        });
        status.is_some_and(|status| status.signal() == Some(9))
    }

    /// Kills it and waits for it.
    pub(crate) fn kill(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Drop for Hog {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A hog for others to start: its command line, and the variable that makes it one. It takes commands on its standard
/// input and ends with them.
pub(crate) fn command(name: &str) -> (Vec<String>, (&'static str, String)) {
    let own = std::env::current_exe().expect("the test's own path");
    let arguments = [
        &own.to_string_lossy(),
        "common::hog::hog_child",
        "--exact",
        "--nocapture",
        "--test-threads=1",
    ];
    (
        arguments.map(str::to_owned).to_vec(),
        (SWITCH, name.to_owned()),
    )
}

/// `oom_score_adj` of a process; `None` once it is gone.
pub(crate) fn adj_of(pid: u32) -> Option<i32> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/oom_score_adj")).ok()?;
    text.trim().parse().ok()
}

/// Runs in the child. This is a test only because a test is the one way into a test binary; in an ordinary
/// `cargo test` the switch is not set and this returns at once.
#[test]
fn hog_child() {
    let Some(name) = std::env::var_os(SWITCH) else {
        return;
    };
    let comm = name.as_bytes();
    // The write goes to the thread group's leader, which is what `/proc/PID/comm` shows; prctl()
    // would name this thread only.
    std::fs::write("/proc/self/comm", &comm[..comm.len().min(15)]).expect("own comm");
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL)).ok();
    let mut held: Vec<Vec<u8>> = Vec::new();
    println!("hog:ok");
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("a command");
        let mut words = line.split(' ');
        let verb = words.next().expect("a verb").to_owned();
        let numbers: Vec<u64> = words.map(|w| w.parse().expect("a number")).collect();
        match (verb.as_str(), &numbers[..]) {
            ("grow", [mib]) => held.push(touched(*mib)),
            ("leak", [most, pause]) => {
                for _ in 0..*most {
                    held.push(touched(1));
                    std::thread::sleep(Duration::from_millis(*pause));
                }
            }
            _ => panic!("unknown command {line:?}"),
        }
        println!("hog:ok");
    }
}

/// `mib` MiB with every byte written.
fn touched(mib: u64) -> Vec<u8> {
    vec![0xa5; usize::try_from(mib << 20).expect("fits")]
}
