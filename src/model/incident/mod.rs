//! What can be done with a group while memory runs out: [`Survey`] is what the kernel offers for it, [`plans`] makes
//! the plans, [`spared`] says whom nobody may freeze or kill from the screen.

pub mod plans;
pub mod spared;

use crate::model::cgroup::CgroupPath;
use crate::model::freezer::FreezerState;

/// What the kernel offers for one group, looked at when it is asked for: a sample is too old to freeze by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// The group.
    pub group: CgroupPath,
    /// `None` where nothing freezes exactly this group: the root, v2 before 5.2, v1 without a group of the freezer
    /// hierarchy that has the same processes.
    pub freezer: Option<Freezer>,
    /// There is a `cgroup.kill` (v2, 5.14).
    pub kills_at_once: bool,
    /// There is a `memory.reclaim` (v2, 5.19).
    pub reclaims: bool,
    /// Processes in it and in the groups below.
    pub members: usize,
}

impl Survey {
    /// For what is in no group of its own.
    #[must_use]
    pub fn of_nothing(group: CgroupPath) -> Self {
        Self {
            group,
            freezer: None,
            kills_at_once: false,
            reclaims: false,
            members: 0,
        }
    }
}

/// The freezer of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freezer {
    /// Of the group's own switch.
    pub state: FreezerState,
    /// A group around it is frozen, so that its own switch changes nothing.
    pub held_from_above: bool,
    /// The command that thaws the group, for a shell.
    pub thaw: String,
}
