//! [`ACTIONS`]: everything a key can do. Adding an action or a key is adding a row here: the help,
//! the footer and the README's key table follow.

use crossterm::event::KeyCode;

use super::columns::COLUMNS;
use super::dialog::adjust::{AdjustDialog, Lean};
use super::dialog::cgroup::CgroupDialog;
use super::dialog::details::DetailsDialog;
use super::dialog::event::EventDialog;
use super::dialog::help::HelpDialog;
use super::dialog::signal::SignalDialog;
use super::dialog::sort::SortDialog;
use super::keys::Key;
use super::layout::Pane;
use super::msg::Effect;
use super::prompt::{Prompt, PromptKind};
use super::text::Tone;
use super::{State, targets, undoing};

/// Part of the help an action is listed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Writes something.
    Act,
    /// Shows something else.
    Look,
    /// Moves around.
    Move,
    /// The program itself.
    Program,
}

impl Group {
    /// In the order of the help.
    pub const ALL: &[Self] = &[Self::Act, Self::Look, Self::Move, Self::Program];

    /// Its heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Act => "Act",
            Self::Look => "Look",
            Self::Move => "Move",
            Self::Program => "Program",
        }
    }
}

/// What a key does.
#[derive(Debug)]
pub struct Action {
    /// Its name.
    pub id: &'static str,
    /// One line for the help.
    pub doc: &'static str,
    /// A word or two for the footer; empty: not in the footer.
    pub label: &'static str,
    /// Keys, the one shown in the footer first.
    pub keys: &'static [&'static str],
    /// Part of the help.
    pub group: Group,
    /// It can change the system: off with `--read-only`.
    pub writes: bool,
    /// Does it.
    pub run: fn(&mut State) -> Vec<Effect>,
}

