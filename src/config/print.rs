//! `--print-config`: each setting, its value and where it came from.
//!
//! The output is not a configuration file on purpose: users would save it and keep today's defaults for ever.

use std::fmt::Write;

use super::settings::SETTINGS;
use super::sources::Sources;
use crate::text::tone;

/// The settings as a table, then the files.
pub(super) fn print(sources: &Sources) -> String {
    let configuration = &sources.configuration;
    let head = ["SETTING", "VALUE", "FROM"].map(str::to_owned);
    let rows = SETTINGS.iter().map(|setting| {
        let value = match (setting.show)(&configuration.values) {
            none if none.is_empty() => "-".to_owned(),
            shown => shown,
        };
        let origin = configuration.origin(setting).to_string();
        [
            setting.key.to_owned(),
            printable(&value),
            printable(&origin),
        ]
    });
    let settings: Vec<_> = std::iter::once(head).chain(rows).collect();
    let files: Vec<_> = sources
        .files
        .iter()
        .map(|file| {
            let state = if file.is_there { "read" } else { "not there" };
            [
                printable(&file.path.display().to_string()),
                state.to_owned(),
            ]
        })
        .collect();
    table(&settings) + "\n" + &table(&files)
}

/// Cells side by side, two blanks between them.
fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..N).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            // Writing to a String cannot fail.
            let _ = write!(line, "{cell:<width$}  ");
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Replaces characters that a terminal would obey.
pub(super) fn printable(text: &str) -> String {
    let safe = |c| if tone::is_unsafe(c) { '\u{fffd}' } else { c };
    text.chars().map(safe).collect()
}
