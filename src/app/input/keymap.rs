//! [`Keymap`]: which key does what in which scope, and the name of each key on the screen.

mod errors;
mod own;

use std::collections::HashMap;

use crate::app::input::action::Action;
use crate::app::input::id::ActionId;
use crate::app::input::key::Key;
use crate::app::input::presets::Preset;
use crate::app::input::scope::KeyScope;

pub use errors::{BadKey, BadKeys};
pub use own::{BadBinding, Binding, Bindings, Why};

/// Keys with the same meaning everywhere: terminal users rely on them, so no binding can replace them.
const FIXED: &[(ActionId, &str)] = &[(ActionId::Quit, "Ctrl-c"), (ActionId::Suspend, "Ctrl-z")];

/// Rows of actions, in the order of the help and the footer.
pub type Rows = &'static [&'static [Action]];

/// Keys and the actions they are bound to.
#[derive(Debug, Clone)]
pub struct Keymap {
    rows: Rows,
    keys: HashMap<ActionId, Vec<Key>>,
    bound: HashMap<(KeyScope, Key), &'static Action>,
    fixed: Vec<(Key, &'static Action)>,
}

impl Keymap {
    /// The default keys of `rows`.
    pub fn defaults(rows: Rows) -> Self {
        Self::in_force(rows, Preset::Oomtop, &Bindings::default())
    }

    /// The keys of a preset with the user's own on top. A binding that [`Self::check`] refuses is left out.
    pub fn in_force(rows: Rows, preset: Preset, own: &Bindings) -> Self {
        // A test keeps the rows free of errors, with each preset.
        Self::build(rows, preset.table(), own).0
    }

    /// What is wrong with a preset; see [`Self::new`].
    ///
    /// # Errors
    /// All invalid bindings.
    pub fn check_preset(rows: Rows, preset: Preset) -> Result<(), BadKeys> {
        Self::new(rows, preset.table()).map(|_| ())
    }

    /// What is wrong with the user's own keys on top of a preset.
    ///
    /// # Errors
    /// Every key that cannot be bound so, and every one that was the last for something that must stay within reach.
    pub fn check(rows: Rows, preset: Preset, own: &Bindings) -> Result<(), Vec<BadBinding>> {
        let (_, _, bad) = Self::build(rows, preset.table(), own);
        if bad.is_empty() { Ok(()) } else { Err(bad) }
    }

    /// The default keys of `rows`, except for the actions named in `overrides`: each of those has exactly the
    /// keys given there.
    ///
    /// # Errors
    ///
    /// All invalid bindings: an unknown action or key, an action without a key, a key with two meanings in
    /// one scope or with a fixed meaning, an action whose keys all type text in one of its scopes.
    pub fn new(rows: Rows, overrides: &[(&str, &[&str])]) -> Result<Self, BadKeys> {
        let (keymap, bad, _) = Self::build(rows, overrides, &Bindings::default());
        if bad.is_empty() {
            Ok(keymap)
        } else {
            Err(BadKeys(bad))
        }
    }

    fn build(
        rows: Rows,
        overrides: &[(&str, &[&str])],
        own: &Bindings,
    ) -> (Self, Vec<BadKey>, Vec<BadBinding>) {
        let mut bad = Vec::new();
        let mut replaced: HashMap<ActionId, &[&str]> = HashMap::new();
        for (name, keys) in overrides {
            match ActionId::named(name) {
                Some(id) => {
                    replaced.insert(id, keys);
                }
                None => bad.push(BadKey::NoAction((*name).to_owned())),
            }
        }
        let mut keymap = Self {
            rows,
            keys: HashMap::new(),
            bound: HashMap::new(),
            fixed: Vec::new(),
        };
        for action in keymap.actions() {
            let names = replaced.get(&action.id).copied().unwrap_or(action.keys);
            keymap.name(action, names, &mut bad);
        }
        let (mut refused, taken) = keymap.lay_over(own);
        for action in keymap.actions() {
            keymap.bind(action, &mut bad);
        }
        refused.extend(keymap.out_of_reach(&taken));
        (keymap, bad, refused)
    }

