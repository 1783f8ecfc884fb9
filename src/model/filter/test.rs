//! What a term of a filter asks of a process.

use super::either::unquoted;
use super::keys::{Key, key};
use super::number::{self, Comparison, Field};
use super::words::unknown_field;
use super::{FilterContext, contains};
use crate::model::process::{Pid, Process};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Test {
    Text(String),
    Pid(Vec<Pid>),
    Name(String),
    User(String),
    Cgroup(String),
    Number {
        field: Field,
        comparison: Comparison,
        value: i64,
    },
}

impl Test {
    /// Reads a test. `counts` is the key before it in the same term, which goes on to count: `user:mysql|postgres` are two
    /// users.
    ///
    /// # Errors
    /// A sentence about what makes no sense.
    pub(super) fn parse(word: &str, counts: &mut Option<Key>) -> Result<Self, String> {
        if let Some((name, value)) = word.split_once(':')
            && let Some(key) = key(name)
        {
            *counts = Some(key);
            return Self::of_key(key, unquoted(value));
        }
        if let Some((field, comparison, value)) = number::parse(word)? {
            *counts = None;
            return Ok(Self::Number {
                field,
                comparison,
                value,
            });
        }
        if let Some(key) = counts {
            return Self::of_key(*key, unquoted(word));
        }
        let is_quoted = word.starts_with('"');
        match unknown_field(word).filter(|_| !is_quoted) {
            Some(error) => Err(error),
            None => Ok(Self::Text(unquoted(word).to_lowercase())),
        }
    }

    fn of_key(key: Key, value: &str) -> Result<Self, String> {
        Ok(match key {
            Key::Pid => return parse_pids(value),
            Key::Name => Self::Name(value.to_lowercase()),
            Key::User => Self::User(value.to_lowercase()),
            Key::Cgroup => Self::Cgroup(value.to_lowercase()),
        })
    }

    /// True if it looks at the command line.
    pub(super) fn needs_command(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    /// True if it looks at the processor time.
    pub(super) fn needs_cpu(&self) -> bool {
        matches!(
            self,
            Self::Number {
                field: Field::Cpu,
                ..
            }
        )
    }

    pub(super) fn holds(&self, process: &Process, context: &FilterContext<'_>) -> bool {
        match self {
            Self::Text(text) => {
                contains(&process.comm.text(), text)
                    || process
                        .command
                        .as_ref()
                        .is_some_and(|line| contains(line, text))
            }
            Self::Name(text) => contains(&process.comm.text(), text),
            Self::Pid(pids) => pids.contains(&process.id.pid),
            Self::User(user) => {
                context
                    .snapshot
                    .user(process.uid)
                    .is_some_and(|name| name.to_lowercase() == *user)
                    || process.uid.to_string() == *user
            }
            Self::Cgroup(text) => process
                .cgroup
                .and_then(|key| context.snapshot.cgroup(key))
                .is_some_and(|group| contains(group.path.as_str(), text)),
            Self::Number {
                field,
                comparison,
                value,
            } => field
                .of(process, context)
                .is_some_and(|actual| comparison.holds(actual, *value)),
        }
    }
}

fn parse_pids(value: &str) -> Result<Test, String> {
    let pids: Result<Vec<Pid>, _> = value
        .split(',')
        .filter(|p| !p.is_empty())
        .map(str::parse)
        .collect();
    match pids {
        Ok(pids) if !pids.is_empty() => Ok(Test::Pid(pids)),
        _ => Err("pid: takes process numbers, such as pid:812 or pid:1,812".to_owned()),
    }
}
