//! Waiting for a condition, and the turns that tests of one binary take on the machine.
//!
//! No test fails because the machine is slow. Each wait has a deadline that only broken code reaches; tests
//! report how long a wait took and do not judge it.

use std::cell::RefCell;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

/// Longest wait for a condition. A passing test never waits this long.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Polls until `holds`, or until [`PATIENCE`] ends; true if it held.
pub(crate) fn until(mut holds: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    while !holds() {
        if begun.elapsed() > PATIENCE {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

/// Processor time of this thread so far: other work on the machine does not add to it.
pub(crate) fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Who has the machine: one test alone, or any others beside each other.
static MACHINE: RwLock<()> = RwLock::new(());

enum Turn {
    Beside {
        _lock: RwLockReadGuard<'static, ()>,
    },
    Alone {
        _lock: RwLockWriteGuard<'static, ()>,
    },
}

thread_local! {
    /// The turn of this thread's test. The harness runs each test in a thread of its own: the turn ends with it.
    static TURN: RefCell<Option<Turn>> = const { RefCell::new(None) };
}

/// From here on no other test of this binary starts a process: for tests that look at the whole of `/proc`,
/// at the kernel's log, or at how long something takes.
pub(crate) fn alone() {
    TURN.with_borrow_mut(|turn| {
        if !matches!(turn, Some(Turn::Alone { .. })) {
            // Release a shared turn first, or this thread would wait for itself.
            *turn = None;
            let lock = MACHINE.write().unwrap_or_else(PoisonError::into_inner);
            *turn = Some(Turn::Alone { _lock: lock });
        }
    });
}

/// From here on this test may start processes: no other test can be alone until this test ends.
pub(crate) fn beside() {
    TURN.with_borrow_mut(|turn| {
        if turn.is_none() {
            let lock = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
            *turn = Some(Turn::Beside { _lock: lock });
        }
    });
}
