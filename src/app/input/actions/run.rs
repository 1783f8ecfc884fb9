//! What the actions do, where it takes more than a line.

use crossterm::event::KeyCode;

use crate::app::State;
use crate::app::dialog::Pinned;
use crate::app::dialog::adjust::{AdjustDialog, Lean};
use crate::app::dialog::cgroup::CgroupDialog;
use crate::app::dialog::details::DetailsDialog;
use crate::app::dialog::event::EventDialog;
use crate::app::dialog::report::ReportDialog;
use crate::app::dialog::signal::SignalDialog;
use crate::app::dialog::sort::SortDialog;
use crate::app::input::key::Key;
use crate::app::input::prompt::{Prompt, PromptKind};
use crate::app::msg::Effect;
use crate::app::view::events::Entry;
use crate::app::view::layout::Pane;
use crate::app::view::processes::columns::COLUMNS;
use crate::app::view::processes::targets;
use crate::text::tone::Tone;

pub(super) fn adjust(state: &mut State, lean: Lean) -> Vec<Effect> {
    let Some(process) = state.chosen_process() else {
        return state.nobody_selected();
    };
    let main = Pinned::of(process);
    let others = targets::scopes(process, &state.table, &state.snapshot);
    let dialog = AdjustDialog::new(main, process.adj, others, lean);
    let dialog = if state.table.tagged.is_empty() || state.in_domains() {
        dialog
    } else {
        dialog.with_scope(targets::TAGGED)
    };
    state.open(dialog)
}

pub(super) fn cgroup(state: &mut State) -> Vec<Effect> {
    let version = state.host.cgroups;
    let chosen = state.chosen_process().map(|process| {
        let group = process.cgroup.and_then(|key| state.snapshot.cgroup(key));
        (Pinned::of(process), group.map(|group| group.path.clone()))
    });
    let dialog = match (state.chosen_group(), chosen) {
        (Some(group), chosen) => CgroupDialog::of_domain(chosen, group, version),
        (None, Some((target, from))) => CgroupDialog::new(target, from, version),
        (None, None) => return state.nobody_selected(),
    };
    let mut effects = state.open(dialog);
    effects.push(Effect::ListGroups);
    // With all files of the groups around it.
    effects.extend(state.request_sample());
    effects
}

pub(super) fn signal(state: &mut State) -> Vec<Effect> {
    let chosen = if state.in_domains() {
        state.chosen_process().map(Pinned::of).into_iter().collect()
    } else {
        targets::tagged_or_selected(&state.table, &state.snapshot)
    };
    if chosen.is_empty() {
        state.nobody_selected()
    } else {
        state.open(SignalDialog::new(chosen))
    }
}

pub(super) fn details(state: &mut State) -> Vec<Effect> {
    if state.focus == Pane::Events {
        let selected = state.events.selected_row();
        return match selected.map(|row| row.entry.clone()) {
            Some(Entry::Report {
                report, remembered, ..
            }) => state.open(ReportDialog::new(report, remembered)),
            Some(entry) => state.open(EventDialog::new(entry)),
            None => Vec::new(),
        };
    }
    if state.in_domains() {
        return state.domain_details();
    }
    let Some(process) = state.table.selected_process(&state.snapshot) else {
        return state.nobody_selected();
    };
    let dialog = DetailsDialog::new(Pinned::of(process));
    let mut effects = state.open(dialog);
    effects.extend(state.request_sample());
    effects
}

pub(super) fn focus(state: &mut State, pane: Pane) -> Vec<Effect> {
    state.focus = pane;
    state.events.unread = 0;
    state.arrange()
}

pub(super) fn follow(state: &mut State) -> Vec<Effect> {
    if state.in_domains() {
        return state.only_for_processes();
    }
    state.table.follow = !state.table.follow;
    let text = if state.table.follow {
        "following the selected process"
    } else {
        "no longer following"
    };
    state.say(Tone::Normal, text);
    state.arrange()
}

/// Tags the selected process and goes to the next, so that several can be tagged in a row.
pub(super) fn tag(state: &mut State) -> Vec<Effect> {
    if state.focus == Pane::Events {
        state.say(Tone::Normal, "events cannot be tagged, only processes");
        return Vec::new();
    }
    if state.in_domains() {
        return state.only_for_processes();
    }
    state.table.toggle_tag();
    state.go(1)
}

pub(super) fn pause(state: &mut State) -> Vec<Effect> {
    state.paused = !state.paused;
    if state.paused {
        Vec::new()
    } else {
        state.request_sample()
    }
}

pub(super) fn sort(state: &mut State) -> Vec<Effect> {
    if state.in_domains() {
        return state.other_order();
    }
    state.open(SortDialog::new(state.table.sort))
}

pub(super) fn invert(state: &mut State) -> Vec<Effect> {
    if state.in_domains() {
        return state.other_order();
    }
    state.table.inverted = !state.table.inverted;
    state.arrange()
}

pub(super) fn tree(state: &mut State) -> Vec<Effect> {
    if state.in_domains() {
        return state.other_order();
    }
    state.table.tree = !state.table.tree;
    state.arrange()
}

pub(super) fn sort_beside(state: &mut State, by: isize) -> Vec<Effect> {
    if state.in_domains() {
        return state.other_order();
    }
    let at = COLUMNS
        .iter()
        .position(|c| std::ptr::eq(c, state.table.sort))
        .unwrap_or(0);
    if let Some(column) = at.checked_add_signed(by).and_then(|at| COLUMNS.get(at)) {
        state.table.sort = column;
        state.table.inverted = false;
    }
    state.arrange()
}

/// Digits jump to a pid, as in htop: they are no action of their own.
pub(in crate::app) fn digit(key: Key) -> Option<char> {
    match key.code {
        KeyCode::Char(c) if c.is_ascii_digit() && key.modifiers.is_empty() => Some(c),
        _ => None,
    }
}

/// A prompt that starts with a digit typed in the table.
pub(in crate::app) fn jump_to_pid(state: &mut State, digit: char) -> Vec<Effect> {
    state.prompt = Some(Prompt::new(PromptKind::Pid, &digit.to_string()));
    state.on_prompt_change()
}

/// Gives the keyboard to the pane that has it not.
pub(super) fn other_pane(state: &mut State) -> Vec<Effect> {
    let other = match state.focus {
        Pane::Events => Pane::Processes,
        Pane::Processes => Pane::Events,
    };
    focus(state, other)
}

/// The filter of the pane that has the keyboard.
pub(super) fn filter(state: &mut State) -> Vec<Effect> {
    let kind = match state.focus {
        Pane::Processes if state.domains.open => PromptKind::Domains,
        Pane::Processes => PromptKind::Filter,
        Pane::Events => PromptKind::Events,
    };
    state.prompt_for(kind)
}

pub(super) fn older(state: &mut State) -> Vec<Effect> {
    focus(state, Pane::Events);
    if state.events.older_boots.is_some() {
        state.say(Tone::Normal, "the older boots have been read already");
        return Vec::new();
    }
    state.say(Tone::Normal, "reading the journal of older boots …");
    vec![Effect::ReadOlderBoots]
}
