//! [`BadKeys`]: everything that is wrong with a set of bindings, reported at once.

use std::fmt;

use crate::app::input::id::ActionId;
use crate::app::input::key::Key;
use crate::app::input::scope::KeyScope;

/// One invalid binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadKey {
    /// No action has this name.
    NoAction(String),
    /// No key has this name.
    NoKey {
        /// The action of the binding.
        action: ActionId,
        /// The name as written.
        key: String,
    },
    /// The action would have no key at all.
    Unbound(ActionId),
    /// One key would have two meanings in one scope.
    Twice {
        /// The key.
        key: Key,
        /// The scope.
        scope: KeyScope,
        /// The action that already has the key.
        first: ActionId,
        /// The action that wants the same key.
        second: ActionId,
    },
    /// All keys of the action type text in this scope.
    Typed {
        /// The action.
        action: ActionId,
        /// The scope in which no key would reach the action.
        scope: KeyScope,
    },
    /// The key has a fixed meaning everywhere.
    Fixed {
        /// The key.
        key: Key,
        /// The fixed meaning.
        does: ActionId,
        /// The action that wants it.
        action: ActionId,
    },
}

impl fmt::Display for BadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAction(name) => write!(f, "{name}: there is no action of this name"),
            Self::NoKey { action, key } => write!(f, "{action}: '{key}' is not a key"),
            Self::Unbound(action) => write!(f, "{action}: it needs a key"),
            Self::Twice {
                key,
                scope,
                first,
                second,
            } => write!(
                f,
                "{second}: {key} is bound to {first} already (in the {})",
                scope.name()
            ),
            Self::Typed { action, scope } => write!(
                f,
                "{action}: its keys type text in the {}; add one that does not",
                scope.name()
            ),
            Self::Fixed { key, does, action } => {
                write!(f, "{action}: {key} always means {does}")
            }
        }
    }
}

/// All invalid bindings, one a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadKeys(pub Vec<BadKey>);

impl fmt::Display for BadKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, bad) in self.0.iter().enumerate() {
            let end = if at == 0 { "" } else { "\n" };
            write!(f, "{end}{bad}")?;
        }
        Ok(())
    }
}

impl std::error::Error for BadKeys {}
