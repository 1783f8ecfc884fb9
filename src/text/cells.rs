//! How many cells of a terminal a text takes, and what is put there in the place of what must not be.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::text::tone::is_unsafe;

/// Printable ASCII: every byte is a cell.
pub fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| (0x20..0x7f).contains(&b))
}

/// Cells a text takes once it is made safe.
pub fn cells(text: &str, ascii: bool) -> usize {
    if is_plain(text) {
        return text.len();
    }
    text.graphemes(true).map(|g| shown(g, ascii).width()).sum()
}

/// How many bytes of a text fit into so many cells, and the cells they take. However long the text is,
/// only what fits is looked at.
pub fn prefix(text: &str, room: usize, ascii: bool) -> (usize, usize) {
    let (mut bytes, mut taken) = (0, 0);
    for grapheme in text.graphemes(true) {
        let wide = shown(grapheme, ascii).width();
        if taken + wide > room {
            break;
        }
        bytes += grapheme.len();
        taken += wide;
    }
    (bytes, taken)
}

/// What is put on the screen for a grapheme: itself, or a replacement if a terminal would obey it or
/// (with `--ascii`) could not show it.
pub fn shown(grapheme: &str, ascii: bool) -> std::borrow::Cow<'_, str> {
    if grapheme.chars().any(is_unsafe) {
        let replaced = |c: char| match ascii {
            // What stands beside it in the grapheme need not be ASCII either.
            true if is_unsafe(c) || !c.is_ascii() => '?',
            false if is_unsafe(c) => '\u{fffd}',
            _ => c,
        };
        // "\r\n" is one grapheme; a joiner inside an emoji is shown as its parts.
        return grapheme.chars().map(replaced).collect::<String>().into();
    }
    if ascii && !grapheme.is_ascii() {
        return plain(grapheme).into();
    }
    grapheme.into()
}

/// The ASCII stand-in for the signs oomtop itself uses; `?` for anything else.
fn plain(grapheme: &str) -> &'static str {
    match grapheme {
        "─" | "━" | "–" => "-",
        "│" | "┃" => "|",
        "┌" | "┐" | "└" | "┘" | "├" | "┤" => "+",
        "→" => ">",
        "↑" => "^",
        "↓" => "v",
        "↑↓" => "^v",
        "…" => "~",
        "·" => ".",
        "×" => "x",
        "‰" => "m",
        "█" | "▉" | "▊" | "▋" | "▌" | "▇" => "#",
        "▍" | "▎" | "▏" | "▆" | "▅" | "▄" => "=",
        "▃" | "▂" | "▁" => "_",
        _ => "?",
    }
}
