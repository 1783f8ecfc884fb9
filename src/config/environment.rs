//! [`Environment`]: variables, paths of configuration files and the terminal, as a value.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use super::faults::Faults;
use super::layers::{Found, Origin};
use super::settings::{SETTINGS, setting};

/// The administrator's file.
const SYSTEM_FILE: &str = "/etc/oomtop/config.toml";
/// The user's file, below `$XDG_CONFIG_HOME` or `~/.config`.
const USER_FILE: &str = "oomtop/config.toml";
/// Names another file in place of the user's.
const OTHER_FILE: &str = "OOMTOP_CONFIG";

/// Variables, the administrator's file, the terminal.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// Environment variables.
    pub variables: BTreeMap<OsString, OsString>,
    /// The configuration file for all users.
    pub system_file: PathBuf,
    /// Standard input and output are a terminal.
    pub terminal: bool,
}

impl Environment {
    /// The environment of this process.
    pub fn from_process() -> Self {
        Self {
            variables: std::env::vars_os().collect(),
            system_file: SYSTEM_FILE.into(),
            terminal: std::io::stdout().is_terminal() && std::io::stdin().is_terminal(),
        }
    }

    /// A variable that is set and not empty.
    pub(super) fn variable(&self, name: &str) -> Option<&OsStr> {
        let value = self.variables.get(OsStr::new(name))?;
        (!value.is_empty()).then_some(value)
    }

    /// The user's configuration file; `None` without a home. A relative `XDG_CONFIG_HOME` is invalid and ignored
    /// (XDG Base Directory Specification).
    pub(super) fn user_file(&self) -> Option<PathBuf> {
        self.user_dir().map(|dir| dir.join(USER_FILE))
    }

    /// The file of `OOMTOP_CONFIG`, in place of the user's.
    pub(super) fn other_file(&self) -> Option<PathBuf> {
        self.variable(OTHER_FILE).map(PathBuf::from)
    }

    /// Directories with themes, the strongest first.
    pub(super) fn theme_dirs(&self) -> Vec<PathBuf> {
        let user = self.user_dir().map(|dir| dir.join("oomtop/themes"));
        let system = self.system_file.with_file_name("themes");
        user.into_iter().chain([system]).collect()
    }

    /// The user's directory for configurations.
    fn user_dir(&self) -> Option<PathBuf> {
        let base = self
            .variable("XDG_CONFIG_HOME")
            .map(Path::new)
            .filter(|dir| dir.is_absolute())
            .map(Path::to_owned);
        let home = || Some(Path::new(self.variable("HOME")?).join(".config"));
        base.or_else(home)
    }

    /// The administrator's rules, the directory with more of them, and the user's.
    pub(super) fn rule_places(&self) -> (PathBuf, PathBuf, Option<PathBuf>) {
        (
            self.system_file.with_file_name("rules.toml"),
            self.system_file.with_file_name("rules.d"),
            self.user_dir().map(|dir| dir.join("oomtop/rules.toml")),
        )
    }

    /// `NO_COLOR`, set and not empty (no-color.org), or `CLICOLOR=0` unless `CLICOLOR_FORCE` says otherwise
    /// (bixense.com/clicolors).
    pub(super) fn no_color(&self) -> Option<Found> {
        let is_zero = |name: &str| self.variable(name).is_some_and(|value| value == "0");
        let name = if self.variable("NO_COLOR").is_some() {
            "NO_COLOR"
        } else if is_zero("CLICOLOR") && !self.forces_color() {
            "CLICOLOR"
        } else {
            return None;
        };
        Some(Found {
            setting: setting("color")?,
            text: "false".to_owned(),
            origin: Origin::Variable(name.to_owned()),
        })
    }

    /// `CLICOLOR_FORCE`, set and not 0.
    pub(super) fn forces_color(&self) -> bool {
        self.variable("CLICOLOR_FORCE")
            .is_some_and(|value| value != "0")
    }

    /// A terminal or a locale that cannot show all that oomtop draws: ASCII only (locale(7), term(7)).
    pub(super) fn only_ascii(&self) -> Option<Found> {
        let text = |name: &str| self.variable(name).and_then(OsStr::to_str);
        let mut names = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter();
        let locale = names.find_map(|name| Some((name, text(name)?)));
        let is_utf8 = |locale: &str| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        };
        // Without any locale variable nothing is known: containers and sudo often have none.
        let by_locale = locale.filter(|(_, locale)| !is_utf8(locale));
        // The Linux console has 512 glyphs at most: no eighths of a block.
        let by_terminal = || {
            let poor = |term: &&str| matches!(*term, "dumb" | "linux") || term.starts_with("vt");
            text("TERM").filter(poor).map(|term| ("TERM", term))
        };
        let (name, _) = by_locale.or_else(by_terminal)?;
        Some(Found {
            setting: setting("ascii")?,
            text: "true".to_owned(),
            origin: Origin::Variable(name.to_owned()),
        })
    }

    /// The `OOMTOP_…` variables. A name that belongs to no setting is ignored: another program may use it.
    ///
    /// `faults` takes a sentence about each variable that is not UTF-8.
    pub(super) fn settings(&self, faults: &mut Faults) -> Vec<Found> {
        let mut found = Vec::new();
        for setting in SETTINGS {
            let name = setting.variable();
            let Some(value) = self.variable(&name) else {
                continue;
            };
            match value.to_str() {
                Some(text) => found.push(Found {
                    setting,
                    text: text.to_owned(),
                    origin: Origin::Variable(name),
                }),
                None => faults.push(setting.matters, format!("{name}: is not UTF-8")),
            }
        }
        found
    }
}
