//! How thresholds are written: `memory.available<500Mi` in flags, `memory.available: "5%"` in files.

use std::time::Duration;

use crate::model::killers::{Amount, Share};

/// Most entries read of one list.
const MOST: usize = 64;

/// What the sources say, as written.
#[derive(Debug, Default)]
pub(super) struct Given {
    /// `evictionHard`; `None` if no source has it.
    pub(super) hard: Option<Vec<(String, String)>>,
    pub(super) soft: Vec<(String, String)>,
    pub(super) grace: Vec<(String, String)>,
    /// `mergeDefaultEvictionSettings` (1.34 and later): signals that `evictionHard` leaves out keep their defaults.
    pub(super) merges_defaults: bool,
}

impl Given {
    /// Adds a file; what it sets replaces what earlier ones said.
    pub(super) fn take(&mut self, source: &Source<'_>) {
        if let Some(list) = source.map("evictionHard") {
            self.hard = Some(list);
        }
        if let Some(list) = source.map("evictionSoft") {
            self.soft = list;
        }
        if let Some(list) = source.map("evictionSoftGracePeriod") {
            self.grace = list;
        }
        if let Some(value) = source.value("mergeDefaultEvictionSettings") {
            self.merges_defaults = value == "true";
        }
    }
}

/// A configuration file: JSON, or the part of YAML that such files use (maps by indentation or in braces, lists by
/// dashes or in brackets, plain and quoted words).
pub(super) enum Source<'a> {
    Json(serde_json::Value),
    Yaml(&'a str),
}

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let is_json = text.trim_start().starts_with('{');
        match serde_json::from_str(text) {
            Ok(value) if is_json => Self::Json(value),
            _ => Self::Yaml(text),
        }
    }

    /// The entries of a map at the top of the file.
    fn map(&self, key: &str) -> Option<Vec<(String, String)>> {
        match self {
            Self::Json(value) => {
                let map = value.get(key)?.as_object()?;
                let entry = |(key, value): (&String, &serde_json::Value)| {
                    (
                        key.clone(),
                        value
                            .as_str()
                            .map_or_else(|| value.to_string(), str::to_owned),
                    )
                };
                Some(map.iter().take(MOST).map(entry).collect())
            }
            Self::Yaml(text) => {
                let (rest, below) = block(text, key)?;
                let inside = rest
                    .strip_prefix('{')
                    .and_then(|rest| rest.strip_suffix('}'));
                let entries: Vec<&str> = match inside {
                    Some(inside) => inside.split(',').collect(),
                    None => below,
                };
                let entry = |entry: &str| {
                    let (key, value) = entry.split_once(':')?;
                    Some((word(key).to_owned(), word(value).to_owned()))
                };
                Some(entries.into_iter().take(MOST).filter_map(entry).collect())
            }
        }
    }

    /// A value at the top of the file.
    fn value(&self, key: &str) -> Option<String> {
        match self {
            Self::Json(value) => Some(value.get(key)?.to_string()),
            Self::Yaml(text) => Some(block(text, key)?.0.to_owned()),
        }
    }

    /// The items of a list at the top of the file; a single value is a list of one.
    pub(super) fn list(&self, key: &str) -> Vec<String> {
        match self {
            Self::Json(value) => match value.get(key) {
                Some(serde_json::Value::Array(items)) => {
                    let text = items.iter().filter_map(serde_json::Value::as_str);
                    text.take(MOST).map(str::to_owned).collect()
                }
                Some(serde_json::Value::String(one)) => vec![one.clone()],
                _ => Vec::new(),
            },
            Self::Yaml(text) => {
                let Some((rest, below)) = block(text, key) else {
                    return Vec::new();
                };
                let inside = rest
                    .strip_prefix('[')
                    .and_then(|rest| rest.strip_suffix(']'));
                let items: Vec<&str> = match inside {
                    Some(inside) => inside.split(',').collect(),
                    None if !rest.is_empty() => vec![rest],
                    None => below
                        .into_iter()
                        .filter_map(|line| line.strip_prefix('-'))
                        .collect(),
                };
                items
                    .into_iter()
                    .take(MOST)
                    .map(|item| word(item).to_owned())
                    .collect()
            }
        }
    }
}

/// What stands behind `key:` at the top level, and the trimmed lines below it.
fn block<'t>(text: &'t str, key: &str) -> Option<(&'t str, Vec<&'t str>)> {
    let mut lines = text.lines();
    let rest = lines.find_map(|line| {
        let rest = line.strip_prefix(key)?.trim_start();
        rest.strip_prefix(':')
    })?;
    let is_content = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let below = lines
        .filter(is_content)
        // A list may stand at the margin.
        .take_while(|line| line.starts_with([' ', '\t', '-']) && *line != "---")
        .take(MOST)
        .map(str::trim)
        .collect();
    Some((word(rest), below))
}

