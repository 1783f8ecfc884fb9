//! What oomtop prints and saves: the plain table and the JSON document of `--once`, `explain`, `protect`, saved reports, the audit log.
//!
//! A value goes in, a text comes out: nothing here reads files, waits for keys or knows a terminal. Words that
//! the screen uses too come from [`crate::text`].

pub mod audit;
pub mod csv;
pub mod explain;
mod fate;
pub mod fleet;
pub mod json;
mod listed;
pub mod metrics;
pub mod protect;
pub mod run;
pub mod safe_json;
pub mod saved;
pub mod sentences;
pub mod table;
pub mod watch;
pub mod why;

use crate::text::tone::printable;
