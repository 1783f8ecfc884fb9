//! Memory cgroups: where they are mounted, which groups exist, and when which of their files are read.

pub(super) mod counted;
pub(super) mod files;
pub(super) mod freezer;
pub(super) mod hierarchy;
pub(super) mod kills;
pub(super) mod link_counts;
pub(super) mod linked;
pub mod list;
pub(super) mod members;
pub(super) mod mounts;
pub(super) mod namespace;
pub(super) mod own_group;
mod parse;
pub(super) mod proc_file;
pub(super) mod schedule;
pub(super) mod table;
pub(super) mod visit;
pub(super) mod walk;
