//! oomtop: a terminal dashboard for Linux out-of-memory work.

pub mod app;
pub mod config;
pub mod domain;
pub mod linux;
pub mod runtime;
pub mod ui;
