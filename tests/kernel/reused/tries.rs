//! Pids that are reused while an adj, a signal or a move is under way, again and again: no stranger is ever hit.

use super::siege::{Siege, Tally, Writer};
use crate::common::memcg::Memcg;
use crate::common::patience::beside;
use crate::common::{measured, skipped};
use oomtop::model::cgroup::CgroupPath;
use oomtop::model::plan::step::{CgroupStep, Step};
use oomtop::model::process::ProcessId;
use oomtop::model::process::score::OomScoreAdj;
use oomtop::model::process::signal::SIGNALS;

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Adj,
    Signal,
    Move,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Adj, Self::Signal, Self::Move];

    pub(super) fn step(self, target: ProcessId, group: Option<&Memcg>) -> Step {
        match (self, group) {
            (Self::Move, Some(group)) => {
                CgroupStep::Move(target, CgroupPath::new(group.path())).into()
            }
            (Self::Signal, _) => {
                // SIGTERM: the last signal of a stranger tells whether it came.
                let signal = SIGNALS.iter().find(|signal| signal.number == libc::SIGTERM);
                let signal = *signal.expect("SIGTERM");
                Step::Signal { target, signal }
            }
            (Self::Adj | Self::Move, _) => Step::Adj {
                target,
                value: OomScoreAdj::new(933).expect("in range"),
            },
        }
    }
}

fn one_after_the_other(siege: Siege, group: Option<&Memcg>, count: usize) -> Tally {
    siege.tries(count, |number, _, id| {
        Kind::ALL[number % Kind::ALL.len()].step(id, group)
    })
}

/// All ten thousand of each: `many.rs`.
#[test]
fn no_stranger_is_hit_by_adj_signal_or_move() {
    let test = "no_stranger_is_hit_by_adj_signal_or_move";
    let group = Memcg::create("tries");
    if group.is_none() {
        beside();
    }
    let siege = Siege::plain(group.as_ref(), 0x5eed_1e55);
    let tally = one_after_the_other(siege, group.as_ref(), 150);
    if tally.reused == 0 {
        return skipped(test, "a pid cannot be chosen here");
    }
    measured(&format!("adj, signal and move: {tally}"));
    assert_eq!(tally.hit, 0);
}

/// Who writes by number under the same adversary hits strangers, and the judge sees each kind of hit.
#[test]
fn a_writer_that_trusts_the_number_hits_strangers() {
    let test = "a_writer_that_trusts_the_number_hits_strangers";
    let group = Memcg::create("trusting");
    if group.is_none() {
        beside();
    }
    for kind in Kind::ALL {
        if kind == Kind::Move && group.is_none() {
            continue;
        }
        let siege = Siege {
            writer: Writer::Trusting,
            ..Siege::plain(group.as_ref(), 0x0bad_5eed)
        };
        let tally = siege.tries(40, |_, _, id| kind.step(id, group.as_ref()));
        if tally.reused == 0 {
            return skipped(test, "a pid cannot be chosen here");
        }
        measured(&format!("{kind:?} by number: {tally}"));
        assert!(tally.hit > 0, "{kind:?}: {tally}");
    }
}
