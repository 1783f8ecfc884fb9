//! The domains view on the real kernel: nested groups with limits, their numbers as the files have them, a
//! kill that shows. Skips loudly what this machine does not allow.
#![expect(clippy::expect_used, reason = "helpers of tests fail the test")]

use std::time::Duration;

use crate::common::hog::Hog;
use crate::common::memcg::{Memcg, Version};
use crate::common::pty::Session;
use crate::common::screen::Screen;
use oomtop::text::format::{long_size, size};

const MIB: u64 = 1 << 20;

/// A file of a group as a number.
fn number(group: &Memcg, v1: &str, v2: &str) -> u64 {
    let file = match group.version() {
        Version::V1 => v1,
        Version::V2 => v2,
    };
    let text = std::fs::read_to_string(group.dir().join(file)).expect("a file of the group");
    text.trim().parse().expect("a number")
}

fn usage(group: &Memcg) -> u64 {
    number(group, "memory.usage_in_bytes", "memory.current")
}

/// The row of the domain whose name ends so.
fn row_of(screen: &Screen, name: &str) -> Option<String> {
    let is_it = |line: &&String| {
        line.split_whitespace()
            .take(2)
            .any(|word| word == name || word.ends_with(&format!("/{name}")))
    };
    screen.lines().iter().find(is_it).cloned()
}

/// The view with nothing in it but the test's own groups.
fn view_of(group: &Memcg) -> Session {
    let mut session = Session::start((200, 50), &[]);
    session.wait_for("the table", |screen| screen.has("COMMAND"));
    session.keys("d");
    session.wait_for("the view", |screen| screen.has("OOM domains by"));
    let name = group.path().trim_start_matches('/').to_owned();
    session.keys(&format!("/{name}<Enter>"));
    session.wait_for("the group", |screen| row_of(screen, &name).is_some());
    session
}

#[test]
fn the_numbers_are_those_of_the_files_and_the_nearer_limit_is_first() {
    let Some(outer) = Memcg::create("view") else {
        return;
    };
    outer.limit(400 * MIB);
    let inner = outer.child("inner");
    inner.limit(120 * MIB);
    let loose = outer.child("loose");
    loose.limit(900 * MIB);
    let _big = Hog::start("dom-big").in_group(&inner).grow(102);
    let _small = Hog::start("dom-small").in_group(&inner).grow(4);
    let _other = Hog::start("dom-other").in_group(&loose).grow(20);
    let mut session = view_of(&outer);
    let names = [outer.path().trim_start_matches('/'), "inner", "loose"];
    session.wait_for("all three, the fullest first", |screen| {
        let at = |name: &str| screen.lines().iter().position(|line| line.contains(name));
        names.iter().all(|name| row_of(screen, name).is_some())
            && row_of(screen, "inner")
                .is_some_and(|row| row.contains("DANGER") || row.contains("CRITICAL"))
            && at("/inner") < at("/loose")
    });
    for (group, name) in [(&outer, names[0]), (&inner, "inner"), (&loose, "loose")] {
        let limit = size(group.limit_now().expect("a limit"));
        // The hogs rest, but the kernel may charge a page more: then the next sample has it.
        session.wait_for("usage and limit as the files have them", |screen| {
            let row = row_of(screen, name).unwrap_or_default();
            let words: Vec<&str> = row.split_whitespace().collect();
            words.contains(&&*size(usage(group))) && words.contains(&&*limit)
        });
    }
    let row = session.look(|screen| row_of(screen, "inner")).expect("it");
    assert!(row.contains("dom-big"), "the victim in it: {row}");
    details(&mut session, &inner, &loose);
}

