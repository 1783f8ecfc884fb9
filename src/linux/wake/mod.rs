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
                return Woken::By(wake);
            }
        }
    }

    fn wait_once(&mut self, called: BorrowedFd<'_>) -> Ready {
        self.ready.clear();
        let mut fds = vec![PollFd::from_borrowed_fd(called, PollFlags::IN)];
        if let Ok(trigger) = &self.trigger {
            fds.push(PollFd::from_borrowed_fd(trigger.as_fd(), PollFlags::PRI));
        }
        let others = fds.len();
        let groups = self.groups.fds();
        fds.extend(groups.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        match poll(&mut fds, None) {
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
        let at = |at: usize| ready.get(at).copied().unwrap_or(PollFlags::empty());
        if !at(0).is_empty() {
            return Ready::Called;
        }
        if others > 1 && at(1).intersects(PollFlags::ERR | PollFlags::NVAL | PollFlags::HUP) {
            // psi_fop_poll: the trigger is gone.
            self.trigger = Err("the kernel has dropped the PSI trigger".to_owned());
            return Ready::Nothing;
        }
        if others > 1 && !at(1).is_empty() {
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
enum Ready {
    Called,
    Pressure,
    Groups,
    Nothing,
}

/// Rests, but not longer than until it is called.
fn is_called(called: BorrowedFd<'_>, rest: Duration) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(called.as_fd(), PollFlags::IN)];
    // A rest of less than a millisecond is one of a millisecond.
    let rest = Timespec::try_from(rest.max(Duration::from_millis(1))).ok();
    matches!(poll(&mut fds, rest.as_ref()), Ok(1..))
}
