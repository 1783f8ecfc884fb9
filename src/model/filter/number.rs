//! The numbers that a term can compare: fields of a process, and how their values are written.

use super::FilterContext;
use crate::model::process::Process;
use crate::model::process::badness::{badness, score};
use crate::model::size::parse_size;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
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
pub(super) enum Comparison {
    Less,
    AtMost,
    More,
    AtLeast,
    Equal,
    NotEqual,
}

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

/// All names of the fields.
pub(super) fn field_names() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().flat_map(|(names, _)| names.iter().copied())
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

/// The comparison that a word is: its field, its sign and its number; `None` if it is none.
///
/// # Errors
/// A sentence about a value that is no number of the field.
pub(super) fn parse(word: &str) -> Result<Option<(Field, Comparison, i64)>, String> {
    let fields = FIELDS
        .iter()
        .flat_map(|(names, field)| names.iter().map(move |name| (name, *field)));
    for (name, field) in fields {
        let Some(rest) = word.strip_prefix(name) else {
            continue;
        };
        for (sign, comparison) in COMPARISONS {
            if let Some(value) = rest.strip_prefix(sign) {
                let value = parse_value(field, value)
                    .ok_or_else(|| format!("{word}: {} after {name}{sign}", wanted(field)))?;
                return Ok(Some((field, *comparison, value)));
            }
        }
    }
    Ok(None)
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

impl Field {
    /// The value of the process; `None` never compares true.
    pub(super) fn of(self, process: &Process, context: &FilterContext<'_>) -> Option<i64> {
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
    pub(super) fn holds(self, actual: i64, value: i64) -> bool {
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
