//! Block, shade and line characters as shapes, so that they meet without gaps in any font.

use std::fmt::Write as _;

use super::svg::{CELL_H, CELL_W};

/// The SVG of one character at a cell's upper left corner; `None` for what a font should draw.
pub(crate) fn shape(glyph: &str, x: f32, y: f32, color: &str) -> Option<String> {
    let mut chars = glyph.chars();
    let (c, None) = (chars.next()?, chars.next()) else {
        return None;
    };
    block(c, x, y, color)
        .or_else(|| line(c, x, y, color))
        .or_else(|| braille(c, x, y, color))
}

fn rect(x: f32, y: f32, w: f32, h: f32, color: &str, opacity: f32) -> String {
    let faint = if opacity < 1.0 {
        format!(r#" opacity="{opacity}""#)
    } else {
        String::new()
    };
    format!(
        "<rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{w:.2}\" height=\"{h:.2}\" fill=\"{color}\" shape-rendering=\"crispEdges\"{faint}/>\n"
    )
}

/// U+2580 to U+2593: eighths of a cell from below or from the left, and the three shades.
fn block(c: char, x: f32, y: f32, color: &str) -> Option<String> {
    let eighth = |from: u32| f32::from(u8::try_from(u32::from(c) - from).unwrap_or(8)) / 8.0;
    Some(match c {
        '▀' => rect(x, y, CELL_W, CELL_H / 2.0, color, 1.0),
        '▁'..='█' => {
            let h = CELL_H * eighth(0x2580);
            rect(x, y + CELL_H - h, CELL_W, h, color, 1.0)
        }
        '▉'..='▏' => rect(x, y, CELL_W * (1.0 - eighth(0x2588)), CELL_H, color, 1.0),
        '▐' => rect(x + CELL_W / 2.0, y, CELL_W / 2.0, CELL_H, color, 1.0),
        '░' => rect(x, y, CELL_W, CELL_H, color, 0.25),
        '▒' => rect(x, y, CELL_W, CELL_H, color, 0.5),
        '▓' => rect(x, y, CELL_W, CELL_H, color, 0.75),
        _ => return None,
    })
}

/// Box drawing: which arms (up, right, down, left) leave the centre, and how they look.
fn line(c: char, x: f32, y: f32, color: &str) -> Option<String> {
    let (arms, width, dash) = match c {
        '─' | '╌' | '┄' | '┈' => ("rl", 1.0, c != '─'),
        '│' | '╎' | '┆' | '┊' => ("ud", 1.0, c != '│'),
        '━' => ("rl", 2.2, false),
        '┃' => ("ud", 2.2, false),
        '┌' => ("rd", 1.0, false),
        '┐' => ("ld", 1.0, false),
        '└' => ("ur", 1.0, false),
        '┘' => ("ul", 1.0, false),
        '├' => ("urd", 1.0, false),
        '┤' => ("uld", 1.0, false),
        '┬' => ("rdl", 1.0, false),
        '┴' => ("url", 1.0, false),
        '┼' => ("urdl", 1.0, false),
        '╭' | '╮' | '╰' | '╯' => return Some(arc(c, x, y, color)),
        _ => return None,
    };
    let (cx, cy) = (x + CELL_W / 2.0, y + CELL_H / 2.0);
    let mut path = String::new();
    for arm in arms.chars() {
        let (ex, ey) = match arm {
            'u' => (cx, y),
            'd' => (cx, y + CELL_H),
            'l' => (x, cy),
            _ => (x + CELL_W, cy),
        };
        write!(path, "M{cx:.2} {cy:.2}L{ex:.2} {ey:.2}").ok();
    }
    let dashes = if dash {
        r#" stroke-dasharray="2 2""#
    } else {
        ""
    };
    Some(stroke(&path, color, width, dashes))
}

fn arc(c: char, x: f32, y: f32, color: &str) -> String {
    let (cx, cy) = (x + CELL_W / 2.0, y + CELL_H / 2.0);
    let side = if matches!(c, '╭' | '╰') {
        x + CELL_W
    } else {
        x
    };
    let end = if matches!(c, '╭' | '╮') {
        y + CELL_H
    } else {
        y
    };
    let path = format!("M{side:.2} {cy:.2}Q{cx:.2} {cy:.2} {cx:.2} {end:.2}");
    stroke(&path, color, 1.0, "")
}

fn stroke(path: &str, color: &str, width: f32, more: &str) -> String {
    format!(
        "<path d=\"{path}\" stroke=\"{color}\" stroke-width=\"{width}\" fill=\"none\"{more}/>\n"
    )
}

/// Column and row of each bit's dot (Unicode 16, chapter 21.1).
const DOTS: [(f32, f32); 8] = [
    (0.0, 0.0),
    (0.0, 1.0),
    (0.0, 2.0),
    (1.0, 0.0),
    (1.0, 1.0),
    (1.0, 2.0),
    (0.0, 3.0),
    (1.0, 3.0),
];

/// U+2800 to U+28FF: two columns of four dots.
fn braille(c: char, x: f32, y: f32, color: &str) -> Option<String> {
    let bits = u32::from(c)
        .checked_sub(0x2800)
        .filter(|bits| *bits < 256)?;
    let mut out = String::new();
    let lit = |bit: &usize| bits >> bit & 1 == 1;
    for (dx, dy) in (0..8).filter(lit).map(|bit| DOTS[bit]) {
        let (px, py) = (
            x + CELL_W * (0.28 + 0.44 * dx),
            y + CELL_H * (0.125 + 0.25 * dy),
        );
        writeln!(
            out,
            r#"<circle cx="{px:.2}" cy="{py:.2}" r="1.3" fill="{color}"/>"#
        )
        .ok();
    }
    Some(out)
}
