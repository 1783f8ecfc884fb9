//! The alternatives of a term: what stands between its `|`.

use super::contains;

/// What stands between the `|` of a term, but not those between quotes. Nothing is no alternative: so ends a term that is
/// still being typed.
pub fn alternatives(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(word);
    let parts = std::iter::from_fn(move || {
        let text = rest?;
        let (part, more) = match end_of_alternative(text) {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        rest = more;
        Some(part)
    });
    parts.filter(|part| !part.is_empty())
}

/// The text of a quoted value.
pub fn unquoted(value: &str) -> &str {
    let Some(text) = value.strip_prefix('"') else {
        return value;
    };
    text.strip_suffix('"').unwrap_or(text)
}

/// The first `|` that is not between quotes.
fn end_of_alternative(text: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + text[from..].find(['|', '"'])?;
        if text[at..].starts_with('|') {
            return Some(at);
        }
        // A quote that nothing closes is a letter.
        let closed = text[at + 1..].find('"');
        from = closed.map_or(at + 1, |end| at + 1 + end + 1);
    }
}

/// True if one of the parts between the `|` of `wanted` is in one of these texts, or if there are none; `wanted` is lower
/// case already. In quotes a `|` is a sign like any other.
pub fn any_of(wanted: &str, texts: &[&str]) -> bool {
    let parts = alternatives(wanted).map(|part| unquoted(part.trim()));
    let mut parts = parts.filter(|part| !part.is_empty()).peekable();
    let is_in = |part: &str| texts.iter().any(|text| contains(text, part));
    parts.peek().is_none() || parts.any(is_in)
}
