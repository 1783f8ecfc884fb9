//! [`MoveTries`]: which moves were tried, so that none is tried for ever.

use std::collections::HashMap;

use crate::model::process::ProcessId;
use crate::model::rules::rule_group::RuleGroup;

/// Most moves of one process: whoever takes it out again shall have it.
const MOST: u32 = 3;

/// What to do with a process that is not where its rule wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Nothing,
    Move,
    /// Say that it is left alone from here on.
    GiveUp,
}

#[derive(Debug)]
struct Tries {
    rule_group: RuleGroup,
    count: u32,
    is_over: bool,
}

/// The moves so far.
#[derive(Debug, Default)]
pub(super) struct MoveTries(HashMap<ProcessId, Tries>);

impl MoveTries {
    /// A move is counted.
    pub(super) fn act(&mut self, id: ProcessId, rule_group: &RuleGroup) -> Act {
        let fresh = || Tries {
            rule_group: rule_group.clone(),
            count: 0,
            is_over: false,
        };
        let tries = self.0.entry(id).or_insert_with(fresh);
        if tries.rule_group != *rule_group {
            *tries = fresh();
        }
        if tries.is_over {
            return Act::Nothing;
        }
        tries.count += 1;
        if tries.count > MOST {
            tries.is_over = true;
            return Act::GiveUp;
        }
        Act::Move
    }

    /// It will not be tried again for this group.
    pub(super) fn refused(&mut self, id: ProcessId) {
        if let Some(tries) = self.0.get_mut(&id) {
            tries.is_over = true;
        }
    }

    /// Forgets all but these.
    pub(super) fn keep(&mut self, lives: impl Fn(ProcessId) -> bool) {
        self.0.retain(|id, _| lives(*id));
    }

    /// The rules are others now: what was refused may be possible.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::{Act, MOST, MoveTries};
    use crate::model::cgroup::CgroupPath;
    use crate::model::process::ProcessId;
    use crate::model::rules::rule_group::RuleGroup;

    #[test]
    fn who_is_taken_out_again_and_again_is_left_there_and_that_is_said_once() {
        let rule_group = RuleGroup {
            group: CgroupPath::new("/batch"),
            max: None,
            high: None,
        };
        let mut tries = MoveTries::default();
        let acts: Vec<_> = (0..6)
            .map(|_| tries.act(ProcessId::default(), &rule_group))
            .collect();
        assert_eq!(
            acts.iter().filter(|act| **act == Act::Move).count(),
            MOST as usize
        );
        assert_eq!(acts[3..], [Act::GiveUp, Act::Nothing, Act::Nothing]);
        let other = RuleGroup {
            max: Some(1),
            ..rule_group
        };
        assert_eq!(tries.act(ProcessId::default(), &other), Act::Move);
    }
}
