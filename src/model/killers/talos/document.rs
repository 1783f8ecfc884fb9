//! [`Document`]: the `OOMConfig` among the documents of a machine's configuration.

use super::on_one_line;

/// Most letters kept of an expression.
const LONGEST: usize = 4096;

/// What the document sets.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Document {
    pub(super) trigger: Option<String>,
    pub(super) ranking: Option<String>,
    pub(super) by_class: Option<bool>,
}

impl Document {
    /// The document of this kind in a text of several; `None` if there is none.
    pub(super) fn find(text: &str) -> Option<Self> {
        let lines: Vec<&str> = text.lines().collect();
        let mut documents = lines.split(|line| line.trim_end() == "---");
        let lines = documents.find(|lines| value(lines, "kind").as_deref() == Some("OOMConfig"))?;
        Some(Self {
            trigger: value(lines, "triggerExpression").filter(|text| !text.is_empty()),
            ranking: value(lines, "cgroupRankingExpression").filter(|text| !text.is_empty()),
            by_class: match value(lines, "strictCgroupClassOrdering").as_deref() {
                Some("true") => Some(true),
                Some("false") => Some(false),
                _ => None,
            },
        })
    }

    /// True if it sets anything.
    pub(super) fn is_set(&self) -> bool {
        *self != Self::default()
    }
}

/// The value of a key at the margin on one line: plain, quoted, or a block below it.
fn value(lines: &[&str], key: &str) -> Option<String> {
    let is_key = |line: &str| {
        let rest = line.strip_prefix(key);
        rest.is_some_and(|rest| rest.trim_start().starts_with(':'))
    };
    let at = lines.iter().position(|line| is_key(line))?;
    let (_, first) = lines.get(at)?.split_once(':')?;
    let below = lines.get(at + 1..).unwrap_or_default().iter();
    let below = below.take_while(|line| line.trim().is_empty() || line.starts_with([' ', '\t']));
    let first = first.trim();
    let is_block = first.starts_with(['|', '>']);
    let mut text = if is_block {
        String::new()
    } else {
        first.to_owned()
    };
    for line in below {
        text.push(' ');
        text.push_str(line.trim());
    }
    let text: String = on_one_line(&text).chars().take(LONGEST).collect();
    Some(if is_block { text } else { unquoted(&text) })
}

/// A word or a text in quotes, without the quotes and a comment behind it.
fn unquoted(text: &str) -> String {
    if let Some(rest) = text.strip_prefix('\'') {
        // A quote inside is written twice.
        let end = rest.replace("''", "\u{0}").find('\'');
        let inside = rest.replace("''", "\u{0}");
        return inside
            .get(..end.unwrap_or(inside.len()))
            .unwrap_or_default()
            .replace('\u{0}', "'");
    }
    if let Some(rest) = text.strip_prefix('"') {
        let mut inside = String::new();
        let mut letters = rest.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '"' => break,
                '\\' => inside.extend(letters.next()),
                letter => inside.push(letter),
            }
        }
        return inside;
    }
    text.split(" #")
        .next()
        .unwrap_or(text)
        .trim_end()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::Document;

    fn trigger(text: &str) -> Option<String> {
        Document::find(&format!(
            "kind: OOMConfig\ntriggerExpression: {text}\nother: 1\n"
        ))?
        .trigger
    }

    #[test]
    fn expressions_in_each_spelling() {
        let wanted = Some("a > 1.0 && b == \"x\"");
        for text in [
            "a > 1.0 && b == \"x\"   # why",
            "'a > 1.0 && b == \"x\"'",
            "\"a > 1.0 && b == \\\"x\\\"\"",
            "|-\n    a > 1.0 &&\n    b == \"x\"",
            ">\n  a > 1.0\n\n  && b == \"x\"",
            "a > 1.0 &&\n  b == \"x\"",
        ] {
            assert_eq!(trigger(text).as_deref(), wanted, "{text}");
        }
        assert_eq!(trigger("'it''s'").as_deref(), Some("it's"));
        assert_eq!(trigger(""), None);
        assert_eq!(Document::find("kind: MachineConfig\n"), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "(kind|: ?|OOMConfig|triggerExpression|---|\n|'|\"|\\\\|\\||>| |\\PC)*") {
            let _ = Document::find(&text);
            let _ = trigger(&text);
        }
    }
}
