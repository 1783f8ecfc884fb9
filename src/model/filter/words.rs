//! The terms of a filter as typed: blanks, quotes, and names of fields that do not exist.

use super::either::alternatives;
use super::keys::{key_names, keys};
use super::number::{field_names, fields};

/// Names that other programs have for a field.
const ALIASES: &[(&str, &str)] = &[
    ("mem", "rss>"),
    ("memory", "rss>"),
    ("res", "rss>"),
    ("rsz", "rss>"),
    ("vsz", "rss>"),
    ("uid", "user:"),
    ("comm", "name:"),
    ("cmd", "name:"),
    ("command", "name:"),
    ("proc", "name:"),
    ("process", "name:"),
    ("cg", "cgroup:"),
    ("group", "cgroup:"),
    ("slice", "cgroup:"),
    ("oom", "adj<"),
];

/// The terms of a filter: blanks separate them, but not those around an operator (`rss > 100M`) or a `|`, nor those between
/// quotes. A `|` with nothing on either side is none.
pub fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let blank = || rest.find(char::is_whitespace).unwrap_or(rest.len());
        let end = quoted(rest).unwrap_or_else(blank);
        let (word, more) = rest.split_at(end);
        let joins = words.last().is_some_and(|last| {
            if last.ends_with('|') || word.starts_with('|') {
                return true;
            }
            let bare = last.rsplit('|').next().unwrap_or(last);
            let bare = bare.trim_start_matches('!');
            let (name, sign) = split_sign(bare);
            // `rss` and `>100M`, or `rss>` and `100M`.
            (is_field(bare) && !split_sign(word).1.is_empty() && split_sign(word).0.is_empty())
                || (is_field(name) && !sign.is_empty() && bare.len() == name.len() + sign.len())
        });
        match words.last_mut() {
            Some(last) if joins => last.push_str(word),
            _ => words.push(word.to_owned()),
        }
        rest = more.trim_start();
    }
    words.retain(|word| alternatives(word).next().is_some());
    words
}

/// The end of a term that is quoted: the whole of it, or what stands behind its key or `!`.
fn quoted(rest: &str) -> Option<usize> {
    let start = rest.find(|c: char| c.is_whitespace() || c == '"')?;
    let before = rest[..start].strip_suffix('!').unwrap_or(&rest[..start]);
    let is_value = before.is_empty() || before.ends_with([':', '|']);
    let end = rest[start..].strip_prefix('"')?.find('"')?;
    is_value.then_some(start + end + 2)
}

/// All names of keys and fields.
fn known() -> impl Iterator<Item = &'static str> {
    key_names().chain(field_names())
}

fn is_field(name: &str) -> bool {
    known().any(|known| known == name)
}

/// The letters in front of the first operator, and the operator; empty if there is none.
fn split_sign(word: &str) -> (&str, &str) {
    let is_sign = |c: char| matches!(c, ':' | '<' | '>' | '=' | '!');
    let Some(at) = word.find(is_sign) else {
        return (word, "");
    };
    let (name, rest) = word.split_at(at);
    let two = rest.chars().nth(1) == Some('=') && !rest.starts_with(':');
    (name, rest.get(..if two { 2 } else { 1 }).unwrap_or(""))
}

/// A sentence about a field that does not exist: as text the term would match nothing, and say nothing.
pub(super) fn unknown_field(word: &str) -> Option<String> {
    let (name, sign) = split_sign(word);
    let value = word.get(name.len() + sign.len()..).unwrap_or("");
    let is_name =
        (2..=16).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    // `http://…`, and a process title such as `sshd:`.
    if !is_name
        || sign.is_empty()
        || sign == "!"
        || value.is_empty()
        || value.starts_with(['/', ':'])
    {
        return None;
    }
    let by_alias = ALIASES.iter().find(|(alias, _)| *alias == name);
    let near = || known().find(|field| name.contains(field) || differ_by_one(name, field));
    let hint = if let Some(field) = by_alias.map(|(_, field)| *field).or_else(near) {
        format!("{field}…?")
    } else {
        let all: Vec<_> = keys().chain(fields()).collect();
        format!("fields: {}", all.join(" "))
    };
    Some(format!("no field '{name}'; {hint} As text: \"{word}\""))
}

/// One letter is missing, too many or wrong.
fn differ_by_one(a: &str, b: &str) -> bool {
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a.as_bytes()[same..], &b.as_bytes()[same..]);
    let after = |of: &[u8]| of.get(1..).unwrap_or(&[]).to_vec();
    after(a) == after(b) || a == after(b) || after(a) == b
}
