//! [`Untold`]: kills that are known before their report in the log, so that each counts once and with the most that is known.

use std::collections::VecDeque;

use super::Death;
use crate::model::process::Pid;
use crate::model::time::Monotonic;
use crate::oomlog::{Kill, OomReport};

/// Samples during which the log has time to tell of a kill that a tracepoint told.
const PATIENCE: u8 = 3;

/// Most kills of each sort that are kept.
const MOST: usize = 256;

/// Kills without a report yet.
#[derive(Debug, Default)]
pub(super) struct Untold {
    /// Traced and not counted: the report says what ran out.
    waiting: VecDeque<Waiting>,
    /// Counted without a report, by the time of the sample that showed them.
    counted: VecDeque<(Monotonic, u64)>,
}

#[derive(Debug)]
struct Waiting {
    death: Death,
    thread: Option<Pid>,
    samples: u8,
}

impl Untold {
    /// Keeps a kill that a tracepoint told. Returns what there is no room for, to be counted now.
    pub(super) fn wait(&mut self, death: Death, thread: Option<Pid>) -> Vec<Death> {
        self.waiting.push_back(Waiting {
            death,
            thread,
            samples: PATIENCE,
        });
        let over = self.waiting.len().saturating_sub(MOST);
        self.waiting.drain(..over).map(|one| one.death).collect()
    }

    /// A sample has been taken: returns those that the log does not tell of.
    pub(super) fn expire(&mut self) -> Vec<Death> {
        for one in &mut self.waiting {
            one.samples = one.samples.saturating_sub(1);
        }
        let mut over = Vec::new();
        while let Some(one) = self.waiting.pop_front_if(|one| one.samples == 0) {
            over.push(one.death);
        }
        over
    }

    /// A report has come or grown: returns the kills that waited for it, with what it says.
    pub(super) fn explained(&mut self, report: &OomReport) -> Vec<Death> {
        let mut deaths = Vec::new();
        for kill in &report.kills {
            let named = [Some(kill.pid), kill.thread];
            let is_it = |one: &Waiting| {
                named.contains(&one.death.pid)
                    || one.thread.is_some() && named.contains(&one.thread)
            };
            if let Some(at) = self.waiting.iter().position(is_it) {
                self.waiting.remove(at);
                deaths.push(Death::by_kernel(kill, report));
            }
        }
        deaths
    }

    /// So many kills were counted because only the kernel's counter has shown them until this sample.
    pub(super) fn counted(&mut self, kills: u64, at: Monotonic) {
        self.counted.push_back((at, kills));
        if self.counted.len() > MOST {
            self.counted.pop_front();
        }
    }

    /// True if this kill is one of them: its report has come late. `began`: stamp of the report.
    pub(super) fn was_counted(&mut self, kill: &Kill, began: Option<Monotonic>) -> bool {
        // The kernel counts a victim as often as it prints it.
        self.explains(kill.at.or(began), u64::from(kill.lines.max(1)))
    }

    /// True if a kill at this time, which the kernel has counted so many times, is one of them.
    pub(super) fn explains(&mut self, died: Option<Monotonic>, times: u64) -> bool {
        let before = |at: Monotonic| died.is_none_or(|died| died <= at);
        let Some((_, left)) = self.counted.iter_mut().find(|(at, _)| before(*at)) else {
            return false;
        };
        *left = left.saturating_sub(times);
        self.counted.retain(|(_, left)| *left > 0);
        true
    }
}
