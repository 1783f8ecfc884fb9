//! An ordinary user goes through every action that writes. Whatever is refused ends in a sentence that says what is missing, the
//! exact command that does it with other rights, and what is allowed instead. The frames alone are judged; the audit log tells
//! that a write was tried and failed.

mod judge;
mod walk;

use std::os::unix::fs::chown;
use std::process::Command;
use std::time::Instant;

use rustix::process::{Pid, Signal};

use crate::common::memcg::{Memcg, Version};
use crate::common::own_child::OwnChild;
use crate::common::patience::beside;
use crate::common::{is_root, measured, skipped};
use judge::{fault, news};
use walk::{Home, Theirs, Walk, uid};

/// What a command says, judged.
fn said(what: &str, mut command: Command, faults: &mut Vec<String>) {
    let output = command.output().expect("it runs");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    if let Some(why) = fault(&news("", &text), uid()) {
        faults.push(format!("{what}: {why}\n{text}"));
    }
}

/// All files of the group are this user's.
fn give(group: &Memcg, uid: u32) {
    for file in std::fs::read_dir(group.dir()).expect("listed").flatten() {
        chown(file.path(), Some(uid), Some(uid)).expect("theirs");
    }
}

/// A group that is stopped, as it is done here: frozen, or its process stopped.
struct Stopped<'a>(&'a Memcg, u32);

impl<'a> Stopped<'a> {
    fn new(group: &'a Memcg, pid: u32) -> Self {
        let own = Self(group, pid);
        own.set(true);
        own
    }

    fn set(&self, stopped: bool) {
        let file = self.0.dir().join("cgroup.freeze");
        if file.exists() {
            std::fs::write(file, if stopped { "1" } else { "0" }).expect("root may");
            return;
        }
        let pid = i32::try_from(self.1).ok().and_then(Pid::from_raw);
        let signal = if stopped { Signal::STOP } else { Signal::CONT };
        rustix::process::kill_process(pid.expect("a pid"), signal).expect("root may");
    }
}

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        self.set(false);
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
    let is_v2 = group.version() == Version::V2;
    for (name, keys) in [
        ("i, freeze", "f"),
        ("i, raise", "r300M"),
        ("i, reclaim", "c"),
        ("i, expose", "e"),
        ("i, stop", "s"),
        ("i, kill", "k"),
        ("i, kill all", "x"),
    ] {
        // v1 has no such file, and the dialog does not offer it.
        if is_v2 || name != "i, reclaim" {
            walk.act(name, "i", "─ Incident", keys);
        }
    }
    // Somebody else has stopped it.
    let stopped = Stopped::new(&group, foreign.id().pid);
    walk.sees("it is stopped", "i", "─ Incident", "t thaw");
    walk.act("i, thaw", "i", "─ Incident", "t");
    drop(stopped);
    // What was allowed is done, and its undo is not allowed any more: the group was theirs, and is not now.
    give(&group, uid());
    walk.done(
        "c, limits of a group of theirs",
        "c",
        "Cgroup of",
        "<Tab><Tab>100M",
    );
    give(&group, 0);
    walk.undo_from_history();
    let (mut actions, mut faults) = walk.ends();

    // Below what it has been given, also of an own process.
    let mut walk = Walk::start(own.0.id(), &home);
    walk.act("a, an own process lower", "a", "─ Adjust ", "-500");
    walk.refused("c, an own process", "c", "Cgroup of", "100M");
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
    walk.actions += 1;
    let before = walk.settled();
    walk.session.keys("<Enter>");
    walk.judge("F2, save", &before);
    let (_, faults) = walk.ends();
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}
