//! [`Sigkills`]: who sent SIGKILL to whom, the last ones. A process that is gone cannot be asked.

use std::collections::VecDeque;

use crate::model::process::ProcessId;
use crate::model::time::Monotonic;
use crate::model::traced::Sigkill;

/// Most that are kept; the oldest go first.
pub const KEPT: usize = 512;

/// The last SIGKILLs that were not the OOM killer's, one for each target: the first one kills.
#[derive(Debug, Clone, Default)]
pub struct Sigkills {
    /// The oldest first.
    kept: VecDeque<Sigkill>,
}

impl Sigkills {
    /// Keeps one. A further signal to the same process changes nothing; returns false then.
    pub fn keep(&mut self, sigkill: Sigkill) -> bool {
        if self.of(sigkill.target).is_some() {
            return false;
        }
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(sigkill);
        true
    }

    /// True if nothing that came since then was given up.
    #[must_use]
    pub fn reach_to(&self, since: Monotonic) -> bool {
        let oldest = self.kept.front();
        self.kept.len() < KEPT || oldest.is_some_and(|oldest| oldest.at <= since)
    }

    /// Who killed this process, if somebody did with SIGKILL and oomtop saw it.
    #[must_use]
    pub fn of(&self, target: ProcessId) -> Option<&Sigkill> {
        self.kept.iter().rev().find(|kept| kept.target == target)
    }

    /// The number of them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// True without any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, Sigkills};
    use crate::model::process::ProcessId;
    use crate::model::process::comm::Comm;
    use crate::model::time::Monotonic;
    use crate::model::traced::{Sender, Sigkill};

    fn sigkill(pid: u32, at: u64) -> Sigkill {
        Sigkill {
            at: Monotonic(at),
            target: ProcessId {
                pid,
                start_ticks: 1,
            },
            comm: Comm::from("java"),
            by: Sender::Kernel,
            charged: None,
        }
    }

    #[test]
    fn the_first_signal_counts_and_the_oldest_goes() {
        let mut kept = Sigkills::default();
        assert!(kept.is_empty() && kept.keep(sigkill(1, 5)));
        assert!(!kept.keep(sigkill(1, 9)), "it was dying already");
        let of = |kept: &Sigkills, pid| kept.of(sigkill(pid, 0).target).map(|found| found.at);
        assert_eq!(of(&kept, 1), Some(Monotonic(5)));
        for pid in 2..3000 {
            kept.keep(sigkill(pid, 1));
        }
        assert_eq!((kept.len(), of(&kept, 1)), (KEPT, None));
        let reused = ProcessId {
            pid: 2999,
            start_ticks: 2,
        };
        assert_eq!(kept.of(reused), None);
        assert!(kept.reach_to(Monotonic(2)), "the oldest came before");
        assert!(!kept.reach_to(Monotonic(0)));
        assert!(Sigkills::default().reach_to(Monotonic(0)));
    }
}
