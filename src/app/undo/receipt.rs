//! Takes in a receipt: a notice, an entry of the undo log, a fresh sample.

use super::changes::Changes;
use super::take_back::confirm;
use super::{Past, Written, words};
use crate::app::State;
use crate::app::input::id::ActionId;
use crate::app::msg::{Effect, WriteId};
use crate::model::plan::receipt::{FailureKind, PlanReceipt};
use crate::text::tone::Tone;

/// Takes in the outcome of a write. If it is `told`, a dialog shows a failure.
pub(in crate::app) fn written(
    state: &mut State,
    id: WriteId,
    plans: &[PlanReceipt],
    told: bool,
) -> Vec<Effect> {
    let undo_of = state.undo.undone_by(id);
    let undo = undo_of.is_some();
    if let Some(of) = undo_of.filter(|_| is_changed(plans)) {
        let again = format!("press {} again to", state.key(ActionId::Undo));
        let question = words::changed(state, of, plans, &again);
        let here = format!("press {} to", confirm(state));
        let asked = words::changed(state, of, plans, &here);
        state.undo.ask(asked.unwrap_or_default());
        state.say(Tone::Watch, question.unwrap_or_default());
        return state.request_sample();
    }
    let changes = Changes::new(plans);
    let (tone, text) = match words::failure(&changes, state) {
        Some(failure) => (Tone::Critical, failure),
        None => (Tone::Good, words::done(&changes, undo, state)),
    };
    state.undo.history.push(Past {
        id,
        at: state.now.wall,
        said: text.clone(),
        failed: tone == Tone::Critical,
        undo_of,
        undone_by: None,
        plans: plans.to_vec(),
    });
    if undo {
        // What fails after a step that can never succeed fails because of it.
        let mut failures = plans.iter().filter_map(PlanReceipt::failure);
        let is_over = failures.all(|failure| FailureKind::is_final(failure.kind));
        let whole = plans.iter().all(|plan| plan.failure().is_none());
        state.undo.end(is_over, whole);
    } else {
        let adj = changes.adj.iter().map(|change| change.target);
        let moved = changes.moves.iter().map(|change| change.target);
        let names = adj.chain(moved).map(|id| (id, words::comm(state, id)));
        let names = names.collect();
        state.undo.push(Written {
            id,
            plans: plans.to_vec(),
            names,
        });
    }
    // A dialog shows what failed, not what was done beside it.
    let is_single = |plan: &PlanReceipt| plan.steps.len() + plan.taken_back.len() <= 1;
    let nothing_done = changes.adj.is_empty()
        && changes.rules.is_empty()
        && changes.signals.is_empty()
        && changes.moves.is_empty()
        && changes.frozen.is_empty()
        && changes.deeds.is_empty()
        && changes.limits.is_empty()
        && changes.drop_ins.is_empty()
        && changes.oomd.is_empty()
        && plans.iter().all(is_single);
    if tone != Tone::Critical || !told || !nothing_done {
        state.say(tone, text);
    }
    state.written_at_seq = state.snapshot.seq + 1;
    state.request_sample()
}

/// The undo found that somebody else has changed what it would write, and did nothing.
fn is_changed(plans: &[PlanReceipt]) -> bool {
    let mut failures = plans.iter().filter_map(PlanReceipt::failure);
    failures.any(|failure| failure.kind == FailureKind::Changed)
}
