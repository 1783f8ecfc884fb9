//! The group of a command that `oomtop run` starts: made, entered, read and removed, also after a `kill -9`.

pub mod group;
pub mod notes;
mod parts;
mod place;
pub mod start;
pub mod watcher;
