//! A group that is being made for processes, and its maker killed: it is whole, or a note tells of it.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::MOMENTS;
use crate::common::hands::Dice;
use crate::common::measured;
use crate::common::memcg::{Memcg, Version};
use crate::load_test::Place;
use crate::protect::stage::{RuleFile, protect, waiting};

#[test]
fn a_group_of_a_maker_that_is_killed_is_whole_or_the_next_start_tells_of_it() {
    let test = "a_group_of_a_maker_that_is_killed_is_whole_or_the_next_start_tells_of_it";
    let Some(place) = Place::new(test) else {
        return;
    };
    let Some(parent) = Memcg::create("cut-off") else {
        return;
    };
    let name = "oomtop-cut-off";
    let path = format!("{}/batch", parent.path());
    let rules = RuleFile::new(&format!(
        "[[rule]]\ntitle = \"pen\"\ncommand = \"*{name}*\"\nmove_to = \"{path}\"\nmemory_max = \"64M\"\n"
    ));
    let limit = parent.dir().join("batch").join(match parent.version() {
        Version::V2 => "memory.max",
        Version::V1 => "memory.limit_in_bytes",
    });
    let home = parent.child("home");
    let all: Vec<_> = (0..5).map(|_| waiting(name)).collect();
    let runtime = place.0.path().to_owned();
    let once = || {
        let mut run = protect(&rules, &["--once"]);
        run.env("XDG_RUNTIME_DIR", &runtime)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        run
    };
    let anew = || {
        for one in &all {
            home.add(one.pid());
        }
        fs::remove_dir(parent.dir().join("batch")).ok();
    };
    let begun = Instant::now();
    assert!(once().status().expect("it runs").success());
    let span = usize::try_from(begun.elapsed().as_micros() * 5 / 4).expect("short");
    let mut dice = Dice(0x0b5e_55ed);
    let (mut whole, mut with_note) = (0, 0);
    for round in 0..MOMENTS {
        anew();
        for note in place.notes() {
            fs::remove_file(note).expect("removed");
        }
        let mut run = once().spawn().expect("it starts");
        std::thread::sleep(Duration::from_micros(dice.roll(span) as u64));
        run.kill().expect("killed");
        run.wait().expect("reaped");
        let notes: Vec<_> = place
            .notes()
            .iter()
            .filter_map(|note| fs::read_link(note).ok())
            .collect();
        let set = fs::read_to_string(&limit).unwrap_or_default();
        let is_there = parent.dir().join("batch").exists();
        let is_whole = set.trim() == (64_u64 << 20).to_string();
        let has_note = notes.iter().any(|note| note.as_os_str() == path.as_str());
        assert!(
            !is_there || is_whole || has_note,
            "round {round}: limit {set:?}, notes {notes:?}"
        );
        whole += usize::from(is_there && is_whole);
        with_note += usize::from(is_there && has_note);
    }
    measured(&format!(
        "{MOMENTS} makers of a group killed: {whole} groups whole, {with_note} with a note"
    ));

    // What a kill between the group and its limit leaves.
    anew();
    for note in place.notes() {
        fs::remove_file(note).expect("removed");
    }
    let batch = parent.child("batch");
    let gone = "oomtop-run-4194305-1-making-1";
    fs::create_dir_all(place.0.path().join("oomtop")).expect("made");
    std::os::unix::fs::symlink(&path, place.0.path().join("oomtop").join(gone)).expect("a note");
    let told = || {
        let next = place.run(&[], &["true"]).output().expect("it ends");
        String::from_utf8_lossy(&next.stderr).into_owned()
    };
    let said = told();
    assert!(
        said.contains(&format!("was killed while it made the cgroup {path}")),
        "{said}"
    );
    assert!(said.contains("rmdir "), "{said}");
    batch.add(all[0].pid());
    let said = told();
    assert!(
        said.contains("1 process is in it"),
        "it is told as long as the group is there: {said}"
    );
    home.add(all[0].pid());
    drop(batch);
    assert!(!told().contains("was killed while"));
    assert!(place.notes().is_empty(), "{:?}", place.notes());
}
