//! [`Filter`]: what `/` takes. Terms are separated by spaces and all must hold.
//!
//! `text` (in the command line or name), `pid:1,2`, `name:java`, `user:mysql`, `cgroup:web`, and comparisons such
//! as `adj<0`, `rss>100M`, `badness>=10`; `!` before a term turns it round.

mod words;

use crate::model::kernel::KernelRules;
use crate::model::process::badness::{badness, score};
use crate::model::process::{Pid, Process};
use crate::model::size::parse_size;
use crate::model::snapshot::Snapshot;
use words::{unknown_field, words};

/// A parsed filter with the text it came from; empty lets everything through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    text: String,
    terms: Vec<Term>,
}

/// What the terms compare a process with.
#[derive(Debug, Clone, Copy)]
pub struct FilterContext<'a> {
    /// The sample the process is from: names of users and groups, size of memory.
    pub snapshot: &'a Snapshot,
    /// Rules of the kernel.
    pub rules: &'a KernelRules,
    /// Total pages of the OOM domain that `badness` is a share of.
    pub total: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    negated: bool,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Adj,
    Score,
    Bad,
    Rss,
    Swap,
    PageTables,
    Growth,
    Cpu,
    Threads,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Less,
    AtMost,
    More,
    AtLeast,
    Equal,
    NotEqual,
}

/// Makes the test of a term of what stands behind its key.
type ParseValue = fn(&str) -> Result<Test, String>;

/// Terms that are a key and a value, by the names of the key; the help shows the first.
const KEYS: &[(&[&str], ParseValue)] = &[
    (&["pid"], parse_pids),
    (&["name"], |name| Ok(Test::Name(name.to_lowercase()))),
    (&["user"], |name| Ok(Test::User(name.to_lowercase()))),
    (&["cgroup", "unit"], |path| {
        Ok(Test::Cgroup(path.to_lowercase()))
    }),
];

/// Fields that compare, by the names they go by; the help shows the first.
const FIELDS: &[(&[&str], Field)] = &[
    (&["adj"], Field::Adj),
    (&["score"], Field::Score),
    (&["badness", "bad"], Field::Bad),
    (&["rss"], Field::Rss),
    (&["swap"], Field::Swap),
    (&["pgtab"], Field::PageTables),
    (&["growth"], Field::Growth),
    (&["cpu"], Field::Cpu),
    (&["threads"], Field::Threads),
];

/// Longest operators first: `<=` before `<`.
const COMPARISONS: &[(&str, Comparison)] = &[
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("!=", Comparison::NotEqual),
    ("<", Comparison::Less),
    (">", Comparison::More),
    ("=", Comparison::Equal),
];

/// The keys of terms such as `pid:1`, for the help.
pub fn keys() -> impl Iterator<Item = &'static str> {
    KEYS.iter().filter_map(|(names, _)| names.first().copied())
}

/// The fields of terms such as `adj<0`, for the help.
pub fn fields() -> impl Iterator<Item = &'static str> {
    FIELDS
        .iter()
        .filter_map(|(names, _)| names.first().copied())
}

/// The signs between a field and its number, for the help.
pub fn comparisons() -> impl Iterator<Item = &'static str> {
    COMPARISONS.iter().map(|(sign, _)| *sign)
}

impl Filter {
    /// # Errors
    /// A sentence about the first term that makes no sense.
    pub fn parse(text: &str) -> Result<Self, String> {
        words(text)
            .iter()
            .map(|word| parse_term(word))
            .collect::<Result<_, _>>()
            .map(|terms| Self {
                text: text.to_owned(),
                terms,
            })
    }

    /// The text as typed, to be shown and edited.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The user whose processes alone it lets through, by name or number, in small letters.
    pub fn user(&self) -> Option<&str> {
        self.terms.iter().find_map(|term| match &term.test {
            Test::User(user) if !term.negated => Some(user.as_str()),
            _ => None,
        })
    }

    /// The same filter for another user, or for all of them: `!user:root` and all other terms stay. The name must not hold
    /// a `"`.
    #[must_use]
    pub fn with_user(&self, user: Option<&str>) -> Self {
        let is_user = |term: &Term| !term.negated && matches!(term.test, Test::User(_));
        let words = words(&self.text);
        let kept = words.into_iter().zip(&self.terms);
        let kept = kept.filter(|(_, term)| !is_user(term));
        let (mut words, mut terms): (Vec<_>, Vec<_>) =
            kept.map(|(word, term)| (word, term.clone())).unzip();
        if let Some(user) = user {
            let quote = if user.contains(char::is_whitespace) {
                "\""
            } else {
                ""
            };
            words.push(format!("user:{quote}{user}{quote}"));
            terms.push(Term {
                negated: false,
                test: Test::User(user.to_lowercase()),
            });
        }
        Self {
            text: words.join(" "),
            terms,
        }
    }

    /// True if it lets everything through.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// True if some term looks at the command line.
    pub fn needs_commands(&self) -> bool {
        self.terms.iter().any(|t| matches!(t.test, Test::Text(_)))
    }

