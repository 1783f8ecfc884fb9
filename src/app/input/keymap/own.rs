//! [`Bindings`]: the user's own keys, on top of a preset.
//!
//! As in vim, helix and tmux a key is bound to what it does, and what it did before goes: a key of the user's own means its
//! actions wherever they exist, and no other action there. A key of a pane means nothing else in the other panes either: there it
//! says where its action is.

use std::fmt;

use super::Keymap;
use crate::app::input::id::ActionId;
use crate::app::input::key::Key;
use crate::app::input::presets::Preset;
use crate::app::input::scope::KeyScope;

/// A key and what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The key.
    pub key: Key,
    /// What it does, each where that exists; empty: nothing at all.
    pub actions: Vec<ActionId>,
}

/// The user's own keys, each once. Of two keys for one action, sentences name the one that comes first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bindings(Vec<Binding>);

impl Bindings {
    /// In their order.
    pub fn iter(&self) -> impl Iterator<Item = &Binding> {
        self.0.iter()
    }

    /// Adds a key. What the key was bound to before is forgotten.
    pub fn bind(&mut self, binding: Binding) {
        self.0.retain(|old| old.key != binding.key);
        self.0.push(binding);
    }
}

/// Why a key cannot be bound so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadBinding {
    /// The key.
    pub key: Key,
    /// What is wrong.
    pub why: Why,
}

/// What is wrong with a key of the user's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It always means this.
    Fixed(ActionId),
    /// No terminal sends it; why not.
    NeverSent(String),
    /// It types text in this scope, where the action would want it.
    Typed(ActionId, KeyScope),
    /// Two of its actions exist in this scope.
    Both(ActionId, ActionId, KeyScope),
    /// It was the last key of an action that must stay within reach there.
    Last(ActionId, KeyScope),
}

impl fmt::Display for Why {
    /// The end of a sentence that begins with the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(does) => write!(f, "always means {does}"),
            Self::NeverSent(why) => write!(f, "never arrives: {why}"),
            Self::Typed(action, scope) => write!(
                f,
                "types text in the {}; {action} needs another key",
                scope.name()
            ),
            Self::Both(first, second, scope) => write!(
                f,
                "cannot be {first} and {second} at once in the {}",
                scope.name()
            ),
            Self::Last(action, scope) => write!(
                f,
                "was the last key for {action} in the {}; bind another key to {action} first",
                scope.name()
            ),
        }
    }
}

/// Whoever is lost, or is asked something, needs these.
const NEEDED: [ActionId; 4] = [
    ActionId::Help,
    ActionId::Back,
    ActionId::Commit,
    ActionId::Quit,
];

impl Keymap {
    /// Lays the user's keys over those that the actions have. Returns what is wrong with the keys, and which key was taken
    /// from which action.
    pub(super) fn lay_over(&mut self, own: &Bindings) -> (Vec<BadBinding>, Vec<(Key, ActionId)>) {
        let (mut bad, mut taken) = (Vec::new(), Vec::new());
        // How many of an action's keys are the user's: those come first, in the user's order.
        let mut placed: Vec<ActionId> = Vec::new();
        for Binding { key, actions } in own.iter() {
            if let Some(why) = self.refused(*key, actions) {
                bad.push(BadBinding { key: *key, why });
                continue;
            }
            let scopes: Vec<_> = actions.iter().flat_map(|id| self.scopes(*id)).collect();
            let is_for_panes = scopes.iter().any(|scope| scope.is_pane());
            for action in self.actions() {
                let is_own = actions.contains(&action.id);
                // A hand that has learnt the key must not do something else by it, because another pane has the keyboard.
                let is_beside = |scope: KeyScope| {
                    actions.is_empty()
                        || scopes.contains(&scope)
                        || (is_for_panes && scope.is_pane())
                };
                let shared: Vec<_> = action.scopes().filter(|s| is_beside(*s)).collect();
                let keys = self.keys.entry(action.id).or_default();
                if shared.is_empty() || !keys.contains(key) {
                    continue;
                }
                // Where both exist in a dialog alone, the key goes on to work elsewhere.
                if is_own || shared.iter().any(|scope| scope.is_pane()) || actions.is_empty() {
                    keys.retain(|old| old != key);
                }
                if !is_own {
                    taken.push((*key, action.id));
                }
            }
            for id in actions {
                let at = placed.iter().filter(|own| *own == id).count();
                let keys = self.keys.entry(*id).or_default();
                keys.insert(at.min(keys.len()), *key);
                placed.push(*id);
                if let Some(row) = self.row(*id) {
                    // Before the other actions: the first one has the key.
                    let works = row.scopes().filter(|scope| !super::is_text(*scope, *key));
                    self.bound.extend(works.map(|scope| ((scope, *key), row)));
                }
            }
        }
        (bad, taken)
    }