/// A word without its quotes and a comment behind it.
fn word(text: &str) -> &str {
    let text = text.trim();
    for quote in ['"', '\''] {
        if let Some(rest) = text.strip_prefix(quote) {
            return rest.split(quote).next().unwrap_or(rest);
        }
    }
    text.split(" #").next().unwrap_or(text).trim_end()
}

/// The parts of `memory.available<500Mi,nodefs.available<10%`, or with `=` of a list of grace periods.
pub(super) fn signals(list: &str, sign: char) -> Vec<(String, String)> {
    let part = |part: &str| {
        let (signal, value) = part.split_once(sign)?;
        Some((signal.trim().to_owned(), value.trim().to_owned()))
    };
    word(list).split(',').take(MOST).filter_map(part).collect()
}

/// A quantity of Kubernetes (`500Mi`, `1.5Gi`, `100M`, `104857600`) or a share (`5%`).
pub(super) fn amount(text: &str) -> Option<Amount> {
    if let Some(percent) = text.strip_suffix('%') {
        return Share::from_percent(percent.trim().parse().ok()?).map(Amount::Share);
    }
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let number: f64 = number.parse().ok()?;
    let unit = match unit {
        "" => 1.0,
        "Ki" => 1024.0,
        "Mi" => 1024.0 * 1024.0,
        "Gi" => 1024.0 * 1024.0 * 1024.0,
        "Ti" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        _ => return None,
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "digits have no sign; `as` saturates"
    )]
    let bytes = (number * unit) as u64;
    Some(Amount::Bytes(bytes))
}

/// A time span as Go writes it: `90s`, `1m30s`, `500ms`.
pub(in crate::model::killers) fn span(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut seconds = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, behind) = rest.split_at_checked(end)?;
        let number: f64 = number.parse().ok()?;
        let end = behind
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(behind.len());
        let (unit, next) = behind.split_at_checked(end)?;
        seconds += number
            * match unit {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 0.001,
                _ => return None,
            };
        rest = next;
    }
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Source, amount, signals, span};
    use crate::model::killers::{Amount, Share};

    #[test]
    fn quantities_and_spans_as_kubernetes_writes_them() {
        assert_eq!(amount("500Mi"), Some(Amount::Bytes(500 << 20)));
        assert_eq!(amount("1.5Gi"), Some(Amount::Bytes(3 << 29)));
        assert_eq!(amount("100M"), Some(Amount::Bytes(100_000_000)));
        assert_eq!(amount("1048576"), Some(Amount::Bytes(1 << 20)));
        assert_eq!(amount("5%"), Some(Amount::Share(Share::percent(5))));
        for bad in ["", "Mi", "5Xi", "-5Mi", "105%", "%"] {
            assert_eq!(amount(bad), None, "{bad}");
        }
        assert_eq!(span("1m30s"), Some(Duration::from_secs(90)));
        assert_eq!(span("500ms"), Some(Duration::from_millis(500)));
        for bad in ["", "30", "s", "1x"] {
            assert_eq!(span(bad), None, "{bad}");
        }
    }

    #[test]
    fn maps_and_lists_in_each_spelling() {
        let wanted = [("memory.available".to_owned(), "5%".to_owned())];
        for text in [
            "kind: KubeletConfiguration\nevictionHard:\n  # why\n  memory.available: \"5%\"\n\nevictionSoft: {}\n",
            "evictionHard: {memory.available: '5%'}\n",
            "evictionHard:\n\tmemory.available: 5%   # why\nother: 1\n",
            "{\"evictionHard\": {\"memory.available\": \"5%\"}}",
        ] {
            let found = Source::new(text).map("evictionHard");
            assert_eq!(found.as_deref(), Some(&wanted[..]), "{text}");
        }
        assert_eq!(Source::new("a: 1\n").map("evictionHard"), None);
        assert_eq!(
            signals("memory.available<5%,nodefs.available<1%", '<').len(),
            2
        );
        for text in [
            "kubelet-arg:\n- a=1\n- \"b=2\"\n",
            "kubelet-arg: [a=1, 'b=2']\n",
        ] {
            assert_eq!(
                Source::new(text).list("kubelet-arg"),
                ["a=1", "b=2"],
                "{text}"
            );
        }
        assert_eq!(
            Source::new("kubelet-arg: a=1\n").list("kubelet-arg"),
            ["a=1"]
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "(evictionHard|kubelet-arg|:|\\{|\\}|\\[|\\]|-|\n|\"|'| |[0-9.]{0,4}|Mi|%|\\PC)*") {
            let source = Source::new(&text);
            let _ = (source.map("evictionHard"), source.list("kubelet-arg"), source.value("a"));
            let _ = (amount(&text), span(&text), signals(&text, '<'));
        }
    }
}
