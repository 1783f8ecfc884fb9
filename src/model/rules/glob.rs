//! [`Glob`]: a shell pattern (glob(7)).
//!
//! `*` any letters, `?` one letter, `[a-z]` and `[!a-z]` one of a set, `\` takes the next letter as it is. In a path
//! `*`, `?` and sets do not match `/`; `**` does.

use std::fmt;

/// What a pattern is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `*` matches anything.
    Text,
    /// `*` ends at a slash.
    Path,
}

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GlobError {
    /// It would match nothing.
    #[error("is empty")]
    Empty,
    /// `[` without its `]`.
    #[error("has a '[' without a ']'; write \\[ for the letter itself")]
    OpenSet,
    /// A set such as `[z-a]`.
    #[error("has the set {0}-{1}, which holds no letter")]
    EmptyRange(char, char),
    /// A backslash at the end.
    #[error("ends with a backslash")]
    OpenEscape,
}

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Letter(char),
    /// One letter; with `false` not a slash.
    One(bool),
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
        slash: bool,
    },
    /// Any letters but slashes.
    Star,
    /// Any letters.
    Deep,
}

impl Part {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Letter(letter) => *letter == c,
            Self::One(slash) => *slash || c != '/',
            Self::Set {
                negated,
                ranges,
                slash,
            } => {
                let is_in = ranges.iter().any(|(from, to)| (*from..=*to).contains(&c));
                is_in != *negated && (*slash || c != '/')
            }
            Self::Star | Self::Deep => false,
        }
    }
}

impl Glob {
    /// # Errors
    /// If the text is no pattern.
    pub fn new(text: &str, kind: Kind) -> Result<Self, GlobError> {
        if text.is_empty() {
            return Err(GlobError::Empty);
        }
        let is_path = kind == Kind::Path;
        let mut parts = Vec::new();
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            let part = match letter {
                '*' => {
                    let mut stars = 1;
                    while letters.next_if_eq(&'*').is_some() {
                        stars += 1;
                    }
                    if is_path && stars == 1 {
                        Part::Star
                    } else {
                        Part::Deep
                    }
                }
                '?' => Part::One(!is_path),
                '[' => set(&mut letters, !is_path).ok_or(GlobError::OpenSet)??,
                '\\' => Part::Letter(letters.next().ok_or(GlobError::OpenEscape)?),
                letter => Part::Letter(letter),
            };
            parts.push(part);
        }
        Ok(Self {
            text: text.to_owned(),
            parts,
        })
    }

    /// The whole text matches.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        // The places to go on from where a star or a deep star takes one more letter: the part behind it, and the rest
        // of the text that it has not taken. Only the last star of a part of a path and the last deep star matter.
        let mut star: Option<(usize, &str)> = None;
        let mut deep: Option<(usize, &str)> = None;
        let (mut at, mut rest) = (0, text);
        loop {
            let letter = rest.chars().next();
            match (self.parts.get(at), letter) {
                (Some(Part::Star), _) => {
                    star = Some((at + 1, rest));
                    at += 1;
                    continue;
                }
                (Some(Part::Deep), _) => {
                    deep = Some((at + 1, rest));
                    star = None;
                    at += 1;
                    continue;
                }
                (None, None) => return true,
                (Some(part), Some(letter)) if part.takes(letter) => {
                    at += 1;
                    rest = behind(rest, letter);
                    continue;
                }
                _ => {}
            }
            if let Some((behind_star, from)) = star
                && let Some(letter) = from.chars().next().filter(|letter| *letter != '/')
            {
                (at, rest) = (behind_star, behind(from, letter));
                star = Some((at, rest));
            } else if let Some((behind_deep, from)) = deep
                && let Some(letter) = from.chars().next()
            {
                (at, rest) = (behind_deep, behind(from, letter));
                deep = Some((at, rest));
                star = None;
            } else {
                return false;
            }
        }
    }
}

fn behind(text: &str, letter: char) -> &str {
    text.get(letter.len_utf8()..).unwrap_or_default()
}

