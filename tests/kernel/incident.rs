//! The incident keys on the real kernel: groups and processes of the test's own, through the executor and through the
//! real program in a real terminal. On v1 a group of the freezer hierarchy goes with the group of the memory hierarchy.

use std::fs;
use std::path::PathBuf;

use super::whole::writer;
use crate::common::hog::Hog;
use crate::common::memcg::{self, Memcg, Version};
use crate::common::own_child::id_of;
use crate::common::patience::until;
use crate::common::pty::Session;
use crate::common::skipped;
use oomtop::model::cgroup::CgroupPath;
use oomtop::model::freezer::FreezerState;
use oomtop::model::incident::plans;
use oomtop::model::plan::receipt::{PlanReceipt, Reading, Reaped};
use oomtop::model::plan::{execute, inverse};
use rustix::process::Signal;

const MIB: u64 = 1 << 20;

/// The group of the freezer hierarchy with the same path; removed when dropped. On v2 the group freezes itself.
struct Twin(Option<PathBuf>);

impl Twin {
    /// `None`, said loudly, where the machine has no freezer.
    fn of(group: &Memcg, test: &str) -> Option<Self> {
        if group.version() == Version::V2 {
            return Some(Self(None));
        }
        let dir = PathBuf::from(format!("/sys/fs/cgroup/freezer{}", group.path()));
        match fs::create_dir(&dir) {
            Ok(()) => Some(Self(Some(dir))),
            Err(error) => {
                skipped(test, &format!("{} cannot be made: {error}", dir.display()));
                None
            }
        }
    }

    fn add(&self, pid: u32) {
        if let Self(Some(dir)) = self {
            fs::write(dir.join("cgroup.procs"), pid.to_string()).expect("it moves");
        }
    }

    /// What the kernel says.
    fn is_frozen(&self, group: &Memcg) -> bool {
        match &self.0 {
            Some(dir) => read(&dir.join("freezer.state")).trim() == "FROZEN",
            None => read(&group.dir().join("cgroup.events")).contains("frozen 1"),
        }
    }
}

impl Drop for Twin {
    fn drop(&mut self) {
        if let Some(dir) = &self.0 {
            // A test that failed leaves its processes in there, and a frozen one does not even die.
            fs::write(dir.join("freezer.state"), "THAWED").ok();
            until(|| {
                for pid in read(&dir.join("cgroup.procs")).lines() {
                    fs::write("/sys/fs/cgroup/freezer/cgroup.procs", pid).ok();
                }
                fs::remove_dir(dir).is_ok()
            });
        }
    }
}

