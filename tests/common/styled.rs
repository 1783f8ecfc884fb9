//! A buffer as text that shows its styles: the grid of symbols, the grid of styles, and a legend.

use std::collections::BTreeMap;
use std::fmt::Write;

use ratatui::buffer::Buffer;
use ratatui::style::Style;

/// Letters for styles, the plain one first.
const LETTERS: &str = ".abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Text, style letters line by line, legend.
pub(crate) fn styled_view(buffer: &Buffer) -> String {
    let mut letters: BTreeMap<String, char> = BTreeMap::new();
    let mut free = LETTERS.chars();
    let mut text = String::new();
    let mut styles = String::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let mut skip = 0;
        let mut line = String::new();
        for x in buffer.area.left()..buffer.area.right() {
            let cell = &buffer[(x, y)];
            if skip == 0 {
                line.push_str(cell.symbol());
                skip = unicode_width::UnicodeWidthStr::width(cell.symbol()).max(1);
            }
            skip -= 1;
            let name = name(cell.style());
            let letter = *letters
                .entry(name)
                .or_insert_with(|| free.next().unwrap_or('?'));
            styles.push(letter);
        }
        writeln!(text, "{line}|").expect("a String");
        styles.push('\n');
    }
    let mut legend = String::new();
    for (name, letter) in letters {
        writeln!(legend, "{letter} {name}").expect("a String");
    }
    format!("{text}\n{styles}\n{legend}")
}

fn name(style: Style) -> String {
    let colour =
        |c: Option<ratatui::style::Color>| c.map_or_else(|| "-".to_owned(), |c| c.to_string());
    format!(
        "{} on {} {:?}",
        colour(style.fg),
        colour(style.bg),
        style.add_modifier
    )
}
