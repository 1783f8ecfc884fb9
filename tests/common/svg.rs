//! A terminal screen as an SVG picture: an exact grid of cells, colours and bold kept.

use std::fmt::Write as _;
use std::ops::Range;

use super::screen::Screen;
use super::svg_glyph;

/// Width of one cell.
pub(crate) const CELL_W: f32 = 8.4;
/// Height of one cell.
pub(crate) const CELL_H: f32 = 18.0;
const BASELINE: f32 = 13.4;
const FONT_SIZE: f32 = 14.0;
const PAD: f32 = 14.0;
const TITLE_H: f32 = 30.0;

const BACKGROUND: &str = "#12151c";
const FOREGROUND: &str = "#d3d7de";
const FRAME: &str = "#1c212b";
const MUTED: &str = "#7d8590";

/// The sixteen named colours, muted enough to read on the dark background.
const NAMED: [&str; 16] = [
    "#2a303c", "#f2616a", "#8fce6a", "#e6b450", "#5ea7f5", "#c98cf0", "#4fc4cf", "#c9ced6",
    "#687180", "#ff858c", "#aee58a", "#ffd173", "#8cc4ff", "#dfb0ff", "#7fe0e8", "#f2f4f7",
];

/// Looks of one run of cells.
#[derive(Clone, PartialEq)]
struct Look {
    fg: String,
    bg: String,
    /// SVG attributes for bold, dim, italic and underline.
    font: String,
    underline: bool,
}

/// The screen as one SVG document with `title` in its window frame.
pub(crate) fn render(screen: &Screen, title: &str) -> String {
    let (cols, rows) = screen.size();
    let mut out = opening((cols, rows), title, "");
    for row in 0..rows {
        cells(&mut out, screen, row, 0..cols);
    }
    out.push_str(CLOSING);
    out
}

/// The same with numbered dots in the left margin, the first at the first of these rows.
pub(crate) fn render_numbered(screen: &Screen, title: &str, rows: &[u16]) -> String {
    let mut out = render(screen, title);
    out.truncate(out.len() - CLOSING.len());
    for (number, row) in (1..).zip(rows) {
        let y = f32::from(*row) * CELL_H + CELL_H / 2.0;
        writeln!(
            out,
            r##"<circle cx="-7" cy="{y:.1}" r="7" fill="#e6b450"/><text x="-7" y="{:.1}" text-anchor="middle" font-size="11" font-weight="bold" fill="{BACKGROUND}">{number}</text>"##,
            y + 4.0
        )
        .ok();
    }
    out.push_str(CLOSING);
    out
}

/// The end of a document.
pub(crate) const CLOSING: &str = "</g></g></svg>\n";

/// The beginning of a document for a screen of this size: the window, the font, `style` as CSS.
pub(crate) fn opening((cols, rows): (u16, u16), title: &str, style: &str) -> String {
    let inner = (f32::from(cols) * CELL_W, f32::from(rows) * CELL_H);
    let (width, height) = (inner.0 + 2.0 * PAD, inner.1 + PAD + TITLE_H + PAD / 2.0);
    let mut out = String::new();
    write!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0}" height="{height:.0}" viewBox="0 0 {width:.1} {height:.1}">
<title>{title}</title>
{style}<rect width="100%" height="100%" rx="9" fill="{FRAME}"/>
<rect x="1" y="{TITLE_H}" width="{:.1}" height="{:.1}" rx="8" fill="{BACKGROUND}"/>
<g fill="{MUTED}"><circle cx="18" cy="15" r="5"/><circle cx="36" cy="15" r="5"/><circle cx="54" cy="15" r="5"/></g>
<g font-family="'DejaVu Sans Mono','Liberation Mono',Menlo,Consolas,monospace" font-size="{FONT_SIZE}" xml:space="preserve">
<text x="{:.1}" y="20" fill="{MUTED}" text-anchor="middle" font-size="13">{title}</text>
<g transform="translate({PAD},{:.1})">
"#,
        width - 2.0,
        height - TITLE_H - 1.0,
        width / 2.0,
        TITLE_H + PAD / 2.0,
        title = escaped(title),
    )
    .ok();
    out
}

