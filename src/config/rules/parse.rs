//! From the text of a file to its rules.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::entry::Entry;
use crate::config::file::{line, quoted};
use crate::model::rules::condition::Fact;
use crate::model::rules::{Origin, Rule};
use crate::text::suggest::nearest;

/// The keys of a rule that are no [`Fact`].
pub(super) const SETTING: [&str; 8] = [
    "title",
    "adj",
    "level",
    "role",
    "children",
    "move_to",
    "memory_max",
    "memory_high",
];

/// What other programs call a key.
const ALIASES: &[(&str, &str)] = &[
    ("comm", "name"),
    ("process", "name"),
    ("cmdline", "command"),
    ("args", "command"),
    ("executable", "exe"),
    ("path", "exe"),
    ("uid", "user"),
    ("service", "unit"),
    ("slice", "unit"),
    ("scope", "unit"),
    ("group", "cgroup"),
    ("pod", "container"),
    ("oom_score_adj", "adj"),
    ("score", "adj"),
    ("descendants", "children"),
    ("MemoryMax", "memory_max"),
    ("MemoryHigh", "memory_high"),
    ("limit", "memory_max"),
];

/// Where errors are, and the errors.
pub(super) struct Sheet<'a> {
    path: &'a Path,
    text: &'a str,
    errors: &'a mut Vec<String>,
}

impl Sheet<'_> {
    /// The line of a byte, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        line(self.text.as_bytes(), at)
    }

    /// Something is wrong with what stands there.
    pub(super) fn wrong(&mut self, at: usize, key: &str, why: &str) {
        let (path, line) = (self.path.display(), self.line(at));
        self.errors.push(format!("{path}:{line}: {key}: {why}"));
    }
}

/// The rules of a file. Everything that is wrong adds a sentence to `errors`.
pub(super) fn parse(path: &Path, text: &str, errors: &mut Vec<String>) -> Vec<Rule> {
    let (table, broken) = DeTable::parse_recoverable(text);
    if !broken.is_empty() {
        for error in broken {
            let line = line(text.as_bytes(), error.span().map_or(0, |span| span.start));
            errors.push(format!(
                "{}:{line}: {} in '{}'",
                path.display(),
                error.message().replace('\n', ", "),
                quoted(text, line)
            ));
        }
        return Vec::new();
    }
    let mut sheet = Sheet { path, text, errors };
    let mut rules = Vec::new();
    let table = table.into_inner();
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    for (key, value) in entries {
        let at = key.span().start;
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("rule", DeValue::Array(items)) => {
                for item in items {
                    match item.get_ref() {
                        DeValue::Table(table) => {
                            rules.extend(rule(item.span().start, table, &mut sheet));
                        }
                        _ => sheet.wrong(item.span().start, "rule", TABLES),
                    }
                }
            }
            ("rule", _) => sheet.wrong(at, "rule", TABLES),
            (key, _) => {
                let key = key.to_owned();
                let why = "there is no such key outside of a rule; each rule begins with [[rule]]";
                sheet.wrong(at, &key, why);
            }
        }
    }
    rules
}

const TABLES: &str = "is a table: write [[rule]] in a line of its own above each";

fn rule(at: usize, table: &DeTable<'_>, sheet: &mut Sheet<'_>) -> Option<Rule> {
    let before = sheet.errors.len();
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let mut entry = Entry::default();
    for (key, value) in entries {
        let at = key.span().start;
        let key: &str = key.get_ref();
        let fact = Fact::ALL.into_iter().find(|fact| fact.key() == key);
        let taken = match fact {
            Some(fact) => Some(entry.condition(fact, value.get_ref())),
            None => entry.setting(key, value.get_ref()),
        };
        match taken {
            Some(Ok(())) => {}
            Some(Err(why)) => sheet.wrong(at, key, &why),
            None => sheet.wrong(at, key, &unknown(key)),
        }
    }
    let origin = Origin {
        file: sheet.path.display().to_string(),
        line: sheet.line(at),
    };
    // What is missing is told only of a rule that is right so far: it may be the key that is misspelt.
    if sheet.errors.len() > before {
        return None;
    }
    entry
        .rule(origin)
        .map_err(|why| sheet.wrong(at, "rule", &why))
        .ok()
}

/// All keys of a rule.
pub(in crate::config) fn keys() -> Vec<&'static str> {
    let facts = Fact::ALL.into_iter().map(Fact::key);
    let (title, settings) = SETTING.split_first().unwrap_or((&"", &[]));
    std::iter::once(*title)
        .chain(facts)
        .chain(settings.iter().copied())
        .collect()
}

fn unknown(key: &str) -> String {
    let keys = keys();
    let by_alias = ALIASES.iter().find(|(alias, _)| *alias == key);
    let meant = by_alias
        .map(|(_, key)| *key)
        .or_else(|| nearest(key, &keys));
    let meant = meant.map_or_else(String::new, |key| format!("did you mean {key}? "));
    format!(
        "there is no such key; {meant}the keys of a rule are {}",
        keys.join(", ")
    )
}
