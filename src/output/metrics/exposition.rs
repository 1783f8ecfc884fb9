//! [`Page`]: writes metrics in the two text formats that Prometheus reads.

use std::collections::HashSet;
use std::fmt::Write as _;

use crate::output::printable;

/// Longest value of a label, in characters.
const LONGEST: usize = 512;

/// How metrics are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The text format 0.0.4, which every Prometheus, `promtool check metrics` and node_exporter's textfiles read.
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Format {
    /// The best one that an `Accept:` header names; the text format where it names none.
    #[must_use]
    pub fn accepted(accept: &str) -> Self {
        let wanted = |part: &str| {
            let mut words = part.split(';').map(str::trim);
            let is_it = words
                .next()
                .is_some_and(|name| name.eq_ignore_ascii_case("application/openmetrics-text"));
            // A quality of 0 means "not that one" (RFC 9110, 12.4.2).
            is_it && !words.any(|word| matches!(word, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        };
        if accept.split(',').any(wanted) {
            Self::OpenMetrics
        } else {
            Self::Text
        }
    }

    /// The value of `Content-Type:`.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Kinds of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Goes up and down.
    Gauge,
    /// Only rises, until oomtop or the machine starts anew; its samples end in `_total`.
    Counter,
    /// Facts in labels; its value is 1 and its samples end in `_info`.
    Info,
}

/// A value that is known. What is not known has no sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    Whole(u64),
    Signed(i64),
    Real(f64),
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Whole(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Whole(value.into())
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::Whole(value as u64)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Whole(value.into())
    }
}

impl From<i16> for Value {
    fn from(value: i16) -> Self {
        Self::Signed(value.into())
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

/// A label: its name, and its value as it came from outside.
pub(super) type Label<'a> = (&'static str, &'a str);

/// Metrics, one family after the other.
#[derive(Debug)]
pub(super) struct Page {
    format: Format,
    text: String,
    /// Series, those of the family that is being written by their labels.
    family: HashSet<String>,
    series: usize,
}

impl Page {
    pub(super) fn new(format: Format) -> Self {
        Self {
            format,
            text: String::with_capacity(16 * 1024),
            family: HashSet::new(),
            series: 0,
        }
    }

    /// Begins a family; its samples follow in one piece. `name` has no ending of its kind; its unit (`_bytes`,
    /// `_seconds`, `_ratio`) belongs to it. A family without a sample is not written.
    pub(super) fn family(&mut self, name: &'static str, kind: Kind, help: &str) -> Family<'_> {
        self.family.clear();
        Family {
            page: self,
            name,
            kind,
            help: help.to_owned(),
        }
    }

    /// Series so far.
    pub(super) fn series(&self) -> usize {
        self.series
    }

    /// The whole text.
    pub(super) fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }
}

/// A family that is being written.
#[derive(Debug)]
pub(super) struct Family<'a> {
    page: &'a mut Page,
    name: &'static str,
    kind: Kind,
    help: String,
}

impl Family<'_> {
    /// Writes a sample, if its value is known. Of two with the same labels the first counts: one doubled series makes
    /// Prometheus refuse the whole page.
    pub(super) fn sample(&mut self, labels: &[Label<'_>], value: Option<impl Into<Value>>) {
        let value = match value.map(Into::into) {
            None => return,
            Some(Value::Real(real)) if !real.is_finite() => return,
            Some(Value::Whole(whole)) => whole.to_string(),
            Some(Value::Signed(signed)) => signed.to_string(),
            Some(Value::Real(real)) => real.to_string(),
        };
        let labels = set(labels);
        if self.page.family.is_empty() {
            self.head();
        }
        let ending = match self.kind {
            Kind::Gauge => "",
            Kind::Counter => "_total",
            Kind::Info => "_info",
        };
        if self.page.family.insert(labels.clone()) {
            self.page.series += 1;
            // A String never fails.
            let _ = writeln!(self.page.text, "{}{ending}{labels} {value}", self.name);
        }
    }

    fn head(&mut self) {
        let (name, text) = (self.name, &mut self.page.text);
        let (shown, kind) = match (self.page.format, self.kind) {
            (_, Kind::Gauge) => (name.to_owned(), "gauge"),
            (Format::OpenMetrics, Kind::Counter) => (name.to_owned(), "counter"),
            (Format::OpenMetrics, Kind::Info) => (name.to_owned(), "info"),
            (Format::Text, Kind::Counter) => (format!("{name}_total"), "counter"),
            (Format::Text, Kind::Info) => (format!("{name}_info"), "gauge"),
        };
        let _ = writeln!(text, "# HELP {shown} {}", self.help);
        let _ = writeln!(text, "# TYPE {shown} {kind}");
        let units = ["bytes", "seconds", "ratio"];
        let unit = units.iter().find(|unit| {
            name.strip_suffix(**unit)
                .is_some_and(|rest| rest.ends_with('_'))
        });
        if let (Format::OpenMetrics, Some(unit)) = (self.page.format, unit) {
            let _ = writeln!(text, "# UNIT {shown} {unit}");
        }
    }
}

/// `{domain="/a",unit="b.service"}`. Empty labels are as good as none and are left out.
fn set(labels: &[Label<'_>]) -> String {
    let there = labels.iter().filter(|(_, value)| !value.is_empty());
    let all: Vec<String> = there
        .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
        .collect();
    if all.is_empty() {
        String::new()
    } else {
        format!("{{{}}}", all.join(","))
    }
}

/// A value from outside: whoever names a process or a group must not write samples of their own, nor colour the
/// terminal of somebody who reads the page there.
pub(super) fn escaped(value: &str) -> String {
    let cut: String = value.chars().take(LONGEST).collect();
    let mut text = String::with_capacity(cut.len());
    for c in printable(&cut).chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Format, Kind, Page, Value};

    fn page(format: Format) -> String {
        let mut page = Page::new(format);
        let mut family = page.family("t_used_bytes", Kind::Gauge, "Used.");
        family.sample(&[("group", "/a"), ("unit", "")], Some(7_u64));
        family.sample(&[("group", "/a")], Some(8_u64));
        family.sample(&[("group", "/b")], None::<u64>);
        let mut family = page.family("t_waited_seconds", Kind::Counter, "Waited.");
        family.sample(&[], Some(0.25));
        page.family("t_none", Kind::Gauge, "Unknown.")
            .sample(&[], Some(f64::NAN));
        page.family("t_build", Kind::Info, "Build.")
            .sample(&[("version", "1")], Some(true));
        assert_eq!(page.series(), 3);
        page.finish()
    }

    #[test]
    fn both_formats_have_their_own_heads() {
        assert_eq!(
            page(Format::Text),
            "# HELP t_used_bytes Used.\n# TYPE t_used_bytes gauge\nt_used_bytes{group=\"/a\"} 7\n\
             # HELP t_waited_seconds_total Waited.\n# TYPE t_waited_seconds_total counter\nt_waited_seconds_total 0.25\n\
             # HELP t_build_info Build.\n# TYPE t_build_info gauge\nt_build_info{version=\"1\"} 1\n"
        );
        assert_eq!(
            page(Format::OpenMetrics),
            "# HELP t_used_bytes Used.\n# TYPE t_used_bytes gauge\n# UNIT t_used_bytes bytes\nt_used_bytes{group=\"/a\"} 7\n\
             # HELP t_waited_seconds Waited.\n# TYPE t_waited_seconds counter\n# UNIT t_waited_seconds seconds\n\
             t_waited_seconds_total 0.25\n\
             # HELP t_build Build.\n# TYPE t_build info\nt_build_info{version=\"1\"} 1\n# EOF\n"
        );
    }

    #[test]
    fn the_format_is_the_one_that_is_asked_for() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(Format::accepted(prometheus), Format::OpenMetrics);
        for text in [
            "",
            "*/*",
            "text/plain",
            "application/openmetrics-text;q=0, */*",
        ] {
            assert_eq!(Format::accepted(text), Format::Text, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_name_breaks_out_of_its_label(name in "\\PC{0,600}|[\"\\\\\n\r\u{1b}{},=# ]{0,40}", value in proptest::num::f64::ANY) {
            let mut page = Page::new(Format::Text);
            page.family("t", Kind::Gauge, "T.").sample(&[("l", &name)], Some(Value::Real(value)));
            let text = page.finish();
            proptest::prop_assert_eq!(text.lines().count(), if value.is_finite() { 3 } else { 0 });
            if let Some(line) = text.lines().nth(2).filter(|_| !name.is_empty()) {
                let inner = line.strip_prefix("t{l=\"").and_then(|rest| rest.rsplit_once("\"} ")).map(|(inner, _)| inner);
                let inner = inner.expect("one label");
                let mut rest = inner.chars();
                while let Some(c) = rest.next() {
                    proptest::prop_assert!(c != '"' && !c.is_control());
                    if c == '\\' {
                        proptest::prop_assert!(matches!(rest.next(), Some('\\' | '"' | 'n')));
                    }
                }
            }
        }
    }
}
