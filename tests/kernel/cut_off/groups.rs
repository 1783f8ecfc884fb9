//! A group that is being made for processes, and its maker killed: it is whole, or a note tells of it.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::MOMENTS;
use crate::common::hands::Dice;
use crate::common::measured;
use crate::common::memcg::{Memcg, Version};
use crate::common::patience::PATIENCE;
use crate::load_test::Place;
use crate::protect::stage::{RuleFile, Script, protect, waiting};

/// The limit of the rule, in bytes.
const LIMIT: u64 = 64 << 20;

/// A rule that makes a group for five processes.
struct Stage {
    place: Place,
    parent: Memcg,
    home: Memcg,
    rules: RuleFile,
    all: Vec<Script>,
    path: String,
    /// The directory of the group, and the file of its limit.
    dir: PathBuf,
    limit: PathBuf,
}

/// How many makers must be caught in the making; `OOMTOP_TEST_CAUGHT` asks for another number.
const CAUGHT: usize = 10;

/// How many may be through before the signal, for each that is caught.
const MISSED: usize = 60;

fn wanted() -> usize {
    let asked = std::env::var("OOMTOP_TEST_CAUGHT").ok();
    asked.and_then(|asked| asked.parse().ok()).unwrap_or(CAUGHT)
}

/// What a kill has left.
struct After {
    is_there: bool,
    is_whole: bool,
    /// The notes, as far as they are of this group: a path, or the right inode and the path.
    notes: usize,
    all: Vec<PathBuf>,
}

impl Stage {
    fn new(test: &str, name: &str) -> Option<Self> {
        let place = Place::new(test)?;
        let parent = Memcg::create(name)?;
        let command = format!("oomtop-{name}");
        let path = format!("{}/batch", parent.path());
        let rules = RuleFile::new(&format!(
            "[[rule]]\ntitle = \"pen\"\ncommand = \"*{command}*\"\nmove_to = \"{path}\"\nmemory_max = \"64M\"\n"
        ));
        let dir = parent.dir().join("batch");
        let limit = dir.join(match parent.version() {
            Version::V2 => "memory.max",
            Version::V1 => "memory.limit_in_bytes",
        });
        let home = parent.child("home");
        let all = (0..5).map(|_| waiting(&command)).collect();
        Some(Self {
            place,
            parent,
            home,
            rules,
            all,
            path,
            dir,
            limit,
        })
    }