    /// True if some term looks at the processor time.
    pub fn needs_cpu(&self) -> bool {
        let is_cpu = |test: &Test| {
            matches!(
                test,
                Test::Number {
                    field: Field::Cpu,
                    ..
                }
            )
        };
        self.terms.iter().any(|term| is_cpu(&term.test))
    }

    /// True if the process passes.
    pub fn matches(&self, process: &Process, context: &FilterContext<'_>) -> bool {
        self.terms
            .iter()
            .all(|term| term.test.holds(process, context) != term.negated)
    }
}

fn parse_term(word: &str) -> Result<Term, String> {
    let (negated, word) = match word.strip_prefix('!') {
        Some(rest) if !rest.is_empty() => (true, rest),
        _ => (false, word),
    };
    Ok(Term {
        negated,
        test: parse_test(word)?,
    })
}

fn parse_test(word: &str) -> Result<Test, String> {
    if let Some((name, value)) = word.split_once(':')
        && let Some((_, parse)) = KEYS.iter().find(|(names, _)| names.contains(&name))
    {
        return parse(unquoted(value));
    }
    let fields = FIELDS
        .iter()
        .flat_map(|(names, field)| names.iter().map(move |name| (name, field)));
    for (name, field) in fields {
        let Some(rest) = word.strip_prefix(name) else {
            continue;
        };
        for (sign, comparison) in COMPARISONS {
            if let Some(value) = rest.strip_prefix(sign) {
                let value = parse_value(*field, value)
                    .ok_or_else(|| format!("{word}: {} after {name}{sign}", wanted(*field)))?;
                return Ok(Test::Number {
                    field: *field,
                    comparison: *comparison,
                    value,
                });
            }
        }
    }
    if word.starts_with('"') {
        return Ok(Test::Text(unquoted(word).to_lowercase()));
    }
    match unknown_field(word) {
        Some(error) => Err(error),
        None => Ok(Test::Text(word.to_lowercase())),
    }
}

fn unquoted(value: &str) -> &str {
    let Some(text) = value.strip_prefix('"') else {
        return value;
    };
    text.strip_suffix('"').unwrap_or(text)
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

fn wanted(field: Field) -> &'static str {
    match field {
        Field::Adj | Field::Score | Field::Bad | Field::Threads => "a whole number is needed",
        Field::Cpu => "a percentage is needed",
        Field::Rss | Field::Swap | Field::PageTables | Field::Growth => {
            "a size such as 100M is needed"
        }
    }
}

fn parse_value(field: Field, text: &str) -> Option<i64> {
    match field {
        Field::Adj | Field::Score | Field::Bad | Field::Threads => text.parse().ok(),
        Field::Cpu => hundredths(text.trim_end_matches('%').parse().ok()?),
        Field::Rss | Field::Swap | Field::PageTables => i64::try_from(parse_size(text).ok()?).ok(),
        Field::Growth => {
            let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
            Some(sign * i64::try_from(parse_size(text.trim_end_matches("/s")).ok()?).ok()?)
        }
    }
}

/// A percentage as a whole number of hundredths; `None` for what is no number.
#[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
fn hundredths(percent: f64) -> Option<i64> {
    percent
        .is_finite()
        .then(|| (percent * 100.0).round() as i64)
}

impl Test {
    fn holds(&self, process: &Process, context: &FilterContext<'_>) -> bool {
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

impl Field {
    /// The value of the process; `None` never compares true.
    fn of(self, process: &Process, context: &FilterContext<'_>) -> Option<i64> {
        let page = context.rules.page_size;
        let pages = |pages: u64| i64::try_from(pages.saturating_mul(page)).ok();
        match self {
            Self::Adj => process.adj.map(|adj| i64::from(adj.get())),
            Self::Score => score(process, &context.snapshot.memory, context.rules).map(i64::from),
            Self::Bad => badness(process, context.total).permille(context.total),
            Self::Rss => pages(process.memory?.rss),
            Self::Swap => pages(process.memory?.swap),
            Self::PageTables => pages(process.memory?.page_tables),
            #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
            Self::Growth => process.growth.map(|growth| growth as i64),
            Self::Cpu => hundredths(f64::from(process.cpu?.percent?)),
            Self::Threads => Some(process.threads.into()),
        }
    }
}

impl Comparison {
    fn holds(self, actual: i64, value: i64) -> bool {
        match self {
            Self::Less => actual < value,
            Self::AtMost => actual <= value,
            Self::More => actual > value,
            Self::AtLeast => actual >= value,
            Self::Equal => actual == value,
            Self::NotEqual => actual != value,
        }
    }
}

/// Case-insensitive search; `needle` is lower case already.
pub fn contains(haystack: &str, needle: &str) -> bool {
    if haystack.is_ascii() && needle.is_ascii() {
        // The common case without an allocation.
        needle.is_empty()
            || haystack
                .as_bytes()
                .windows(needle.len())
                .any(|w| w.eq_ignore_ascii_case(needle.as_bytes()))
    } else {
        haystack.to_lowercase().contains(needle)
    }
}

#[cfg(test)]
mod tests;
