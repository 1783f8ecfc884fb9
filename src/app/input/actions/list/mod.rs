//! The rows of all actions, and the sets of scopes they name.

mod act;
mod dialog;
mod look;
mod movement;
mod program;
mod time;

use crate::app::input::action::{Action, Aim, Group, Place};
use crate::app::input::keymap::Rows;
use crate::app::input::scope::KeyScope;

const TABLE: &[KeyScope] = &[KeyScope::Table];
const DOMAINS: &[KeyScope] = &[KeyScope::Domains];
const EVENTS: &[KeyScope] = &[KeyScope::Events];
/// Scopes in which a key changes how the process table looks. In the events pane it means the pane above: while that
/// shows the domains, the action's place for the domains counts.
const PROCESSES: &[KeyScope] = &[KeyScope::Table, KeyScope::Events];
const PANES: &[KeyScope] = &[KeyScope::Table, KeyScope::Domains, KeyScope::Events];
const PROMPTS: &[KeyScope] = &[KeyScope::Prompt, KeyScope::Search, KeyScope::Pid];
/// Dialogs that only show something, and scroll.
const TEXTS: &[KeyScope] = &[
    KeyScope::Help,
    KeyScope::Process,
    KeyScope::Domain,
    KeyScope::Event,
    KeyScope::Report,
    KeyScope::Settings,
    KeyScope::Ledger,
    KeyScope::History,
    KeyScope::Rules,
    KeyScope::Compare,
];
/// All dialogs. The question before quitting comes first: see [`CLOSABLE`].
const DIALOGS: &[KeyScope] = &[
    KeyScope::Leave,
    KeyScope::Help,
    KeyScope::Process,
    KeyScope::Domain,
    KeyScope::Event,
    KeyScope::Report,
    KeyScope::Settings,
    KeyScope::Ledger,
    KeyScope::Adjust,
    KeyScope::Cgroup,
    KeyScope::Signal,
    KeyScope::Sort,
    KeyScope::Users,
    KeyScope::Undo,
    KeyScope::History,
    KeyScope::Incident,
    KeyScope::Rules,
    KeyScope::Rule,
    KeyScope::Compare,
    KeyScope::Setup,
    KeyScope::SetupField,
    KeyScope::Columns,
];

/// Dialogs that close by [`Id::Close`]: all but the question before quitting, where the same keys quit.
const CLOSABLE: &[KeyScope] = match DIALOGS {
    [KeyScope::Leave, rest @ ..] => rest,
    _ => panic!("the question before quitting comes first"),
};

/// All actions, in the order of the help and the footer.
pub static ACTIONS: Rows = &[
    program::HELP,
    act::ACT,
    look::LOOK,
    movement::MOVE,
    time::TIME,
    program::PROGRAM,
    dialog::DIALOG,
];
