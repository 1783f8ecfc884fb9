//! What a message from the kernel's tracepoints changes.

use crate::app::State;
use crate::app::msg::Effect;
use crate::app::view::layout::Pane;
use crate::model::traced::{HowTaken, Traced};
use crate::text::tone::Tone;

/// A kill gets a row and a notice at once; who sent SIGKILL is kept for later questions.
pub(super) fn on_traced(state: &mut State, traced: Traced) -> Vec<Effect> {
    match traced {
        Traced::Kill(kill) => {
            let text = match kill.how {
                HowTaken::Killed => format!("the kernel killed {} {}", kill.pid, kill.comm),
                HowTaken::SharesMemory(with) => {
                    format!("the kernel killed {} {} with {with}", kill.pid, kill.comm)
                }
                HowTaken::Ending => format!(
                    "the kernel chose {} {}, which was ending already",
                    kill.pid, kill.comm
                ),
            };
            let samples = [&*state.snapshot, &*state.previous];
            let is_new = state.events.accept_traced((*kill).clone(), &samples);
            state.note_traced_kill(&kill);
            if state.focus == Pane::Events {
                state.events.looked_at();
            }
            if !is_new {
                return Vec::new();
            }
            state.say(Tone::Critical, text);
            if state.paused {
                Vec::new()
            } else {
                state.request_sample()
            }
        }
        Traced::Sigkill(sigkill) => {
            if state.sigkills.keep((*sigkill).clone()) {
                state.changed |= state.events.accept_sigkill(*sigkill, &state.snapshot);
            }
            Vec::new()
        }
        Traced::Lost(victims) => {
            state.events.lose_traced(state.now.monotonic);
            let text = format!(
                "{victims} victims came too fast for the tracepoint: the kernel's counters have them"
            );
            state.say(Tone::Watch, text);
            Vec::new()
        }
    }
}
