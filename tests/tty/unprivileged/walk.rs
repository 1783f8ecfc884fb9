//! [`Walk`]: the dashboard of an ordinary user, driven through dialogs, and what each of them ends in.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::judge::{fault, news};
use crate::common::patience::{PATIENCE, until};
use crate::common::pty::{Launch, Session};

/// Nobody has this uid, unless a machine has a user that this is to be (`OOMTOP_TEST_UID`).
pub(super) fn uid() -> u32 {
    let given = std::env::var("OOMTOP_TEST_UID").ok();
    given.and_then(|uid| uid.parse().ok()).unwrap_or(54_321)
}

/// The directory of the user's session, if there is one.
fn runtime_dir() -> Option<String> {
    let dir = format!("/run/user/{}", uid());
    Path::new(&dir).exists().then_some(dir)
}

/// A directory of the user, with the audit log.
pub(super) struct Home(pub(super) tempfile::TempDir);

impl Home {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        chown(dir.path(), Some(uid()), Some(uid())).expect("theirs");
        Self(dir)
    }

    pub(super) fn audit(&self) -> PathBuf {
        self.0.path().join("audit")
    }

    /// How many writes have ended, and how many of them failed.
    pub(super) fn ended(&self) -> (usize, usize) {
        let text = std::fs::read_to_string(self.audit()).unwrap_or_default();
        let lines = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        let ends: Vec<serde_json::Value> = lines
            .filter(|line: &serde_json::Value| line["event"] == "end")
            .collect();
        let failed = ends.iter().filter(|end| end["failed"] != 0);
        (ends.len(), failed.count())
    }

    /// A command as the user.
    pub(super) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_oomtop"));
        command.args(words).uid(uid()).gid(uid());
        command
            .env("HOME", self.0.path())
            .env_remove("XDG_CONFIG_HOME");
        match runtime_dir() {
            Some(dir) => command.env("XDG_RUNTIME_DIR", dir),
            None => command.env_remove("XDG_RUNTIME_DIR"),
        };
        command.stdin(Stdio::null());
        command
    }
}

