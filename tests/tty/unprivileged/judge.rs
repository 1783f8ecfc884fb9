//! Whether what an action ended in is a refusal that helps: it names the right that is missing, a command that does it with that
//! right, and another command that is allowed. Commands are looked up, and those that are allowed are run.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use crate::common::is_root;

/// The words of a text that goes over lines and frames.
fn words(text: &str) -> Vec<&str> {
    let frame = |c: char| c.is_whitespace() || ('\u{2500}'..='\u{257f}').contains(&c);
    text.split(frame).filter(|word| !word.is_empty()).collect()
}

/// What `after` says and `before` did not: a warning before a write is no answer to it. Each line of `before` takes one of `after`
/// away, so one that is said again stays.
pub(super) fn news(before: &str, after: &str) -> String {
    let mut old: Vec<&str> = before.lines().map(str::trim).collect();
    let mut said = Vec::new();
    for line in after.lines().map(str::trim) {
        match old.iter().position(|one| *one == line) {
            Some(at) => {
                old.swap_remove(at);
            }
            None => said.extend(words(line)),
        }
    }
    said.join(" ")
}

/// A word that names a right: whose something is, or what it takes.
fn is_right(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '_');
    let plain = word.to_lowercase();
    let plain = plain.trim_end_matches('s');
    word.starts_with("CAP_")
        || [
            "root",
            "administrator",
            "permission",
            "right",
            "privilege",
            "delegated",
        ]
        .contains(&plain)
}

/// The commands that a text names, each after a colon: their first word is one that a shell finds.
fn commands(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices(": ") {
        let rest = &text[at + 2..];
        let end = ["; ", ", ", ". ", " · ", " or, "]
            .iter()
            .filter_map(|end| rest.find(end))
            .min();
        let command = rest[..end.unwrap_or(rest.len())].trim_end_matches(['.', ';', ',']);
        let first = command.split(' ').next().unwrap_or_default();
        // What a sentence goes on with is seldom a program, and never one with an argument that makes sense.
        let is_name =
            !first.is_empty() && first.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        let known = || {
            let look = format!("command -v {first} > /dev/null && printf %s \"$0\" | sh -n");
            let look = Command::new("sh").args(["-c", &look, command]).status();
            // A machine may have no sudo, and the oomtop of a test is in no path.
            ["sudo", "oomtop"].contains(&first) || look.is_ok_and(|status| status.success())
        };
        if is_name && command.contains(' ') && known() {
            found.push(command.to_owned());
        }
    }
    found
}

/// A command that has a name of the reader's choice in it.
fn is_pattern(command: &str) -> bool {
    let is_name = |word: &str| word.len() > 2 && word.chars().all(|c| c.is_ascii_uppercase());
    command
        .split(|c: char| !c.is_ascii_alphanumeric())
        .any(is_name)
}

/// How a sentence begins that tells what is allowed.
const ALLOWED: [&str; 2] = ["Without root", "allowed without"];

/// What is wrong with an answer; `None` if it is a refusal that helps.
pub(super) fn fault(news: &str, uid: u32) -> Option<String> {
    let split = ALLOWED.iter().find_map(|begin| news.find(begin));
    let (refused, allowed) = news.split_at(split.unwrap_or(news.len()));
    if !words(refused).into_iter().any(is_right) {
        return Some("it does not say what is missing".to_owned());
    }
    if commands(refused).is_empty() {
        return Some("it names no command that does it".to_owned());
    }
    if allowed.is_empty() {
        return Some("it names nothing that is allowed instead".to_owned());
    }
    let instead = commands(allowed);
    if instead.is_empty() {
        return Some("it names no command that is allowed instead".to_owned());
    }
    instead.into_iter().find_map(|command| {
        // What is started is the reader's choice.
        let command = command.replace("COMMAND", "true");
        if is_pattern(&command) {
            return None;
        }
        let mut shell = Command::new("sh");
        shell.args(["-c", &command]).stdin(Stdio::null());
        // An ordinary user tries it as the user that is there.
        if is_root() {
            shell.uid(uid).gid(uid);
        }
        let done = shell.output().expect("sh");
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        (!done.status.success()).then(|| format!("'{command}' is said to be allowed: {said}"))
    })
}

#[test]
fn the_judge_is_not_fooled() {
    let refusal = "Process 7 belongs to another user; only root may change it. Run oomtop as root, or: sudo choom -p 7 -n 5";
    let instead = "Without root you can set a limit for what you start yourself: ulimit -v 1048576, before it starts";
    let whole = format!("{refusal} {instead}");
    let uid = 54_321;
    assert_eq!(fault(&news("a table", &whole), uid), None);
    // The warning that stood there before the write.
    assert!(fault(&news(&whole, &whole), uid).is_some());
    assert_eq!(
        fault(&news(&whole, &format!("{whole}\n{whole}")), uid),
        None
    );
    for bad in [
        refusal.to_owned(),
        instead.to_owned(),
        whole
            .replace("root", "Bob")
            .replace("Without Bob", "Without root"),
        whole.replace("sudo choom", "magic"),
        whole.replace("ulimit -v 1048576", "false -v 1"),
        whole.replace("ulimit -v 1048576", "echo 5 > /proc/1/oom_score_adj"),
        String::new(),
    ] {
        assert!(fault(&bad, uid).is_some(), "{bad}");
    }
}
