//! Opens the dialogs that write: for the selected process, or for the next victim of the selected domain.

use crate::app::State;
use crate::app::dialog::Pinned;
use crate::app::dialog::adjust::{AdjustDialog, Lean};
use crate::app::dialog::cgroup::CgroupDialog;
use crate::app::dialog::signal::SignalDialog;
use crate::app::msg::Effect;
use crate::app::view::processes::targets;
use crate::model::cgroup::CgroupPath;
use crate::model::process::Process;

pub(in crate::app::input::actions) fn adjust(state: &mut State, lean: Lean) -> Vec<Effect> {
    let Some(process) = state.table.selected_process(&state.snapshot) else {
        return state.nobody_selected();
    };
    let dialog = adjust_dialog(state, process, lean);
    if state.table.tagged.is_empty() {
        state.open(dialog)
    } else {
        state.open(dialog.with_scope(targets::TAGGED))
    }
}

pub(in crate::app::input::actions) fn adjust_victim(state: &mut State, lean: Lean) -> Vec<Effect> {
    let Some(process) = state.next_victim() else {
        return state.nobody_selected();
    };
    let dialog = adjust_dialog(state, process, lean);
    state.open(dialog)
}

fn adjust_dialog(state: &State, process: &Process, lean: Lean) -> AdjustDialog {
    let others = targets::scopes(process, &state.table, &state.snapshot);
    AdjustDialog::new(Pinned::of(process), process.adj, others, lean)
}

pub(in crate::app::input::actions) fn cgroup(state: &mut State) -> Vec<Effect> {
    let Some(process) = state.table.selected_process(&state.snapshot) else {
        return state.nobody_selected();
    };
    let (target, from) = with_group(state, process);
    open_cgroup(state, CgroupDialog::new(target, from, state.host.cgroups))
}

pub(in crate::app::input::actions) fn cgroup_of_domain(state: &mut State) -> Vec<Effect> {
    let version = state.host.cgroups;
    let victim = state.next_victim().map(|p| with_group(state, p));
    let dialog = match (state.selected_group(), victim) {
        (Some(group), victim) => CgroupDialog::of_domain(victim, group, version),
        (None, Some((target, from))) => CgroupDialog::new(target, from, version),
        (None, None) => return state.nobody_selected(),
    };
    open_cgroup(state, dialog)
}

fn with_group(state: &State, process: &Process) -> (Pinned, Option<CgroupPath>) {
    let group = process.cgroup.and_then(|key| state.snapshot.cgroup(key));
    (Pinned::of(process), group.map(|group| group.path.clone()))
}

fn open_cgroup(state: &mut State, dialog: CgroupDialog) -> Vec<Effect> {
    let mut effects = state.open(dialog);
    effects.push(Effect::ListGroups);
    // The next sample must read all files of the groups around the process.
    effects.extend(state.request_sample());
    effects
}

pub(in crate::app::input::actions) fn signal(state: &mut State) -> Vec<Effect> {
    let chosen = targets::tagged_or_selected(&state.table, &state.snapshot);
    open_signal(state, chosen)
}

pub(in crate::app::input::actions) fn signal_victim(state: &mut State) -> Vec<Effect> {
    let chosen = state.next_victim().map(Pinned::of).into_iter().collect();
    open_signal(state, chosen)
}

fn open_signal(state: &mut State, chosen: Vec<Pinned>) -> Vec<Effect> {
    if chosen.is_empty() {
        state.nobody_selected()
    } else {
        state.open(SignalDialog::new(chosen))
    }
}
