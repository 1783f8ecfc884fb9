//! Lines of comma-separated values (RFC 4180): raw numbers in base units, one row for each process.

use super::listed::{context, listed};
use crate::app::settings::Settings;
use crate::app::view::processes::columns::{Column, Raw};
use crate::app::view::processes::marks::Marks;
use crate::model::snapshot::{Host, Snapshot};

/// The columns that have a value.
fn columns(settings: &Settings) -> Vec<&'static Column> {
    let mut columns = settings.columns.columns();
    columns.retain(|column| column.cell.raw.is_some());
    columns
}

/// The names of the columns, the time first: seconds since 1970.
pub fn header(settings: &Settings) -> String {
    let ids = columns(settings).into_iter().map(|column| column.id);
    let names: Vec<_> = std::iter::once("time_unix").chain(ids).collect();
    format!("{}\r\n", names.join(","))
}

/// The rows of one sample.
pub fn rows(snapshot: &Snapshot, host: &Host, marks: &Marks, settings: &Settings) -> String {
    let context = context(snapshot, host, marks, settings);
    let columns = columns(settings);
    #[expect(
        clippy::cast_precision_loss,
        reason = "microseconds of a clock fit until the year 2255"
    )]
    let time = format!("{:.3}", snapshot.taken.wall.unix_micros as f64 / 1e6);
    let mut out = String::new();
    for process in listed(&context, host, settings) {
        out.push_str(&time);
        for column in &columns {
            out.push(',');
            if let Some(raw) = column.cell.raw {
                push(&mut out, &raw(process, &context));
            }
        }
        out.push_str("\r\n");
    }
    out
}

fn push(out: &mut String, value: &Raw) {
    match value {
        Raw::Nothing => {}
        Raw::Whole(number) => out.push_str(&number.to_string()),
        Raw::Real(number) => out.push_str(&rounded(*number)),
        Raw::Text(text) => out.push_str(&quoted(text)),
    }
}

/// At most three decimals, no zeros at the end: what follows is noise.
fn rounded(number: f64) -> String {
    let text = format!("{number:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0" } else { text }.to_owned()
}

/// A field: in quotes where it holds a comma, a quote or a blank at an end. Control characters are replaced: a line is a
/// row, and no terminal obeys what a process is called. A text that a spreadsheet would take for a formula begins with an
/// apostrophe.
fn quoted(text: &str) -> String {
    let text = super::printable(text);
    let text = if text.starts_with(['=', '+', '-', '@']) && text.len() > 1 {
        format!("'{text}")
    } else {
        text
    };
    if text.contains([',', '"']) || text.starts_with(' ') || text.ends_with(' ') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{quoted, rounded};

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        for (text, field) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("two\nlines\u{1b}[31m", "two\u{fffd}lines\u{fffd}[31m"),
            (" x", "\" x\""),
            ("=1+1", "'=1+1"),
            ("-bash", "'-bash"),
            ("=", "="),
            ("日本", "日本"),
        ] {
            assert_eq!(quoted(text), field);
        }
        assert_eq!(rounded(1.5), "1.5");
        assert_eq!(rounded(-0.0001), "0");
        assert_eq!(rounded(1_795_824_000.25), "1795824000.25");
    }
}
