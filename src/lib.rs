//! oomtop: a terminal dashboard for Linux out-of-memory work.

pub mod domain;
pub mod linux;
