//! `[bind]` of a configuration file: keys and what they do, on top of the preset. A later file replaces single keys.

use toml::de::{DeTable, DeValue};

use super::layers::{Origin, wrong};
use crate::app::input::actions::ACTIONS;
use crate::app::input::id::ActionId;
use crate::app::input::key::Key;
use crate::app::input::keymap::{Binding, Bindings, Keymap};
use crate::app::input::presets::Preset;
use crate::text::suggest::nearest;

/// The name of the table.
pub(super) const TABLE: &str = "bind";

/// What a key without a meaning is bound to.
pub(super) const NOTHING: &str = "none";

/// A key of a file.
#[derive(Debug, Clone)]
pub(super) struct Bound {
    /// The key and its actions.
    pub(super) binding: Binding,
    /// Where it stands.
    pub(super) origin: Origin,
}

impl Bound {
    /// What the key does, as the file says it.
    pub(super) fn actions(&self) -> String {
        let names: Vec<_> = self.binding.actions.iter().map(|id| id.name()).collect();
        if names.is_empty() {
            NOTHING.to_owned()
        } else {
            names.join(",")
        }
    }
}

/// What all files say, in the order of the layers.
#[derive(Debug, Clone, Default)]
pub(super) struct Bounds(Vec<Bound>);

impl Bounds {
    /// Lays the keys of a file over those of the files before.
    pub(super) fn lay_over(&mut self, file: Vec<Bound>) {
        for bound in file {
            self.0.retain(|old| old.binding.key != bound.binding.key);
            self.0.push(bound);
        }
    }

    /// In the order of the layers.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Bound> {
        self.0.iter()
    }

    /// The keys.
    pub(super) fn bindings(&self) -> Bindings {
        let mut bindings = Bindings::default();
        for bound in &self.0 {
            bindings.bind(bound.binding.clone());
        }
        bindings
    }

    /// Looks whether the keys go with the preset.
    ///
    /// # Errors
    /// A sentence for each that does not.
    pub(super) fn check(&self, preset: Preset) -> Result<(), Vec<String>> {
        let bad = Keymap::check(ACTIONS, preset, &self.bindings());
        bad.map_err(|bad| {
            let found = bad.iter().filter_map(|bad| {
                let bound = self.iter().find(|bound| bound.binding.key == bad.key)?;
                Some(said(
                    &bound.origin,
                    &bad.key.to_string(),
                    &bad.why.to_string(),
                ))
            });
            found.collect()
        })
    }
}

fn said(origin: &Origin, key: &str, why: &str) -> String {
    wrong(origin, &format!("[{TABLE}] {key}"), why)
}

/// The keys of the table. Each that is wrong adds a sentence to `errors`.
pub(super) fn parse(
    table: &DeTable<'_>,
    origin: &dyn Fn(usize) -> Origin,
    errors: &mut Vec<String>,
) -> Vec<Bound> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let mut found: Vec<Bound> = Vec::new();
    for (name, value) in entries {
        let origin = origin(name.span().start);
        let name: &str = name.get_ref();
        if let Some(why) = turned_round(name, value.get_ref()) {
            errors.push(said(&origin, name, &why));
            continue;
        }
        let key = key(name);
        let actions = actions(value.get_ref());
        match (key, actions) {
            (Ok(key), Ok(actions)) => {
                if let Some(first) = found.iter().find(|bound| bound.binding.key == key) {
                    let why = format!("is the same key as that of {}", first.origin);
                    errors.push(said(&origin, name, &why));
                    continue;
                }
                found.push(Bound {
                    binding: Binding { key, actions },
                    origin,
                });
            }
            (key, actions) => {
                let why = key.err().into_iter().chain(actions.err());
                errors.extend(why.map(|why| said(&origin, name, &why)));
            }
        }
    }
    found
}

