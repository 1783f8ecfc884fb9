//! [`OwnFile`]: writes what differs into the user's configuration file, and nothing else: a default that is written once
//! stays for ever.

mod edit;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::faults::Faults;
use super::file;
use super::flags::Flags;
use super::settings::{Setting, Values, setting};
use super::sources;
use crate::app::settings::draft::Draft;
use crate::app::view::processes::table::ProcessTable;
use crate::linux::write::whole;
use crate::model::plan::receipt::FailureKind;

/// What is allowed where the file may not be written.
const INSTEAD: &str = "Without root, settings may lie in any other file of yours: oomtop --config FILE, or OOMTOP_CONFIG=FILE";

/// The user's configuration file.
#[derive(Debug, Clone, Default)]
pub struct OwnFile {
    /// The file; `None` without a home.
    path: Option<PathBuf>,
    environment: Environment,
    /// Settings that flags gave, with their flags.
    flags: Vec<(&'static str, String)>,
}

impl OwnFile {
    /// The file that `--config` or `OOMTOP_CONFIG` names, or the one in the home.
    pub(super) fn new(flags: &Flags, environment: &Environment) -> Self {
        let path = flags.config.clone().or_else(|| environment.other_file());
        let given = flags.found.iter();
        let given = given.map(|found| (found.setting.key, found.origin.to_string()));
        Self {
            path: path.or_else(|| environment.user_file()),
            environment: environment.clone(),
            flags: given.collect(),
        }
    }

    /// The file with these values, by key. A value that the layers below the file give already is taken out of it.
    ///
    /// # Errors
    /// A sentence: no home, a file that cannot be read or has errors.
    pub fn draft(&self, changes: &[(&'static str, String)]) -> Result<Draft, String> {
        let none = || "there is no home directory, so no file of yours: HOME is not set".to_owned();
        let path = self.path.clone().ok_or_else(none)?;
        let before = file::read(&path)?;
        let below = sources::below(&self.environment).map_err(|all| all.join("; "))?;
        let mut after = before.clone().unwrap_or_default();
        let mut notes = Vec::new();
        for (key, value) in changes {
            let Some(setting) = setting(key) else {
                continue;
            };
            let is_given = is_same(setting, value, &below);
            let written = (!is_given).then(|| edit::toml(setting, value));
            after = edit::set(&after, key, written.as_deref())
                .map_err(|why| format!("{}: {why}", path.display()))?;
            notes.extend(self.stronger(setting));
        }
        check(&path, &after)?;
        Ok(Draft {
            path,
            before,
            after,
            notes,
        })
    }

    /// Writes a draft. Returns a sentence.
    ///
    /// # Errors
    /// A sentence: the file has changed since, cannot be written, or oomtop is root and another user can change what is on
    /// the way to it.
    pub fn write(&self, draft: &Draft) -> Result<String, String> {
        let replaced = whole::replace(&draft.path, draft.before.as_deref(), &draft.after);
        replaced.map_err(|failure| match failure.kind {
            FailureKind::Denied => format!("{} {INSTEAD}", failure.sentence),
            _ => failure.sentence,
        })?;
        Ok(format!("{} is written", draft.path.display()))
    }

    /// What will hide the value at the next start.
    fn stronger(&self, setting: &Setting) -> Option<String> {
        let variable = setting.variable();
        let flag = self.flags.iter().find(|(key, _)| *key == setting.key);
        let hides = match flag {
            Some((_, flag)) => flag.clone(),
            None if self.environment.variable(&variable).is_some() => variable,
            None => return None,
        };
        Some(format!("{hides} overrides {} of the file", setting.key))
    }
}

/// True if the text means the value that is in force without the file.
fn is_same(setting: &Setting, text: &str, below: &Values) -> bool {
    let shown = (setting.show)(below);
    // The table is sorted by this without any setting.
    shown == text
        || (setting.key == "sort" && shown.is_empty() && text == ProcessTable::default().sort.id)
}

/// # Errors
/// What is wrong with the text.
fn check(path: &Path, text: &str) -> Result<(), String> {
    let mut faults = Faults::default();
    file::parse(path, text, &mut faults);
    let first = faults.refuse().err().and_then(|all| all.into_iter().next());
    first.map_or(Ok(()), Err)
}