/// All actions, in the order of the help and the footer.
pub static ACTIONS: &[Action] = &[
    Action {
        id: "help",
        doc: "this help",
        label: "Help",
        keys: &["F1", "?", "h"],
        group: Group::Program,
        writes: false,
        run: |s| s.open(HelpDialog::default()),
    },
    Action {
        id: "adjust",
        doc: "adjust oom_score_adj: level, role or value",
        label: "Adjust",
        keys: &["a"],
        group: Group::Act,
        writes: true,
        run: |s| adjust(s, Lean::Present),
    },
    Action {
        id: "protect",
        doc: "adjust, starting one level more protected",
        label: "",
        keys: &["F7", "]"],
        group: Group::Act,
        writes: true,
        run: |s| adjust(s, Lean::Protect),
    },
    Action {
        id: "expend",
        doc: "adjust, starting one level more expendable",
        label: "",
        keys: &["F8", "["],
        group: Group::Act,
        writes: true,
        run: |s| adjust(s, Lean::Expend),
    },
    Action {
        id: "cgroup",
        doc: "move into a cgroup, or make one with a limit",
        label: "Cgroup",
        keys: &["c"],
        group: Group::Act,
        writes: true,
        run: cgroup,
    },
    Action {
        id: "signal",
        doc: "send a signal",
        label: "Kill",
        keys: &["k", "F9"],
        group: Group::Act,
        writes: true,
        run: signal,
    },
    Action {
        id: "undo",
        doc: "take back the last write of this session",
        label: "Undo",
        keys: &["u"],
        group: Group::Act,
        writes: true,
        run: undoing::undo,
    },
    Action {
        id: "filter",
        doc: "filter while typing",
        label: "Filter",
        keys: &["/", "F4", "\\"],
        group: Group::Look,
        writes: false,
        run: |s| s.prompt_for(PromptKind::Filter),
    },
    Action {
        id: "sort",
        doc: "choose the sort column",
        label: "Sort",
        keys: &["F6"],
        group: Group::Look,
        writes: false,
        run: |s| s.open(SortDialog::new(s.table.sort)),
    },
    Action {
        id: "details",
        doc: "details of the process, or of the event",
        label: "Details",
        keys: &["Enter"],
        group: Group::Look,
        writes: false,
        run: details,
    },
    Action {
        id: "events",
        doc: "OOM events: into the pane and out of it",
        label: "Events",
        keys: &["e"],
        group: Group::Look,
        writes: false,
        run: |s| {
            focus(
                s,
                if s.focus == Pane::Events {
                    Pane::Processes
                } else {
                    Pane::Events
                },
            )
        },
    },
    Action {
        id: "next-pane",
        doc: "next pane",
        label: "Pane",
        keys: &["Tab", "BackTab"],
        group: Group::Look,
        writes: false,
        run: |s| {
            focus(
                s,
                if s.focus == Pane::Events {
                    Pane::Processes
                } else {
                    Pane::Events
                },
            )
        },
    },
    Action {
        id: "search",
        doc: "search by text",
        label: "",
        keys: &["F3"],
        group: Group::Look,
        writes: false,
        run: |s| s.prompt_for(PromptKind::Search),
    },
    Action {
        id: "next-match",
        doc: "next match",
        label: "",
        keys: &["n"],
        group: Group::Look,
        writes: false,
        run: |s| s.find(false),
    },
    Action {
        id: "previous-match",
        doc: "previous match",
        label: "",
        keys: &["N"],
        group: Group::Look,
        writes: false,
        run: |s| s.find(true),
    },
    Action {
        id: "sort-right",
        doc: "sort by the next column",
        label: "",
        keys: &[">", "."],
        group: Group::Look,
        writes: false,
        run: |s| sort_beside(s, 1),
    },
    Action {
        id: "sort-left",
        doc: "sort by the previous column",
        label: "",
        keys: &["<", ","],
        group: Group::Look,
        writes: false,
        run: |s| sort_beside(s, -1),
    },
    Action {
        id: "invert",
        doc: "turn the order round",
        label: "",
        keys: &["I"],
        group: Group::Look,
        writes: false,
        run: |s| {
            s.table.inverted = !s.table.inverted;
            s.arrange()
        },
    },
    Action {
        id: "tree",
        doc: "tree of parents and children",
        label: "Tree",
        keys: &["t", "F5"],
        group: Group::Look,
        writes: false,
        run: |s| {
            s.table.tree = !s.table.tree;
            s.arrange()
        },
    },
    Action {
        id: "zoom",
        doc: "only the OOM domain of the selected process, ranked by it; again: all",
        label: "",
        keys: &["z"],
        group: Group::Look,
        writes: false,
        run: State::toggle_zoom,
    },
    Action {
        id: "kernel-threads",
        doc: "show or hide kernel threads",
        label: "",
        keys: &["K"],
        group: Group::Look,
        writes: false,
        run: |s| {
            s.table.kernel_threads = !s.table.kernel_threads;
            s.arrange()
        },
    },
    Action {
        id: "follow",
        doc: "keep the selected process on the screen",
        label: "",
        keys: &["F"],
        group: Group::Look,
        writes: false,
        run: follow,
    },
    Action {
        id: "tag",
        doc: "tag the process for adjust and signal",
        label: "",
        keys: &["Space"],
        group: Group::Look,
        writes: false,
        run: |s| {
            s.table.toggle_tag();
            s.go(1)
        },
    },
    Action {
        id: "untag",
        doc: "untag all",
        label: "",
        keys: &["U"],
        group: Group::Look,
        writes: false,
        run: |s| {
            s.table.tagged.clear();
            Vec::new()
        },
    },
    Action {
        id: "up",
        doc: "up",
        label: "",
        keys: &["Up"],
        group: Group::Move,
        writes: false,
        run: |s| s.go(-1),
    },
    Action {
        id: "down",
        doc: "down",
        label: "",
        keys: &["Down"],
        group: Group::Move,
        writes: false,
        run: |s| s.go(1),
    },
    Action {
        id: "page-up",
        doc: "a page up",
        label: "",
        keys: &["PgUp", "Ctrl-b"],
        group: Group::Move,
        writes: false,
        run: |s| s.go(-s.page()),
    },
    Action {
        id: "page-down",
        doc: "a page down",
        label: "",
        keys: &["PgDn", "Ctrl-f"],
        group: Group::Move,
        writes: false,
        run: |s| s.go(s.page()),
    },
    Action {
        id: "home",
        doc: "to the top",
        label: "",
        keys: &["Home", "g"],
        group: Group::Move,
        writes: false,
        run: |s| s.go(isize::MIN),
    },
    Action {
        id: "end",
        doc: "to the end",
        label: "",
        keys: &["End", "G"],
        group: Group::Move,
        writes: false,
        run: |s| s.go(isize::MAX),
    },
    Action {
        id: "pause",
        doc: "pause: the table stands still",
        label: "",
        keys: &["Z"],
        group: Group::Program,
        writes: false,
        run: pause,
    },
    Action {
        id: "faster",
        doc: "refresh more often",
        label: "",
        keys: &["-"],
        group: Group::Program,
        writes: false,
        run: |s| s.change_delay(false),
    },
    Action {
        id: "slower",
        doc: "refresh less often",
        label: "",
        keys: &["+", "="],
        group: Group::Program,
        writes: false,
        run: |s| s.change_delay(true),
    },
    Action {
        id: "refresh",
        doc: "refresh now and draw the screen anew",
        label: "",
        keys: &["Ctrl-l", "r"],
        group: Group::Program,
        writes: false,
        run: |s| {
            let mut e = s.request_sample();
            e.push(Effect::Redraw);
            e
        },
    },
    Action {
        id: "suspend",
        doc: "suspend, as any program",
        label: "",
        keys: &["Ctrl-z"],
        group: Group::Program,
        writes: false,
        run: |_| vec![Effect::Suspend],
    },
    Action {
        id: "quit",
        doc: "quit",
        label: "Quit",
        keys: &["q", "F10", "Ctrl-c"],
        group: Group::Program,
        writes: false,
        run: |_| vec![Effect::Quit],
    },
];