/// Columns of one row: runs of equal look become one background and one text each.
pub(crate) fn cells(out: &mut String, screen: &Screen, row: u16, columns: Range<u16>) {
    let (mut col, cols) = (columns.start, columns.end);
    while col < cols {
        let Some(cell) = screen.0.cell(row, col) else {
            break;
        };
        let look = look_of(cell);
        let start = col;
        let mut text = Vec::new();
        while let Some(cell) = screen.0.cell(row, col).filter(|_| col < cols) {
            if look_of(cell) != look && !cell.is_wide_continuation() {
                break;
            }
            if !cell.is_wide_continuation() {
                let glyph = if cell.has_contents() {
                    cell.contents()
                } else {
                    " "
                };
                text.push((col, glyph.to_owned(), if cell.is_wide() { 2 } else { 1 }));
            }
            col += 1;
        }
        let (x, y) = (f32::from(start) * CELL_W, f32::from(row) * CELL_H);
        if look.bg != BACKGROUND {
            // A small overlap hides the seam between rows of one colour.
            let width = f32::from(col - start) * CELL_W;
            writeln!(
                out,
                r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{:.1}" fill="{}" shape-rendering="crispEdges"/>"#,
                CELL_H + 0.3,
                look.bg
            )
            .ok();
        }
        glyphs(out, &text, y, &look);
    }
}

/// Block and line characters are drawn, all else is text, word by word on the grid.
fn glyphs(out: &mut String, cells: &[(u16, String, u16)], y: f32, look: &Look) {
    let mut word: Option<(u16, u16, String)> = None;
    let flush = |out: &mut String, word: &mut Option<(u16, u16, String)>| {
        if let Some((start, end, text)) = word.take() {
            write_text(out, start, end, &text, y, look);
        }
    };
    for (col, glyph, width) in cells {
        let x = f32::from(*col) * CELL_W;
        if let Some(shape) = svg_glyph::shape(glyph, x, y, &look.fg) {
            flush(out, &mut word);
            out.push_str(&shape);
        } else if glyph == " " && !look.underline {
            flush(out, &mut word);
        } else {
            let (_, end, text) = word.get_or_insert_with(|| (*col, *col, String::new()));
            text.push_str(glyph);
            *end = col + width;
        }
    }
    flush(out, &mut word);
}

fn write_text(out: &mut String, start: u16, end: u16, text: &str, y: f32, look: &Look) {
    writeln!(
        out,
        r#"<text x="{:.1}" y="{:.1}" textLength="{:.1}" lengthAdjust="spacingAndGlyphs" fill="{}"{}>{}</text>"#,
        f32::from(start) * CELL_W,
        y + BASELINE,
        f32::from(end - start) * CELL_W,
        look.fg,
        look.font,
        escaped(text),
    )
    .ok();
}

fn look_of(cell: &vt100::Cell) -> Look {
    let mut fg = color(cell.fgcolor(), FOREGROUND);
    let mut bg = color(cell.bgcolor(), BACKGROUND);
    if cell.inverse() {
        std::mem::swap(&mut fg, &mut bg);
    }
    let mut font = String::new();
    for (on, attribute) in [
        (cell.bold(), r#" font-weight="bold""#),
        (cell.dim(), r#" opacity="0.65""#),
        (cell.italic(), r#" font-style="italic""#),
        (cell.underline(), r#" text-decoration="underline""#),
    ] {
        if on {
            font.push_str(attribute);
        }
    }
    Look {
        fg,
        bg,
        font,
        underline: cell.underline(),
    }
}

/// A terminal colour as SVG writes it: the palette of xterm for the 256 indexed ones.
fn color(color: vt100::Color, default: &str) -> String {
    match color {
        vt100::Color::Default => default.to_owned(),
        vt100::Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
        vt100::Color::Idx(i @ 0..16) => NAMED[usize::from(i)].to_owned(),
        vt100::Color::Idx(i @ 16..232) => {
            let cube = i - 16;
            let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
            let (r, g, b) = (level(cube / 36), level(cube / 6 % 6), level(cube % 6));
            format!("#{r:02x}{g:02x}{b:02x}")
        }
        vt100::Color::Idx(i) => {
            let grey = 8 + 10 * (i - 232);
            format!("#{grey:02x}{grey:02x}{grey:02x}")
        }
    }
}

/// XML text. Control characters, which XML cannot hold, become a replacement mark.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
