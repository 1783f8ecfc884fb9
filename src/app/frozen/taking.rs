//! Takes in what was asked, what came of it, and what the samples say.

use super::{FrozenThings, Thing};
use crate::app::State;
use crate::app::msg::WriteId;
use crate::model::freezer::{Freezable, FreezerState};
use crate::model::plan::Plan;
use crate::model::plan::receipt::PlanReceipt;
use crate::model::plan::step::{CgroupStep, Step};
use crate::model::snapshot::Snapshot;
use crate::text::tone::Tone;
use crate::text::wording;

/// What a step stops (true) or lets run on.
fn turns(step: &Step) -> Option<(Freezable, bool)> {
    match step {
        Step::Stop { target, stop } => Some((Freezable::Process(*target), *stop)),
        // The signal dialog offers the same.
        Step::Signal { target, signal } => match signal.name {
            "STOP" => Some((Freezable::Process(*target), true)),
            "CONT" => Some((Freezable::Process(*target), false)),
            _ => None,
        },
        Step::Cgroup(CgroupStep::Freeze(group, frozen)) => {
            Some((Freezable::Group(group.clone()), *frozen))
        }
        // Whoever kills a group leaves it thawed.
        Step::Cgroup(CgroupStep::Kill(group)) => Some((Freezable::Group(group.clone()), false)),
        Step::Adj { .. } | Step::Rule(_) | Step::Reap { .. } | Step::Cgroup(_) | Step::Unit(_) => {
            None
        }
    }
}

impl FrozenThings {
    /// A write was requested: from now on what it stops may stand still.
    pub(in crate::app) fn requested(&mut self, id: WriteId, plans: &[Plan]) {
        let steps = plans.iter().flat_map(|plan| &plan.steps);
        let stopped = steps.filter_map(turns).filter(|(_, stop)| *stop);
        let things: Vec<_> = stopped.map(|(what, _)| what).collect();
        if !things.is_empty() {
            self.asked.push((id, things));
        }
    }

    fn put(&mut self, thing: Thing) {
        self.things.retain(|known| known.what != thing.what);
        if thing.state.is_stopped() && self.things.len() < super::MOST {
            self.things.push(thing);
        }
    }
}

impl State {
    /// The receipt of a write: what it has stopped, what it lets run on.
    pub(in crate::app) fn note_frozen(&mut self, id: WriteId, plans: &[PlanReceipt]) {
        self.frozen.asked.retain(|(asked, _)| *asked != id);
        let steps = plans.iter().flat_map(PlanReceipt::lasting);
        for (_, receipt) in steps {
            let (Some((what, stop)), Ok(reading)) = (turns(&receipt.step), &receipt.outcome) else {
                continue;
            };
            let state = match (reading.freezer(), stop) {
                (Some(state), _) => state,
                // A signal says nothing of itself; the next sample will.
                (None, true) => FreezerState::Freezing,
                (None, false) => FreezerState::Thawed,
            };
            let before = self.frozen.things.iter().find(|thing| thing.what == what);
            let since = before.map_or(self.now.monotonic, |thing| thing.since);
            let name = match &what {
                Freezable::Group(group) => wording::short_group(group.as_str()),
                Freezable::Process(id) => wording::process(*id, &self.snapshot),
            };
            self.frozen.put(Thing {
                what,
                name,
                state,
                since,
            });
        }
    }

    /// A sample: what runs again, whoever let it, is no longer announced.
    pub(in crate::app) fn look_at_frozen(&mut self, snapshot: &Snapshot) {
        if self.frozen.things.is_empty() || snapshot.seq <= self.written_at_seq {
            return;
        }
        let mut freed = Vec::new();
        self.frozen.things.retain_mut(|thing| {
            let mut looked = snapshot.frozen.iter();
            let Some((_, state)) = looked.find(|(what, _)| *what == thing.what) else {
                return true;
            };
            thing.state = state.unwrap_or(FreezerState::Thawed);
            if !thing.state.is_stopped() {
                let how = match state {
                    Some(_) => "runs again: somebody else thawed it",
                    None => "is gone",
                };
                freed.push(format!("{} {how}", thing.name));
            }
            thing.state.is_stopped()
        });
        match freed.as_slice() {
            [] => {}
            [one] => self.say(Tone::Watch, one.clone()),
            [first, rest @ ..] => {
                let text = format!("{first}; {} more that oomtop froze run again", rest.len());
                self.say(Tone::Watch, text);
            }
        }
    }
}