/// What is wrong with an action that has a key, as other programs write it; `None` for a key that has an action.
fn turned_round(name: &str, value: &DeValue<'_>) -> Option<String> {
    ActionId::named(name)?;
    let key = match value {
        DeValue::Array(items) => items.iter().next().and_then(|item| item.get_ref().as_str()),
        value => value.as_str(),
    };
    // `up` is both.
    let is_action = key.is_some_and(|word| action(word).is_ok() || word == NOTHING);
    if is_action && name.parse::<Key>().is_ok() {
        return None;
    }
    let key = key.filter(|key| key.parse::<Key>().is_ok()).unwrap_or("x");
    Some(format!(
        "is an action; the key comes first: {} = \"{name}\"",
        quoted(key)
    ))
}

/// A key of a table as TOML has it (toml.io, "Keys").
fn quoted(key: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if key.chars().all(is_bare) {
        key.to_owned()
    } else {
        format!("{key:?}")
    }
}

/// # Errors
/// The end of a sentence about a name that no key has.
fn key(name: &str) -> Result<Key, String> {
    if let Ok(key) = name.parse() {
        return Ok(key);
    }
    let names = Key::names();
    let known: Vec<_> = names.iter().map(String::as_str).collect();
    let prefix = name.rfind(['-', '+']).map_or(0, |at| at + 1);
    let (front, last) = name.split_at(prefix);
    let meant = nearest(last, &known).map(|meant| format!("{front}{meant}"));
    let meant = meant.filter(|meant| meant.parse::<Key>().is_ok());
    Err(match meant {
        Some(meant) => format!("there is no such key; did you mean '{meant}'?"),
        None => {
            "there is no such key; keys are a, A, /, F5, Ctrl-x, Alt-x, Space, Enter, PgDn and the like"
                .to_owned()
        }
    })
}

/// # Errors
/// The end of a sentence about what is no action.
fn actions(value: &DeValue<'_>) -> Result<Vec<ActionId>, String> {
    let one = |value: &DeValue<'_>| match value {
        DeValue::String(name) => action(name),
        _ => Err("takes the name of an action, in quotes, or a list of names".to_owned()),
    };
    let DeValue::Array(items) = value else {
        return match value {
            DeValue::String(name) if matches!(&**name, NOTHING | "") => Ok(Vec::new()),
            value => Ok(vec![one(value)?]),
        };
    };
    let mut actions = Vec::new();
    for item in items {
        let action = one(item.get_ref())?;
        if actions.contains(&action) {
            return Err(format!("names {action} twice"));
        }
        actions.push(action);
    }
    Ok(actions)
}

/// What vim, less, helix and htop call an action, in place of oomtop's name.
const ALIASES: &[(&str, &str)] = &[
    ("kill", "signal"),
    ("exit", "quit"),
    ("nice", "adjust"),
    ("oom_score_adj", "adjust"),
    ("killers", "settings"),
    ("config", "setup"),
    ("escape", "back"),
    ("top", "home"),
    ("bottom", "end"),
    ("reverse", "invert"),
    ("enter", "commit"),
];

/// # Errors
/// The end of a sentence about a name that no action has.
fn action(name: &str) -> Result<ActionId, String> {
    if let Some(id) = ActionId::named(name) {
        return Ok(id);
    }
    let names = ActionId::ALL.iter().map(|id| id.name());
    let known: Vec<_> = names
        .chain(ALIASES.iter().map(|(alias, _)| *alias))
        .collect();
    let plain = name.to_ascii_lowercase().replace(['_', ' '], "-");
    let meant = nearest(&plain, &known).map(|near| {
        let alias = ALIASES.iter().find(|(alias, _)| *alias == near);
        alias.map_or(near, |(_, name)| *name)
    });
    Err(match meant {
        Some(meant) => format!("there is no action '{name}'; did you mean '{meant}'?"),
        None => format!("there is no action '{name}'; `oomtop --print keys` lists them"),
    })
}
