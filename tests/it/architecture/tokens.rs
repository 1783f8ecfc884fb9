//! Rust source as words and signs with line numbers, without comments, literals and test-only code.

/// A word, `::`, or one other sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'s> {
    pub(super) text: &'s str,
    pub(super) line: usize,
}

impl Token<'_> {
    pub(super) fn is_word(self) -> bool {
        self.text
            .starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

const TEST_ONLY: &[&str] = &["#", "[", "cfg", "(", "test", ")", "]"];

/// The tokens of the program itself: items marked `#[cfg(test)]` are left out.
pub(super) fn program_tokens(source: &str) -> Vec<Token<'_>> {
    let all = tokens(source);
    let mut kept = Vec::new();
    let mut at = 0;
    while at < all.len() {
        if begins(&all[at..], TEST_ONLY) {
            at += TEST_ONLY.len();
            at += item_length(&all[at..]);
        } else {
            kept.push(all[at]);
            at += 1;
        }
    }
    kept
}

/// The names of the `mod name;` that only tests compile.
pub(super) fn test_modules(source: &str) -> Vec<&str> {
    let all = tokens(source);
    let mut found = Vec::new();
    for at in 0..all.len() {
        if !begins(&all[at..], TEST_ONLY) {
            continue;
        }
        let item = &all[at + TEST_ONLY.len()..];
        let item = &item[..item_length(item)];
        if let [.., word, name, end] = item
            && word.text == "mod"
            && end.text == ";"
        {
            found.push(name.text);
        }
    }
    found
}

fn begins(tokens: &[Token<'_>], wanted: &[&str]) -> bool {
    tokens.len() >= wanted.len() && tokens.iter().zip(wanted).all(|(t, w)| t.text == *w)
}

/// Tokens up to and with the `;` or the closing brace that ends an item.
fn item_length(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => {
                depth = depth.saturating_sub(1);
                if depth == 0 && token.text == "}" {
                    let ends_value = tokens.get(at + 1).is_some_and(|t| t.text == ";");
                    return at + 1 + usize::from(ends_value);
                }
            }
            ";" if depth == 0 => return at + 1,
            _ => {}
        }
    }
    tokens.len()
}

fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while let Some(c) = source[at..].chars().next() {
        let rest = &source[at..];
        let length = if c.is_whitespace() {
            c.len_utf8()
        } else if let Some(length) = comment(rest).or_else(|| literal(rest)) {
            length
        } else {
            let length = match rest.find(|c: char| !c.is_alphanumeric() && c != '_') {
                Some(0) if rest.starts_with("::") => 2,
                Some(0) => c.len_utf8(),
                Some(length) => length,
                None => rest.len(),
            };
            let text = &rest[..length];
            found.push(Token { text, line });
            length
        };
        line += rest[..length].matches('\n').count();
        at += length;
    }
    found
}

fn comment(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if !rest.starts_with("/*") {
        return None;
    }
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        let here = &rest.as_bytes()[at..];
        if here.starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if here.starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += 1;
        }
    }
    Some(rest.len())
}

/// A string, raw string or character; the prefixes `b`, `c` and `r` are part of it. A lifetime as well:
/// it names nothing.
fn literal(rest: &str) -> Option<usize> {
    let prefix = rest
        .find(|c: char| !"bcr".contains(c))
        .unwrap_or(rest.len());
    let body = &rest[prefix..];
    if prefix > 2 {
        return None;
    }
    let hashes = body.find(|c| c != '#').unwrap_or(0);
    if rest[..prefix].contains('r') && body[hashes..].starts_with('"') {
        let end = format!("\"{}", "#".repeat(hashes));
        let from = prefix + hashes + 1;
        let close = rest[from..].find(&end).map(|at| from + at + end.len());
        return Some(close.unwrap_or(rest.len()));
    }
    match body.chars().next() {
        Some('"') => Some(prefix + quoted(body, '"')),
        Some('\'') => {
            let mut chars = body.chars().skip(1);
            let is_char = chars.next() == Some('\\') || chars.next() == Some('\'');
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            let lifetime = || 1 + body[1..].find(|c| !is_word(c)).unwrap_or(body.len() - 1);
            Some(
                prefix
                    + if is_char {
                        quoted(body, '\'')
                    } else {
                        lifetime()
                    },
            )
        }
        _ => None,
    }
}

/// Length of what begins with `quote` and ends with the next one that is not escaped.
fn quoted(body: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in body.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == quote {
            return at + c.len_utf8();
        }
    }
    body.len()
}

#[test]
fn words_in_comments_and_literals_are_no_code() {
    let source = r##"
// crate::a
/* crate::b /* crate::c */ crate::d */
let e = "crate::e \" crate::f"; let g = r#"crate::g " crate::h"#; let i = b'\''; let j: &'static str = 'k';
crate::seen
"##;
    let found = tokens(source);
    let named: Vec<_> = found.iter().filter(|t| t.text == "seen").collect();
    assert_eq!(named.len(), 1);
    assert_eq!(named[0].line, 5);
    assert_eq!(found.iter().filter(|t| t.text == "crate").count(), 1);
}

#[test]
fn what_only_tests_compile_is_left_out() {
    let source = "fn a() {}\n#[cfg(test)]\nmod tests { use crate::x; mod y { } }\n\
                  #[cfg(test)]\nmod apart;\n#[cfg(test)] pub(crate) mod shared;\n#[cfg(test)] use crate::{z, q};\nfn b() {}";
    let words: Vec<_> = program_tokens(source).iter().map(|t| t.text).collect();
    assert_eq!(words.join(" "), "fn a ( ) { } fn b ( ) { }");
    assert_eq!(test_modules(source), ["apart", "shared"]);
}