    fn once(&self) -> Command {
        let mut run = protect(&self.rules, &["--once"]);
        run.env("XDG_RUNTIME_DIR", self.place.0.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        run
    }

    /// Everything as before the group.
    fn anew(&self) {
        for one in &self.all {
            self.home.add(one.pid());
        }
        fs::remove_dir(&self.dir).ok();
        for note in self.place.notes() {
            fs::remove_file(note).expect("removed");
        }
    }

    fn after(&self) -> After {
        let inode = fs::metadata(&self.dir).map(|found| found.ino()).ok();
        let set = fs::read_to_string(&self.limit).unwrap_or_default();
        let all: Vec<PathBuf> = self
            .place
            .notes()
            .iter()
            .filter_map(|note| fs::read_link(note).ok())
            .collect();
        let by_inode = inode.map(|inode| format!("{inode}:{}", self.path));
        let is_of_it = |note: &&PathBuf| {
            note.as_os_str() == self.path.as_str()
                || by_inode
                    .as_ref()
                    .is_some_and(|by| note.as_os_str() == by.as_str())
        };
        After {
            is_there: inode.is_some(),
            is_whole: set.trim() == LIMIT.to_string(),
            notes: all.iter().filter(is_of_it).count(),
            all,
        }
    }

    /// What the next start says.
    fn told(&self) -> String {
        let next = self.place.run(&[], &["true"]).output().expect("it ends");
        String::from_utf8_lossy(&next.stderr).into_owned()
    }

    fn is_told(&self) -> bool {
        let said = format!("was killed while it made the cgroup {}", self.path);
        self.told().contains(&said)
    }
}

fn kill(mut run: Child) {
    run.kill().expect("killed");
    run.wait().expect("reaped");
}

#[test]
fn a_group_of_a_maker_that_is_killed_is_whole_or_the_next_start_tells_of_it() {
    let test = "a_group_of_a_maker_that_is_killed_is_whole_or_the_next_start_tells_of_it";
    let Some(stage) = Stage::new(test, "cut-off") else {
        return;
    };
    let begun = Instant::now();
    assert!(stage.once().status().expect("it runs").success());
    let span = usize::try_from(begun.elapsed().as_micros() * 5 / 4).expect("short");
    let mut dice = Dice(0x0b5e_55ed);
    let (mut whole, mut with_note) = (0, 0);
    for round in 0..MOMENTS {
        stage.anew();
        let run = stage.once().spawn().expect("it starts");
        std::thread::sleep(Duration::from_micros(dice.roll(span) as u64));
        kill(run);
        let after = stage.after();
        assert!(
            !after.is_there || after.is_whole || after.notes > 0,
            "round {round}: {:?}",
            after.all
        );
        whole += usize::from(after.is_there && after.is_whole);
        with_note += usize::from(after.is_there && after.notes > 0);
    }
    measured(&format!(
        "{MOMENTS} makers of a group killed: {whole} groups whole, {with_note} with a note"
    ));

    // What a kill between the group and its limit leaves.
    stage.anew();
    let batch = stage.parent.child("batch");
    let gone = "oomtop-run-4194305-1-making-1";
    let notes = stage.place.0.path().join("oomtop");
    fs::create_dir_all(&notes).expect("made");
    std::os::unix::fs::symlink(&stage.path, notes.join(gone)).expect("a note");
    let said = stage.told();
    assert!(
        said.contains(&format!(
            "was killed while it made the cgroup {}",
            stage.path
        )),
        "{said}"
    );
    assert!(said.contains("rmdir "), "{said}");
    let first = stage.all.first().expect("five").pid();
    batch.add(first);
    let said = stage.told();
    assert!(
        said.contains("1 process is in it"),
        "it is told as long as the group is there: {said}"
    );
    stage.home.add(first);
    drop(batch);
    assert!(!stage.is_told());
    assert!(stage.place.notes().is_empty(), "{:?}", stage.place.notes());
}

/// Waits until the maker has begun, as its first note tells; false if it ended before.
fn has_begun(stage: &Stage, run: &mut Child) -> bool {
    let begun = Instant::now();
    while stage.place.notes().is_empty() {
        if run.try_wait().expect("its state").is_some() {
            return false;
        }
        assert!(begun.elapsed() < PATIENCE, "it begins");
        std::thread::yield_now();
    }
    true
}

/// All moments are between the first note and the end of the last one.
#[test]
fn a_maker_that_is_killed_between_the_group_and_its_limit_has_left_a_note() {
    let test = "a_maker_that_is_killed_between_the_group_and_its_limit_has_left_a_note";
    let Some(stage) = Stage::new(test, "cut-within") else {
        return;
    };
    // Before the first note, which the test waits for.
    let notes = stage.place.0.path().join("oomtop");
    let mut private = fs::DirBuilder::new();
    private
        .mode(0o700)
        .recursive(true)
        .create(notes)
        .expect("made");
    let mut spans = Vec::new();
    for _ in 0..5 {
        stage.anew();
        let mut run = stage.once().spawn().expect("it starts");
        if has_begun(&stage, &mut run) {
            let begun = Instant::now();
            while !stage.place.notes().is_empty() {
                assert!(begun.elapsed() < PATIENCE, "it ends");
            }
            spans.push(begun.elapsed());
        }
        run.wait().expect("it ends");
    }
    // The shortest: whoever is killed later is through.
    let span = spans.into_iter().min().expect("one is seen");
    let span = usize::try_from(span.as_micros()).expect("short").max(100) * 5 / 4;
    let wanted = wanted();
    let mut dice = Dice(0x0b5e_1dea);
    let (mut within, mut bare, mut empty, mut whole, mut rounds) = (0, 0, 0, 0, 0);
    while within < wanted && rounds < MISSED * wanted {
        rounds += 1;
        stage.anew();
        let mut run = stage.once().spawn().expect("it starts");
        if !has_begun(&stage, &mut run) {
            continue;
        }
        let until = Instant::now() + Duration::from_micros(dice.roll(span) as u64);
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        kill(run);
        let after = stage.after();
        assert!(
            !after.is_there || after.is_whole || after.notes > 0,
            "round {rounds}: {:?}",
            after.all
        );
        if after.all.is_empty() {
            continue;
        }
        within += 1;
        empty += usize::from(!after.is_there);
        whole += usize::from(after.is_whole);
        let is_bare = after.is_there && !after.is_whole;
        bare += usize::from(is_bare);
        // The next start takes longer than all the rest.
        if is_bare && bare <= 3 {
            assert!(stage.is_told(), "round {rounds}: {:?}", after.all);
        } else if after.is_whole && whole <= 3 {
            // The next maker finds nothing missing, and the note goes.
            assert!(stage.once().status().expect("it runs").success());
            assert!(!stage.is_told(), "round {rounds}: {:?}", after.all);
        }
    }
    assert_eq!(
        within, wanted,
        "so many of {rounds} makers were killed in time"
    );
    measured(&format!(
        "{within} makers killed within {span} µs of their first note ({rounds} rounds): {empty} before the group, {bare} before its \
         limit, {whole} after it"
    ));

    // A group that somebody else has made there since is not that of a note.
    stage.anew();
    let batch = stage.parent.child("batch");
    let notes = stage.place.0.path().join("oomtop");
    let other = format!("{}:{}", u64::MAX, stage.path);
    let note = notes.join("oomtop-run-4194305-1-making-2");
    std::os::unix::fs::symlink(other, &note).expect("a note");
    assert!(!stage.is_told());
    assert!(fs::symlink_metadata(&note).is_err(), "nobody needs it");
    let inode = fs::metadata(batch.dir()).expect("its inode").ino();
    std::os::unix::fs::symlink(format!("{inode}:{}", stage.path), &note).expect("a note");
    assert!(stage.is_told());
}
