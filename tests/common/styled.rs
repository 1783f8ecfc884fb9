//! A buffer as text that shows its styles: the grid of symbols, the grid of styles, and a legend.

use std::collections::BTreeSet;
use std::fmt::Write;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// The permanent letter of each look: a new look is a new row and changes no other letter. Foreground, background
/// and modifiers as ratatui names them.
const LOOKS: &[(char, &str, &str)] = &[
    ('.', "Reset on Reset NONE", "normal"),
    ('d', "Gray on Reset DIM", "dim"),
    ('s', "Reset on Reset BOLD", "strong"),
    ('a', "Cyan on Reset BOLD", "accent"),
    ('g', "Green on Reset NONE", "good"),
    ('w', "Yellow on Reset NONE", "watch"),
    ('D', "LightRed on Reset BOLD", "danger"),
    ('C', "Red on Reset BOLD", "critical"),
    ('x', "White on Blue NONE", "selected row"),
    ('X', "White on Blue BOLD", "strong in the selected row"),
    ('!', "White on Red BOLD", "critical in the selected row"),
    ('?', "Black on LightRed BOLD", "danger in the selected row"),
    (
        '=',
        "LightRed on Blue BOLD",
        "a bar in danger in the selected row",
    ),
    ('%', "Yellow on Blue NONE", "watch in the selected row"),
    ('h', "Reset on Reset UNDERLINED", "heading"),
    (
        'H',
        "Cyan on Reset BOLD | UNDERLINED",
        "heading of the sorted column",
    ),
    // Drawn over something bold, or over a gauge.
    ('e', "Gray on Reset BOLD | DIM", "dim over bold"),
    ('c', "Red on Reset BOLD | DIM", "critical, then dim"),
    ('v', "Yellow on Reset DIM", "watch, then dim"),
    ('W', "Yellow on Reset BOLD", "watch over bold"),
    ('r', "Yellow on Reset REVERSED", "mark on a gauge in watch"),
    // Without colours.
    ('R', "Reset on Reset REVERSED", "reversed"),
    (
        'U',
        "Reset on Reset BOLD | UNDERLINED",
        "danger without colours",
    ),
    (
        'u',
        "Reset on Reset BOLD | UNDERLINED | REVERSED",
        "danger without colours in the selected row",
    ),
    (
        'B',
        "Reset on Reset BOLD | REVERSED",
        "critical without colours",
    ),
];

/// Text, style letters line by line, and the looks that occur.
pub(crate) fn styled_view(buffer: &Buffer) -> String {
    let mut seen = BTreeSet::new();
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
            let at = look(cell.style());
            seen.insert(at);
            styles.push(LOOKS[at].0);
        }
        writeln!(text, "{line}|").expect("a String");
        styles.push('\n');
    }
    let mut legend = String::new();
    for (letter, look, meaning) in seen.into_iter().map(|at| LOOKS[at]) {
        writeln!(legend, "{letter} {look} ({meaning})").expect("a String");
    }
    format!("{text}\n{styles}\n{legend}")
}

/// The index of this style in [`LOOKS`].
fn look(style: Style) -> usize {
    let colour =
        |c: Option<ratatui::style::Color>| c.map_or_else(|| "-".to_owned(), |c| c.to_string());
    let name = format!(
        "{} on {} {:?}",
        colour(style.fg),
        colour(style.bg),
        style.add_modifier
    );
    let known = LOOKS.iter().position(|(_, look, _)| *look == name);
    known.unwrap_or_else(|| panic!("a look without a letter: add a row for {name:?} to LOOKS"))
}

/// A part of a buffer.
pub(crate) fn cropped(buffer: &Buffer, area: Rect) -> Buffer {
    let mut part = Buffer::empty(area);
    for at in area.positions() {
        part[at] = buffer[at].clone();
    }
    part
}

/// The dialog on top, cut out: the largest frame that is closed on all sides.
pub(crate) fn dialog(buffer: &Buffer) -> Buffer {
    let is = |x: u16, y: u16, symbol: &str| buffer[(x, y)].symbol() == symbol;
    let mut found: Option<Rect> = None;
    for corner in buffer.area.positions().filter(|at| is(at.x, at.y, "┌")) {
        let right = (corner.x + 1..buffer.area.right()).rev();
        let Some(right) = right.into_iter().find(|x| is(*x, corner.y, "┐")) else {
            continue;
        };
        let mut below = corner.y + 1;
        while below < buffer.area.bottom() && is(corner.x, below, "│") && is(right, below, "│")
        {
            below += 1;
        }
        if below < buffer.area.bottom() && is(corner.x, below, "└") && is(right, below, "┘") {
            let (width, height) = (right - corner.x + 1, below - corner.y + 1);
            let frame = Rect::new(corner.x, corner.y, width, height);
            if found.is_none_or(|known| known.area() < frame.area()) {
                found = Some(frame);
            }
        }
    }
    cropped(buffer, found.expect("a dialog is open"))
}
