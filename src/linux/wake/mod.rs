//! [`Waker`]: waits until the kernel tells of trouble: a PSI trigger of the host, and events of groups.
//!
//! A storm of events makes no storm of samples. After each event that is told the waker rests for [`GAP`], and after
//! one that is not worth a sample for some 40 ms; the kernel keeps what comes meanwhile.

mod groups;
mod pressure;

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::linux::SysRoot;
use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::urgent;
use crate::model::cgroup::CgroupPath;
use crate::model::wake::{Wake, WakeSource, WakeSources};

use groups::GroupEvents;
use pressure::PressureTrigger;

pub use groups::MOST_GROUPS;

/// Least time between two events that are told: at most four more samples a second.
pub const GAP: Duration = Duration::from_millis(250);

/// Rest after an event that is not told. A group that lives at its limit has a hundred a second.
const NOISE: Duration = Duration::from_millis(40);

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// The kernel told of this.
    By(Wake),
    /// The descriptor of the caller is ready.
    Called,
}

/// Waits for the kernel. Holds few descriptors: the trigger, and one for all groups of v2 or one for each of v1.
#[derive(Debug)]
pub struct Waker {
    trigger: Result<PressureTrigger, String>,
    groups: GroupEvents,
    /// The kernel is not asked before.
    rests_until: Instant,
    ready: Vec<usize>,
    /// The trigger has told of pressure, and the caller does not know yet.
    pressed: bool,
}

impl Waker {
    /// Sets the trigger; no group yet.
    #[must_use]
    pub fn open(root: &SysRoot) -> Self {
        Self {
            trigger: PressureTrigger::open(root),
            groups: GroupEvents::new(Hierarchy::detect(root)),
            rests_until: Instant::now(),
            ready: Vec::new(),
            pressed: false,
        }
    }

    /// Follows the events of these groups, at most [`MOST_GROUPS`], instead of those before.
    pub fn follow(&mut self, groups: &[CgroupPath]) {
        self.groups.follow(groups);
    }

    /// What is followed, in words.
    #[must_use]
    pub fn sources(&self) -> WakeSources {
        WakeSources {
            pressure: match &self.trigger {
                Ok(trigger) => WakeSource::Live(trigger.words()),
                Err(reason) => WakeSource::Off(reason.clone()),
            },
            groups: self.groups.source(),
            turn: urgent::OWN.turn(),
        }
    }

    /// Waits until the kernel tells of something or `called` can be read; the caller reads it.
    pub fn wait(&mut self, called: BorrowedFd<'_>) -> Woken {
        loop {
            let rest = self.rests_until.saturating_duration_since(Instant::now());
            if !rest.is_zero() {
                if is_called(called, rest) {
                    return Woken::Called;
                }
                continue;
            }
            let told = match self.wait_once(called) {
                Ready::Called => return Woken::Called,
                Ready::Pressure => Some(Wake::Pressure),
                Ready::Groups => self.groups.take(&self.ready).then_some(Wake::Group),
                Ready::Nothing => None,
            };
            self.rests_until = Instant::now() + told.map_or(NOISE, |_| GAP);
            if let Some(wake) = told {
                if wake == Wake::Pressure {
                    urgent::OWN.memory_is_short();
                }
                return Woken::By(wake);
            }
        }
    }

    fn wait_once(&mut self, called: BorrowedFd<'_>) -> Ready {
        self.ready.clear();
        if std::mem::take(&mut self.pressed) {
            return Ready::Pressure;
        }
        let mut fds = vec![PollFd::from_borrowed_fd(called, PollFlags::IN)];
        if let Ok(trigger) = &self.trigger {
            fds.push(PollFd::from_borrowed_fd(trigger.as_fd(), PollFlags::PRI));
        }
        let others = fds.len();
        let groups = self.groups.fds();
        fds.extend(groups.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        let until = urgent::OWN.look().map(at_least_a_moment);
        match poll(&mut fds, until.as_ref()) {
            Err(Errno::INTR) => return Ready::Nothing,
            // Nothing can be waited for: then only the caller wakes.
            Err(_) => {
                drop(fds);
                self.trigger = Err("the kernel does not let oomtop wait for it".to_owned());
                self.groups.follow(&[]);
                return Ready::Nothing;
            }
            Ok(_) => {}
        }
        let ready: Vec<PollFlags> = fds.iter().map(PollFd::revents).collect();
        drop(fds);
        self.sort(&ready, others)
    }

    /// Takes what a poll has found: the caller's descriptor, the trigger if there is one, and from `others` on the
    /// groups.
    fn sort(&mut self, ready: &[PollFlags], others: usize) -> Ready {
        let at = |at: usize| ready.get(at).copied().unwrap_or(PollFlags::empty());
        // The poll has taken the event from the kernel (psi_trigger_poll), whoever else was ready.
        self.pressed |= others > 1 && at(1).contains(PollFlags::PRI);
        if !at(0).is_empty() {
            return Ready::Called;
        }
        if others > 1 && at(1).intersects(PollFlags::ERR | PollFlags::NVAL | PollFlags::HUP) {
            // psi_fop_poll: the trigger is gone.
            self.pressed = false;
            self.trigger = Err("the kernel has dropped the PSI trigger".to_owned());
            return Ready::Nothing;
        }
        if std::mem::take(&mut self.pressed) {
            return Ready::Pressure;
        }
        self.ready.extend(
            (others..ready.len())
                .filter(|n| !at(*n).is_empty())
                .map(|n| n - others),
        );
        if self.ready.is_empty() {
            Ready::Nothing
        } else {
            Ready::Groups
        }
    }
}

/// What a poll found, the most important first.
#[derive(Debug, PartialEq, Eq)]
enum Ready {
    Called,
    Pressure,
    Groups,
    Nothing,
}

/// Rests, but not longer than until it is called.
fn is_called(called: BorrowedFd<'_>, rest: Duration) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(called.as_fd(), PollFlags::IN)];
    let rest = at_least_a_moment(rest);
    matches!(poll(&mut fds, Some(&rest)), Ok(1..))
}

/// A rest of less than a millisecond is one of a millisecond.
fn at_least_a_moment(rest: Duration) -> Timespec {
    let moment = Timespec {
        tv_sec: 0,
        tv_nsec: 1_000_000,
    };
    Timespec::try_from(rest.max(Duration::from_millis(1))).unwrap_or(moment)
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use rustix::event::PollFlags;

    use super::{Ready, Waker, Woken};
    use crate::linux::SysRoot;
    use crate::model::wake::Wake;

    #[test]
    fn pressure_that_was_told_together_with_a_call_is_told_after_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut waker = Waker::open(&SysRoot::under(dir.path()));
        let both = [PollFlags::IN, PollFlags::PRI];
        assert_eq!(waker.sort(&both, 2), Ready::Called);
        // Whoever has lost the event is called again instead.
        let (called, call) = rustix::pipe::pipe().expect("a pipe");
        rustix::io::write(&call, b"x").expect("called");
        assert_eq!(waker.wait(called.as_fd()), Woken::By(Wake::Pressure));
        assert_eq!(waker.wait(called.as_fd()), Woken::Called, "and once only");
    }

    #[test]
    fn a_trigger_that_the_kernel_has_dropped_tells_of_no_pressure() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut waker = Waker::open(&SysRoot::under(dir.path()));
        let dropped = [PollFlags::empty(), PollFlags::ERR | PollFlags::PRI];
        assert_eq!(waker.sort(&dropped, 2), Ready::Nothing);
        assert!(
            waker
                .trigger
                .is_err_and(|reason| reason.contains("dropped"))
        );
    }
}
