//! Keys, the actions they are bound to, and lines being typed.

pub mod actions;
pub mod key;
pub mod line;
pub mod prompt;
