//! An ordinary user goes through every action that writes. Whatever is refused ends in a sentence that says what is missing, the
//! exact command that does it with other rights, and what is allowed instead. The frames alone are judged.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::memcg::Memcg;
use crate::common::own_child::OwnChild;
use crate::common::patience::beside;
use crate::common::pty::{Launch, Session};
use crate::common::{is_root, measured, skipped};

/// Nobody has this uid.
const UID: u32 = 54_321;

/// Words of a right that is missing.
const MISSING: &[&str] = &[
    "only root",
    "as root",
    "another user",
    "no permission",
    "No permission",
    "no right",
    "does not let this user",
    "CAP_SYS_RESOURCE",
];

/// How an exact command begins.
const COMMANDS: &[&str] = &[
    "sudo choom -p ",
    "sudo kill -",
    "sudo oomtop",
    "sudo systemctl ",
    "echo ",
    "mkdir ",
    "rmdir ",
];

/// What is wrong with a frame after an answer; `None` if it says that something was done, or all that it has to say.
fn fault(frame: &str) -> Option<String> {
    let text = frame.replace(['│', '┌', '└', '┐', '┘'], " ");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (refused, allowed) = match text.split_once("Without root") {
        Some((refused, allowed)) => (refused, Some(allowed)),
        None => (&*text, None),
    };
    if !MISSING.iter().any(|words| refused.contains(words)) {
        return Some("it does not say what is missing".to_owned());
    }
    if !COMMANDS.iter().any(|command| refused.contains(command)) {
        return Some("it names no command".to_owned());
    }
    match allowed {
        None => Some("it names nothing that is allowed instead".to_owned()),
        Some(_) => None,
    }
}

struct Walk {
    session: Session,
    said: Vec<String>,
}

impl Walk {
    fn start(target: u32) -> Self {
        let filter = format!("pid:{target}");
        let uid = UID.to_string();
        let binary = env!("CARGO_BIN_EXE_oomtop");
        let launch = Launch::program("setpriv")
            .args(["--reuid", &uid, "--regid", &uid, "--clear-groups", "--"])
            .args(["env", "-u", "XDG_RUNTIME_DIR", "HOME=/nonexistent"])
            .args([binary, "--filter", &filter])
            .size(120, 50);
        let session = launch.start();
        let row = format!(" {target} ");
        session.wait_for("the row", |screen| {
            screen.has("COMMAND") && screen.has(&row)
        });
        Self {
            session,
            said: Vec::new(),
        }
    }

    /// Opens a dialog, types what makes it ask, says yes as often as it asks, and judges the last frame.
    fn act(&mut self, action: &str, open: &str, title: &str, then: &str) {
        self.session.keys(open);
        self.session.wait_for(title, |screen| screen.has(title));
        if !then.is_empty() {
            self.session.keys(then);
            self.session.await_taken();
        }
        let mut found = None;
        for _ in 0..3 {
            self.session.keys("<Enter>");
            let begun = Instant::now();
            found = fault(&self.session.screen_text());
            while found.is_some() && begun.elapsed() < Duration::from_secs(2) {
                std::thread::sleep(Duration::from_millis(20));
                found = fault(&self.session.screen_text());
            }
            if found.is_none() {
                break;
            }
        }
        if let Some(why) = found {
            self.said
                .push(format!("{action}: {why}\n{}", self.session.screen_text()));
        }
        // Its title may have changed; no pane has such a corner.
        for _ in 0..3 {
            if self.session.look(|screen| !screen.has("└─")) {
                break;
            }
            self.session.keys("<Esc>");
        }
        self.session
            .wait_for("the table", |screen| !screen.has("└─"));
    }

    fn ends(mut self) -> Vec<String> {
        self.session.keys("<C-c>");
        self.session.wait_exit();
        self.said
    }
}

/// A process of the ordinary user.
struct Theirs(Child);

impl Drop for Theirs {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
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
    let own = Command::new("sleep")
        .arg("1000")
        .uid(UID)
        .gid(UID)
        .stdin(Stdio::null())
        .spawn();
    let own = Theirs(own.expect("sleep"));
    let begun = Instant::now();

    let mut walk = Walk::start(foreign.id().pid);
    walk.act("a, lower", "a", "─ Adjust ", "-500");
    walk.act("a, higher", "a", "─ Adjust ", "700");
    walk.act("a rule", "ar", "rule", "");
    walk.act("k", "k", "─ Send a signal", "");
    walk.act("c, a new group", "c", "Cgroup of", "100M");
    walk.act("c, an existing group", "c", "Cgroup of", "<Tab>/");
    walk.act("c, limits", "c", "Cgroup of", "<Tab><Tab>100M");
    for (name, keys) in [
        ("i, freeze", "f"),
        ("i, raise", "r300M"),
        ("i, expose", "e"),
        ("i, stop", "s"),
        ("i, kill", "k"),
        ("i, kill all", "x"),
    ] {
        walk.act(name, "i", "─ Incident", keys);
    }
    let mut faults = walk.ends();

    // Below what it has been given, also of an own process.
    let mut walk = Walk::start(own.0.id());
    walk.act("a, an own process lower", "a", "─ Adjust ", "-500");
    walk.act("c, an own process", "c", "Cgroup of", "100M");
    faults.extend(walk.ends());
    measured(&format!(
        "15 actions of an ordinary user took {:?}",
        begun.elapsed()
    ));
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}