pub(super) struct Walk<'a> {
    pub(super) session: Session,
    pub(super) home: &'a Home,
    said: Vec<String>,
    pub(super) actions: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn start(target: u32, home: &'a Home) -> Self {
        let filter = format!("pid:{target}");
        let uid = uid().to_string();
        let binary = env!("CARGO_BIN_EXE_oomtop");
        let audit = home.audit();
        let session = match runtime_dir() {
            Some(dir) => format!("XDG_RUNTIME_DIR={dir}"),
            None => "NO_RUNTIME_DIR=1".to_owned(),
        };
        let place = format!("HOME={}", home.0.path().display());
        let launch = Launch::program("setpriv")
            .args(["--reuid", &uid, "--regid", &uid, "--clear-groups", "--"])
            .args(["env", "-u", "XDG_RUNTIME_DIR", "-u", "XDG_CONFIG_HOME"])
            .args([&session, &place])
            .args([binary, "--filter", &filter, "--audit"])
            .args([audit.to_str().expect("text")])
            .size(120, 50);
        let session = launch.start();
        let row = format!(" {target} ");
        session.wait_for("the row", |screen| {
            screen.has("COMMAND") && screen.has(&row)
        });
        Self {
            session,
            home,
            said: Vec::new(),
            actions: 0,
        }
    }

    pub(super) fn open(&mut self, open: &str, title: &str, then: &str) {
        self.session.keys(open);
        self.session.wait_for(title, |screen| screen.has(title));
        if !then.is_empty() {
            self.session.keys(then);
            self.session.await_taken();
        }
    }

    /// The last frame, once it does not change any more.
    pub(super) fn settled(&self) -> String {
        let mut last = self.session.screen_text();
        let begun = Instant::now();
        let mut since = Instant::now();
        while since.elapsed() < Duration::from_millis(200) && begun.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(20));
            let now = self.session.screen_text();
            if now != last {
                (last, since) = (now, Instant::now());
            }
        }
        last
    }

    /// Opens a dialog, types what makes it ask, says yes until a write was tried and failed, and judges what the frame says since.
    pub(super) fn act(&mut self, action: &str, open: &str, title: &str, then: &str) {
        self.open(open, title, then);
        self.confirm(action, "<Enter>");
        self.leave();
    }

    /// The same where the dialog refuses it before a write.
    pub(super) fn refused(&mut self, action: &str, open: &str, title: &str, then: &str) {
        let (before, ended) = (self.settled(), self.home.ended());
        self.open(open, title, then);
        self.session.keys("<Enter>");
        self.settled();
        self.actions += 1;
        self.judge(action, &before);
        assert_eq!(self.home.ended(), ended, "{action}: nothing is written");
        self.leave();
    }

    /// A dialog that must show something before it is acted in.
    pub(super) fn sees(&mut self, what: &str, open: &str, title: &str, text: &str) {
        self.open(open, title, "");
        self.session.wait_for(what, |screen| screen.has(text));
        self.leave();
    }

    /// The same where it is allowed: it is done without a failure.
    pub(super) fn done(&mut self, action: &str, open: &str, title: &str, then: &str) {
        let ended = self.home.ended();
        self.open(open, title, then);
        for _ in 0..3 {
            self.settled();
            if self.home.ended().0 == ended.0 {
                self.session.keys("<Enter>");
            }
        }
        let is_done = || self.home.ended() == (ended.0 + 1, ended.1);
        assert!(until(is_done), "{action}: {}", self.session.screen_text());
        self.leave();
    }

    /// Takes the newest write back, in the dialog that the history opens, and judges both.
    pub(super) fn undo_from_history(&mut self) {
        self.open("H", "Writes of this session", "u");
        self.session
            .wait_for("the question", |screen| screen.has("─ Undo "));
        let before = self.settled();
        self.confirm("H, an undo", "<Enter>");
        // In the history below it.
        self.session.keys("<Esc>");
        self.session
            .wait_for("the history", |screen| !screen.has("─ Undo "));
        self.session.keys("<Up>");
        self.settled();
        self.actions += 1;
        self.judge("H, the undo in the history", &before);
        self.leave();
    }

    /// Presses a key that writes, as often as it asks again.
    pub(super) fn confirm(&mut self, action: &str, key: &str) {
        self.actions += 1;
        let failed = self.home.ended().1;
        for _ in 0..4 {
            let before = self.settled();
            self.session.keys(key);
            let begun = Instant::now();
            let mut tried = false;
            while !tried && begun.elapsed() < Duration::from_secs(4) {
                std::thread::sleep(Duration::from_millis(20));
                tried = self.home.ended().1 > failed;
            }
            if tried {
                return self.judge(action, &before);
            }
        }
        self.said.push(format!(
            "{action}: no write was tried that failed\n{}",
            self.session.screen_text()
        ));
    }

    pub(super) fn judge(&mut self, action: &str, before: &str) {
        let begun = Instant::now();
        let mut found = fault(&news(before, &self.session.screen_text()), uid());
        while found.is_some() && begun.elapsed() < Duration::from_secs(4) {
            std::thread::sleep(Duration::from_millis(50));
            found = fault(&news(before, &self.session.screen_text()), uid());
        }
        if let Some(why) = found {
            let now = self.session.screen_text();
            self.said.push(format!("{action}: {why}\n{now}"));
        }
    }

    pub(super) fn leave(&mut self) {
        // Its title may have changed; no pane has such a corner.
        for _ in 0..3 {
            if self.session.look(|screen| !screen.has("└─")) {
                break;
            }
            self.session.keys("<Esc>");
            self.session.await_taken();
        }
        self.session
            .wait_for("the table", |screen| !screen.has("└─"));
    }

    pub(super) fn ends(mut self) -> (usize, Vec<String>) {
        self.session.keys("<C-c>");
        self.session.wait_exit();
        (self.actions, self.said)
    }
}

/// A process of the ordinary user.
pub(super) struct Theirs(pub(super) Child);

impl Theirs {
    pub(super) fn start() -> Self {
        let own = Command::new("sleep")
            .arg("1000")
            .uid(uid())
            .gid(uid())
            .stdin(Stdio::null())
            .spawn();
        Self(own.expect("sleep"))
    }
}

impl Drop for Theirs {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