/// The details show the files' values to the byte; a domain with a limit above its parent's gets a note.
fn details(session: &mut Session, inner: &Memcg, loose: &Memcg) {
    for (group, words) in [(inner, "Who dies"), (loose, "Its limit is never reached")] {
        session.keys("<Esc>");
        session.keys(&format!(
            "/<C-u>{}<Enter>",
            group.path().trim_start_matches('/')
        ));
        session.wait_for("one row", |screen| {
            let both = [inner, loose].map(|group| row_of(screen, group.path()).is_some());
            both == [words == "Who dies", words != "Who dies"]
        });
        session.keys("<Enter>");
        session.wait_for("usage and limit to the byte", |screen| {
            let exact = |bytes: u64| format!("{} ({bytes} bytes)", long_size(bytes));
            screen.has(&exact(usage(group)))
                && screen.has(&exact(group.limit_now().unwrap_or(0)))
                && screen.has(words)
        });
        session.keys("<Esc>");
    }
    // From there to its processes.
    session.keys("z");
    session.wait_for("the processes of the domain", |screen| {
        let lines = screen.lines();
        let table = lines.iter().skip_while(|line| !line.contains("COMMAND"));
        let table: Vec<&String> = table
            .take_while(|line| !line.contains("OOM events"))
            .collect();
        let has = |name: &str| table.iter().any(|line| line.contains(name));
        has("dom-other") && !has("dom-big")
    });
}

#[test]
fn a_kill_in_a_group_shows_in_its_row() {
    let Some(group) = Memcg::create("view-kill") else {
        return;
    };
    group.limit(60 * MIB);
    let _bystander = Hog::start("dom-stays").in_group(&group).grow(8);
    let mut leaker = Hog::start("dom-leaks").in_group(&group).grow(20);
    let session = view_of(&group);
    let name = group.path().trim_start_matches('/').to_owned();
    session.wait_for("no kill, and the victim named", |screen| {
        row_of(screen, &name).is_some_and(|row| row.contains("dom-leaks"))
    });
    leaker.leak(200, Duration::from_millis(2));
    assert!(leaker.is_killed(), "it is killed");
    session.wait_for("the kill, and who is next", |screen| {
        row_of(screen, &name).is_some_and(|row| row.contains("KILLED") && row.contains("dom-stays"))
    });
}

#[test]
fn a_kill_in_a_child_shows_in_the_domain_whose_limit_it_was() {
    let Some(group) = Memcg::create("view-deep") else {
        return;
    };
    group.limit(60 * MIB);
    let inner = group.child("inner");
    let _bystander = Hog::start("dom-stays").in_group(&inner).grow(8);
    let mut leaker = Hog::start("dom-deep").in_group(&inner).grow(20);
    let session = view_of(&group);
    let name = group.path().trim_start_matches('/').to_owned();
    session.wait_for("no kill, and the victim named", |screen| {
        row_of(screen, &name).is_some_and(|row| row.contains("dom-deep") && !row.contains("KILLED"))
    });
    leaker.leak(200, Duration::from_millis(2));
    assert!(leaker.is_killed(), "it is killed");
    session.wait_for("the kill, counted, and who is next", |screen| {
        row_of(screen, &name).is_some_and(|row| {
            let counted = row.split_whitespace().any(|word| word == "1");
            row.contains("KILLED") && counted && row.contains("dom-stays")
        })
    });
}

#[test]
fn a_group_nobody_is_in_is_found_and_one_that_hangs_is_said() {
    let Some(group) = Memcg::create("view-empty") else {
        return;
    };
    group.limit(32 * MIB);
    let session = view_of(&group);
    let name = group.path().trim_start_matches('/').to_owned();
    session.wait_for("an empty domain", |screen| {
        row_of(screen, &name).is_some_and(|row| row.contains("empty"))
    });
    let control = group.dir().join("memory.oom_control");
    if group.version() == Version::V2 || std::fs::write(control, "1").is_err() {
        crate::common::skipped(
            "the hanging half of a_group_nobody_is_in_is_found_and_one_that_hangs_is_said",
            "only cgroup v1 has memory.oom_control",
        );
        return;
    }
    let _hog = Hog::start("dom-hangs").in_group(&group).grow(4);
    session.wait_for("tasks would hang", |screen| {
        row_of(screen, &name).is_some_and(|row| row.contains("nobody: tasks h"))
    });
}