    /// True if the user's own keys go with a preset.
    ///
    /// # Errors
    /// The end of a sentence about the first key that does not.
    pub fn suits(&self, preset: Preset, own: &Bindings) -> Result<(), String> {
        let first = Self::check(self.rows, preset, own).err();
        let first = first.and_then(|bad| bad.into_iter().next());
        first.map_or(Ok(()), |BadBinding { key, why }| {
            let name = preset.name();
            Err(format!("with {name}, {key} of your [bind] {why}"))
        })
    }

    fn scopes(&self, id: ActionId) -> Vec<KeyScope> {
        self.row(id)
            .map_or_else(Vec::new, |row| row.scopes().collect())
    }

    fn refused(&self, key: Key, actions: &[ActionId]) -> Option<Why> {
        if let Some(does) = super::fixed(key).filter(|does| actions != [*does]) {
            return Some(Why::Fixed(does));
        }
        if let Some(why) = key.never_sent() {
            return Some(Why::NeverSent(why));
        }
        for (at, id) in actions.iter().enumerate() {
            let scopes = self.scopes(*id);
            let typed = |scope: &&KeyScope| super::is_text(**scope, key);
            let is_typed_in_all = scopes.iter().all(|scope| typed(&scope));
            // In a dialog that is typed into, the action has another key or none; in a pane its key must work.
            let in_pane = scopes.iter().filter(|scope| scope.is_pane()).find(typed);
            let first = scopes.first().filter(|_| is_typed_in_all);
            if let Some(scope) = in_pane.or(first) {
                return Some(Why::Typed(*id, *scope));
            }
            for other in &actions[at + 1..] {
                let theirs = self.scopes(*other);
                if let Some(scope) = scopes.iter().find(|scope| theirs.contains(scope)) {
                    return Some(Why::Both(*id, *other, *scope));
                }
            }
        }
        None
    }

    /// Which of the keys that were taken leave an action out of reach that must not be: one that is always needed, or one
    /// whose other keys type text where this one worked.
    pub(super) fn out_of_reach(&self, taken: &[(Key, ActionId)]) -> Vec<BadBinding> {
        let mut bad: Vec<BadBinding> = Vec::new();
        let mut said: Vec<ActionId> = Vec::new();
        for (key, id) in taken {
            let keys = self.keys_of(*id);
            let lost = |scope: &&KeyScope| {
                let all_type = keys.iter().all(|key| super::is_text(**scope, *key));
                // A dialog is left by `back` too, which is needed.
                let is_only_way = *id != ActionId::Close;
                let is_missed =
                    NEEDED.contains(id) || (!keys.is_empty() && all_type && is_only_way);
                is_missed && self.key_in(**scope, *id).is_none()
            };
            let scopes = self.scopes(*id);
            if let Some(scope) = scopes.iter().find(lost).filter(|_| !said.contains(id)) {
                said.push(*id);
                bad.push(BadBinding {
                    key: *key,
                    why: Why::Last(*id, *scope),
                });
            }
        }
        bad
    }
}
