//! Shows something else: panes, details, orders.

use crate::app::State;
use crate::app::dialog::Pinned;
use crate::app::dialog::details::DetailsDialog;
use crate::app::dialog::event::EventDialog;
use crate::app::dialog::ledger::LedgerDialog;
use crate::app::dialog::report::ReportDialog;
use crate::app::dialog::rules::RulesDialog;
use crate::app::dialog::sort::SortDialog;
use crate::app::input::prompt::{Prompt, PromptKind};
use crate::app::msg::{Control, Effect};
use crate::app::view::events::Entry;
use crate::app::view::events::Older;
use crate::app::view::layout::Pane;
use crate::app::view::processes::columns::{self, COLUMNS};
use crate::app::view::processes::targets::family;
use crate::model::oom_domain::victim::Scope;
use crate::text::tone::Tone;

pub(in crate::app::input::actions) fn event_details(state: &mut State) -> Vec<Effect> {
    let row = state.events.selected_row().map(|row| row.entry.clone());
    match row {
        Some(Entry::Report {
            report,
            remembered,
            traced,
            ..
        }) => state.open(ReportDialog::new(report, remembered, traced)),
        Some(entry) => {
            let instructions = state.events.traced_instructions();
            state.open(EventDialog::new(entry, instructions))
        }
        None => Vec::new(),
    }
}

pub(in crate::app::input::actions) fn details(state: &mut State) -> Vec<Effect> {
    let Some(process) = state.table.selected_process(&state.snapshot) else {
        state.say(Tone::Normal, "no process is selected");
        return Vec::new();
    };
    let dialog = DetailsDialog::new(Pinned::of(process));
    let mut effects = state.open(dialog);
    effects.extend(state.request_sample());
    effects
}

/// Shows the processes of the selected event's domain.
pub(in crate::app::input::actions) fn zoom_to_event(state: &mut State) -> Vec<Effect> {
    if let Some(scope) = state.event_domain() {
        return state.zoom_to(scope);
    }
    let text = "the OOM domain of this event does not exist any more, or the event names none";
    state.say(Tone::Normal, text);
    Vec::new()
}

/// Opens the rules, and has them read.
pub(in crate::app::input::actions) fn rules(state: &mut State) -> Vec<Effect> {
    if state.replay.is_some() {
        state.say(Tone::Normal, "replay: rules are not recorded");
        return Vec::new();
    }
    let mut effects = state.open(RulesDialog::default());
    effects.push(Effect::ReadRules(None));
    effects
}

/// Opens the ledger of the domain that the table shows.
pub(in crate::app::input::actions) fn ledger(state: &mut State) -> Vec<Effect> {
    open_ledger(state, state.table.zoom.unwrap_or(Scope::Host))
}

/// Opens the ledger of the selected domain.
pub(in crate::app::input::actions) fn domain_ledger(state: &mut State) -> Vec<Effect> {
    open_ledger(state, state.domains.selected().unwrap_or(Scope::Host))
}

pub(in crate::app) fn open_ledger(state: &mut State, scope: Scope) -> Vec<Effect> {
    let group = scope.memcg().and_then(|key| state.snapshot.cgroup(key));
    let (scope, path) = match group {
        Some(group) => (scope, Some(group.path.clone())),
        // Nodes have no counters of their own for most kinds: the host has.
        None => (Scope::Host, None),
    };
    let dialog = LedgerDialog::new(scope, path, state.now.monotonic);
    let mut effects = state.open(dialog);
    effects.extend(state.ledger_wanted());
    effects.extend(state.request_sample());
    effects
}

fn focus(state: &mut State, pane: Pane) -> Vec<Effect> {
    state.focus = pane;
    state.events.looked_at();
    state.arrange()
}

