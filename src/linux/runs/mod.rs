//! The group of a command that `oomtop run` starts: made, entered, read and removed, also after a `kill -9`.

pub mod echo;
pub mod group;
mod kills;
mod memory;
pub mod notes;
mod parts;
mod place;
pub mod planned;
mod scope;
pub mod start;
pub mod watcher;
