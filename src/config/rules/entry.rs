//! [`Entry`]: the keys of one rule, while they are read.

use toml::de::DeValue;

use crate::model::cgroup::CgroupPath;
use crate::model::process::protection::{Protection, roles};
use crate::model::process::score::OomScoreAdj;
use crate::model::rules::condition::{Condition, Fact};
use crate::model::rules::rule_group::RuleGroup;
use crate::model::rules::{Origin, Rule};
use crate::model::size::parse_size;
use crate::text::suggest::nearest;

/// The role that keeps a process and sacrifices what it starts.
const SUPERVISOR: &str = "supervisor";

/// Longest title, in letters.
const TITLE_MOST: usize = 80;

/// Least limit: no program runs in less.
const LEAST: u64 = 4 << 20;

/// A rule so far.
#[derive(Debug, Default)]
pub(super) struct Entry {
    title: Option<String>,
    conditions: Vec<Condition>,
    /// The value, and the key that gave it.
    own: Option<(&'static str, OomScoreAdj)>,
    children: Option<OomScoreAdj>,
    /// The value for children if no key gives one.
    by_role: Option<OomScoreAdj>,
    group: Option<CgroupPath>,
    max: Option<u64>,
    high: Option<u64>,
}

impl Entry {
    /// A key that says which processes.
    pub(super) fn condition(&mut self, fact: Fact, value: &DeValue<'_>) -> Result<(), String> {
        let texts: Result<Vec<String>, String> = match value {
            DeValue::Array(items) => items
                .iter()
                .map(|item| text(fact, item.get_ref()))
                .collect(),
            value => text(fact, value).map(|text| vec![text]),
        };
        let patterns = texts.and_then(|texts| {
            if texts.is_empty() {
                return Err("takes at least one pattern: an empty list matches nothing".to_owned());
            }
            let pattern = |text: &String| {
                let pattern = fact.pattern(text);
                pattern.map_err(|error| format!("the pattern '{text}' {error}"))
            };
            texts.iter().map(pattern).collect()
        });
        patterns.map(|any| self.conditions.push(Condition { fact, any }))
    }

    /// A key that says what becomes of them; `None` if there is no such key.
    pub(super) fn setting(&mut self, key: &str, value: &DeValue<'_>) -> Option<Result<(), String>> {
        Some(match key {
            "title" => self.title(value),
            "adj" => adj(value).and_then(|value| self.own("adj", value)),
            "level" => level(value).and_then(|value| self.own("level", value)),
            "role" => role(value).and_then(|(value, children)| {
                self.by_role = children;
                self.own("role", value)
            }),
            "children" => either(value).map(|value| self.children = Some(value)),
            "move_to" => group(value).map(|value| self.group = Some(value)),
            "memory_max" => size(value).map(|value| self.max = Some(value)),
            "memory_high" => size(value).map(|value| self.high = Some(value)),
            _ => return None,
        })
    }

    fn title(&mut self, value: &DeValue<'_>) -> Result<(), String> {
        let title = value.as_str().map(str::trim);
        let title = title.filter(|title| (1..=TITLE_MOST).contains(&title.chars().count()));
        let title = title.ok_or_else(|| format!("takes a text of 1 to {TITLE_MOST} letters"))?;
        self.title = Some(title.to_owned());
        Ok(())
    }

    fn own(&mut self, key: &'static str, value: OomScoreAdj) -> Result<(), String> {
        if let Some((other, _)) = self.own {
            return Err(format!(
                "the rule has {other} already; give one of adj, level and role"
            ));
        }
        self.own = Some((key, value));
        Ok(())
    }

