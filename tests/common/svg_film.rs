//! The screens of a session as one SVG document that moves: CSS shows each piece of the screen while it stood there.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use super::screen::Screen;
use super::svg;

/// Columns of one piece. A row is cut into pieces, so that a number that changes does not draw its whole row again.
const PIECE: u16 = 10;

/// What stood at one place, from one moment to another.
struct Variant {
    from: Duration,
    to: Duration,
    drawn: String,
}

/// One document that shows every screen from its time on, for `length` in all, again and again.
pub(crate) fn render(screens: &[(Duration, Screen)], length: Duration, title: &str) -> String {
    let Some((_, first)) = screens.first() else {
        return String::new();
    };
    let (cols, rows) = first.size();
    let mut spans = Spans::default();
    let mut body = String::new();
    for row in 0..rows {
        for from in (0..cols).step_by(usize::from(PIECE)) {
            let columns = from..cols.min(from + PIECE);
            for variant in variants(screens, length, |screen, out| {
                svg::cells(out, screen, row, columns.clone());
            }) {
                spans.write(&mut body, &variant, length);
            }
        }
    }
    let mut out = svg::opening((cols, rows), title, &spans.style(length));
    out.push_str(&body);
    out.push_str(svg::CLOSING);
    out
}

/// What one place shows, and when; what stands is one variant.
fn variants(
    screens: &[(Duration, Screen)],
    length: Duration,
    draw: impl Fn(&Screen, &mut String),
) -> Vec<Variant> {
    let mut variants: Vec<Variant> = Vec::new();
    for (at, screen) in screens {
        let mut drawn = String::new();
        draw(screen, &mut drawn);
        if variants.last().is_some_and(|last| last.drawn == drawn) {
            continue;
        }
        if let Some(last) = variants.last_mut() {
            last.to = *at;
        }
        let from = if variants.is_empty() {
            Duration::ZERO
        } else {
            *at
        };
        variants.push(Variant {
            from,
            to: length,
            drawn,
        });
    }
    variants.retain(|variant| !variant.drawn.is_empty());
    variants
}

/// The spans of time that pieces share, by their name in the CSS.
#[derive(Default)]
struct Spans(BTreeMap<(Duration, Duration), usize>);

impl Spans {
    /// Writes the piece, hidden outside its span.
    fn write(&mut self, out: &mut String, variant: &Variant, length: Duration) {
        if variant.from.is_zero() && variant.to == length {
            out.push_str(&variant.drawn);
            return;
        }
        let next = self.0.len();
        let span = self.0.entry((variant.from, variant.to)).or_insert(next);
        write!(out, "<g class=\"s{span}\">\n{}</g>\n", variant.drawn).ok();
    }

    /// The CSS. Without animation the first screen stands.
    fn style(&self, length: Duration) -> String {
        let mut css = String::from("<style>\n");
        for ((from, to), name) in &self.0 {
            let percent = |at: &Duration| at.as_secs_f64() / length.as_secs_f64() * 100.0;
            let mut steps = String::new();
            if !from.is_zero() {
                steps.push_str("0%{visibility:hidden}");
            }
            write!(steps, "{:.3}%{{visibility:visible}}", percent(from)).ok();
            if *to < length {
                write!(steps, "{:.3}%{{visibility:hidden}}", percent(to)).ok();
            }
            let still = if from.is_zero() { "visible" } else { "hidden" };
            writeln!(
                css,
                "@keyframes k{name}{{{steps}}}.s{name}{{visibility:{still};animation:k{name} {:.1}s step-end infinite}}",
                length.as_secs_f64()
            )
            .ok();
        }
        css.push_str("</style>\n");
        css
    }
}
