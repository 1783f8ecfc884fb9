//! The panes of the screen: processes, OOM domains, events, the gauge, and how they share the screen.

pub mod attention;
pub mod columns;
pub mod domains;
pub mod events;
pub mod gauge;
pub mod gone;
pub mod keybar;
pub mod killed;
pub mod layout;
pub mod list;
pub mod processes;
pub mod said;
mod screen;
mod selected;
pub mod selection_guard;
pub(in crate::app) mod target;
pub mod title_fit;
pub mod title_keys;
pub mod titles;
