//! `oomtop run` as values: where the group of a command is made, what was seen of it, and what follows from that.
//!
//! ```text
//!  place ─► a plan ─► the command in its group ─► Reading … ─► Course, Growth ─► RunReport with Advice
//! ```

pub mod advice;
pub mod course;
pub mod growth;
pub mod place;
pub mod report;
pub mod task;

/// How the names of groups that oomtop makes for commands begin.
const PREFIX: &str = "oomtop-run-";

/// How the name of the group ends that oomtop itself moves into, where the kernel wants no processes beside groups.
pub const SELF: &str = "-self";

/// How the name of a note ends that tells of the parent for whose groups a run has switched memory control on.
pub const MEMORY: &str = "-memory";

/// What stands between maker and number in the name of a note of a group that is being made for a user or a rule.
const MAKING: &str = "-making-";

/// The name of the note that this process leaves while it makes a group for a user or a rule.
#[must_use]
pub fn making(of: super::process::ProcessId, number: u64) -> String {
    format!("{}{MAKING}{number}", group_name(of))
}

/// Whose note of such a group this is; `None` for any other name.
#[must_use]
pub fn owner_of_making(name: &str) -> Option<super::process::ProcessId> {
    let (of, number) = name.split_once(MAKING)?;
    let is_number = number.parse::<u64>().is_ok();
    owner(of).filter(|_| is_number)
}

/// The name of the group that this process makes for a command: nobody else has its pid and start time.
#[must_use]
pub fn group_name(of: super::process::ProcessId) -> String {
    format!("{PREFIX}{}-{}", of.pid, of.start_ticks)
}

/// Whose group this name says it is; `None` for a name that oomtop gives to none.
#[must_use]
pub fn owner(name: &str) -> Option<super::process::ProcessId> {
    let (pid, start) = name.strip_prefix(PREFIX)?.split_once('-')?;
    let id = super::process::ProcessId {
        pid: pid.parse().ok()?,
        start_ticks: start.parse().ok()?,
    };
    // `+1` is a number too, but not one that was written here.
    (group_name(id) == name).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::{group_name, making, owner, owner_of_making};
    use crate::model::process::ProcessId;

    #[test]
    fn a_name_tells_who_made_the_group_and_nothing_else_does() {
        let id = ProcessId {
            pid: 12,
            start_ticks: 3456,
        };
        assert_eq!(group_name(id), "oomtop-run-12-3456");
        assert_eq!(owner("oomtop-run-12-3456"), Some(id));
        for other in [
            "oomtop-run-12",
            "oomtop-run-+12-3456",
            "oomtop-run-012-3456",
            "oomtop-run-12-3456-self",
            "oomtop-run-12-3456/x",
            "x-oomtop-run-12-3456",
            "",
        ] {
            assert_eq!(owner(other), None, "{other}");
            assert_eq!(owner_of_making(other), None, "{other}");
        }
        let note = making(id, 7);
        assert_eq!((owner(&note), owner_of_making(&note)), (None, Some(id)));
        assert_eq!(owner_of_making("oomtop-run-12-3456-making-x"), None);
    }
}
