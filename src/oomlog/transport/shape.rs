//! [`Shape`]: what the prefixes of a log's lines have in common, learned from one of them.

/// Most characters that a varying part of a prefix has.
const PART_MOST: usize = 64;
/// Most parts of a prefix.
const PARTS_MOST: usize = 64;

/// One part of a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// The same characters in every line.
    Same(String),
    /// A word that changes: a number, or letters and digits.
    Word,
    /// Blanks between words: columns are padded to a width.
    Blanks,
    /// Anything between brackets.
    Group(char, char),
}

/// The form of a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape(Vec<Part>);

/// Words that tell a level and so change from line to line.
const LEVELS: [&str; 14] = [
    "emerg", "alert", "crit", "err", "error", "warn", "warning", "notice", "info", "debug",
    "EMERG", "ERROR", "WARNING", "INFO",
];

impl Shape {
    /// The form of this prefix.
    pub(super) fn of(prefix: &str) -> Self {
        let mut parts = Vec::new();
        let mut rest = prefix;
        while let Some(first) = rest.chars().next() {
            if parts.len() >= PARTS_MOST {
                parts.push(Part::Same(rest.to_owned()));
                break;
            }
            if let Some((close, length)) = group(rest) {
                parts.push(Part::Group(first, close));
                rest = rest.get(length..).unwrap_or("");
                continue;
            }
            let alike = class(first);
            // A bracket may open a group.
            let ends = |c: char| class(c) != alike || "[(<{".contains(c);
            let (_, others) = rest.split_at(first.len_utf8());
            let end = first.len_utf8() + others.find(ends).unwrap_or(others.len());
            let (part, after) = rest.split_at(end);
            parts.push(match alike {
                // The last blanks belong to the text where they differ.
                Class::Blank if after.is_empty() || parts.is_empty() => Part::Same(part.to_owned()),
                Class::Blank => Part::Blanks,
                Class::Word if changes(part) => Part::Word,
                Class::Word | Class::Other => Part::Same(part.to_owned()),
            });
            rest = after;
        }
        Self(parts)
    }

    /// The text behind a prefix of this form.
    pub(super) fn strip<'a>(&self, text: &'a str) -> Option<&'a str> {
        let mut rest = text;
        for part in &self.0 {
            rest = match part {
                Part::Same(same) => rest.strip_prefix(same.as_str())?,
                Part::Word => run(rest, Class::Word)?,
                Part::Blanks => run(rest, Class::Blank)?,
                Part::Group(open, close) => {
                    let inside = rest.strip_prefix(*open)?;
                    let (at, _) = inside
                        .char_indices()
                        .take(PART_MOST)
                        .find(|(_, c)| c == close)?;
                    inside.get(at + close.len_utf8()..)?
                }
            };
        }
        Some(rest)
    }

    /// True if exactly this prefix has the form.
    pub(super) fn is_of(&self, prefix: &str) -> bool {
        self.strip(prefix) == Some("")
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Word,
    Blank,
    Other,
}

fn class(c: char) -> Class {
    if c.is_alphanumeric() || c == '_' {
        Class::Word
    } else if c.is_whitespace() {
        Class::Blank
    } else {
        Class::Other
    }
}

fn changes(word: &str) -> bool {
    word.chars().any(|c| c.is_ascii_digit())
        || word.chars().nth(1).is_none()
        || LEVELS.contains(&word)
}

/// The text behind the run of such characters at the beginning, which is not empty and not long.
fn run(text: &str, alike: Class) -> Option<&str> {
    let end = text
        .char_indices()
        .find(|(_, c)| class(*c) != alike)
        .map_or(text.len(), |(at, _)| at);
    (end > 0 && end <= PART_MOST * 4).then(|| text.get(end..))?
}

/// The closing bracket of a group at the beginning of the text, and the length of the group in bytes.
fn group(text: &str) -> Option<(char, usize)> {
    let mut chars = text.char_indices().take(PART_MOST);
    let close = match chars.next()?.1 {
        '[' => ']',
        '(' => ')',
        '<' => '>',
        '{' => '}',
        _ => return None,
    };
    let (at, _) = chars.find(|(_, c)| *c == close)?;
    Some((close, at + close.len_utf8()))
}

/// Bytes of the groups in brackets that begin the text, and of the blanks and the sign between them.
pub(super) fn tag_length(text: &str) -> usize {
    let mut rest = text;
    loop {
        if let Some((_, length)) = group(rest) {
            rest = rest.get(length..).unwrap_or("");
        } else if let Some(after) = rest.strip_prefix([' ', '-']) {
            rest = after;
        } else {
            return text.len() - rest.len();
        }
    }
}

/// True if a prefix can only be the transport's: brackets with their content, numbers, single letters, names of
/// levels and of the kernel. A message of the kernel about a device has words and a colon.
pub(super) fn is_tag(prefix: &str) -> bool {
    let mut bare = String::new();
    let mut rest = prefix;
    while let Some(first) = rest.chars().next() {
        let (kept, length) =
            group(rest).map_or((first, first.len_utf8()), |(_, length)| (' ', length));
        bare.push(kept);
        rest = rest.get(length..).unwrap_or("");
    }
    bare.split_whitespace().all(|token| {
        let word = token.trim_matches(|c: char| !c.is_alphanumeric());
        word.chars().nth(1).is_none()
            || word.bytes().all(|b| b.is_ascii_digit())
            || LEVELS.contains(&word)
            || matches!(word, "kernel" | "kern")
            || is_source_line(token)
    })
}

/// `kmsg.go:123]` of programs that log with file and line.
fn is_source_line(token: &str) -> bool {
    token
        .strip_suffix(']')
        .and_then(|token| token.rsplit_once(':'))
        .is_some_and(|(file, line)| {
            file.contains('.') && !line.is_empty() && line.bytes().all(|b| b.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    use super::{Shape, is_tag};

    #[test]
    fn a_form_fits_the_other_lines_of_its_log() {
        for (learned, line, text) in [
            ("-(1)[310:acorn]", "-(12)[7:web]anon 5", "anon 5"),
            ("(1)[310:acorn]", "(12)[7:kworker/0:1]anon 5", "anon 5"),
            ("    ", "    [    309]     0", "[    309]     0"),
            ("web-1  | ", "web-12 | x", "x"),
            ("node7 W [310:a] ", "node12 I [4:b c] y", "y"),
            ("801:", "9:z", "z"),
        ] {
            assert_eq!(Shape::of(learned).strip(line), Some(text), "{learned}");
        }
        assert_eq!(Shape::of("usb 1-1: ").strip("ata 1-1: x"), None);
        assert!(Shape::of("(1)[310:acorn]").is_of("(0)[9:b]"));
        assert!(!Shape::of("(1)[310:acorn]").is_of("(0)[9:b]x"));
    }

    #[test]
    fn what_only_a_transport_writes() {
        for tag in [
            "(1)[310:acorn]",
            "    ",
            "W [0:  acorn:  310] ",
            "<4>",
            " 1 kmsg.go:123] ",
            "-(1)[3:x]",
            "kern: warning: ",
        ] {
            assert!(is_tag(tag), "{tag}");
        }
        for words in ["usb 1-1: Product: ", "supervisor: ", "web-1 | "] {
            assert!(!is_tag(words), "{words}");
        }
    }
}
