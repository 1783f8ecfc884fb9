//! `--print themes`: the themes there are, what is wrong with others, and the colours of the terminal.

use super::table;
use crate::config::environment::Environment;
use crate::config::themes::Found;
use crate::text::tone::printable;
use crate::ui::theme::Depth;

/// The themes as a table.
pub(super) fn print(environment: &Environment) -> String {
    let found = Found::new(environment);
    let mut rows = vec![["THEME", "LOOKS LIKE", "FROM"].map(str::to_owned)];
    for theme in &found.themes {
        let path = theme.path.as_ref().map(|path| path.display().to_string());
        let from = path.unwrap_or_else(|| "built-in".to_owned());
        rows.push([&theme.name, &theme.about, &from].map(|text| printable(text)));
    }
    let mut text = table(&rows);
    for sentence in found.broken.iter().flat_map(|(_, sentences)| sentences) {
        text.push('\n');
        text.push_str(&printable(sentence));
    }
    let colours = match environment.depth() {
        Depth::None => "no colours: every theme looks like mono",
        Depth::Sixteen => "16 colours",
        Depth::Palette => "256 colours",
        Depth::True => "16 million colours",
    };
    text + "\nthis terminal has " + colours + "\n"
}
