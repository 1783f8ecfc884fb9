//! While memory is short, the threads between the kernel and the screen run before all others: seen from outside, and
//! what happens to one that never waits.

use std::fs;
use std::io::Write as _;
use std::process::Command;
use std::sync::mpsc::channel;

use oomtop::linux::urgent::Urgent;
use oomtop::model::wake::Turn;

use crate::common::fake_root::FakeRoot;
use crate::common::patience::{beside, until};
use crate::common::pty::{Launch, Session};

/// `SCHED_OTHER` and `SCHED_RR` (include/uapi/linux/sched.h).
const OTHER: u32 = 0;
const RR: u32 = 2;

/// A kill of a process that is none.
const KILL: &str = "3,2,9000000,-;Out of memory: Killed process 4321 (gone) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:4kB oom_score_adj:0\n";

/// Those that stand between the kernel's news and the screen. The loop's thread has the program's name.
const IN_TIME: [&str; 6] = [
    "oomtop", "sampler", "oom-log", "oom-kmsg", "waker", "keyboard",
];

/// The policy (field 41) and the nice value (field 19) in a `stat`.
fn policy_and_nice(stat: &str) -> (u32, i32) {
    let (_, fields) = stat.rsplit_once(") ").expect("a name");
    let fields: Vec<&str> = fields.split(' ').collect();
    let policy = fields[38].trim().parse().expect("a policy");
    (policy, fields[16].parse().expect("a nice value"))
}

/// Name, policy and nice value of each thread of a process.
fn threads(pid: u32) -> Vec<(String, u32, i32)> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("threads");
    let read = |task: fs::DirEntry| {
        let name = fs::read_to_string(task.path().join("comm")).ok()?;
        let stat = fs::read_to_string(task.path().join("stat")).ok()?;
        let (policy, nice) = policy_and_nice(&stat);
        Some((name.trim().to_owned(), policy, nice))
    };
    tasks.flatten().filter_map(read).collect()
}

/// The policies that a thread in time has.
fn policies(session: &Session) -> Vec<u32> {
    let all = threads(session.pid()).into_iter();
    let own = all.filter(|(name, ..)| IN_TIME.contains(&name.as_str()));
    let mut policies: Vec<u32> = own.map(|(_, policy, _)| policy).collect();
    policies.sort_unstable();
    policies.dedup();
    policies
}

/// oomtop on a tree of its own, where nobody is killed but by [`kill`].
fn dashboard(tree: &FakeRoot, launch: Launch) -> Session {
    let root = tree.path("");
    let root = root.to_str().expect("UTF-8");
    let session = launch.args(["--root", root]).start();
    // A kill that the log had before is of the past.
    session.wait_for("the dashboard, and the end of the old log", |screen| {
        screen.0.alternate_screen() && screen.has("COMMAND") && screen.has("live from")
    });
    session
}

/// Its row stands on the screen: whatever the record does to threads, it has done.
fn kill(tree: &FakeRoot, session: &Session) {
    let log = fs::OpenOptions::new()
        .append(true)
        .open(tree.path("dev/kmsg"));
    log.and_then(|mut log| log.write_all(KILL.as_bytes()))
        .expect("written");
    session.wait_for("the kill", |screen| screen.has("4321"));
}

fn tree() -> FakeRoot {
    let tree = FakeRoot::new().process(20, |p| p.comm("leaker").rss_mib(300));
    tree.write("dev/kmsg", "6,1,1,-;Linux version 6.12\n");
    tree
}

/// What the settings panel says of it.
fn said(session: &mut Session) -> String {
    session.keys("S");
    let mut line = String::new();
    session.wait_for("the settings panel", |screen| {
        let text = screen.0.contents();
        let found = text.lines().find(|line| line.contains("Its turn to run"));
        found.unwrap_or_default().clone_into(&mut line);
        found.is_some()
    });
    line
}

/// True if this process may have real-time priority; the reason is printed.
fn may(test: &str) -> bool {
    beside();
    let tried = Command::new("chrt").args(["--rr", "1", "true"]).output();
    let may = tried.is_ok_and(|output| output.status.success());
    if !may {
        crate::common::skipped(test, "real-time priority (chrt --rr 1) is refused here");
    }
    may
}

