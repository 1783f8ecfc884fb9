//! How many terminal cells a text takes, and which replacements stand for characters that must not be printed.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::text::tone::is_unsafe;

/// Longest grapheme that is shown whole. The longest emoji (a family with skin tones) has 41 bytes.
const MOST_BYTES: usize = 64;

/// True for printable ASCII: every byte takes one cell.
pub fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| (0x20..0x7f).contains(&b))
}

/// True for a character that takes one cell and joins with none beside it: printable ASCII and the signs that oomtop prints.
const fn stands_alone(character: char, ascii: bool) -> bool {
    match character {
        ' '..='~' => true,
        '·' | '×' | '–' | '…' | '‰' | '←'..='↓' | '─'..='▟' | '⠀'..='⣿' => {
            !ascii
        }
        _ => false,
    }
}

/// How many bytes of a text fit into `room` cells, one for each character; `None` if a character up there, or the next, may
/// take another number of cells or join with its neighbour. Most text needs no look at graphemes, which costs much.
pub fn one_by_one(text: &str, room: usize, ascii: bool) -> Option<usize> {
    for (taken, (at, character)) in text.char_indices().enumerate() {
        if !stands_alone(character, ascii) {
            return None;
        }
        if taken == room {
            return Some(at);
        }
    }
    Some(text.len())
}

/// Cells a text takes after unsafe characters are replaced.
pub fn cells(text: &str, ascii: bool) -> usize {
    if is_plain(text) {
        return text.len();
    }
    if text.chars().all(|c| stands_alone(c, ascii)) {
        return text.chars().count();
    }
    text.graphemes(true).map(|g| shown(g, ascii).width()).sum()
}

/// The text in so many cells, cut in the middle where it is longer: names of siblings begin alike and differ at the end.
pub fn middle(text: &str, room: usize, ascii: bool) -> Cow<'_, str> {
    if room < 3 || cells(text, ascii) <= room {
        return text.into();
    }
    let keep = room - 1;
    if is_plain(text) {
        let head = keep / 3;
        let tail = text.len() - (keep - head);
        return [&text[..head], "…", &text[tail..]].concat().into();
    }
    let (head, mut taken) = prefix(text, keep / 3, ascii);
    let mut tail = text.len();
    for (at, grapheme) in text.grapheme_indices(true).rev() {
        let wide = shown(grapheme, ascii).width();
        if at < head || taken + wide > keep {
            break;
        }
        (taken, tail) = (taken + wide, at);
    }
    let part = |part: Option<&str>| part.unwrap_or_default().to_owned();
    let (head, tail) = (part(text.get(..head)), part(text.get(tail..)));
    format!("{head}…{tail}").into()
}

/// How many bytes of a text fit into `room` cells, and the cells they take. Reads no further than the text
/// that fits, so a huge text costs nothing.
pub fn prefix(text: &str, room: usize, ascii: bool) -> (usize, usize) {
    if let Some(bytes) = one_by_one(text, room, ascii) {
        return (
            bytes,
            text.get(..bytes).map_or(0, |fits| fits.chars().count()),
        );
    }
    prefix_by_graphemes(text, room, ascii)
}

