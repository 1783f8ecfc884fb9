//! [`EventFilter`]: what `/` takes in the events pane: victim, pid, scope, time; `|` between terms as in the filter of
//! processes.

use std::time::Duration;

use super::{Entry, EventRow};
use crate::model::filter::{alternatives, contains, unquoted, words};
use crate::model::process::Pid;
use crate::model::time::Now;
use crate::text::event::scope_word;

/// A parsed filter: of each group of alternatives one must hold; without any, every row passes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventFilter {
    terms: Vec<Vec<Term>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    /// In a name, a cgroup or a command line.
    Text(String),
    Pid(Pid),
    Scope(String),
    /// Not older than this.
    Last(Duration),
}

impl EventFilter {
    /// # Errors
    /// A sentence about the first invalid term.
    pub fn parse(text: &str) -> Result<Self, String> {
        words(text)
            .iter()
            .map(|word| parse_either(word))
            .collect::<Result<_, _>>()
            .map(|terms| Self { terms })
    }

    /// True if every row passes.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// True if the row passes.
    pub fn matches(&self, row: EventRow<'_>, now: Now) -> bool {
        let holds = |either: &Vec<Term>| either.iter().any(|term| term.holds(row, now));
        self.terms.iter().all(holds)
    }
}

/// What may stand before a colon.
const KEYS: [&str; 3] = ["pid", "scope", "last"];

fn parse_either(word: &str) -> Result<Vec<Term>, String> {
    // `scope:host|node`: the key counts until another one.
    let mut key = None;
    let parse = |alternative: &str| {
        // A colon alone makes no key: `cri-containerd:3f` is part of a path.
        let own = alternative.split_once(':').map(|(own, _)| own.to_owned());
        if let Some(own) = own.filter(|own| KEYS.contains(&own.as_str())) {
            key = Some(own);
            return parse_term(alternative);
        }
        match &key {
            Some(key) if !alternative.starts_with('"') => {
                parse_term(&format!("{key}:{alternative}"))
            }
            _ => parse_term(alternative),
        }
    };
    alternatives(word).map(parse).collect()
}

fn parse_term(word: &str) -> Result<Term, String> {
    match word.split_once(':') {
        Some(("pid", number)) => number
            .parse()
            .map(Term::Pid)
            .map_err(|_| "pid: takes a process number".to_owned()),
        Some(("scope", scope)) => Ok(Term::Scope(scope.to_lowercase())),
        Some(("last", span)) => parse_span(span)
            .map(Term::Last)
            .ok_or_else(|| "last: takes a time such as 90s, 30m, 6h or 2d".to_owned()),
        _ => Ok(Term::Text(unquoted(word).to_lowercase())),
    }
}

fn parse_span(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    Some(Duration::from_secs(number.checked_mul(seconds)?))
}

impl Term {
    fn holds(&self, row: EventRow<'_>, now: Now) -> bool {
        match self {
            Self::Text(text) => texts(row).iter().any(|found| contains(found, text)),
            Self::Pid(pid) => match row.entry {
                Entry::Userspace(kill) => kill.pid == Some(*pid),
                Entry::Sigkill(sigkill) => sigkill.target.pid == *pid,
                _ => row.kill.is_some_and(|kill| kill.pid == *pid),
            },
            Self::Scope(scope) => match row.entry {
                // The scope `cgroup` means every limit of a group: also of a pod or a unit.
                Entry::Report { report, .. } => {
                    scope_word(report).starts_with(scope.as_str())
                        || (report.is_memcg() && scope == "cgroup")
                }
                _ => false,
            },
            Self::Last(span) => row.wall(now).is_some_and(|at| {
                let age = now.wall.unix_micros.saturating_sub(at.unix_micros);
                u128::try_from(age).is_ok_and(|age| age <= span.as_micros()) || age < 0
            }),
        }
    }
}

/// The texts of a row that a word can match.
fn texts(row: EventRow<'_>) -> Vec<&str> {
    match row.entry {
        Entry::Report {
            report, remembered, ..
        } => {
            let known = remembered
                .iter()
                .filter(|(pid, _)| row.kill.is_some_and(|kill| kill.pid == *pid));
            let commands = known.filter_map(|(_, known)| known.command.as_deref());
            let names = row.kill.map(|kill| kill.comm.as_str()).into_iter();
            let groups = [report.oom_memcg.as_deref(), report.task_memcg.as_deref()]
                .into_iter()
                .flatten();
            names.chain(groups).chain(commands).collect()
        }
        Entry::Traced {
            kill,
            traced,
            remembered,
        } => {
            let known = remembered.as_deref();
            let command = known.and_then(|known| known.command.as_deref());
            let group = traced.cgroup.as_ref();
            let group = group.or(known.and_then(|known| known.cgroup.as_ref()));
            let group = group.map(crate::model::cgroup::CgroupPath::as_str);
            [Some(kill.comm.as_str()), command, group]
                .into_iter()
                .flatten()
                .collect()
        }
        Entry::Userspace(kill) => vec![kill.text.as_str()],
        // Names of processes are bytes: the row is searched by pid.
        Entry::Sigkill(_) => vec!["sigkill"],
        Entry::Unlogged { groups, .. } => groups
            .iter()
            .map(crate::model::cgroup::CgroupPath::as_str)
            .collect(),
        Entry::Gap { .. } => Vec::new(),
    }
}
