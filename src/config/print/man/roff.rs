//! [`Roff`]: writes man(7) pages that groff and mandoc take without a word.

/// Longest line of the source in bytes: mandoc complains about longer ones.
const WIDTH: usize = 78;

/// A page so far.
#[derive(Debug)]
pub(super) struct Roff {
    source: String,
    /// Nothing stands below the last heading: no paragraph macro is needed there.
    is_fresh: bool,
}

impl Roff {
    /// A page: `OOMTOP`, 1, the day of its text, who it is from, the title of the manual.
    pub(super) fn new(title: &str, section: u8, date: &str, manual: &str) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        let title = title.to_uppercase();
        Self {
            source: format!(".TH {title} {section} {date} \"oomtop {version}\" \"{manual}\"\n"),
            is_fresh: true,
        }
    }

    /// A heading.
    pub(super) fn section(&mut self, title: &str) {
        self.heading(".SH", &title.to_uppercase());
    }

    /// A heading of the second order.
    pub(super) fn subsection(&mut self, title: &str) {
        self.heading(".SS", title);
    }

    fn heading(&mut self, name: &str, title: &str) {
        let title = plain(title).replace('"', "\\(dq");
        self.source.extend([name, " \"", &title, "\"\n"]);
        self.is_fresh = true;
    }

    /// A paragraph; `code` is bold, and so is what stands between double asterisks.
    pub(super) fn paragraph(&mut self, text: &str) {
        self.separate(".PP");
        self.fill(text);
    }

    /// An item of a list: what it is about, and paragraphs that say what.
    pub(super) fn item<'a>(&mut self, tag: &str, paragraphs: impl IntoIterator<Item = &'a str>) {
        self.source += ".TP\n";
        // One line, however long.
        let tag = inline(tag);
        self.line(&tag);
        self.is_fresh = true;
        for paragraph in paragraphs {
            self.separate(".IP");
            self.fill(paragraph);
        }
        self.is_fresh = false;
    }

    /// Lines that stay as they are.
    pub(super) fn literal<'a>(&mut self, lines: impl IntoIterator<Item = &'a str>) {
        self.separate(".PP");
        self.source += ".RS 4\n.EX\n";
        for text in lines {
            let text = literal(text);
            self.line(&text);
        }
        self.source += ".EE\n.RE\n";
    }

    /// The source of the page.
    pub(super) fn source(self) -> String {
        self.source
    }

    fn separate(&mut self, by: &str) {
        if !self.is_fresh {
            self.source += by;
            self.source.push('\n');
        }
        self.is_fresh = false;
    }

    fn fill(&mut self, text: &str) {
        let text = inline(text);
        let mut line = String::new();
        for word in text.split_whitespace() {
            if !line.is_empty() && line.len() + 1 + word.len() > WIDTH {
                self.line(&line);
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line += word;
        }
        if !line.is_empty() {
            self.line(&line);
        }
    }

    /// A line of text that is no macro, whatever it begins with.
    fn line(&mut self, line: &str) {
        if line.starts_with(['.', '\'']) {
            self.source += "\\&";
        }
        self.source += line;
        self.source.push('\n');
    }
}

/// Text with marks: `bold`, **bold**, _slanted_ at the edge of words.
fn inline(text: &str) -> String {
    let mut out = String::new();
    for (at, part) in text.split('`').enumerate() {
        if at % 2 == 1 {
            out.extend(["\\fB", &literal(part), "\\fR"]);
            continue;
        }
        for (at, part) in part.split("**").enumerate() {
            let part = plain(part);
            if at % 2 == 1 {
                out.extend(["\\fB", &part, "\\fR"]);
            } else {
                out += &slanted(&part);
            }
        }
    }
    out
}

/// Words between underscores become slanted.
fn slanted(text: &str) -> String {
    let word = |word: &str| {
        let begin = word.find('_')?;
        let end = word.rfind('_')?;
        let inner = word.get(begin + 1..end).filter(|inner| !inner.is_empty())?;
        let before = word.get(..begin)?;
        let bare = |c: char| !c.is_alphanumeric();
        if !before.chars().all(bare) || !word.get(end + 1..)?.chars().all(bare) {
            return None;
        }
        Some(format!("{before}\\fI{inner}\\fR{}", word.get(end + 1..)?))
    };
    let words = text
        .split(' ')
        .map(|each| word(each).unwrap_or_else(|| each.to_owned()));
    words.collect::<Vec<_>>().join(" ")
}

/// Text of a sentence: a hyphen may be a hyphen there.
fn plain(text: &str) -> String {
    escaped(text, false)
}

/// Text that somebody copies: a hyphen is a minus.
fn literal(text: &str) -> String {
    escaped(text, true)
}

fn escaped(text: &str, is_literal: bool) -> String {
    let mut out = String::new();
    let mut before = ' ';
    for c in text.chars() {
        match c {
            '\\' => out += "\\e",
            '\'' => out += "\\(aq",
            '`' => out += "\\(ga",
            '^' => out += "\\(ha",
            '~' => out += "\\(ti",
            // In a sentence, that of an option or of a number below zero.
            '-' if is_literal || !before.is_alphanumeric() => out += "\\-",
            c if c.is_ascii() => out.push(c),
            c => out.extend(["\\[u", &format!("{:04X}", u32::from(c)), "]"]),
        }
        before = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Roff, inline};

    #[test]
    fn nothing_in_a_text_is_an_instruction() {
        assert_eq!(inline(r"\n"), r"\en");
        assert_eq!(
            inline("`--a-b` is _FILE_ of a_b, -1"),
            r"\fB\-\-a\-b\fR is \fIFILE\fR of a_b, \-1"
        );
        assert_eq!(inline("don't … **go**"), r"don\(aqt \[u2026] \fBgo\fR");
        let mut roff = Roff::new("x", 1, "2026-01-01", "m");
        roff.paragraph(".TH x");
        roff.literal(["'x", ""]);
        roff.item("`.`", ["a", "b"]);
        assert!(roff.source().ends_with(
            "\\&.TH x\n.PP\n.RS 4\n.EX\n\\(aqx\n\n.EE\n.RE\n.TP\n\\fB.\\fR\na\n.IP\nb\n"
        ));
    }

    #[test]
    fn lines_are_short_and_none_begins_with_a_dot() {
        let mut roff = Roff::new("x", 1, "2026-01-01", "m");
        roff.paragraph(&"a .b".repeat(60));
        roff.paragraph(&"word .word ".repeat(60));
        let source = roff.source();
        for line in source
            .lines()
            .filter(|line| !line.starts_with(".TH") && !line.starts_with(".PP"))
        {
            assert!(
                !line.starts_with('.') && (line.len() < 81 || !line.contains(' ')),
                "{line}"
            );
        }
    }
}