fn prefix_by_graphemes(text: &str, room: usize, ascii: bool) -> (usize, usize) {
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

/// The text shown for a grapheme: the grapheme itself, or a replacement if a terminal would obey it or
/// (with `--ascii`) could not show it.
pub fn shown(grapheme: &str, ascii: bool) -> Cow<'_, str> {
    // A cell holds a letter with its accents, or an emoji of several parts; a heap of thousands of accents is an attack.
    if grapheme.len() > MOST_BYTES {
        let kept = grapheme.chars().next().unwrap_or(' ');
        return shown(kept.encode_utf8(&mut [0; 4]), ascii)
            .into_owned()
            .into();
    }
    if grapheme.chars().any(is_unsafe) {
        let replaced = |c: char| match ascii {
            // Other characters of the same grapheme may be non-ASCII too.
            true if is_unsafe(c) || !c.is_ascii() => '?',
            false if is_unsafe(c) => '\u{fffd}',
            _ => c,
        };
        // "\r\n" is one grapheme; an emoji with joiners falls apart into its emoji.
        let replaced: String = grapheme.chars().map(replaced).collect();
        let parts = replaced.graphemes(true).map(|part| shown(part, ascii));
        return parts.collect::<String>().into();
    }
    if ascii && !grapheme.is_ascii() {
        return plain(grapheme).into();
    }
    // An accent without a letter would fall on the cell before it.
    let lettered = grapheme.trim_start_matches(|c: char| c.width() == Some(0));
    if lettered.len() < grapheme.len() {
        return match lettered {
            "" => "".into(),
            letter => shown(letter, ascii),
        };
    }
    // Terminals that do not join its characters take more or fewer cells for it (variation selectors, skin tones): the
    // first character alone is as wide everywhere.
    let apart: usize = grapheme.chars().filter_map(UnicodeWidthChar::width).sum();
    // ratatui writes a blank behind what has a variation selector, whatever its width.
    if (apart != grapheme.width() || grapheme.contains('\u{fe0f}'))
        && let Some(first) = grapheme.chars().next()
    {
        return String::from(first).into();
    }
    grapheme.into()
}

/// The ASCII replacement for a sign that oomtop itself prints; `?` for anything else.
fn plain(grapheme: &str) -> &'static str {
    match grapheme {
        "─" | "━" | "–" | "┈" => "-",
        "│" | "┃" => "|",
        "┌" | "┐" | "└" | "┘" | "├" | "┤" => "+",
        // `~` says "about".
        "→" | "…" => ">",
        "↑" => "^",
        "↓" => "v",
        "↑↓" => "^v",
        "·" => ".",
        "×" => "x",
        "‰" => "%o",
        "█" | "▉" | "▊" | "▋" | "▌" | "▇" => "#",
        "▍" | "▎" | "▏" | "▆" | "▅" | "▄" => "=",
        "▃" | "▂" | "▁" => "_",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::{cells, middle, one_by_one, prefix, prefix_by_graphemes, shown};
    use unicode_segmentation::UnicodeSegmentation as _;
    use unicode_width::UnicodeWidthStr as _;

    #[test]
    fn siblings_that_begin_alike_stay_apart() {
        let (a, b) = ("shop/orders-worker-a", "shop/orders-worker-b");
        assert_eq!(middle(a, 12, false), "sho…worker-a");
        assert_ne!(middle(a, 12, false), middle(b, 12, false));
        assert_eq!(middle(a, 20, false), a);
        assert_eq!(middle("日本語の名前", 6, false), "…名前");
        assert_eq!(middle("abc", 2, false), "abc", "too narrow for both ends");
    }

    proptest::proptest! {
        #[test]
        fn the_short_way_says_what_the_way_by_graphemes_says(
            text in "([ -~]|[·×–…‰←↑→↓─-▟⠀-⣿]|[é日\u{301}\u{fe0f}\u{200d}\u{1f469}\n\u{61c}]){0,30}",
            room in 0_usize..30,
            ascii in proptest::bool::ANY,
        ) {
            let wide = text.graphemes(true).map(|g| shown(g, ascii).width()).sum::<usize>();
            proptest::prop_assert_eq!(cells(&text, ascii), wide);
            proptest::prop_assert_eq!(prefix(&text, room, ascii), prefix_by_graphemes(&text, room, ascii));
        }

        #[test]
        fn signs_of_oomtop_need_no_graphemes(text in "[ -~·×–…‰←↑→↓─-▟⠀-⣿]{0,40}", room in 0_usize..30) {
            proptest::prop_assert!(one_by_one(&text, room, false).is_some());
            proptest::prop_assert_eq!(prefix(&text, room, false), prefix_by_graphemes(&text, room, false));
            proptest::prop_assert_eq!(cells(&text, false), text.graphemes(true).count());
        }

        #[test]
        fn a_text_that_was_cut_in_the_middle_fits(text in "[a-z日é\u{301}/ ]{0,40}", room in 3_usize..30) {
            let cut = middle(&text, room, false);
            proptest::prop_assert!(cells(&cut, false) <= room, "{cut}");
        }
    }
}
