//! Actions: what a key can do. [`ACTIONS`] is the list: adding an action or a key is adding a row there,
//! and the help, the footer and the README's key table follow.

mod list;
mod run;

use crate::app::State;
use crate::app::input::key::Key;
use crate::app::msg::Effect;

pub use list::ACTIONS;
pub(in crate::app) use run::{digit, jump_to_pid};

/// Part of the help an action is listed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Writes something: what stands here is off with `--read-only`.
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
    /// Does it.
    pub run: fn(&mut State) -> Vec<Effect>,
}

impl Action {
    /// True if it can change the system: off with `--read-only`.
    pub fn writes(&self) -> bool {
        self.group == Group::Act
    }
}

/// The action a key is bound to.
pub fn bound_to(key: Key) -> Option<&'static Action> {
    // A terminal sends Backspace's sibling or Shift-Tab in more than one way; names settle it.
    ACTIONS
        .iter()
        .find(|action| action.keys.iter().any(|name| name.parse() == Ok(key)))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{ACTIONS, bound_to};
    use crate::app::input::key::Key;

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