pub(in crate::app::input::actions) fn follow(state: &mut State) -> Vec<Effect> {
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
pub(in crate::app::input::actions) fn tag(state: &mut State) -> Vec<Effect> {
    let process = state.table.selected_process(&state.snapshot);
    if let Some(process) = process.filter(|process| process.kernel_thread) {
        let name = Pinned::of(process);
        state.say(
            Tone::Normal,
            format!("{name} is a kernel thread: no action affects one"),
        );
        return Vec::new();
    }
    state.table.toggle_tag();
    state.go(1)
}

/// Tags the selected process and all below it.
pub(in crate::app::input::actions) fn tag_family(state: &mut State) -> Vec<Effect> {
    let Some(root) = state.table.selected_process(&state.snapshot) else {
        state.say(Tone::Normal, "no process is selected");
        return Vec::new();
    };
    let found = family(root.id.pid, &state.snapshot);
    if found.is_empty() {
        let name = Pinned::of(root);
        let text = format!("{name} is a kernel thread: no action affects one");
        state.say(Tone::Normal, text);
    }
    state.table.tagged.extend(found);
    Vec::new()
}

pub(in crate::app::input::actions) fn untag(state: &mut State) -> Vec<Effect> {
    state.table.tagged.clear();
    Vec::new()
}

pub(in crate::app::input::actions) fn kernel_threads(state: &mut State) -> Vec<Effect> {
    state.table.kernel_threads = !state.table.kernel_threads;
    state.arrange()
}

pub(in crate::app::input::actions) fn refresh(state: &mut State) -> Vec<Effect> {
    let mut effects = state.request_sample();
    effects.extend(state.ask(Control::Redraw));
    effects
}

pub(in crate::app::input::actions) fn pause(state: &mut State) -> Vec<Effect> {
    if state.replay.is_some() {
        return state.toggle_playing();
    }
    state.paused = !state.paused;
    if state.paused {
        Vec::new()
    } else {
        state.request_sample()
    }
}

pub(in crate::app::input::actions) fn sort(state: &mut State) -> Vec<Effect> {
    state.open(SortDialog::of_processes(state.table.sort))
}

pub(in crate::app::input::actions) fn invert(state: &mut State) -> Vec<Effect> {
    state.table.inverted = !state.table.inverted;
    state.arrange()
}

pub(in crate::app::input::actions) fn tree(state: &mut State) -> Vec<Effect> {
    state.table.tree = !state.table.tree;
    state.arrange()
}

pub(in crate::app::input::actions) fn sort_beside(state: &mut State, by: isize) -> Vec<Effect> {
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

/// Sorts by a column; by the same column again: the other way round.
pub(in crate::app::input::actions) fn sort_named(
    state: &mut State,
    id: &str,
    what: &str,
) -> Vec<Effect> {
    match columns::column(id) {
        Some(column) => state.table.sort_by(column),
        None => state.say(Tone::Normal, format!("there is no column of {what}")),
    }
    state.arrange()
}

/// Opens the pid prompt with a digit typed in the table.
pub(in crate::app) fn jump_to_pid(state: &mut State, digit: char) -> Vec<Effect> {
    // The table shows where it jumps to.
    state.domains.open = false;
    state.focus = Pane::Processes;
    state.prompt = Some(Prompt::new(PromptKind::Pid, &digit.to_string()));
    state.on_prompt_change()
}

/// Moves the keyboard to the other pane.
pub(in crate::app::input::actions) fn other_pane(state: &mut State) -> Vec<Effect> {
    let other = match state.focus {
        Pane::Events => Pane::Processes,
        Pane::Processes => Pane::Events,
    };
    focus(state, other)
}

pub(in crate::app::input::actions) fn older(state: &mut State) -> Vec<Effect> {
    focus(state, Pane::Events);
    let known = match state.events.older {
        Older::Unread => None,
        Older::InFlight => Some("the journal of older boots is still being read"),
        Older::Read => Some("the older boots have been read already"),
    };
    if let Some(known) = known {
        state.say(Tone::Normal, known);
        return Vec::new();
    }
    state.events.older = Older::InFlight;
    state.say(Tone::Normal, "reading the journal of older boots …");
    vec![Effect::ReadOlderBoots]
}
