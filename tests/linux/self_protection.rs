//! How oomtop protects itself, seen from outside: its adj and its locked memory.
#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::process::Command;

use crate::common::patience::beside;
use crate::common::pty::{Launch, Session};

/// `CAP_IPC_LOCK` (include/uapi/linux/capability.h).
const CAP_IPC_LOCK: u64 = 1 << 14;

/// oomtop in a terminal, started by a shell that runs `first` and only then becomes oomtop.
fn started_after(first: &str, options: &str) -> Session {
    let oomtop = env!("CARGO_BIN_EXE_oomtop");
    let script = format!("{first}\nexec '{oomtop}' {options}");
    dashboard(Launch::program("/bin/sh").args(["-c", &script]))
}

fn dashboard(launch: Launch) -> Session {
    let session = launch.start();
    session.wait_for("the dashboard", |screen| {
        screen.0.alternate_screen() && screen.has("COMMAND")
    });
    session
}

/// True if a process like those started here may give itself this adj.
fn may_set(first: &str, adj: i32) -> bool {
    beside();
    let script = format!("{first}\necho {adj} >/proc/self/oom_score_adj");
    let tried = Command::new("/bin/sh").args(["-c", &script]).output();
    tried.is_ok_and(|output| output.status.success() && output.stderr.is_empty())
}

/// Shell lines that set this adj; `None`, with the reason printed, if they cannot.
fn with_adj(test: &str, adj: i32) -> Option<String> {
    if may_set("", adj) {
        return Some(format!("echo {adj} >/proc/self/oom_score_adj"));
    }
    crate::common::skipped(test, &format!("this user may not have an adj of {adj}"));
    None
}

fn adj(session: &Session) -> i32 {
    let path = format!("/proc/{}/oom_score_adj", session.pid());
    let text = std::fs::read_to_string(path).expect("oom_score_adj");
    text.trim().parse().expect("a number")
}

/// The number after `key` in its `status`, in base `radix`.
fn status(session: &Session, key: &str, radix: u32) -> u64 {
    let path = format!("/proc/{}/status", session.pid());
    let text = std::fs::read_to_string(path).expect("status");
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let word = line.and_then(|line| line.trim_start_matches(':').split_whitespace().next());
    u64::from_str_radix(word.expect(key), radix).expect("a number")
}

/// Memory is locked where permitted: the pages in use, not every mapping as a whole.
fn check_lock(session: &Session) {
    let locked = status(session, "VmLck", 10);
    if status(session, "CapEff", 16) & CAP_IPC_LOCK == 0 {
        assert_eq!(locked, 0, "a lock without CAP_IPC_LOCK ends at ulimit -l");
        return;
    }
    assert!(locked > 0, "memory is not locked");
    // `VmLck` counts address space, `VmHWM` resident memory: thread stacks span megabytes, and locking
    // them whole would make them resident.
    let (resident, stacks) = (status(session, "VmHWM", 10), status(session, "Threads", 10));
    assert!(
        resident < stacks * 2048 + 40 * 1024,
        "{resident} kB resident with {stacks} threads: more is resident than is used"
    );
}

#[test]
fn it_goes_last_where_it_may() {
    let test = "it_goes_last_where_it_may";
    let Some(plain) = with_adj(test, 0) else {
        return;
    };
    let expected = if may_set(&plain, -999) {
        -999
    } else {
        crate::common::skipped(
            test,
            "an adj of -999 is not allowed here: it is seen to stay 0",
        );
        0
    };
    let mut session = started_after(&plain, "");
    assert_eq!(adj(&session), expected);
    check_lock(&session);
    session.keys("q");
    assert_eq!(session.wait_exit().code, 0);
}

#[test]
fn an_adj_that_somebody_chose_is_kept() {
    let test = "an_adj_that_somebody_chose_is_kept";
    for chosen in [-1000, -500, 300, 1000] {
        let Some(first) = with_adj(test, chosen) else {
            continue;
        };
        assert_eq!(adj(&started_after(&first, "")), chosen);
    }
}

#[test]
fn no_self_protect_leaves_both_alone() {
    let test = "no_self_protect_leaves_both_alone";
    let Some(plain) = with_adj(test, 0) else {
        return;
    };
    let session = started_after(&plain, "--no-self-protect");
    assert_eq!(adj(&session), 0);
    assert_eq!(status(&session, "VmLck", 10), 0);
}

#[test]
fn without_any_capability_it_works_all_the_same() {
    let test = "without_any_capability_it_works_all_the_same";
    let none = ["--bounding-set=-all", "--inh-caps=-all"];
    beside();
    let works = Command::new("setpriv").args(none).arg("true").output();
    // An ordinary user has no capabilities to drop, and may not drop any.
    let launch = if works.is_ok_and(|output| output.status.success()) {
        Launch::program("setpriv")
            .args(none)
            .args([env!("CARGO_BIN_EXE_oomtop")])
    } else if crate::common::is_root() {
        crate::common::skipped(test, "setpriv is missing, or may not drop capabilities");
        return;
    } else {
        Launch::oomtop()
    };
    let mut session = dashboard(launch);
    if status(&session, "CapEff", 16) != 0 {
        crate::common::skipped(test, "this user has capabilities of its own");
        return;
    }
    assert_eq!(status(&session, "VmLck", 10), 0);
    session.wait_for("the back end without privilege", |screen| {
        screen.has("/proc") && !screen.has("bpf task walk")
    });
    session.keys("q");
    assert_eq!(session.wait_exit().code, 0);
}