/// A set, from behind its `[`; `None` without its end.
fn set(
    letters: &mut std::iter::Peekable<std::str::Chars<'_>>,
    slash: bool,
) -> Option<Result<Part, GlobError>> {
    let negated = letters.next_if(|c| matches!(c, '!' | '^')).is_some();
    let mut ranges = Vec::new();
    loop {
        let from = match letters.next()? {
            // As the first letter it stands for itself.
            ']' if !ranges.is_empty() => break,
            '\\' => letters.next()?,
            letter => letter,
        };
        let mut ahead = letters.clone();
        let to = match (ahead.next(), ahead.next()) {
            (Some('-'), Some(to)) if to != ']' => {
                letters.next();
                match letters.next()? {
                    '\\' => letters.next()?,
                    letter => letter,
                }
            }
            _ => from,
        };
        if to < from {
            return Some(Err(GlobError::EmptyRange(from, to)));
        }
        ranges.push((from, to));
    }
    Some(Ok(Part::Set {
        negated,
        ranges,
        slash,
    }))
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::{Glob, GlobError, Kind, Part};

    fn matches(pattern: &str, text: &str, kind: Kind) -> bool {
        Glob::new(pattern, kind).expect("a pattern").matches(text)
    }

    #[test]
    fn patterns_of_texts() {
        for (pattern, text, holds) in [
            ("postgres", "postgres", true),
            ("postgres", "postgresql", false),
            ("post*", "postgres", true),
            ("*=renderer*", "chrome --type=renderer -x /a/b", true),
            ("a*b*c", "axbxbyc", true),
            ("a*b*c", "axbxbyd", false),
            ("?[0-9]", "a7", true),
            ("[!0-9]x", "7x", false),
            ("[]]", "]", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("*", "", true),
            ("caf?", "caf\u{e9}", true),
        ] {
            assert_eq!(
                matches(pattern, text, Kind::Text),
                holds,
                "{pattern} {text}"
            );
        }
    }

    #[test]
    fn a_star_of_a_path_ends_at_a_slash_and_two_do_not() {
        for (pattern, text, holds) in [
            ("/usr/lib/*/postgres", "/usr/lib/16/postgres", true),
            ("/usr/lib/*/postgres", "/usr/lib/16/bin/postgres", false),
            ("/usr/lib/**/postgres", "/usr/lib/16/bin/postgres", true),
            ("**/b*/c", "/a/bx/y/bz/c", true),
            ("**/b*d/c", "/bx/d/b/c/bd/c", true),
            ("/a?b", "/a/b", false),
            ("/a[!x]b", "/a/b", false),
        ] {
            assert_eq!(
                matches(pattern, text, Kind::Path),
                holds,
                "{pattern} {text}"
            );
        }
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        let error = |text| Glob::new(text, Kind::Text).expect_err("no pattern");
        assert_eq!(error(""), GlobError::Empty);
        assert_eq!(error("a[bc"), GlobError::OpenSet);
        assert_eq!(error("[z-a]"), GlobError::EmptyRange('z', 'a'));
        assert_eq!(error("a\\"), GlobError::OpenEscape);
    }

    /// By the definition, whatever it costs.
    fn plainly(parts: &[Part], text: &[char]) -> bool {
        let Some((part, parts)) = parts.split_first() else {
            return text.is_empty();
        };
        match part {
            Part::Star => (0..=text.len())
                .take_while(|at| !text[..*at].contains(&'/'))
                .any(|at| plainly(parts, &text[at..])),
            Part::Deep => (0..=text.len()).any(|at| plainly(parts, &text[at..])),
            part => text
                .split_first()
                .is_some_and(|(letter, text)| part.takes(*letter) && plainly(parts, text)),
        }
    }

    proptest::proptest! {
        #[test]
        fn matches_as_the_definition_says(pattern in "[ab/*?]{1,8}", text in "[ab/]{0,8}") {
            for kind in [Kind::Text, Kind::Path] {
                let glob = Glob::new(&pattern, kind).expect("a pattern");
                let letters: Vec<_> = text.chars().collect();
                proptest::prop_assert_eq!(glob.matches(&text), plainly(&glob.parts, &letters));
            }
        }

        #[test]
        fn any_text_is_a_pattern_or_an_error(pattern in "\\PC{0,12}", text in "\\PC{0,12}") {
            if let Ok(glob) = Glob::new(&pattern, Kind::Path) {
                let _ = glob.matches(&text);
            }
        }

        #[test]
        fn a_name_with_its_letters_escaped_matches_itself(text in "\\PC{1,12}") {
            let escaped: String = text.chars().flat_map(|c| ['\\', c]).collect();
            proptest::prop_assert!(matches(&escaped, &text, Kind::Path));
        }
    }
}