    /// Gives an action the keys of these names.
    fn name(&mut self, action: &'static Action, names: &[&str], bad: &mut Vec<BadKey>) {
        let id = action.id;
        let mut keys: Vec<Key> = Vec::new();
        for name in names {
            match name.parse::<Key>() {
                Ok(key) => {
                    if let Some(does) = fixed(key).filter(|does| *does != id) {
                        bad.push(BadKey::Fixed {
                            key,
                            does,
                            action: id,
                        });
                    } else if !keys.contains(&key) {
                        keys.push(key);
                    }
                }
                Err(_) => bad.push(BadKey::NoKey {
                    action: id,
                    key: (*name).to_owned(),
                }),
            }
        }
        if names.is_empty() {
            bad.push(BadKey::Unbound(id));
        }
        for (_, name) in FIXED.iter().filter(|(does, _)| *does == id) {
            if let Ok(key) = name.parse() {
                self.fixed.push((key, action));
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        self.keys.insert(id, keys);
    }

    /// Puts the keys of an action in force, in each of its scopes.
    fn bind(&mut self, action: &'static Action, bad: &mut Vec<BadKey>) {
        let id = action.id;
        let keys = self.keys_of(id).to_vec();
        let mut clashes: Vec<(Key, ActionId)> = Vec::new();
        for scope in action.scopes() {
            for key in keys.iter().copied().filter(|key| !is_text(scope, *key)) {
                let first = self.bound.entry((scope, key)).or_insert(action).id;
                // Report each pair once: the two often share many scopes.
                if first != id && !clashes.contains(&(key, first)) {
                    clashes.push((key, first));
                    bad.push(BadKey::Twice {
                        key,
                        scope,
                        first,
                        second: id,
                    });
                }
            }
            if !keys.is_empty() && keys.iter().all(|key| is_text(scope, *key)) {
                bad.push(BadKey::Typed { action: id, scope });
            }
        }
    }

    /// Every action, in the order of the help and the footer.
    pub fn actions(&self) -> impl Iterator<Item = &'static Action> + use<> {
        self.rows.iter().copied().flatten()
    }

    /// The row of an action.
    pub fn row(&self, id: ActionId) -> Option<&'static Action> {
        self.actions().find(|action| action.id == id)
    }

    /// What a key does in a scope; `None` if nothing, or if it types text there.
    pub fn lookup(&self, scope: KeyScope, key: Key) -> Option<&'static Action> {
        self.bound.get(&(scope, key)).copied()
    }

    /// The fixed meaning of a key, the same everywhere.
    pub fn fixed(&self, key: Key) -> Option<&'static Action> {
        let found = self.fixed.iter().find(|(fixed, _)| *fixed == key);
        found.map(|(_, action)| *action)
    }

    /// What a key does in another pane, if it does nothing in this one.
    pub fn elsewhere(&self, key: Key) -> Option<(&'static Action, KeyScope)> {
        let mut panes = KeyScope::ALL.iter().filter(|scope| scope.is_pane());
        panes.find_map(|scope| Some((self.lookup(*scope, key)?, *scope)))
    }

    /// The keys of an action; sentences name the first.
    pub fn keys_of(&self, id: ActionId) -> &[Key] {
        self.keys.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The name of the first key of an action, for a sentence; of one without a key, the action itself: `[undo]`.
    pub fn key(&self, id: ActionId) -> String {
        name(self.keys_of(id).first().copied(), id)
    }

    /// The first key that runs the action in this scope, skipping keys that type text there.
    pub fn key_in(&self, scope: KeyScope, id: ActionId) -> Option<Key> {
        let mut keys = self.keys_of(id).iter().copied();
        keys.find(|key| self.lookup(scope, *key).is_some_and(|a| a.id == id))
    }

    /// The name of that key, for a sentence; where there is none, the action itself: `[undo]`.
    pub fn name_in(&self, scope: KeyScope, id: ActionId) -> String {
        name(self.key_in(scope, id), id)
    }

    /// The keys of some actions in a scope, for a line of hints: `↑↓ PgUp PgDn`.
    pub fn hint(&self, scope: KeyScope, ids: &[ActionId]) -> String {
        let mut hint = String::new();
        let mut was_wide = false;
        for key in ids.iter().filter_map(|id| self.key_in(scope, *id)) {
            let symbol = key.symbol();
            let is_wide = symbol.chars().nth(1).is_some();
            if !hint.is_empty() && (is_wide || was_wide) {
                hint.push(' ');
            }
            hint.push_str(&symbol);
            was_wide = is_wide;
        }
        hint
    }
}

/// Only the user's own bindings leave an action without a key: then the user knows it by its name.
fn name(key: Option<Key>, id: ActionId) -> String {
    key.map_or_else(|| format!("[{id}]"), |key| key.to_string())
}

fn is_text(scope: KeyScope, key: Key) -> bool {
    key.typed().is_some_and(|c| scope.types(c))
}

/// The action of a fixed key.
fn fixed(key: Key) -> Option<ActionId> {
    let is_it = |name: &str| name.parse() == Ok(key);
    let found = FIXED.iter().find(|(_, name)| is_it(name));
    found.map(|(id, _)| *id)
}
