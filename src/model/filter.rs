//! [`Filter`]: what `/` takes. Terms are separated by spaces and all must hold.
//!
//! `text` (in the command line or name), `pid:1,2`, `name:java`, `user:mysql`, `cgroup:web`, and comparisons such
//! as `adj<0`, `rss>100M`, `bad>=10`; `!` before a term turns it round.

use crate::model::kernel::KernelRules;
use crate::model::process::badness::{badness, score};
use crate::model::process::{Pid, Process};
use crate::model::size::parse_size;
use crate::model::snapshot::Snapshot;

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
    /// Total pages of the OOM domain that `bad` is a share of.
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

/// Fields that compare, with the names they go by.
const FIELDS: &[(&str, Field)] = &[
    ("adj", Field::Adj),
    ("score", Field::Score),
    ("bad", Field::Bad),
    ("badness", Field::Bad),
    ("rss", Field::Rss),
    ("swap", Field::Swap),
    ("pgtab", Field::PageTables),
    ("growth", Field::Growth),
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

    /// True if it lets everything through.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// True if some term looks at the command line.
    pub fn needs_commands(&self) -> bool {
        self.terms.iter().any(|t| matches!(t.test, Test::Text(_)))
    }

    /// True if the process passes.
    pub fn matches(&self, process: &Process, context: &FilterContext<'_>) -> bool {
        self.terms
            .iter()
            .all(|term| term.test.holds(process, context) != term.negated)
    }
}

/// Fields that are looked for in a text.
const TEXT_FIELDS: &[&str] = &["pid", "user", "name", "cgroup", "unit"];

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

