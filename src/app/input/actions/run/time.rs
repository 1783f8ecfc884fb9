//! Actions on the time of a recording that open something.

use crate::app::State;
use crate::app::dialog::compare::CompareDialog;
use crate::app::input::id::ActionId as Id;
use crate::app::input::prompt::{Prompt, PromptKind};
use crate::app::msg::Effect;
use crate::text::tone::Tone;

pub(in crate::app::input::actions) fn to_time(state: &mut State) -> Vec<Effect> {
    if state.replay.is_none() {
        return state.only_in_replay();
    }
    state.prompt = Some(Prompt::new(PromptKind::Time, ""));
    Vec::new()
}

pub(in crate::app::input::actions) fn compare(state: &mut State) -> Vec<Effect> {
    let Some(replay) = &state.replay else {
        return state.only_in_replay();
    };
    if let Some(mark) = replay.mark.clone() {
        return state.open(CompareDialog::new(mark));
    }
    let mark = state.key(Id::Mark);
    let text = format!("nothing is marked: {mark} marks this moment, then go to another");
    state.say(Tone::Normal, text);
    Vec::new()
}

pub(in crate::app::input::actions) fn save_recording(state: &mut State) -> Vec<Effect> {
    if state.replay.is_some() {
        state.say(Tone::Watch, "replay: nothing is written");
    } else if state.settings.record_kills.is_none() {
        let text = "the last minutes are not kept: start oomtop with --record-kills DIR";
        state.say(Tone::Normal, text);
    } else {
        return vec![Effect::SaveRecording];
    }
    Vec::new()
}
