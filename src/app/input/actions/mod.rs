//! Actions: what a key can do. [`ACTIONS`] is the list: adding an action or a key is adding a row there,
//! and the help, the footer and the README's key table follow.

mod list;
mod run;

use crate::app::input::keymap::{BadKeys, Keymap};

pub use list::ACTIONS;
pub(in crate::app) use run::look::{jump_to_pid, open_ledger};

/// The keys of all actions: the defaults, except for the overrides.
///
/// # Errors
///
/// All invalid bindings: see [`Keymap::new`].
pub fn keymap(overrides: &[(&str, &[&str])]) -> Result<Keymap, BadKeys> {
    Keymap::new(ACTIONS, overrides)
}
