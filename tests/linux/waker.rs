//! What wakes oomtop, and what does not: the counters of a group decide.

use std::io::{Seek, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::time::Instant;

use oomtop::linux::wake::{GAP, MOST_GROUPS, Waker, Woken};
use oomtop::model::cgroup::CgroupPath;
use oomtop::model::wake::{Wake, WakeSource};

use crate::common::fake_root::FakeRoot;

/// A v2 tree with so many groups, `/g0` and on.
fn tree(groups: usize) -> FakeRoot {
    (0..groups).fold(FakeRoot::new(), |root, at| {
        root.v2_group(&format!("g{at}"), |group| {
            group.max("1000000").file("memory.events", &events(0, 0, 0))
        })
    })
}

/// The same number of bytes whatever the numbers are: the kernel's file is never seen half written either.
fn events(high: u32, max: u32, oom: u32) -> String {
    format!("low 0\nhigh {high:05}\nmax {max:05}\noom {oom:05}\noom_kill 0\noom_group_kill 0\n")
}

struct Group(PathBuf);

impl Group {
    fn set(&self, high: u32, max: u32, oom: u32) {
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .open(&self.0)
            .expect("opens");
        file.rewind().expect("its begin");
        file.write_all(events(high, max, oom).as_bytes())
            .expect("written");
    }
}

fn group(root: &FakeRoot, at: usize) -> Group {
    Group(root.sys_root().cgroup.join(format!("g{at}/memory.events")))
}

/// Waits, at most for the next event: what would wait for ever is called.
fn told(waker: &mut Waker) -> Option<Wake> {
    let (called, call) = rustix::pipe::pipe().expect("a pipe");
    let (done, is_done) = std::sync::mpsc::channel::<()>();
    let watchdog = std::thread::spawn(move || {
        let _: OwnedFd = {
            let _ = is_done.recv_timeout(GAP * 4);
            rustix::io::write(&call, b"x").ok();
            call
        };
    });
    let woken = waker.wait(called.as_fd());
    drop(done);
    watchdog.join().expect("it ends");
    match woken {
        Woken::By(wake) => Some(wake),
        Woken::Called => None,
    }
}

fn follow(waker: &mut Waker, groups: usize) {
    let paths: Vec<_> = (0..groups)
        .map(|at| CgroupPath::new(&format!("/g{at}")))
        .collect();
    waker.follow(&paths);
}

#[test]
fn an_oom_is_told_each_time_and_a_group_that_lives_at_its_limit_once() {
    let root = tree(2);
    let (first, second) = (group(&root, 0), group(&root, 1));
    let mut waker = Waker::open(&root.sys_root());
    follow(&mut waker, 2);
    let sources = waker.sources();
    assert!(
        matches!(&sources.groups, WakeSource::Live(text) if text.contains("memory.events of the 2 groups")),
        "{sources:?}"
    );
    assert!(
        matches!(&sources.pressure, WakeSource::Off(_)),
        "a file is no trigger"
    );
    assert_eq!(told(&mut waker), None, "nothing has happened");
    first.set(0, 1, 0);
    assert_eq!(
        told(&mut waker),
        Some(Wake::Group),
        "it has come to its limit"
    );
    first.set(0, 2, 0);
    assert_eq!(told(&mut waker), None, "it is still there");
    second.set(7, 0, 0);
    assert_eq!(
        told(&mut waker),
        Some(Wake::Group),
        "another one is throttled"
    );
    for oom in 1..4 {
        first.set(0, 2, oom);
        assert_eq!(told(&mut waker), Some(Wake::Group), "out of memory, {oom}");
    }
}

#[test]
fn events_that_come_together_are_told_together_and_never_faster_than_the_gap() {
    let root = tree(3);
    let groups: Vec<_> = (0..3).map(|at| group(&root, at)).collect();
    let mut waker = Waker::open(&root.sys_root());
    follow(&mut waker, 3);
    let begun = Instant::now();
    let mut times = 0;
    for oom in 1..=60 {
        for group in &groups {
            group.set(0, 0, oom);
        }
        if oom.is_multiple_of(20) {
            times += u32::from(told(&mut waker).is_some());
        }
    }
    assert!((1..=3).contains(&times), "{times}");
    assert!(
        begun.elapsed() >= GAP * (times - 1),
        "{times} in {:?}",
        begun.elapsed()
    );
}

#[test]
fn a_group_that_is_not_followed_any_more_wakes_nobody_and_there_is_a_most() {
    let root = tree(MOST_GROUPS + 2);
    let mut waker = Waker::open(&root.sys_root());
    follow(&mut waker, MOST_GROUPS + 2);
    let most = format!("the {MOST_GROUPS} groups");
    let sources = waker.sources();
    assert!(
        matches!(&sources.groups, WakeSource::Live(text) if text.contains(&most)),
        "{sources:?}"
    );
    waker.follow(&[CgroupPath::new("/g1"), CgroupPath::new("/gone")]);
    group(&root, 0).set(0, 0, 1);
    assert_eq!(told(&mut waker), None);
    group(&root, 1).set(0, 0, 1);
    assert_eq!(told(&mut waker), Some(Wake::Group));
    waker.follow(&[]);
    assert_eq!(waker.sources().groups, WakeSource::NotYet);
}

#[test]
fn a_group_that_was_made_again_under_its_path_is_followed_anew() {
    let root = tree(2);
    let mut waker = Waker::open(&root.sys_root());
    follow(&mut waker, 2);
    // A service that starts again: the group is removed, and another one has its path.
    let file = group(&root, 0).0;
    let made = file.with_file_name("made");
    std::fs::write(&made, events(0, 0, 0)).expect("written");
    std::fs::rename(&made, &file).expect("in its place");
    follow(&mut waker, 2);
    while told(&mut waker).is_some() {}
    group(&root, 0).set(0, 0, 1);
    assert_eq!(told(&mut waker), Some(Wake::Group));
    group(&root, 1).set(0, 0, 1);
    assert_eq!(
        told(&mut waker),
        Some(Wake::Group),
        "and the other one as before"
    );
    std::fs::remove_file(&file).expect("removed");
    follow(&mut waker, 2);
    assert!(matches!(waker.sources().groups, WakeSource::Live(text) if text.contains(" 1 group ")));
}
