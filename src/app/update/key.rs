//! What a key does: it types text, or it runs an action of its scope.

use crossterm::event::{KeyCode, KeyModifiers};

use crate::app::State;
use crate::app::dialog::rule::RuleDialog;
use crate::app::dialog::sort::SortChoice;
use crate::app::dialog::{Dialog, DialogContext, Outcome};
use crate::app::input::action::{Action, Run};
use crate::app::input::actions::{jump_to_pid, open_ledger};
use crate::app::input::id::ActionId;
use crate::app::input::key::Key;
use crate::app::input::presets::habit;
use crate::app::input::prompt::PromptKind;
use crate::app::input::scope::KeyScope;
use crate::app::msg::{Control, Effect};
use crate::app::view::layout::Pane;
use crate::model::filter::Filter;
use crate::model::process::ProcessId;
use crate::text::tone::Tone;

pub(super) fn on_key(state: &mut State, key: Key) -> Vec<Effect> {
    if state.settings.watched.is_some() && is_interrupt(key) {
        let quit = state.key(ActionId::Quit);
        let text = format!(
            "SIGINT was sent to the command; {quit} leaves the dashboard, the command continues"
        );
        state.say(Tone::Watch, text);
        return state.ask(Control::Interrupt);
    }
    // These keys always work, whatever is open.
    if let Some(action) = state.keymap.fixed(key) {
        return perform(state, KeyScope::Table, action);
    }
    let scope = state.key_scope();
    match state.keymap.lookup(scope, key) {
        Some(action) => perform(state, scope, action),
        None if scope.is_pane() && !types(scope, key) => {
            not_here(state, scope, key);
            Vec::new()
        }
        None if leaves(state, key) => to_dialog(state, |dialog, context| {
            dialog.on_action(ActionId::Back, context)
        }),
        None => on_text(state, scope, key),
    }
}

/// True if a key that leaves dialogs would be text in this one, and no text field has the cursor now.
fn leaves(state: &State, key: Key) -> bool {
    let Some(dialog) = state.dialogs.last() else {
        return false;
    };
    let is_bound = state.keymap.keys_of(ActionId::Close).contains(&key);
    is_bound && !dialog.has_cursor()
}

/// Ctrl-C, which a terminal would have sent to the command.
fn is_interrupt(key: Key) -> bool {
    key.code == KeyCode::Char('c') && key.modifiers == KeyModifiers::CONTROL
}

fn types(scope: KeyScope, key: Key) -> bool {
    key.typed().is_some_and(|c| scope.types(c))
}

/// Runs an action of a scope. Every path to an action leads here, so this checks permission and attention.
pub(super) fn perform(state: &mut State, scope: KeyScope, action: &'static Action) -> Vec<Effect> {
    let Some(mut place) = action.place(scope) else {
        return Vec::new();
    };
    // What changes the look of the pane above must not change a hidden one.
    if scope == KeyScope::Events && state.domains.open && place.scopes.contains(&KeyScope::Table) {
        let Some(above) = action.place(KeyScope::Domains) else {
            only_in(state, action, KeyScope::Table, ActionId::Domains);
            return Vec::new();
        };
        place = above;
    }
    if action.writes() && state.replay.is_some() {
        state.say(
            Tone::Watch,
            format!("{}: replay: nothing is written", action.doc),
        );
        return Vec::new();
    }
    if action.writes() && state.settings.read_only {
        state.say(Tone::Watch, format!("{}: oomtop is read-only", action.doc));
        return Vec::new();
    }
    match place.run {
        Run::State(_) if state.is_target_hidden(action.id, place.aim) => Vec::new(),
        Run::State(_) if state.must_be_told(action.id, place) => Vec::new(),
        Run::State(run) => {
            state.touch_selection();
            run(state)
        }
        Run::Dialog if action.id == ActionId::Commit && !state.may_confirm() => {
            let key = state.keymap.name_in(scope, ActionId::Commit);
            let text = format!(
                "{key} came before what it confirms was on the screen: look, and press it again"
            );
            state.say(Tone::Watch, text);
            Vec::new()
        }
        Run::Dialog => {
            // Dialogs know one way out: the other keys for it mean the same.
            let id = match action.id {
                ActionId::Close => ActionId::Back,
                id => id,
            };
            to_dialog(state, |dialog, context| dialog.on_action(id, context))
        }
    }
}

/// Tells the user in which other pane this key works.
fn not_here(state: &mut State, here: KeyScope, key: Key) {
    let Some((action, there)) = state.keymap.elsewhere(key) else {
        no_meaning(state, key);
        return;
    };
    let way = match (here, there) {
        (KeyScope::Domains, _) | (_, KeyScope::Domains) => ActionId::Domains,
        _ => ActionId::Events,
    };
    only_in(state, action, there, way);
}

/// Most unbound keys of which that is said: a cat on the keyboard needs no more.
const STRANGE_KEYS: usize = 64;

/// Says once that a key is unbound, and what to use instead.
fn no_meaning(state: &mut State, key: Key) {
    if state.strange_keys.len() >= STRANGE_KEYS || !state.strange_keys.insert(key) {
        return;
    }
    let help = state.key(ActionId::Help);
    let text = match habit(key) {
        Some(instead) => format!("{key}: {instead}"),
        None => format!("{key} does nothing; {help} lists the keys"),
    };
    state.say(Tone::Normal, text);
}

