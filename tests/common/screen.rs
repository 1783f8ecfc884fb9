//! What a user would see on the terminal: text, positions and styles of a parsed screen.

use std::fmt::Write as _;

/// The emulated terminal at one moment.
pub(crate) struct Screen(pub(crate) vt100::Screen);

impl Screen {
    /// Columns and rows.
    pub(crate) fn size(&self) -> (u16, u16) {
        let (rows, cols) = self.0.size();
        (cols.get(), rows.get())
    }

    /// One string per row, right-trimmed.
    pub(crate) fn lines(&self) -> Vec<String> {
        let (cols, _) = self.size();
        self.0
            .rows(0, cols)
            .map(|row| row.trim_end().to_owned())
            .collect()
    }

    /// All rows, joined by newlines.
    pub(crate) fn text(&self) -> String {
        self.lines().join("\n")
    }

    /// True when `text` is on one row of the screen.
    pub(crate) fn has(&self, text: &str) -> bool {
        self.line_with(text).is_some()
    }

    /// True when every one of `words` is somewhere on the screen, regardless of case.
    pub(crate) fn has_words(&self, words: &[&str]) -> bool {
        let all = self.text().to_lowercase();
        words.iter().all(|word| all.contains(&word.to_lowercase()))
    }

    /// The first row that contains `text`.
    pub(crate) fn line_with(&self, text: &str) -> Option<String> {
        self.lines().into_iter().find(|line| line.contains(text))
    }

    /// Column and row of the first cell of `text`.
    pub(crate) fn find(&self, text: &str) -> Option<(u16, u16)> {
        let (cols, rows) = self.size();
        for row in 0..rows {
            let line = self.0.rows(0, cols).nth(usize::from(row))?;
            if let Some(byte) = line.find(text) {
                let col = line[..byte].chars().count();
                return Some((u16::try_from(col).ok()?, row));
            }
        }
        None
    }

    /// The screen with a `{style}` note before each run of cells that differs from plain text.
    pub(crate) fn styled(&self) -> String {
        let (cols, rows) = self.size();
        let mut out = String::new();
        for row in 0..rows {
            let mut last = String::new();
            for col in 0..cols {
                let Some(cell) = self.0.cell(row, col) else {
                    continue;
                };
                if cell.is_wide_continuation() {
                    continue;
                }
                let style = style_name(cell);
                if style != last {
                    write!(out, "{{{style}}}").ok();
                    last = style;
                }
                out.push_str(if cell.has_contents() {
                    cell.contents()
                } else {
                    " "
                });
            }
            out.push('\n');
        }
        out
    }

    /// The screen in a frame with its size, for failure messages.
    pub(crate) fn framed(&self) -> String {
        let (cols, rows) = self.size();
        let mut out = format!("screen {cols}x{rows}:\n");
        for (n, line) in self.lines().iter().enumerate() {
            writeln!(out, "{n:>3} |{line}").ok();
        }
        out
    }
}

fn style_name(cell: &vt100::Cell) -> String {
    let mut parts = Vec::new();
    for (color, ground) in [(cell.fgcolor(), "fg"), (cell.bgcolor(), "bg")] {
        match color {
            vt100::Color::Default => {}
            vt100::Color::Idx(i) => parts.push(format!("{ground}={i}")),
            vt100::Color::Rgb(r, g, b) => parts.push(format!("{ground}=#{r:02x}{g:02x}{b:02x}")),
        }
    }
    for (on, name) in [
        (cell.bold(), "bold"),
        (cell.dim(), "dim"),
        (cell.italic(), "italic"),
        (cell.underline(), "underline"),
        (cell.inverse(), "inverse"),
    ] {
        if on {
            parts.push(name.to_owned());
        }
    }
    parts.join(" ")
}