/// The action a key is bound to.
pub fn bound_to(key: Key) -> Option<&'static Action> {
    // A terminal sends Backspace's sibling or Shift-Tab in more than one way; names settle it.
    ACTIONS
        .iter()
        .find(|action| action.keys.iter().any(|name| name.parse() == Ok(key)))
}

fn adjust(state: &mut State, lean: Lean) -> Vec<Effect> {
    let Some(process) = state.table.selected_process(&state.snapshot) else {
        return state.nobody_selected();
    };
    let main = super::dialog::Pinned::of(process);
    let others = targets::scopes(process, &state.table, &state.snapshot);
    let dialog = AdjustDialog::new(main, process.adj, others, lean);
    let dialog = if state.table.tagged.is_empty() {
        dialog
    } else {
        dialog.with_scope(targets::TAGGED)
    };
    state.open(dialog)
}

fn cgroup(state: &mut State) -> Vec<Effect> {
    let Some(process) = state.table.selected_process(&state.snapshot) else {
        return state.nobody_selected();
    };
    let from = process
        .cgroup
        .and_then(|key| state.snapshot.cgroup(key))
        .map(|group| group.path.clone());
    let dialog = CgroupDialog::new(super::dialog::Pinned::of(process), from, state.host.cgroups);
    let mut effects = state.open(dialog);
    effects.push(Effect::ListGroups);
    effects
}

fn signal(state: &mut State) -> Vec<Effect> {
    let chosen = targets::tagged_or_selected(&state.table, &state.snapshot);
    if chosen.is_empty() {
        state.nobody_selected()
    } else {
        state.open(SignalDialog::new(chosen))
    }
}

fn details(state: &mut State) -> Vec<Effect> {
    if state.focus == Pane::Events {
        let row = state
            .events
            .rows()
            .nth(state.events.selected)
            .map(|r| (r.entry.clone(), r.kill.map(|k| k.pid)));
        return match row {
            Some((entry, victim)) => state.open(EventDialog::new(entry, victim)),
            None => Vec::new(),
        };
    }
    let Some(process) = state.table.selected_process(&state.snapshot) else {
        return state.nobody_selected();
    };
    let dialog = DetailsDialog::new(super::dialog::Pinned::of(process));
    let mut effects = state.open(dialog);
    effects.extend(state.request_sample());
    effects
}

fn focus(state: &mut State, pane: Pane) -> Vec<Effect> {
    state.focus = pane;
    state.events.unread = 0;
    state.arrange()
}

fn follow(state: &mut State) -> Vec<Effect> {
    state.table.follow = !state.table.follow;
    let text = if state.table.follow {
        "following the selected process"
    } else {
        "no longer following"
    };
    state.say(Tone::Normal, text);
    state.arrange()
}

fn pause(state: &mut State) -> Vec<Effect> {
    state.paused = !state.paused;
    if state.paused {
        Vec::new()
    } else {
        state.request_sample()
    }
}

fn sort_beside(state: &mut State, by: isize) -> Vec<Effect> {
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
pub fn digit(key: Key) -> Option<char> {
    match key.code {
        KeyCode::Char(c) if c.is_ascii_digit() && key.modifiers.is_empty() => Some(c),
        _ => None,
    }
}

/// A prompt that starts with a digit typed in the table.
pub fn jump_to_pid(state: &mut State, digit: char) -> Vec<Effect> {
    state.prompt = Some(Prompt::new(PromptKind::Pid, &digit.to_string()));
    state.on_prompt_change()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{ACTIONS, bound_to};
    use crate::app::keys::Key;

    #[test]
    fn every_key_is_a_key_and_belongs_to_one_action() {
        let mut seen = HashSet::new();
        for action in ACTIONS {
            assert!(!action.keys.is_empty(), "{} has no key", action.id);
            for name in action.keys {
                let key: Key = name
                    .parse()
                    .unwrap_or_else(|e| panic!("{}: {e}", action.id));
                assert!(seen.insert(key), "{name} is bound twice");
                assert_eq!(bound_to(key).map(|a| a.id), Some(action.id));
            }
        }
    }
}
