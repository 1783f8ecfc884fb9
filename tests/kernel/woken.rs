//! Woken by the kernel, and the incident on the real one. Skips loudly what this machine does not allow.

use std::time::{Duration, Instant};

use crate::common::hog::Hog;
use crate::common::measured;
use crate::common::memcg::{Memcg, Version};
use crate::common::patience::PATIENCE;
use crate::common::pty::{Launch, Session};
use crate::common::screen::Screen;
use oomtop::linux::SysRoot;
use oomtop::linux::wake::{Waker, Woken};
use oomtop::model::cgroup::CgroupPath;
use oomtop::model::wake::{Wake, WakeSource};

const MIB: u64 = 1 << 20;

fn filling(screen: &Screen) -> Option<String> {
    screen.line_with("FULL IN")
}

#[test]
fn a_fast_leak_in_a_group_that_rested_is_told_before_the_kill_with_its_leaker() {
    let Some(shop) = Memcg::create("leaking") else {
        return;
    };
    let group = shop.child("orders");
    group.limit(300 * MIB);
    let _service = Hog::start("orders-db").in_group(&group).grow(70);
    let mut leaker = Hog::start("orders-report").in_group(&group).grow(20);
    let mut session = Session::start((80, 24), &[]);
    session.wait_for("the table", |screen| screen.has("COMMAND"));
    // The keyboard works meanwhile, and the main screen is the one that tells.
    session.keys("?<Esc>");
    let begun = Instant::now();
    leaker.leak(400, Duration::from_millis(50));
    session.wait_for("when, where, who grows, who dies", |screen| {
        filling(screen).is_some_and(|line| {
            ["orders", "grows", "orders-report", "dies"]
                .iter()
                .all(|word| line.contains(word))
        })
    });
    let took = begun.elapsed();
    let (usage, limit) = (group.usage().unwrap_or(0), 300 * MIB);
    assert!(
        leaker.ended().is_none() && group.oom_kills() == Some(0),
        "told after the kill, {took:?}"
    );
    measured(&format!(
        "the incident stood on the main screen {took:?} after the leak began, at {} of {} MiB",
        usage / MIB,
        limit / MIB
    ));
    assert!(usage < limit, "{usage}");
    leaker.kill();
    session.wait_for("the growth is over", |screen| filling(screen).is_none());
}

#[test]
fn an_event_of_a_group_makes_a_sample_that_the_clock_would_not_make_for_an_hour() {
    let Some(group) = Memcg::create("woken") else {
        return;
    };
    group.limit(64 * MIB);
    let is_v1 = group.version() == Version::V1;
    // Neither a kill nor a line of the log: only the event of the group tells.
    let switch = if is_v1 {
        ("memory.oom_control", "1".to_owned())
    } else {
        ("memory.high", (24 * MIB).to_string())
    };
    if std::fs::write(group.dir().join(switch.0), switch.1).is_err() {
        return crate::common::skipped("an event of a group", "the group takes no such setting");
    }
    let mut hog = Hog::start("woken-hog").in_group(&group).grow(8);
    let dir = tempfile::tempdir().expect("a directory");
    let log = dir.path().join("kmsg");
    std::fs::write(&log, "").expect("written");
    let log = log.to_str().expect("a name");
    let mut session = Launch::oomtop()
        .size(200, 50)
        .args(["-d", "3600", "--kmsg", log])
        .start();
    session.wait_for("the table", |screen| screen.has("COMMAND"));
    session.keys("S");
    session.wait_for("events of groups are followed", |screen| {
        screen.has("When oomtop looks") && screen.has("that matter most")
            || screen.has("more below")
    });
    session.keys("<Esc>d");
    let name = group.path().trim_start_matches('/').to_owned();
    let used = |screen: &Screen| {
        let row = screen.line_with(&name)?;
        let mut words = row.split_whitespace();
        words.find_map(|word| word.strip_suffix('%')?.parse::<f64>().ok())
    };
    session.wait_for("the group as it was", |screen| {
        used(screen).is_some_and(|used| used < 30.0)
    });
    hog.leak(120, Duration::from_millis(1));
    let took = session.wait_for("the group as it is, an hour too early", |screen| {
        used(screen).is_some_and(|used| used > if is_v1 { 90.0 } else { 36.0 })
    });
    measured(&format!(
        "an event of a group was on the screen after {took:?}"
    ));
}

#[test]
fn the_waker_tells_of_an_oom_once_and_is_called_at_once() {
    let Some(group) = Memcg::create("waker") else {
        return;
    };
    group.limit(24 * MIB);
    let (called, call) = rustix::pipe::pipe().expect("a pipe");
    let mut waker = Waker::open(&SysRoot::default());
    waker.follow(&[
        CgroupPath::new(group.path()),
        CgroupPath::new("/no/such/group"),
    ]);
    let sources = waker.sources();
    assert!(
        matches!(&sources.groups, WakeSource::Live(text) if text.contains(" 1 group ")),
        "{sources:?}"
    );
    let mut hog = Hog::start("waker-hog").in_group(&group);
    hog.leak(64, Duration::from_millis(1));
    // Whoever waits in vain is called.
    let (over, ended) = std::sync::mpsc::channel::<()>();
    let late = call.try_clone().expect("a descriptor");
    let watchdog = std::thread::spawn(move || {
        if ended.recv_timeout(PATIENCE).is_err() {
            rustix::io::write(&late, b"late").ok();
        }
    });
    let mut told = Vec::new();
    while !told.contains(&Woken::By(Wake::Group)) {
        // Stalls of others on this machine are told, too.
        told.push(waker.wait(std::os::fd::AsFd::as_fd(&called)));
        assert!(!told.contains(&Woken::Called), "the OOM was not told");
    }
    assert!(hog.is_killed());
    over.send(()).expect("it waits");
    watchdog.join().expect("it ends");
    rustix::io::write(&call, b"x").expect("called");
    let mut woken = waker.wait(std::os::fd::AsFd::as_fd(&called));
    while woken != Woken::Called {
        woken = waker.wait(std::os::fd::AsFd::as_fd(&called));
    }
}
