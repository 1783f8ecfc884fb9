//! An ordinary user goes through every action that writes. Whatever is refused ends in a sentence that says what is missing, the
//! exact command that does it with other rights, and what is allowed instead. The frames alone are judged; the audit log tells
//! that a write was tried and failed.

mod judge;

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::memcg::Memcg;
use crate::common::own_child::OwnChild;
use crate::common::patience::{PATIENCE, beside, until};
use crate::common::pty::{Launch, Session};
use crate::common::{is_root, measured, skipped};
use judge::{fault, news};

/// Nobody has this uid, unless a machine has a user that this is to be (`OOMTOP_TEST_UID`).
fn uid() -> u32 {
    let given = std::env::var("OOMTOP_TEST_UID").ok();
    given.and_then(|uid| uid.parse().ok()).unwrap_or(54_321)
}

/// The directory of the user's session, if there is one.
fn runtime_dir() -> Option<String> {
    let dir = format!("/run/user/{}", uid());
    Path::new(&dir).exists().then_some(dir)
}

/// A directory of the user, with the audit log.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        chown(dir.path(), Some(uid()), Some(uid())).expect("theirs");
        Self(dir)
    }

    fn audit(&self) -> PathBuf {
        self.0.path().join("audit")
    }

    /// How many writes have ended, and how many of them failed.
    fn ended(&self) -> (usize, usize) {
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
    fn command(&self, words: &[&str]) -> Command {
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

struct Walk<'a> {
    session: Session,
    home: &'a Home,
    said: Vec<String>,
    actions: usize,
}

impl<'a> Walk<'a> {
    fn start(target: u32, home: &'a Home) -> Self {
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
            .args(["env", "-u", "XDG_RUNTIME_DIR", &session, &place])
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

    fn open(&mut self, open: &str, title: &str, then: &str) {
        self.session.keys(open);
        self.session.wait_for(title, |screen| screen.has(title));
        if !then.is_empty() {
            self.session.keys(then);
            self.session.await_taken();
        }
    }

    /// The last frame, once it does not change any more.
    fn settled(&self) -> String {
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
    fn act(&mut self, action: &str, open: &str, title: &str, then: &str) {
        self.open(open, title, then);
        self.confirm(action, "<Enter>");
        self.leave();
    }

    /// The same where the dialog refuses it before a write.
    fn refused(&mut self, action: &str, open: &str, title: &str, then: &str) {
        let (before, ended) = (self.settled(), self.home.ended());
        self.open(open, title, then);
        self.session.keys("<Enter>");
        self.settled();
        self.actions += 1;
        self.judge(action, &before);
        assert_eq!(self.home.ended(), ended, "{action}: nothing is written");
        self.leave();
    }

    /// Presses a key that writes, as often as it asks again.
    fn confirm(&mut self, action: &str, key: &str) {
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

    fn judge(&mut self, action: &str, before: &str) {
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

    fn leave(&mut self) {
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

    fn ends(mut self) -> (usize, Vec<String>) {
        self.session.keys("<C-c>");
        self.session.wait_exit();
        (self.actions, self.said)
    }
}

/// A process of the ordinary user.
struct Theirs(Child);

impl Theirs {
    fn start() -> Self {
        let own = Command::new("sleep")
            .arg("1000")
            .uid(uid())
            .gid(uid())
            .stdin(Stdio::null())
            .spawn();
        Self(own.expect("sleep"))
    }

    fn adj(&self) -> PathBuf {
        format!("/proc/{}/oom_score_adj", self.0.id()).into()
    }
}

impl Drop for Theirs {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// What a command says, judged.
fn said(what: &str, mut command: Command, faults: &mut Vec<String>) {
    let output = command.output().expect("it runs");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    if let Some(why) = fault(&news("", &text), uid()) {
        faults.push(format!("{what}: {why}\n{text}"));
    }
}

#[test]
fn every_action_that_is_refused_says_what_is_missing_the_command_and_what_is_allowed() {
    let test = "every_action_that_is_refused";
    beside();
    if !is_root() {
        return skipped(test, "only root may become somebody else");
    }
    let Some(group) = Memcg::create("unprivileged") else {
        return;
    };
    group.limit(256 << 20);
    let foreign = OwnChild::waiting();
    group.add(foreign.id().pid);
    let own = Theirs::start();
    let home = Home::new();
    let begun = Instant::now();

    let mut walk = Walk::start(foreign.id().pid, &home);
    walk.act("a, lower", "a", "─ Adjust ", "-500");
    walk.act("a, higher", "a", "─ Adjust ", "700");
    walk.act("k", "k", "─ Send a signal", "");
    walk.refused("c, a new group", "c", "Cgroup of", "100M");
    walk.act("c, an existing group", "c", "Cgroup of", "<Tab>/");
    walk.act("c, limits", "c", "Cgroup of", "<Tab><Tab>100M");
    for (name, keys) in [
        ("i, freeze", "f"),
        ("i, raise", "r300M"),
        ("i, reclaim", "c"),
        ("i, expose", "e"),
        ("i, stop", "s"),
        ("i, kill", "k"),
        ("i, kill all", "x"),
    ] {
        walk.act(name, "i", "─ Incident", keys);
    }
    let (mut actions, mut faults) = walk.ends();

    // Below what it has been given, also of an own process.
    let mut walk = Walk::start(own.0.id(), &home);
    walk.act("a, an own process lower", "a", "─ Adjust ", "-500");
    walk.refused("c, an own process", "c", "Cgroup of", "100M");
    // What is allowed is done, and its undo is not allowed any more: root has raised the floor meanwhile.
    let ended = home.ended();
    std::fs::write(own.adj(), "0").expect("root may");
    walk.open("a", "─ Adjust ", "300");
    for _ in 0..3 {
        walk.settled();
        if home.ended().0 == ended.0 {
            walk.session.keys("<Enter>");
        }
    }
    assert!(until(|| home.ended().0 > ended.0), "it is written");
    assert_eq!(home.ended().1, ended.1, "an own process may be raised");
    walk.leave();
    std::fs::write(own.adj(), "300").expect("root may");
    walk.open("H", "Writes of this session", "");
    walk.session.keys("u");
    walk.session
        .wait_for("the question", |screen| screen.has("─ Undo "));
    let before = walk.settled();
    let failed = home.ended().1;
    walk.session.keys("<Enter>");
    assert!(until(|| home.ended().1 > failed), "the undo is refused");
    // The newest write, which has failed.
    walk.settled();
    walk.session.keys("<Up>");
    walk.actions += 1;
    walk.judge("H, an undo", &before);
    walk.leave();
    let (more, said_more) = walk.ends();
    actions += more;
    faults.extend(said_more);

    // Without a screen.
    let rules = home.0.path().join("rules.toml");
    let pid = own.0.id();
    std::fs::write(
        &rules,
        format!(
            "[[rule]]\nname = \"sleep\"\nuser = \"{}\"\nadj = -700\n",
            uid()
        ),
    )
    .expect("written");
    let once = [
        "protect",
        "--once",
        "--rules",
        rules.to_str().expect("text"),
    ];
    said("protect", home.command(&once), &mut faults);
    actions += 1;
    let adj = std::fs::read_to_string(format!("/proc/{pid}/oom_score_adj"));
    assert_ne!(adj.expect("it lives").trim(), "-700");
    let run = ["run", "--no-tui", "--limit", "64M", "--", "true"];
    let ran = home.command(&run).output().expect("it runs");
    if !ran.status.success() {
        said("run", home.command(&run), &mut faults);
        actions += 1;
    }
    measured(&format!(
        "{actions} actions of an ordinary user took {:?}",
        begun.elapsed()
    ));
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

/// Files that an ordinary user may not write: the rules of the machine, and a configuration that is somebody else's.
#[test]
fn a_file_that_may_not_be_written_is_refused_with_what_is_allowed() {
    let test = "a_file_that_may_not_be_written";
    beside();
    if !is_root() {
        return skipped(test, "only root may become somebody else");
    }
    let own = Theirs::start();
    let home = Home::new();
    // The log is made before the home is taken away.
    std::fs::write(home.audit(), "").expect("written");
    chown(home.audit(), Some(uid()), Some(uid())).expect("theirs");
    let config = home.0.path().join(".config");
    std::fs::create_dir(&config).expect("made");
    chown(&config, Some(0), Some(0)).expect("root's");
    let mut walk = Walk::start(own.0.id(), &home);
    walk.act("a, a rule", "ar", "rule", "");
    // The settings are no write to the system: the log has nothing of them.
    walk.open("<F2>", "Settings of oomtop", "<Right>");
    walk.settled();
    walk.session.keys("W");
    walk.session
        .wait_for("the draft", |screen| screen.has("Create "));
    let before = walk.settled();
    walk.session.keys("<Enter>");
    walk.judge("F2, save", &before);
    let (_, faults) = walk.ends();
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}
