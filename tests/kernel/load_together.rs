//! Two runs of commands below one parent, one of them killed.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::Child;

use super::load_killed::groups_of;
use super::load_test::{Place, end};
use crate::common::memcg::{self, Version};
use crate::common::patience::until;
use crate::common::skipped;

/// A run whose command waits, with its group.
fn start(place: &Place) -> (Child, PathBuf) {
    let mut child = place
        .run(
            &["--limit", "64M"],
            &["sh", "-c", "echo ready; exec sleep 1000"],
        )
        .spawn()
        .expect("oomtop starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    assert_eq!(lines.next().expect("a line").expect("read"), "ready");
    let groups = groups_of(&[child.id()]);
    let [group] = groups.as_slice() else {
        panic!("{groups:?}");
    };
    (child, group.clone())
}

#[test]
fn a_run_beside_one_that_is_killed_keeps_its_group_its_limit_and_memory_control() {
    let test = "a_run_beside_one_that_is_killed_keeps_its_group_its_limit_and_memory_control";
    let Some(place) = Place::new(test) else {
        return;
    };
    let version = memcg::mount().expect("it was there").1;
    if version == Version::V2 && fs::exists("/run/systemd/system").unwrap_or(false) {
        return skipped(
            test,
            "systemd gives each run a scope of its own: see two_runs.py",
        );
    }
    let (mut dead, dead_group) = start(&place);
    let (mut other, group) = start(&place);
    let parent = group.parent().expect("a parent").to_owned();
    assert_eq!(dead_group.parent(), group.parent());
    let is_whole = || {
        let (file, control) = match version {
            Version::V2 => (
                "memory.max",
                fs::read_to_string(parent.join("cgroup.subtree_control"))
                    .is_ok_and(|text| text.contains("memory")),
            ),
            Version::V1 => ("memory.limit_in_bytes", true),
        };
        let limit = fs::read_to_string(group.join(file)).unwrap_or_default();
        let inside = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
        control && limit.trim() == (64_u64 << 20).to_string() && inside.lines().count() == 1
    };
    assert!(is_whole(), "both run");
    dead.kill().expect("killed");
    dead.wait().expect("reaped");
    assert!(is_whole(), "the other one is as it was");
    let next = || place.run(&[], &["true"]).output().expect("it ends");
    // The command of the dead one lives, so its group stays, and the next start says how to end it.
    let said = String::from_utf8_lossy(&next().stderr).into_owned();
    assert!(said.contains("still in") && dead_group.exists(), "{said}");
    assert!(is_whole(), "{said}");
    end(&dead_group);
    let gone = until(|| {
        next();
        !dead_group.exists()
    });
    assert!(gone, "the next start removes what is dead");
    assert!(is_whole(), "and nothing else");
    assert!(!place.notes().is_empty(), "the note of the other one stays");
    end(&group);
    assert!(other.wait().is_ok());
    assert!(
        until(|| !group.exists()),
        "the other one removes its own group"
    );
    next();
    assert!(place.notes().is_empty(), "{:?}", place.notes());
}
