//! What a sample does when the thread that reads is slow.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::{Aside, Wait};
use crate::model::process::ProcessId;

static HELD: AtomicBool = AtomicBool::new(true);
static READS: AtomicUsize = AtomicUsize::new(0);

fn id(pid: u32) -> ProcessId {
    ProcessId {
        pid,
        start_ticks: 1,
    }
}

/// What a thread is that reclaims memory for its read: runnable, and not back for long.
#[test]
fn a_thread_that_works_long_is_late_and_does_not_hold_the_sample_up() {
    let proc: OwnedFd = std::fs::File::open("/proc").expect("opened").into();
    let mut aside = Aside::new("works", &proc, |_, pid, _| {
        READS.fetch_add(1, Ordering::SeqCst);
        while pid == 2 && HELD.load(Ordering::SeqCst) {
            std::hint::spin_loop();
        }
        Some(pid)
    })
    .expect("a reader");
    let wanted = [id(1), id(2), id(3)];
    let mut seen = Vec::new();
    // The thread has begun, however late: the waits below are for what it does.
    aside.read(&wanted[..1], Wait::ForAll, |(id, found)| {
        seen.push((id.pid, found));
    });
    for _ in 0..2 {
        aside.read(&wanted[1..], Wait::InTurn, |(id, found)| {
            seen.push((id.pid, found));
        });
        assert_eq!(seen, [(1, Some(1))], "2 is late, and 3 comes after it");
        assert_eq!(aside.blocked().count(), 0, "it works");
    }
    let period = std::time::Duration::from_secs(1);
    assert!(Wait::InTurn.longest() * 2 <= period, "half of a period");
    HELD.store(false, Ordering::SeqCst);
    aside.read(&[id(3), id(4)], Wait::ForAll, |(id, found)| {
        seen.push((id.pid, found));
    });
    assert_eq!(seen, [1, 2, 3, 4].map(|pid| (pid, Some(pid))));
    assert_eq!(READS.load(Ordering::SeqCst), 4, "each is read once");
}
