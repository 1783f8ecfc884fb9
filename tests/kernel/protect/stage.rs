//! Rules, scripts and a resident `oomtop protect` for the tests.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::common::hog::adj_of;
use crate::common::patience::{beside, until};

/// A file of rules that root may trust.
pub(crate) struct RuleFile {
    _dir: tempfile::TempDir,
    pub(crate) path: PathBuf,
}

impl RuleFile {
    pub(crate) fn new(text: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let file = Self {
            path: dir.path().join("rules.toml"),
            _dir: dir,
        };
        file.write(text);
        file
    }

    pub(crate) fn write(&self, text: &str) {
        std::fs::write(&self.path, text).expect("written");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&self.path, mode).expect("changed");
    }
}

pub(crate) fn protect(rules: &RuleFile, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oomtop"));
    command
        .arg("protect")
        .arg("--rules")
        .arg(&rules.path)
        .args(args)
        .env_remove("JOURNAL_STREAM")
        .stdin(Stdio::null());
    command
}

pub(crate) fn run(rules: &RuleFile, args: &[&str]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = protect(rules, args).output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (status.code(), text(stdout), text(stderr))
}

/// A shell that runs a script, in a process group of its own that ends with this value.
pub(crate) struct Script {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Script {
    /// `name` is in the command line of the shell, not in those of its children.
    pub(crate) fn start(name: &str, script: &str) -> Self {
        beside();
        let mut child = Command::new("sh")
            .args(["-c", script, name])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh");
        Self {
            input: child.stdin.take().expect("piped"),
            output: BufReader::new(child.stdout.take().expect("piped")),
            child,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn order(&mut self, line: &str) {
        writeln!(self.input, "{line}").expect("it reads");
    }

    pub(crate) fn answer(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a line");
        line.trim().to_owned()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let group = Pid::from_child(&self.child);
        kill_process_group(group, Signal::KILL).ok();
        self.child.wait().ok();
    }
}

/// A waiting shell.
pub(crate) fn waiting(name: &str) -> Script {
    Script::start(name, "read line; :")
}

/// A supervisor that makes so many children that wait, at each order, and says so.
pub(crate) fn supervisor(name: &str) -> Script {
    let script = "while read count; do i=0; \
        while [ $i -lt $count ]; do sleep 1000 & i=$((i+1)); done; echo made; done";
    Script::start(name, script)
}

/// The living descendants of a process, by the process table.
pub(crate) fn descendants(top: u32) -> Vec<u32> {
    let mut parents = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("listed").flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let fields = stat.rsplit_once(") ").map(|(_, fields)| fields.to_owned());
        let parent = fields.and_then(|fields| fields.split(' ').nth(1)?.parse::<u32>().ok());
        parents.extend(parent.map(|parent| (pid, parent)));
    }
    let (mut found, mut open) = (Vec::new(), vec![top]);
    while let Some(parent) = open.pop() {
        let children = parents.iter().filter(|(_, of)| *of == parent);
        for (child, _) in children {
            found.push(*child);
            open.push(*child);
        }
    }
    found
}

/// A running `oomtop protect`.
pub(crate) struct Resident {
    child: Child,
    said: Arc<Mutex<String>>,
}

impl Resident {
    pub(crate) fn start(rules: &RuleFile, args: &[&str]) -> Self {
        let mut child = protect(rules, args)
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let said = Arc::new(Mutex::new(String::new()));
        let (mut errors, into) = (child.stderr.take().expect("piped"), Arc::clone(&said));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count) = errors.read(&mut bytes) {
                if count == 0 {
                    return;
                }
                let text = String::from_utf8_lossy(&bytes[..count]);
                into.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push_str(&text);
            }
        });
        let resident = Self { child, said };
        resident.says("in force");
        resident
    }

    pub(crate) fn said(&self) -> String {
        self.said
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Waits until it has said this.
    pub(crate) fn says(&self, what: &str) {
        assert!(
            until(|| self.said().contains(what)),
            "{what}\n{}",
            self.said()
        );
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("sent");
    }

    /// The nice values of its threads.
    pub(crate) fn nice(&self) -> Vec<i32> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("it runs");
        let nice = |task: std::fs::DirEntry| {
            let stat = std::fs::read_to_string(task.path().join("stat")).ok()?;
            // Field 19; the second one may hold blanks.
            let (_, rest) = stat.rsplit_once(')')?;
            rest.split_whitespace().nth(16)?.parse().ok()
        };
        tasks.flatten().filter_map(nice).collect()
    }

    /// SIGTERM ends it cleanly.
    pub(crate) fn ends(mut self) {
        self.signal(Signal::TERM);
        let status = self.child.wait().expect("waited for");
        assert_eq!(status.code(), Some(0), "{}", self.said());
    }
}

impl Drop for Resident {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

pub(crate) fn every(pids: &[u32], adj: i32) -> bool {
    until(|| pids.iter().all(|pid| adj_of(*pid) == Some(adj)))
}

/// Ends a process that nobody else owns.
pub(crate) struct Ends(pub(crate) Child);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