fn read(path: &std::path::Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn state(pid: u32) -> char {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after = stat.rsplit_once(") ").map_or("?", |(_, after)| after);
    after.chars().next().unwrap_or('?')
}

fn path(group: &Memcg) -> CgroupPath {
    CgroupPath::new(group.path())
}

#[track_caller]
fn run(group: &Memcg, plans: &[oomtop::model::plan::Plan]) -> Vec<PlanReceipt> {
    execute::run_all(&mut writer(group), plans)
}

#[track_caller]
fn read_back(receipts: &[PlanReceipt]) -> Reading {
    let step = &receipts[0].steps[0];
    step.outcome
        .clone()
        .unwrap_or_else(|failure| panic!("{failure}"))
}

#[test]
fn a_group_is_frozen_and_thawed_and_the_undo_knows_who_did_it() {
    let test = "a_group_is_frozen_and_thawed";
    let Some(group) = Memcg::create("freeze") else {
        return;
    };
    let hog = Hog::start("inc-freeze").in_group(&group);
    let Some(twin) = Twin::of(&group, test) else {
        return;
    };
    twin.add(hog.pid());
    let survey = writer(&group).survey(&path(&group)).expect("it is there");
    assert_eq!(survey.members, 1);
    let freezer = survey.freezer.expect("it can be frozen");
    assert_eq!(
        (freezer.state, freezer.held_from_above),
        (FreezerState::Thawed, false)
    );
    let freeze = plans::freeze(&path(&group), true);
    let receipts = run(&group, &freeze);
    assert_eq!(read_back(&receipts), Reading::Freezer(FreezerState::Frozen));
    assert!(twin.is_frozen(&group));
    // Once more changes nothing, and the undo of that thaws nothing.
    let again = run(&group, &freeze);
    assert_eq!(inverse::of_write(&again), []);
    // The command that is left for a shell does it.
    let done = std::process::Command::new("sh")
        .args(["-c", &freezer.thaw])
        .status();
    assert!(done.expect("sh").success());
    assert!(until(|| !twin.is_frozen(&group)));
    let receipts = run(&group, &freeze);
    let back = inverse::of_write(&receipts);
    let expected = inverse::expectations(&receipts);
    let undone = execute::undo(&mut writer(&group), &back, &expected);
    assert_eq!(read_back(&undone), Reading::Freezer(FreezerState::Thawed));
    assert!(!twin.is_frozen(&group));
}

#[test]
fn a_freezer_group_that_holds_others_too_is_not_used() {
    let test = "a_freezer_group_that_holds_others";
    let Some(group) = Memcg::create("others") else {
        return;
    };
    let hog = Hog::start("inc-own").in_group(&group);
    let other = Hog::start("inc-other");
    let Some(twin) = Twin::of(&group, test).filter(|twin| twin.0.is_some()) else {
        skipped(test, "on v2 the group freezes itself");
        return;
    };
    twin.add(hog.pid());
    twin.add(other.pid());
    let survey = writer(&group).survey(&path(&group)).expect("it is there");
    assert_eq!(survey.freezer, None);
    let receipts = run(&group, &plans::freeze(&path(&group), true));
    let failure = receipts[0].failure().expect("refused");
    assert!(failure.sentence.contains("the same processes"), "{failure}");
    assert!(!twin.is_frozen(&group));
}

#[test]
fn the_group_of_this_process_is_never_frozen_nor_killed() {
    let Some(group) = Memcg::create("own") else {
        return;
    };
    let own = std::process::id();
    let home = memcg::of(own).expect("it is somewhere");
    let inner = group.child("inner");
    inner.add(own);
    let mut failures = Vec::new();
    for place in [&inner, &group] {
        for plan in [plans::freeze(&path(place), true), plans::kill(&path(place))] {
            let receipts = run(place, &plan);
            failures.push(receipts[0].failure().cloned());
        }
    }
    let root = run(&group, &plans::kill(&CgroupPath::root()));
    let back = if home == "/" { String::new() } else { home };
    let (mount, _) = memcg::mount().expect("it is mounted");
    fs::write(
        mount
            .join(back.trim_start_matches('/'))
            .join("cgroup.procs"),
        own.to_string(),
    )
    .expect("it moves back");
    for failure in failures {
        let failure = failure.expect("refused");
        assert!(
            failure.sentence.contains(&format!("process {own}")),
            "{failure}"
        );
    }
    assert!(root[0].failure().is_some());
    // Its parent, and itself.
    let me = id_of(own).expect("own start time");
    for plan in [plans::stop([me], true), plans::reap(me)] {
        let receipts = run(&group, &plan);
        let failure = receipts[0].failure().expect("refused");
        assert!(failure.sentence.contains("hangs from"), "{failure}");
    }
}

#[test]
fn one_process_is_stopped_runs_on_and_is_reaped() {
    let Some(group) = Memcg::create("one") else {
        return;
    };
    let mut hog = Hog::start("inc-one").in_group(&group).grow(40);
    let target = id_of(hog.pid()).expect("its start time");
    let receipts = run(&group, &plans::stop([target], true));
    assert_eq!(read_back(&receipts), Reading::Freezer(FreezerState::Frozen));
    assert_eq!(state(hog.pid()), 'T');
    let undone = execute::undo(
        &mut writer(&group),
        &inverse::of_write(&receipts),
        &inverse::expectations(&receipts),
    );
    assert_eq!(read_back(&undone), Reading::Freezer(FreezerState::Thawed));
    assert_ne!(state(hog.pid()), 'T');
    // Who is stopped dies too, and another process that has the pid does not.
    run(&group, &plans::stop([target], true));
    let mut other = target;
    other.start_ticks += 1;
    assert!(run(&group, &plans::reap(other))[0].failure().is_some());
    assert_eq!(hog.ended(), None);
    let receipts = run(&group, &plans::reap(target));
    let how = read_back(&receipts);
    assert!(
        matches!(how, Reading::Reaped(Reaped::Ended | Reaped::Released)),
        "{how:?}"
    );
    assert!(hog.is_killed());
}

#[test]
fn all_of_a_group_are_killed_frozen_ones_too_and_nobody_else() {
    let test = "all_of_a_group_are_killed";
    let Some(group) = Memcg::create("all") else {
        return;
    };
    let inner = group.child("inner");
    let mut hogs: Vec<Hog> = (0..4)
        .map(|n| Hog::start(&format!("inc-all-{n}")))
        .collect();
    let mut outside = Hog::start("inc-outside");
    let Some(twin) = Twin::of(&group, test) else {
        return;
    };
    for (at, hog) in hogs.iter().enumerate() {
        if at % 2 == 0 || group.version() == Version::V2 {
            inner.add(hog.pid());
        } else {
            group.add(hog.pid());
        }
        twin.add(hog.pid());
    }
    let frozen = run(&group, &plans::freeze(&path(&group), true));
    assert_eq!(read_back(&frozen), Reading::Freezer(FreezerState::Frozen));
    let receipts = run(&group, &plans::kill(&path(&group)));
    let step = &receipts[0].steps[0];
    assert_eq!(
        (&step.before, &step.outcome),
        (&Reading::Members(4), &Ok(Reading::Members(0)))
    );
    for hog in &mut hogs {
        assert!(hog.is_killed());
    }
    assert_eq!(outside.ended(), None);
    assert_eq!(inverse::of_write(&receipts), [], "nothing brings them back");
}

/// Through the program: freeze, quit is asked, thaw by another program; raise; kill.
#[test]
fn the_keys_do_it_on_the_screen() {
    let test = "the_keys_do_it_on_the_screen";
    let Some(group) = Memcg::create("keys") else {
        return;
    };
    group.limit(200 * MIB);
    let mut hog = Hog::start("inc-keys").in_group(&group).grow(30);
    let Some(twin) = Twin::of(&group, test) else {
        return;
    };
    twin.add(hog.pid());
    let mut session = Session::start((120, 36), &[]);
    session.wait_for("the table", |screen| screen.has("COMMAND"));
    session.keys(&format!("/pid:{}<Enter><Home>", hog.pid()));
    session.wait_for("the hog and no other", |screen| {
        let lines = screen.lines();
        let mut table = lines.iter().skip_while(|line| !line.contains("COMMAND"));
        table.nth(1).is_some_and(|row| row.contains(hog.name()))
    });
    session.keys("i");
    session.wait_text("freezes it; its memory stays");
    session.keys("<Enter>");
    session.eventually("the freeze", || twin.is_frozen(&group));
    session.wait_for("the receipt", |screen| screen.has("done  freeze"));
    session.keys("<Esc>");
    session.wait_text("FROZEN by oomtop");
    session.keys("q");
    session.wait_text("it stands still until somebody thaws it");
    session.keys("<Esc>");
    // Somebody else thaws it.
    let thaw = writer(&group)
        .survey(&path(&group))
        .expect("it")
        .freezer
        .expect("it")
        .thaw;
    let done = std::process::Command::new("sh")
        .args(["-c", &thaw])
        .status();
    assert!(done.expect("sh").success());
    session.wait_for("it goes", |screen| !screen.has("FROZEN"));
    session.keys("i");
    session.wait_text("freezes it; its memory stays");
    session.keys("r<Tab>");
    session.wait_text("+25 %");
    session.keys("<Enter>");
    let limit = match group.version() {
        Version::V1 => "memory.limit_in_bytes",
        Version::V2 => "memory.max",
    };
    let limit = || read(&group.dir().join(limit)).trim().to_owned();
    session.eventually("the raise", || limit() == (250 * MIB).to_string());
    session.wait_for("the receipt", |screen| screen.has("done  write"));
    session.keys("<Esc>");
    session.undo();
    session.eventually("the undo", || limit() == (200 * MIB).to_string());
    session.keys("i");
    session.wait_text("freezes it; its memory stays");
    session.keys("x");
    session.wait_for("whom it hits", |screen| {
        screen.has(hog.name()) && screen.has("Ends ")
    });
    session.keys("<Enter>");
    session.wait_text("again to kill all of");
    assert_eq!(hog.ended(), None);
    session.keys("<Enter>");
    assert!(hog.is_killed());
    session.wait_text("the group is empty");
    session.keys("<Esc>q");
    assert_eq!(session.wait_exit().code, 0);
}

/// Killed by what nothing can catch, or asked to end by a signal: the terminal says what stands still, and the command
/// that it says lets it run on.
#[test]
fn whoever_ends_oomtop_is_told_how_to_thaw() {
    let test = "whoever_ends_oomtop_is_told_how_to_thaw";
    for signal in [Signal::KILL, Signal::TERM] {
        let Some(group) = Memcg::create("told") else {
            return;
        };
        let hog = Hog::start("inc-told").in_group(&group);
        let Some(twin) = Twin::of(&group, test) else {
            return;
        };
        twin.add(hog.pid());
        let mut session = Session::start((200, 36), &[]);
        session.wait_for("the table", |screen| screen.has("COMMAND"));
        session.keys(&format!("/pid:{}<Enter><Home>", hog.pid()));
        session.wait_for("the hog", |screen| screen.has(hog.name()));
        session.keys("i");
        session.wait_text("freezes it; its memory stays");
        session.keys("<Enter>");
        session.wait_for("the receipt", |screen| screen.has("done  freeze"));
        assert!(twin.is_frozen(&group));
        session.signal(signal);
        session.wait_exit();
        session.wait_for("how", |screen| screen.has("it continues with: echo "));
        session.assert_sane();
        let screen = session.screen_text();
        let (_, command) = screen.split_once("it continues with: ").expect("it");
        let command = command.lines().next().unwrap_or_default().trim().to_owned();
        let done = std::process::Command::new("sh")
            .args(["-c", &command])
            .status();
        assert!(done.expect("sh").success(), "{command}");
        assert!(until(|| !twin.is_frozen(&group)), "{command}");
    }
}
