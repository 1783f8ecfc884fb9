//! The panes of the screen: processes, OOM domains, events, the gauge, and how they share the screen.

pub mod domains;
pub mod events;
pub mod gauge;
pub mod layout;
pub mod processes;
pub mod selection_guard;
