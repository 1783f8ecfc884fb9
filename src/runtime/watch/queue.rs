//! [`Queue`]: events that wait for the hook, kills before all others.

use std::collections::VecDeque;

use crate::app::lookout::News;
use crate::output::watch::Told;

/// Most kills that wait, and most other events; more are left out and counted.
pub(super) const MOST: usize = 64;

/// What waits.
#[derive(Debug, Default)]
pub(super) struct Queue {
    kills: VecDeque<Told>,
    others: VecDeque<Told>,
    /// Events that nobody was told since the last one was taken.
    left_out: u64,
}

/// What a later event of the same subject takes the place of: the earlier one is history.
fn subject(news: &News) -> Option<(u8, &str)> {
    match news {
        News::Killed(_) | News::Explained(_) => None,
        News::Filling { of, .. } | News::NotFilling { of } => Some((0, &of.domain)),
        News::Band { of, .. } => Some((1, &of.domain)),
        News::Stuck { of, .. } | News::Unstuck { of } => Some((2, &of.domain)),
        News::Drift { rule, .. } => Some((3, rule)),
    }
}

impl Queue {
    /// Takes an event. Where there is no room, a kill is left out only for other kills.
    pub(super) fn push(&mut self, told: Told) {
        let queue = if let Some(subject) = subject(&told.news) {
            let same = |one: &Told| self::subject(&one.news) == Some(subject);
            if let Some(at) = self.others.iter().position(same) {
                self.others.remove(at);
                self.left_out += 1;
            }
            &mut self.others
        } else {
            &mut self.kills
        };
        queue.push_back(told);
        if queue.len() > MOST {
            queue.pop_front();
            self.left_out += 1;
        }
    }

    /// The next event, and how many were left out before it.
    pub(super) fn pop(&mut self) -> Option<(Told, u64)> {
        let next = self.kills.pop_front().or_else(|| self.others.pop_front())?;
        Some((next, std::mem::take(&mut self.left_out)))
    }

    /// True if a kill waits.
    pub(super) fn has_kill(&self) -> bool {
        !self.kills.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, Queue};
    use crate::app::lookout::{By, Death, Named, News, WhatRanOut};
    use crate::output::watch::Told;

    fn told(news: News) -> Told {
        Told {
            news,
            unix_micros: 0,
            host: "h".to_owned(),
        }
    }

    fn drift(rule: usize, processes: usize) -> Told {
        told(News::Drift {
            rule: rule.to_string(),
            processes,
            limits: Vec::new(),
        })
    }

    #[test]
    fn kills_come_first_and_only_the_newest_of_each_subject_waits() {
        let mut queue = Queue::default();
        for rule in 0..MOST + 10 {
            queue.push(drift(rule, 1));
        }
        let kill = told(News::Killed(Death {
            by: By::Kernel(WhatRanOut::Host),
            processes: 1,
            at: None,
            pid: None,
            comm: None,
            cgroup: None,
            limit_of: None,
            anon: None,
            reason: None,
        }));
        queue.push(kill.clone());
        queue.push(drift(40, 2));
        assert!(queue.has_kill());
        assert_eq!(queue.pop(), Some((kill, 11)));
        assert_eq!(queue.pop(), Some((drift(10, 1), 0)));
        let rest: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(rest.len(), MOST - 1);
        assert_eq!(rest.last(), Some(&(drift(40, 2), 0)));
        let of = || Named::default();
        queue.push(told(News::NotFilling { of: of() }));
        queue.push(told(News::Unstuck { of: of() }));
        assert_eq!(std::iter::from_fn(|| queue.pop()).count(), 2);
    }
}