fn only_in(state: &mut State, action: &Action, there: KeyScope, way: ActionId) {
    let (place, way) = (there.name(), state.key(way));
    let text = format!("only in the {place} ({way} goes there): {}", action.doc);
    state.say(Tone::Normal, text);
}

/// A key that types, or one without a meaning here.
fn on_text(state: &mut State, scope: KeyScope, key: Key) -> Vec<Effect> {
    if !state.dialogs.is_empty() {
        return to_dialog(state, |dialog, context| dialog.on_text(key, context));
    }
    if state.prompt.is_none() {
        // A digit: a pid to jump to.
        state.touch_selection();
        return key.typed().map_or_else(Vec::new, |c| jump_to_pid(state, c));
    }
    state.touch_selection();
    to_prompt(state, scope, key)
}

fn to_prompt(state: &mut State, scope: KeyScope, key: Key) -> Vec<Effect> {
    let Some(prompt) = &mut state.prompt else {
        return Vec::new();
    };
    if prompt.kind == PromptKind::Pid && key.typed().is_some() && !types(scope, key) {
        // Not a pid after all: the key keeps its usual meaning.
        state.prompt = None;
        return on_key(state, key);
    }
    if prompt.input.on_key(key) {
        state.on_prompt_change()
    } else {
        Vec::new()
    }
}

pub(super) fn to_dialog(
    state: &mut State,
    act: impl FnOnce(&mut dyn Dialog, &DialogContext<'_>) -> Outcome,
) -> Vec<Effect> {
    let Some(mut dialog) = state.dialogs.pop() else {
        return Vec::new();
    };
    state.confirmation.taken();
    let outcome = act(&mut *dialog, &state.dialog_context());
    match outcome {
        Outcome::Close => Vec::new(),
        Outcome::Stay => {
            state.dialogs.push(dialog);
            Vec::new()
        }
        Outcome::Say(why) => {
            state.dialogs.push(dialog);
            state.say(Tone::Watch, why);
            Vec::new()
        }
        Outcome::Perform(effects) => {
            state.dialogs.push(dialog);
            effects
        }
        Outcome::Write(plans) => {
            let (id, effect) = state.write(plans, None);
            state.pending.ask(id, state.now.monotonic);
            dialog.asked(id);
            state.dialogs.push(dialog);
            vec![effect]
        }
        Outcome::ActOn(id, action) => act_on(state, id, action),
        Outcome::SortBy(SortChoice::Processes(column)) => {
            state.table.sort_by(column);
            state.arrange()
        }
        Outcome::SortBy(SortChoice::Domains(sorting)) => state.sort_domains(sorting),
        Outcome::TakeBack(of, warning) => {
            let asked = crate::app::undo::take_back(state, of, warning.as_deref());
            asked.map_or_else(
                |anew| anew,
                |(id, effect)| {
                    state.pending.ask(id, state.now.monotonic);
                    dialog.asked(id);
                    state.dialogs.push(dialog);
                    vec![effect]
                },
            )
        }
        Outcome::AskUndo(of) => {
            state.dialogs.push(dialog);
            crate::app::undo::ask_about(state, of)
        }
        Outcome::MakeRule(target, value) => {
            state.dialogs.push(dialog);
            let dialog = RuleDialog::new(target, value);
            let mut effects = vec![dialog.request()];
            effects.extend(state.open(dialog));
            effects
        }
        Outcome::Filter(text) => show(state, &text),
        Outcome::Narrow(filter) => {
            state.table.filter = *filter;
            state.touch_selection();
            state.arrange()
        }
        Outcome::Zoom(scope) => state.zoom_to(scope),
        Outcome::Ledger(scope) => {
            state.dialogs.push(dialog);
            open_ledger(state, scope)
        }
        Outcome::Configure(settings) => {
            state.dialogs.push(dialog);
            state.configure(*settings)
        }
        Outcome::Restore(settings, inverted) => state.restore(*settings, inverted),
        Outcome::DraftSettings(changes) => {
            let (id, effects) = state.draft_settings(changes);
            dialog.asked_file(id);
            state.dialogs.push(dialog);
            effects
        }
        Outcome::WriteSettings(draft) => {
            let asked = state.write_settings(draft);
            let asked = asked.map(|(id, effect)| {
                dialog.asked_file(id);
                effect
            });
            state.dialogs.push(dialog);
            asked.into_iter().collect()
        }
        Outcome::Quit => state.ask(Control::Quit),
    }
}

/// Shows the table with this filter.
fn show(state: &mut State, text: &str) -> Vec<Effect> {
    match Filter::parse(text) {
        Ok(filter) => state.table.filter = filter,
        Err(why) => state.say(Tone::Watch, why),
    }
    state.focus = Pane::Processes;
    state.domains.open = false;
    state.table.zoom = None;
    state.touch_selection();
    state.arrange()
}

/// Selects a process, even if a filter hides it, and runs a table action on it.
fn act_on(state: &mut State, id: ProcessId, action: ActionId) -> Vec<Effect> {
    state.focus = Pane::Processes;
    state.domains.open = false;
    state.table.choose(id);
    state.arrange();
    if state.table.selected() != Some(id) {
        state.table.filter = Filter::default();
        state.table.zoom = None;
        state.table.choose(id);
        state.arrange();
    }
    // The user chose the process by name: no surprise.
    state.touch_selection();
    match state.keymap.row(action) {
        Some(action) if state.table.selected() == Some(id) => {
            perform(state, KeyScope::Table, action)
        }
        _ => Vec::new(),
    }
}
