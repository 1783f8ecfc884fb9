//! What oomtop prints and saves: the plain table and the JSON document of `--once`, `explain`, saved reports.
//!
//! A value goes in, a text comes out: nothing here reads files, waits for keys or knows a terminal. Words that
//! the screen uses too come from [`crate::text`].

pub mod explain;
pub mod json;
pub mod saved;
pub mod table;

use crate::text::tone::is_unsafe;

/// Replaces characters that a terminal would obey: controls, and those that reverse the direction of text.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if is_unsafe(c) { '\u{fffd}' } else { c })
        .collect()
}
