//! `--print themes`: the themes there are.

use super::table;

/// The themes as a table.
pub(super) fn print() -> String {
    let rows = [
        ["THEME", "LOOKS LIKE"],
        ["oomtop", "the terminal's own 16 colours"],
        [
            "mono",
            "no colours: bold, underlined, reversed (--no-color)",
        ],
    ];
    table(&rows.map(|row| row.map(str::to_owned)))
}
