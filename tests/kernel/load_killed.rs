//! What a `kill -9` of `oomtop run` leaves.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::load_test::{Place, dir, end};
use crate::common::patience::until;
use crate::common::{measured, memcg};

/// Groups of runs that were started by `pids`.
pub(super) fn groups_of(pids: &[u32]) -> Vec<PathBuf> {
    let own = memcg::of(std::process::id()).expect("its group");
    let parents = Path::new(&own)
        .ancestors()
        .map(|path| dir(&path.to_string_lossy()));
    let mut found = Vec::new();
    for parent in parents {
        let entries = fs::read_dir(parent).into_iter().flatten().flatten();
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            let of = name
                .strip_prefix("oomtop-run-")
                .and_then(|rest| rest.split('-').next());
            if of
                .and_then(|pid| pid.parse().ok())
                .is_some_and(|pid| pids.contains(&pid))
            {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

#[test]
fn a_kill_at_any_moment_leaves_no_group_without_a_note_and_no_half_written_file() {
    const ROUNDS: u32 = 100;
    let test = "a_kill_at_any_moment_leaves_no_group_without_a_note_and_no_half_written_file";
    let Some(place) = Place::new(test) else {
        return;
    };
    let file = place.0.path().join("report.json");
    let mut pids = Vec::new();
    let mut seed = 0x2545_f491_u32;
    let (mut groups, mut reports) = (0, 0);
    // Moments of the whole run, and a little beyond it.
    let begun = std::time::Instant::now();
    let whole = place.run(&["--json"], &["sleep", "0"]).output();
    assert!(whole.expect("it ends").status.success());
    let span = u32::try_from(begun.elapsed().as_micros() * 5 / 4).expect("a short run");
    for round in 0..ROUNDS {
        let target = file.to_string_lossy().into_owned();
        let options = ["--limit", "64M", "--json", "-o", &target];
        let mut run = place.run(
            &options,
            &["sleep", if round % 2 == 0 { "0" } else { "1000" }],
        );
        let mut child = run
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("oomtop starts");
        pids.push(child.id());
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        std::thread::sleep(Duration::from_micros(u64::from(seed % span)));
        child.kill().ok();
        let status = child.wait().expect("it ends");
        assert!(status.signal() == Some(9) || status.success(), "{status:?}");
        // Each group of a run that was killed has its note.
        let noted: Vec<_> = place
            .notes()
            .iter()
            .map(|note| fs::read_link(note).expect("a link"))
            .collect();
        let here = groups_of(&pids);
        for group in &here {
            let name = group.file_name().expect("its name");
            let has_note = noted.iter().any(|note| note.file_name() == Some(name));
            assert!(
                has_note,
                "round {round}: {} has no note: {noted:?}",
                group.display()
            );
        }
        groups = here.len().max(groups);
        for entry in fs::read_dir(place.0.path()).expect("the place").flatten() {
            let path = entry.path();
            if path.is_file() {
                let written = fs::read_to_string(&path).expect("read");
                let whole: Result<Value, _> = serde_json::from_str(&written);
                assert!(
                    whole.is_ok(),
                    "round {round}: {} holds {written:?}",
                    path.display()
                );
                reports += 1;
                fs::remove_file(&path).expect("removed");
            }
        }
    }
    // The sleepers live on in their groups, and the next run says how to end them.
    for group in groups_of(&pids) {
        end(&group);
    }
    let next = place.run(&[], &["true"]).output().expect("it ends");
    assert_eq!(next.status.code(), Some(0));
    assert_eq!(
        groups_of(&pids),
        Vec::<PathBuf>::new(),
        "{}",
        String::from_utf8_lossy(&next.stderr)
    );
    assert_eq!(place.notes(), Vec::<PathBuf>::new());
    measured(&format!(
        "{ROUNDS} runs killed: {groups} groups left at most, all noted and removed later; {reports} whole reports"
    ));
}

#[test]
fn a_run_that_was_killed_and_still_has_processes_is_named_with_what_ends_it() {
    let test = "a_run_that_was_killed_and_still_has_processes_is_named_with_what_ends_it";
    let Some(place) = Place::new(test) else {
        return;
    };
    let mut child = place
        .run(&[], &["sh", "-c", "echo ready; exec sleep 1000"])
        .spawn()
        .expect("oomtop starts");
    let mut lines =
        std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().expect("piped")));
    assert_eq!(lines.next().expect("a line").expect("read"), "ready");
    child.kill().expect("killed");
    child.wait().expect("it ends");
    let said = || {
        let next = place.run(&[], &["true"]).output().expect("it ends");
        String::from_utf8_lossy(&next.stderr).into_owned()
    };
    let first = said();
    let command = first
        .lines()
        .find_map(|line| line.split_once("this ends them: "));
    let command = command.unwrap_or_else(|| panic!("{first}")).1;
    let done = Command::new("sh")
        .args(["-c", command])
        .status()
        .expect("a shell");
    assert!(done.success(), "{command}");
    let gone = until(|| said().contains("removed the empty cgroup") || place.notes().is_empty());
    assert!(gone && place.notes().is_empty());
}

/// One shell has the variable, the next has not.
#[test]
fn a_run_without_a_runtime_directory_is_found_by_one_with_it() {
    let test = "a_run_without_a_runtime_directory_is_found_by_one_with_it";
    let Some(place) = Place::new(test) else {
        return;
    };
    let mut run = place.run(&[], &["sh", "-c", "echo ready; exec sleep 1000"]);
    let mut child = run
        .env_remove("XDG_RUNTIME_DIR")
        .spawn()
        .expect("oomtop starts");
    let mut lines =
        std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().expect("piped")));
    assert_eq!(lines.next().expect("a line").expect("read"), "ready");
    assert!(place.notes().is_empty());
    child.kill().expect("killed");
    child.wait().expect("it ends");
    for group in groups_of(&[child.id()]) {
        end(&group);
    }
    let next = place.run(&[], &["true"]).output().expect("it ends");
    // Or a run of another test has been faster.
    let said = String::from_utf8_lossy(&next.stderr);
    assert!(groups_of(&[child.id()]).is_empty(), "{said}");
}
