//! Keys, the actions they are bound to, and lines being typed.

pub mod action;
pub mod actions;
pub mod bytes;
pub mod confirmation;
pub mod id;
pub mod key;
pub mod keymap;
pub mod line;
mod named;
pub mod presets;
pub mod prompt;
pub mod scope;