#[test]
fn a_kill_puts_the_threads_first_until_memory_is_no_longer_short() {
    if !may("a_kill_puts_the_threads_first_until_memory_is_no_longer_short") {
        return;
    }
    let tree = tree();
    let session = dashboard(&tree, Launch::oomtop().size(120, 50));
    assert_eq!(policies(&session), [OTHER], "memory is not short yet");
    // A thread of the start may end meanwhile.
    let in_time = |(name, ..): &(String, u32, i32)| IN_TIME.contains(&name.as_str());
    let mut before = threads(session.pid());
    before.retain(in_time);
    kill(&tree, &session);
    session.eventually("all of them are urgent", || policies(&session) == [RR]);
    let others = threads(session.pid());
    let writer = others.iter().find(|(name, ..)| name == "writer");
    assert!(
        writer.is_none_or(|(_, policy, _)| *policy == OTHER),
        "a write can take the kernel long: {others:?}"
    );
    session.eventually("they are as before again", || {
        let now = threads(session.pid());
        before.iter().all(|thread| now.contains(thread))
    });
}

#[test]
fn who_may_not_is_as_others_and_says_so_only_where_asked() {
    let test = "who_may_not_is_as_others_and_says_so_only_where_asked";
    beside();
    let none = ["--bounding-set=-all", "--inh-caps=-all"];
    let works = Command::new("setpriv").args(none).arg("true").output();
    let launch = if works.is_ok_and(|output| output.status.success()) {
        Launch::program("setpriv")
            .args(none)
            .args([env!("CARGO_BIN_EXE_oomtop")])
    } else if crate::common::is_root() {
        return crate::common::skipped(test, "setpriv is missing, or may not drop capabilities");
    } else if may(test) {
        return crate::common::skipped(test, "this user may have real-time priority");
    } else {
        Launch::oomtop()
    };
    let tree = tree();
    let mut session = dashboard(&tree, launch.size(120, 50));
    kill(&tree, &session);
    assert_eq!(policies(&session), [OTHER]);
    session.look(|screen| assert!(!screen.has("SCHED"), "nothing loud"));
    let said = said(&mut session);
    assert!(
        said.contains("as others: real-time priority needs CAP_SYS_NICE"),
        "{said}"
    );
}

#[test]
fn no_self_protect_leaves_the_threads_as_they_are() {
    beside();
    let tree = tree();
    let launch = Launch::oomtop().size(120, 50).args(["--no-self-protect"]);
    let mut session = dashboard(&tree, launch);
    kill(&tree, &session);
    assert_eq!(policies(&session), [OTHER]);
    let said = said(&mut session);
    assert!(
        said.contains("as others (--no-self-protect or --read-only)"),
        "{said}"
    );
}

static SPINNING: Urgent = Urgent::new();

#[test]
fn a_thread_that_never_waits_loses_the_priority_and_the_process_lives() {
    let test = "a_thread_that_never_waits_loses_the_priority_and_the_process_lives";
    if !may(test) {
        assert!(SPINNING.arm().is_err(), "refused, and quietly");
        assert!(matches!(SPINNING.turn(), Turn::AsOthers(_)));
        SPINNING.memory_is_short();
        return;
    }
    let own = || {
        let stat = fs::read_to_string("/proc/thread-self/stat").expect("stat");
        policy_and_nice(&stat).0
    };
    SPINNING.arm().expect("it may");
    assert_eq!(SPINNING.turn(), Turn::First);
    let (tell, told) = channel();
    let (go, gone) = channel();
    let bystander = std::thread::spawn(move || {
        let _member = SPINNING.join();
        tell.send(own()).expect("sent");
        gone.recv().expect("the end");
        own()
    });
    assert_eq!(told.recv(), Ok(OTHER), "memory is not short");
    let spinner = std::thread::spawn(move || {
        let member = SPINNING.join();
        SPINNING.memory_is_short();
        let urgent = threads(std::process::id());
        let urgent = urgent.iter().filter(|(_, policy, _)| *policy == RR).count();
        let child = Command::new("cat").arg("/proc/self/stat").output();
        let child = String::from_utf8(child.expect("cat").stdout).expect("UTF-8");
        let begun = std::time::Instant::now();
        while own() == RR && begun.elapsed() < crate::common::patience::PATIENCE {
            std::hint::spin_loop();
        }
        let after = own();
        // Said again it stays as it is: for a while nobody is trusted.
        SPINNING.memory_is_short();
        let again = own();
        drop(member);
        (urgent, policy_and_nice(&child).0, after, again)
    });
    let (urgent, child, after, again) = spinner.join().expect("it lives");
    assert_eq!(urgent, 2, "both are urgent");
    assert_eq!(child, OTHER, "what it starts does not inherit it");
    assert_eq!((after, again), (OTHER, OTHER));
    go.send(()).expect("sent");
    assert_eq!(bystander.join().expect("it lives"), OTHER, "nor the others");
    let Turn::AsOthers(reason) = SPINNING.turn() else {
        panic!("{:?}", SPINNING.turn());
    };
    assert!(reason.contains("for 15 s"), "{reason}");
    assert!(until(|| SPINNING.look().is_none()));
}
