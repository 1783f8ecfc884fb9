//! What entries hold has an end, however long the list around them.

use super::{BYTES_MOST, Entries, Frame, VALUE_BYTES};
use serde_json::Value;

/// Bytes of the values that are held.
fn held(entries: &Entries) -> usize {
    fn weight(value: &Value) -> usize {
        VALUE_BYTES
            + match value {
                Value::String(text) => text.len(),
                Value::Array(values) => values.iter().map(weight).sum(),
                Value::Object(map) => map.iter().map(|(k, v)| k.len() + weight(v)).sum(),
                _ => 0,
            }
    }
    let open = entries.open.iter().map(|open| match &open.frame {
        Frame::Object(map) => map.iter().map(|(k, v)| k.len() + weight(v)).sum(),
        Frame::Array(values) => values.iter().map(weight).sum::<usize>(),
    });
    let fields = entries.verbose.iter().flat_map(|entry| &entry.fields);
    open.sum::<usize>() + fields.map(|(k, v)| k.len() + weight(v)).sum::<usize>()
}

#[test]
fn what_is_open_is_bounded() {
    let long = "A".repeat(60_000);
    for (front, turn) in [
        (
            vec!["{", "\"log\": ["],
            vec![format!("\"{long}\","), "[".to_owned(), "],".to_owned()],
        ),
        (
            vec!["{", "\"log\": ["],
            vec![format!("\"{long}\", {{"), "},".to_owned()],
        ),
        (
            vec!["{", "\"log\": ["],
            vec!["[".to_owned(), format!("], \"{long}\",")],
        ),
        (
            vec!["{", "\"log\": ["],
            vec![format!("\"{long}\","), "    _PID=1".to_owned()],
        ),
        (
            vec!["["],
            vec![
                format!("{{ \"a\": \"{long}\" }},"),
                "{".to_owned(),
                "},".to_owned(),
            ],
        ),
        (vec!["["], vec![format!("[{}1],", "1,".repeat(30_000))]),
        (vec!["["], vec!["1, ".repeat(1000)]),
        (vec!["{"], vec![format!("\"N\": \"{long}\",")]),
        (vec!["    _PID=1"], vec![format!("    N={long}")]),
        (vec!["    _PID=1", "    N=1"], vec![format!("      {long}")]),
    ] {
        let (mut entries, mut out) = (Entries::default(), Vec::new());
        for line in &front {
            entries.line(line, &mut out);
        }
        for number in 0..300 {
            for line in &turn {
                // Other names: each is a field of its own.
                entries.line(&line.replace('N', &format!("N{number}")), &mut out);
                let held = held(&entries);
                assert!(held <= BYTES_MOST, "{held} bytes: {front:?} {}", turn.len());
            }
        }
        out.clear();
    }
}

#[test]
fn a_list_of_many_entries_is_read_to_its_end() {
    let (mut entries, mut out) = (Entries::default(), Vec::new());
    entries.line("{", &mut out);
    entries.line("\"dmesg\": [", &mut out);
    let text = "A".repeat(1000);
    for number in 0..5000 {
        for line in ["{", "\"pri\": 4,", &format!("\"msg\": \"{text}\""), "},"] {
            assert!(entries.line(line, &mut out), "{line}");
        }
        assert_eq!(out.len(), number + 1);
    }
}
