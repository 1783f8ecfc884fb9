//! The settings: [`SETTINGS`] has a row for each. Flag, variable, key of the configuration file, help, check and
//! print follow from the row; `Values::default` holds the default.

mod list;
mod text;

use std::path::PathBuf;

use super::faults::Matters;
use crate::app::settings::Settings;
use crate::linux::scan::backend::BackendChoice;
use crate::ui::theme::Depth;

pub(super) use list::SETTINGS;
pub(super) use text::seconds;

/// The value of every setting. `Default` is the built-in layer and the only place of defaults.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Values {
    /// Settings of the dashboard and the sampler.
    pub(super) settings: Settings,
    /// Colours on the screen.
    pub(super) color: bool,
    /// How many colours; `None` for as many as the terminal has.
    pub(super) color_depth: Option<Depth>,
    /// How to read the processes.
    pub(super) backend: BackendChoice,
    /// Lock oomtop's own memory and lower its own adj, where allowed.
    pub(super) self_protect: bool,
    /// Append every write to this file.
    pub(super) audit: Option<PathBuf>,
}

impl Default for Values {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            color: true,
            color_depth: None,
            backend: BackendChoice::default(),
            self_protect: true,
            audit: None,
        }
    }
}

/// A checked value that knows its field in [`Values`].
pub(super) type Change = Box<dyn FnOnce(&mut Values)>;

/// A setting.
#[derive(Debug)]
pub(super) struct Setting {
    /// Key of the configuration file. `read_only` is the flag `--read-only` and the variable `OOMTOP_READ_ONLY`.
    pub(super) key: &'static str,
    /// Who needs it.
    pub(super) matters: Matters,
    /// One-letter flag; of a switch the one that changes the default.
    pub(super) short: Option<char>,
    /// Another long flag, without dashes.
    pub(super) alias: Option<&'static str>,
    /// How the flag is given.
    pub(super) form: Form,
    /// What the flag does: a line of the help.
    pub(super) doc: &'static str,
    /// Checks a text. An error is the end of a sentence that begins with the origin: "takes true or false, not 'x'".
    pub(super) parse: fn(&str) -> Result<Change, String>,
    /// The value as a text that `parse` takes; empty for none.
    pub(super) show: fn(&Values) -> String,
}

/// How a flag is given.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// `--key` or `--no-key`; help shows the one that changes the default.
    Switch,
    /// `--key VALUE`, with a name for the value.
    Value(&'static str),
    /// `--key WORD`, with a name for the word, and each word with its line of the help.
    Choice(&'static str, fn() -> Vec<(&'static str, &'static str)>),
}

impl Setting {
    /// The long flag without dashes: `read-only`.
    pub(super) fn long(&self) -> String {
        self.key.replace('_', "-")
    }

    /// The environment variable: `OOMTOP_READ_ONLY`.
    pub(super) fn variable(&self) -> String {
        format!("OOMTOP_{}", self.key.to_uppercase())
    }

    /// A switch that is on unless turned off.
    pub(super) fn is_on_by_default(&self) -> bool {
        (self.show)(&Values::default()) == "true"
    }
}

/// The setting of this key.
pub(super) fn setting(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

/// A change that sets one field to `value`.
fn put<T: 'static>(value: T, field: fn(&mut Values) -> &mut T) -> Change {
    Box::new(move |values| *field(values) = value)
}

#[cfg(test)]
mod tests {
    use super::{Form, SETTINGS, Setting, Values};
    use crate::app::settings::Settings;

    /// A new field does not compile until it is listed here, and fails until it has a row.
    #[test]
    fn every_field_has_a_row() {
        let Values {
            settings:
                Settings {
                    delay: _,
                    thresholds: _,
                    read_only: _,
                    ascii: _,
                    kernel_threads: _,
                    tree: _,
                    filter: _,
                    sort: _,
                    columns: _,
                    mouse: _,
                    theme: _,
                    keys: _,
                    // A table of its own.
                    bind: _,
                    // Those that there are.
                    themes: _,
                    // From files of their own.
                    rules: _,
                    // `oomtop run` sets it.
                    record_kills: _,
                    watched: _,
                },
            color: _,
            color_depth: _,
            backend: _,
            self_protect: _,
            audit: _,
        } = Values::default();
        let mut fields = [
            "delay",
            "bands",
            "read_only",
            "ascii",
            "kernel_threads",
            "tree",
            "filter",
            "sort",
            "columns",
            "color",
            "color_depth",
            "theme",
            "keys",
            "backend",
            "mouse",
            "self_protect",
            "audit",
            "record_kills",
        ];
        let mut keys: Vec<_> = SETTINGS.iter().map(|setting| setting.key).collect();
        fields.sort_unstable();
        keys.sort_unstable();
        assert_eq!(keys, fields);
    }

    #[test]
    fn a_default_that_is_given_changes_nothing() {
        for setting in SETTINGS {
            let shown = (setting.show)(&Values::default());
            if shown.is_empty() {
                continue;
            }
            let mut values = Values::default();
            (setting.parse)(&shown).expect(setting.key)(&mut values);
            assert_eq!(values, Values::default(), "{}", setting.key);
        }
    }

    /// The row of the README.
    fn row(setting: &Setting) -> String {
        let flag = match setting.form {
            Form::Switch if setting.is_on_by_default() => format!("--no-{}", setting.long()),
            Form::Switch => format!("--{}", setting.long()),
            Form::Value(name) | Form::Choice(name, _) => format!("--{} {name}", setting.long()),
        };
        let short = setting
            .short
            .map_or_else(String::new, |short| format!("`-{short}`, "));
        let default = match (setting.show)(&Values::default()) {
            none if none.is_empty() => "none".to_owned(),
            shown => format!("`{shown}`"),
        };
        let Setting { key, doc, .. } = setting;
        format!("| `{key}` | {short}`{flag}` | {default} | {doc} |")
    }

    #[test]
    fn the_manual_has_every_setting() {
        let manual = include_str!("../../../assets/manual.md");
        let rows: Vec<_> = SETTINGS.iter().map(row).collect();
        assert!(
            manual.contains(&rows.join("\n")),
            "assets/manual.md needs these rows:\n{}",
            rows.join("\n")
        );
    }
}