/// The terms of a filter: blanks separate them, but not those around an operator (`rss > 100M`), nor those between
/// quotes.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let quoted = rest.strip_prefix('"').and_then(|rest| rest.find('"'));
        let end = match quoted {
            Some(at) => at + 2,
            None => rest.find(char::is_whitespace).unwrap_or(rest.len()),
        };
        let (word, more) = rest.split_at(end);
        let joins = words.last().is_some_and(|last| {
            let bare = last.trim_start_matches('!');
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
    words
}

fn is_field(name: &str) -> bool {
    TEXT_FIELDS.contains(&name) || FIELDS.iter().any(|(field, _)| *field == name)
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
fn unknown_field(word: &str) -> Option<String> {
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
    let fields = TEXT_FIELDS.iter().copied();
    let mut fields = fields.chain(FIELDS.iter().map(|(field, _)| *field));
    let near = || fields.find(|field| name.contains(field) || differ_by_one(name, field));
    let hint = match by_alias.map(|(_, field)| *field).or_else(near) {
        Some(field) => format!("{field}…?"),
        None => "fields: pid user name cgroup adj score bad rss swap pgtab growth".to_owned(),
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
    if let Some((name, value)) = word.split_once(':') {
        match name {
            "pid" => return parse_pids(value),
            "name" => return Ok(Test::Name(value.to_lowercase())),
            "user" => return Ok(Test::User(value.to_lowercase())),
            "cgroup" | "unit" => return Ok(Test::Cgroup(value.to_lowercase())),
            _ => {}
        }
    }
    for (name, field) in FIELDS {
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
    if let Some(text) = word.strip_prefix('"') {
        let text = text.strip_suffix('"').unwrap_or(text);
        return Ok(Test::Text(text.to_lowercase()));
    }
    match unknown_field(word) {
        Some(error) => Err(error),
        None => Ok(Test::Text(word.to_lowercase())),
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

fn wanted(field: Field) -> &'static str {
    match field {
        Field::Adj | Field::Score | Field::Bad => "a whole number is needed",
        Field::Rss | Field::Swap | Field::PageTables | Field::Growth => {
            "a size such as 100M is needed"
        }
    }
}

fn parse_value(field: Field, text: &str) -> Option<i64> {
    match field {
        Field::Adj | Field::Score | Field::Bad => text.parse().ok(),
        Field::Rss | Field::Swap | Field::PageTables => i64::try_from(parse_size(text).ok()?).ok(),
        Field::Growth => {
            let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
            Some(sign * i64::try_from(parse_size(text.trim_end_matches("/s")).ok()?).ok()?)
        }
    }
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
mod tests {
    use super::{Filter, FilterContext};
    use crate::model::kernel::KernelRules;
    use crate::model::process::score::OomScoreAdj;
    use crate::model::process::{MemoryUse, Process, ProcessId};
    use crate::model::snapshot::Snapshot;

    fn passes(filter: &str) -> bool {
        let snapshot = Snapshot {
            users: std::sync::Arc::new([(7, "mysql".into())].into()),
            ..Snapshot::default()
        };
        let context = FilterContext {
            snapshot: &snapshot,
            rules: &KernelRules::default(),
            total: 100_000,
        };
        let process = Process {
            id: ProcessId {
                pid: 812,
                start_ticks: 1,
            },
            uid: 7,
            comm: "mysqld".into(),
            command: Some("/usr/sbin/mysqld --Datadir=/var".into()),
            adj: OomScoreAdj::new(-500),
            memory: Some(MemoryUse {
                rss: 51_200,
                ..MemoryUse::default()
            }),
            ..Process::default()
        };
        Filter::parse(filter)
            .expect(filter)
            .matches(&process, &context)
    }

    #[test]
    fn blanks_around_operators_and_quotes() {
        for (spaced, joined) in [
            ("rss > 100M", "rss>100M"),
            ("rss >100M  adj <  0", "rss>100M adj<0"),
            ("! rss", "! rss"),
            ("!rss >= 1G x", "!rss>=1G x"),
            ("user : mysql", "user:mysql"),
            ("swap", "swap"),
            ("swap on", "swap on"),
        ] {
            let terms = |text: &str| Filter::parse(text).expect(text).terms;
            assert_eq!(terms(spaced), terms(joined), "{spaced}");
        }
        let quoted = Filter::parse("\"foo:bar b\"").expect("text");
        assert_eq!(quoted.terms.len(), 1);
    }

    #[test]
    fn unknown_fields_are_named_with_what_may_be_meant() {
        for (text, says) in [
            ("mem>1", "rss>"),
            ("foo:bar", "no field 'foo'"),
            ("usr:root", "user"),
            ("comm:x", "name:"),
            ("rsss>1M", "rss"),
        ] {
            let error = Filter::parse(text).expect_err(text);
            assert!(error.contains(says), "{text}: {error}");
        }
        for text in [
            "http://x",
            "sshd:",
            "--port=3",
            "/usr/bin",
            "postgres: writer",
            "a:b",
        ] {
            assert!(Filter::parse(text).is_ok(), "{text}");
        }
        assert!(Filter::parse("name:postgres").is_ok());
    }

    #[test]
    fn terms() {
        for yes in [
            "",
            "mysql",
            "DATADIR",
            "pid:812",
            "pid:1,812",
            "user:mysql",
            "user:7",
            "adj<0",
            "adj=-500",
            "rss>100M",
            "rss<=200M",
            "!nginx",
            "mysql adj<0 rss>1M",
            "bad<100",
            "swap=0",
        ] {
            assert!(passes(yes), "{yes}");
        }
        for no in [
            "nginx",
            "pid:8",
            "user:root",
            "adj>0",
            "rss>1G",
            "!mysql",
            "mysql adj>0",
            "growth>0",
            "cgroup:x",
        ] {
            assert!(!passes(no), "{no}");
        }
    }

    #[test]
    fn nonsense_is_told() {
        for bad in ["rss>", "rss>lots", "adj<x", "pid:", "pid:x", "score>1.5"] {
            assert!(Filter::parse(bad).is_err(), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,40}") {
            if let Ok(filter) = Filter::parse(&text) {
                let snapshot = Snapshot::default();
                let context = FilterContext { snapshot: &snapshot, rules: &KernelRules::default(), total: 0 };
                let _ = filter.matches(&Process::default(), &context);
            }
        }
    }
}
