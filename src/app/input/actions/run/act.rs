//! Opens the dialogs that write, for the target of the pane that has the keyboard.

use crate::app::State;
use crate::app::dialog::Pinned;
use crate::app::dialog::adjust::{AdjustDialog, Lean};
use crate::app::dialog::cgroup::{CgroupDialog, TAGGED, may_move};
use crate::app::dialog::signal::SignalDialog;
use crate::app::input::action::Aim;
use crate::app::msg::Effect;
use crate::app::view::processes::targets;
use crate::model::cgroup::CgroupPath;
use crate::model::process::Process;
use crate::text::tone::Tone;

pub(in crate::app::input::actions) fn adjust(
    state: &mut State,
    aim: Aim,
    lean: Lean,
) -> Vec<Effect> {
    let tagged = tagged(state, aim);
    if !tagged.is_empty() {
        let dialog = AdjustDialog::of_tagged(tagged, &state.snapshot, lean);
        return state.open(dialog);
    }
    let process = match state.target(aim) {
        Ok(process) => process,
        Err(reason) => return nobody(state, reason),
    };
    if process.kernel_thread {
        let text = is_kernel_thread(process, "the OOM killer never chooses one");
        return nobody(state, text);
    }
    let others = targets::scopes(process, &state.snapshot);
    let dialog = AdjustDialog::new(Pinned::of(process), process.adj, others, lean);
    state.open(dialog)
}

/// The tagged processes, where an action means them.
fn tagged(state: &State, aim: Aim) -> Vec<Pinned> {
    if aim == Aim::Tagged {
        targets::tagged(&state.table, &state.snapshot)
    } else {
        Vec::new()
    }
}

/// Says why an action does nothing.
fn nobody(state: &mut State, reason: String) -> Vec<Effect> {
    state.say(Tone::Watch, reason);
    Vec::new()
}

fn is_kernel_thread(process: &Process, why: &str) -> String {
    format!("{} is a kernel thread: {why}", Pinned::of(process))
}

pub(in crate::app::input::actions) fn cgroup(state: &mut State, aim: Aim) -> Vec<Effect> {
    let version = state.host.cgroups;
    let tagged = tagged(state, aim);
    if !tagged.is_empty() {
        let tagged = may_move(TAGGED, tagged, &state.host);
        if let ([], Some((who, why))) = (tagged.members.as_slice(), tagged.left_out.first()) {
            let text = format!("{who} is not moved with the tagged processes: it is {why}");
            return nobody(state, text);
        }
        let process = tagged
            .members
            .first()
            .and_then(|main| state.snapshot.process(main.id));
        let from = process.and_then(|process| with_group(state, process).2);
        let dialog = CgroupDialog::of_tagged(tagged, from, version).under(&state.host);
        return open_cgroup(state, dialog);
    }
    // A domain and an event are about a group first; a row of the table is about a process.
    let group = match aim {
        Aim::Victim => state.selected_group(),
        Aim::Event => state.event_group(),
        Aim::Nobody | Aim::Selected | Aim::Tagged => None,
    };
    let target = state.target(aim).map(|process| with_group(state, process));
    let dialog = match (group, target) {
        (None, Err(reason)) => return nobody(state, reason),
        (None, Ok((process, ..))) if process.kernel_thread => {
            let text = is_kernel_thread(process, "it stays in the root group");
            return nobody(state, text);
        }
        (Some(group), Ok((_, target, from))) if aim == Aim::Victim => {
            CgroupDialog::of_domain(Some((target, from)), group, version)
        }
        (_, Ok((_, target, from))) => CgroupDialog::new(target, from, version),
        (Some(group), Err(_)) => CgroupDialog::of_domain(None, group, version),
    };
    let others = dialog.main().and_then(|id| state.snapshot.process(id));
    let others = others.map(|process| targets::scopes(process, &state.snapshot));
    let others = others.unwrap_or_default().into_iter();
    let others = others.map(|(name, set)| may_move(name, set, &state.host));
    let others = others.filter(|set| set.members.len() > 1).collect();
    let dialog = dialog.with_others(others).under(&state.host);
    open_cgroup(state, dialog)
}

fn with_group<'a>(
    state: &State,
    process: &'a Process,
) -> (&'a Process, Pinned, Option<CgroupPath>) {
    let group = process.cgroup.and_then(|key| state.snapshot.cgroup(key));
    let path = group.map(|group| group.path.clone());
    (process, Pinned::of(process), path)
}

fn open_cgroup(state: &mut State, dialog: CgroupDialog) -> Vec<Effect> {
    let mut effects = state.open(dialog);
    effects.push(Effect::ListGroups);
    // The next sample must read all files of the groups around the process.
    effects.extend(state.request_sample());
    effects
}

pub(in crate::app::input::actions) fn signal(state: &mut State, aim: Aim) -> Vec<Effect> {
    let mut chosen = tagged(state, aim);
    let tagged = !chosen.is_empty();
    if !tagged {
        match state.target(aim) {
            Ok(process) if process.kernel_thread => {
                let text = is_kernel_thread(process, "it takes no signals");
                return nobody(state, text);
            }
            Ok(process) => chosen.push(Pinned::of(process)),
            Err(reason) => return nobody(state, reason),
        }
    }
    state.open(SignalDialog::new(chosen, tagged))
}
