//! A process that takes another user without an exec.

use std::time::Duration;

use super::stage::{Resident, RuleFile, every};
use crate::common::patience::until;
use crate::common::skipped;

/// A user id that nobody else has.
const USER: u32 = 61_777;

#[test]
fn another_user_without_an_exec_is_noticed_at_once() {
    let test = "another_user_without_an_exec_is_noticed_at_once";
    if !rustix::process::geteuid().is_root() {
        skipped(test, "only root may take another user");
        return;
    }
    let rules = RuleFile::new(&format!("[[rule]]\nuser = {USER}\nadj = 321\n"));
    let hour = Duration::from_hours(1).as_secs().to_string();
    for way in ["connector", "tracepoints"] {
        let resident = Resident::start(&rules, &["--starts", way, "--every", &hour]);
        if resident.said().contains("not used") {
            skipped(test, &format!("no {way} here: {}", resident.said()));
            continue;
        }
        let script = format!(
            "import os, sys\nsys.stdin.readline()\nos.setuid({USER})\nsys.stdin.readline()"
        );
        let mut child = std::process::Command::new("python3")
            .args(["-c", &script])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .expect("python3");
        let pid = child.id();
        // It waits, as root: its start is over.
        assert!(until(|| {
            let wchan = std::fs::read_to_string(format!("/proc/{pid}/wchan"));
            wchan.is_ok_and(|wchan| wchan.contains("pipe"))
        }));
        let mut input = child.stdin.take().expect("piped");
        std::io::Write::write_all(&mut input, b"\n").expect("told");
        let is_done = every(&[pid], 321);
        child.kill().ok();
        child.wait().ok();
        assert!(is_done || before_filters(), "{way}: {}", resident.said());
        resident.ends();
    }
}

/// Before 6.6 only the connector tells of it.
fn before_filters() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = release
        .split(['.', '-'])
        .map(|part| part.parse().unwrap_or(0));
    let version: (u32, u32) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    version < (6, 6)
}
