//! oomtop-config(5).

use super::roff::Roff;
use super::{DATE, markdown};
use crate::config::settings::{Form, SETTINGS, Setting, Values};

pub(super) fn page() -> String {
    let mut roff = Roff::new("oomtop-config", 5, DATE, "File Formats");
    markdown::append(&mut roff, include_str!("config.md"));
    roff.section("Settings");
    for setting in SETTINGS {
        let paragraphs = paragraphs(setting);
        roff.item(
            &format!("`{}`", setting.key),
            paragraphs.iter().map(String::as_str),
        );
    }
    markdown::append(&mut roff, "# See also\n`oomtop`(1), `oomtop-rules`(5)");
    roff.source()
}

fn paragraphs(setting: &Setting) -> Vec<String> {
    let default = match (setting.show)(&Values::default()) {
        none if none.is_empty() => "none".to_owned(),
        shown => format!("`{shown}`"),
    };
    let long = setting.long();
    let (flag, doc) = match setting.form {
        Form::Switch => {
            let off = format!("--no-{long}");
            let flag = format!("`--{long}`, `{off}`");
            let of = if setting.is_on_by_default() { &off } else { "" };
            let doc = match of {
                "" => setting.doc.to_owned(),
                off => format!("With `{off}` or `false`: {}", lower(setting.doc)),
            };
            (flag, doc)
        }
        Form::Value(name) | Form::Choice(name, _) => {
            (format!("`--{long}` _{name}_"), setting.doc.to_owned())
        }
    };
    let mut paragraphs = vec![
        format!("{doc}."),
        format!("Default {default}; {flag}; `{}`.", setting.variable()),
    ];
    if let Form::Choice(_, words) = setting.form {
        let word = |(word, doc): (&str, &str)| format!("`{word}`: {doc}");
        paragraphs.extend(words().into_iter().map(word));
    }
    paragraphs
}

/// Its first letter small, inside a sentence.
fn lower(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_lowercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}
