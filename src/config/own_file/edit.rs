//! Changes single keys of a configuration file. Comments, order and other lines stay as they are.

use std::fmt::Write;

use toml::de::DeTable;

use crate::config::settings::{Form, Setting, Values};

/// The text with this key set to a value of TOML, or without the key.
///
/// # Errors
/// If the text is no TOML.
pub(super) fn set(text: &str, key: &str, value: Option<&str>) -> Result<String, String> {
    let table = DeTable::parse(text).map_err(|error| error.message().replace('\n', ", "))?;
    let found = table.get_ref().iter().find(|(own, _)| own.get_ref() == key);
    let Some((name, old)) = found else {
        return Ok(value.map_or_else(|| text.to_owned(), |value| added(text, key, value)));
    };
    let old = old.span();
    if let Some(value) = value {
        return Ok([&text[..old.start], value, &text[old.end..]].concat());
    }
    let begin = text[..name.span().start].rfind('\n').map_or(0, |at| at + 1);
    let rest = &text[old.end..];
    let line = rest.find('\n').map_or(rest.len(), |at| at + 1);
    // A comment behind the value stays, on a line of its own.
    let comment = rest[..line].trim_start_matches([' ', '\t', ',']);
    let kept = if comment.starts_with('#') {
        comment
    } else {
        ""
    };
    Ok([&text[..begin], kept, &rest[line..]].concat())
}

/// The text with another line, before the first table if there is one, and before what is said above that.
fn added(text: &str, key: &str, value: &str) -> String {
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let line = format!("{key} = {value}{end}");
    let mut at = 0;
    for old in text.split_inclusive('\n') {
        if old.trim_start().starts_with('[') && DeTable::parse(&text[..at]).is_ok() {
            let (before, after) = text.split_at(above(&text[..at]));
            let gap = if after
                .trim_start_matches([' ', '\t'])
                .starts_with(['\n', '\r'])
            {
                ""
            } else {
                end
            };
            return [before, &line, gap, after].concat();
        }
        at += old.len();
    }
    let gap = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        end
    };
    [text, gap, &line].concat()
}

/// Where the comment in front of a table begins, and the empty lines before it: what is above that is about other things.
fn above(text: &str) -> usize {
    let mut at = text.len();
    let mut is_about_it = true;
    for line in text.split_inclusive('\n').rev() {
        is_about_it &= line.trim_start().starts_with('#');
        // The end of a text of several lines looks like a comment, too.
        let is_whole = DeTable::parse(&text[..at - line.len()]).is_ok();
        if !is_whole || !(is_about_it || line.trim().is_empty()) {
            break;
        }
        at -= line.len();
    }
    at
}

/// A value of a setting in TOML, from the text that flags and variables take.
pub(super) fn toml(setting: &Setting, text: &str) -> String {
    let default = (setting.show)(&Values::default());
    let is_number = |text: &str| text.trim().parse::<f64>().is_ok_and(f64::is_finite);
    let numbers: Vec<_> = text.split(',').map(str::trim).collect();
    let are_numbers = default.split(',').all(is_number) && numbers.iter().copied().all(is_number);
    match setting.form {
        Form::Switch => text.to_owned(),
        Form::Value(_) if are_numbers && numbers.len() == 1 => text.trim().to_owned(),
        Form::Value(_) if are_numbers => format!("[{}]", numbers.join(", ")),
        Form::Value(_) | Form::Choice(..) => string(text),
    }
}

/// A basic string (toml.io, "String").
fn string(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use toml::de::DeTable;

    use super::{set, string, toml};
    use crate::config::settings::setting;

    #[test]
    fn only_the_value_changes() {
        let text = "# mine\n\ndelay = 2 # slow\nbands = [60,\n  70, # odd\n  80]\nascii = true";
        let set = |key, value| set(text, key, value).expect("TOML");
        assert_eq!(
            set("delay", Some("5")),
            text.replace("delay = 2 ", "delay = 5 ")
        );
        assert_eq!(
            set("delay", None),
            text.replace("delay = 2 # slow", "# slow")
        );
        assert_eq!(
            set("bands", None),
            "# mine\n\ndelay = 2 # slow\nascii = true"
        );
        assert_eq!(set("theme", None), text);
        assert_eq!(
            set("theme", Some("\"dark\"")),
            format!("{text}\ntheme = \"dark\"\n")
        );
        let set_in = |text, key, value| super::set(text, key, value).expect("TOML");
        let table = "delay = 2\n\n[later]\nkey = 1\n";
        let added = super::set(table, "ascii", Some("true")).expect("TOML");
        assert_eq!(added, "delay = 2\nascii = true\n\n[later]\nkey = 1\n");
        for (before, after) in [
            // What is said above a table stays with it.
            (
                "# all\ndelay = 2\n\n# my keys\n[bind] # mine\nx = \"undo\"\n",
                "# all\ndelay = 2\nascii = true\n\n# my keys\n[bind] # mine\nx = \"undo\"\n",
            ),
            (
                "# all\n\n[bind]\nx = \"undo\"",
                "# all\nascii = true\n\n[bind]\nx = \"undo\"",
            ),
            ("# keys\n[bind]\n", "ascii = true\n\n# keys\n[bind]\n"),
            ("[bind]\r\n", "ascii = true\r\n\r\n[bind]\r\n"),
            (
                "filter = \"\"\"\n# x\"\"\"\n[bind]\n",
                "filter = \"\"\"\n# x\"\"\"\nascii = true\n\n[bind]\n",
            ),
            ("bind.x = \"undo\"\n", "bind.x = \"undo\"\nascii = true\n"),
        ] {
            assert_eq!(set_in(before, "ascii", Some("true")), after);
            assert_eq!(
                set_in(after, "ascii", Some("false")),
                after.replace("= true", "= false")
            );
        }
        assert_eq!(super::set("", "a", Some("1")), Ok("a = 1\n".to_owned()));
        let dos = super::set("delay = 2\r\n", "a", Some("1"));
        assert_eq!(dos, Ok("delay = 2\r\na = 1\r\n".to_owned()));
        assert!(super::set("delay =", "a", Some("1")).is_err());
    }

    #[test]
    fn values_are_written_as_people_write_them() {
        let toml = |key: &str, text: &str| toml(setting(key).expect(key), text);
        assert_eq!(toml("delay", "0.5"), "0.5");
        assert_eq!(toml("bands", "60,75.5,90"), "[60, 75.5, 90]");
        assert_eq!(toml("mouse", "false"), "false");
        assert_eq!(toml("theme", "dark"), "\"dark\"");
        assert_eq!(toml("filter", "100"), "\"100\"");
    }

    proptest! {
        #[test]
        fn any_text_survives(text: String, before in "(# [a-z ]*\n){0,3}") {
            let whole = set(&before, "filter", Some(&string(&text))).expect("TOML");
            let table = DeTable::parse(&whole).expect("TOML");
            let value = table.get_ref().get("filter").expect("there");
            prop_assert_eq!(value.get_ref().as_str(), Some(text.as_str()));
            prop_assert!(whole.starts_with(&before));
            prop_assert_eq!(set(&whole, "filter", None).expect("TOML"), before);
        }
    }
}