    /// The rule.
    ///
    /// # Errors
    /// What it lacks.
    pub(super) fn rule(self, origin: Origin) -> Result<Rule, String> {
        if self.conditions.is_empty() {
            let keys: Vec<_> = Fact::ALL.into_iter().map(Fact::key).collect();
            return Err(format!(
                "it would match every process; give it at least one of {}",
                keys.join(", ")
            ));
        }
        let own = self.own.map(|(_, value)| value);
        let children = self.children.or(self.by_role);
        if own.is_none() && children.is_none() && self.group.is_none() {
            let why = match (self.max, self.high) {
                (None, None) => "it sets nothing; give it adj, level, role, children or move_to",
                _ => "a limit is one of a group; name that with move_to",
            };
            return Err(why.to_owned());
        }
        let rule_group = rule_group(self.group, self.max, self.high)?;
        let title = self.title.unwrap_or_else(|| title_of(&self.conditions));
        Ok(Rule {
            title,
            origin,
            conditions: self.conditions,
            own,
            children,
            rule_group,
        })
    }
}

/// The group with its limits.
fn rule_group(
    group: Option<CgroupPath>,
    max: Option<u64>,
    high: Option<u64>,
) -> Result<Option<RuleGroup>, String> {
    let Some(group) = group else {
        return match (max, high) {
            (None, None) => Ok(None),
            _ => Err("a limit is one of a group; name that with move_to".to_owned()),
        };
    };
    if let (Some(max), Some(high)) = (max, high)
        && high > max
    {
        return Err("memory_high above memory_max never slows anything down".to_owned());
    }
    Ok(Some(RuleGroup { group, max, high }))
}

/// `batch` or `/jobs/batch`.
fn group(value: &DeValue<'_>) -> Result<CgroupPath, String> {
    let text = value.as_str().map(str::trim);
    let text =
        text.ok_or_else(|| "takes a path of a memory cgroup in quotes, as /batch".to_owned())?;
    let is_bad = |part: &str| part.is_empty() || part == "." || part == ".." || part.len() > 255;
    let relative = text.strip_prefix('/').unwrap_or(text);
    if relative.split('/').any(is_bad) || text.chars().any(char::is_control) {
        return Err(format!(
            "'{text}' is no path of a group: write one as /batch, without '.', '..' or empty parts"
        ));
    }
    Ok(CgroupPath::new(&format!("/{relative}")))
}

/// `2G` or a number of bytes.
fn size(value: &DeValue<'_>) -> Result<u64, String> {
    let bytes = match value {
        DeValue::String(text) => parse_size(text).map_err(|error| error.to_string())?,
        DeValue::Integer(_) => {
            u64::try_from(integer(value)?).map_err(|_| "is below 0".to_owned())?
        }
        _ => return Err("takes a size as \"2G\"".to_owned()),
    };
    if bytes < LEAST {
        return Err(format!(
            "no program runs in {bytes} bytes; give at least 4M"
        ));
    }
    Ok(bytes)
}

/// The title of a rule that has none: its first condition.
fn title_of(conditions: &[Condition]) -> String {
    conditions.first().map_or_else(String::new, |condition| {
        let pattern = condition.any.first().map(ToString::to_string);
        let title = format!("{} {}", condition.fact.key(), pattern.unwrap_or_default());
        title.chars().take(TITLE_MOST).collect()
    })
}

fn text(fact: Fact, value: &DeValue<'_>) -> Result<String, String> {
    match value {
        DeValue::String(text) => Ok(text.clone().into_owned()),
        // A uid.
        DeValue::Integer(_) if fact == Fact::User => integer(value).map(|uid| uid.to_string()),
        _ => Err("takes a pattern or a list of patterns, each in quotes".to_owned()),
    }
}

fn integer(value: &DeValue<'_>) -> Result<i64, String> {
    let number = value.as_integer();
    let number =
        number.and_then(|number| i64::from_str_radix(number.as_str(), number.radix()).ok());
    number.ok_or_else(|| "takes a whole number".to_owned())
}

fn adj(value: &DeValue<'_>) -> Result<OomScoreAdj, String> {
    let not = |what: &str| format!("takes a whole number from -1000 to 1000, not {what}");
    match value {
        DeValue::Integer(_) => {
            let number = integer(value)?;
            OomScoreAdj::new(number).ok_or_else(|| not(&number.to_string()))
        }
        DeValue::String(text) => Err(not(&format!("the text '{text}' (for a level: level = …)"))),
        _ => Err(not("this")),
    }
}

fn level(value: &DeValue<'_>) -> Result<OomScoreAdj, String> {
    let names = Protection::ALL.map(Protection::name);
    let Some(word) = value.as_str() else {
        return Err(format!(
            "takes one of {} in quotes; for a number: adj = …",
            names.join(", ")
        ));
    };
    let found = Protection::ALL.into_iter().find(|one| one.name() == word);
    let found = found.map(|protection| protection.level().value);
    found.ok_or_else(|| none("level", word, &names))
}

/// The value of a role, and that for its children.
fn role(value: &DeValue<'_>) -> Result<(OomScoreAdj, Option<OomScoreAdj>), String> {
    let roles = roles();
    let mut names = vec![SUPERVISOR];
    names.extend(roles.iter().map(|role| role.name));
    let Some(word) = value.as_str() else {
        return Err(format!("takes one of {} in quotes", names.join(", ")));
    };
    if word == SUPERVISOR {
        let kept = Protection::High.level().value;
        let sacrificed = Protection::Sacrifice.level().value;
        return Ok((kept, Some(sacrificed)));
    }
    let found = roles.iter().find(|role| role.name == word);
    found
        .map(|role| (role.value, None))
        .ok_or_else(|| none("role", word, &names))
}

/// A value or a level.
fn either(value: &DeValue<'_>) -> Result<OomScoreAdj, String> {
    match value {
        DeValue::String(_) => level(value),
        value => adj(value),
    }
}

fn none(what: &str, word: &str, names: &[&str]) -> String {
    let meant = nearest(word, names);
    let meant = meant.map_or_else(String::new, |name| format!("did you mean {name}? "));
    format!(
        "there is no {what} '{word}'; {meant}the {what}s are {}",
        names.join(", ")
    )
}
