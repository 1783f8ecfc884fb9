//! Files of rules: where they are, whether they may be trusted, and what stands in them.
//!
//! ```text
//!  /etc/oomtop/rules.toml      the weakest
//!  /etc/oomtop/rules.d/*.toml  by name
//!  oomtop/rules.toml of XDG    the user's: the strongest
//! ```

mod entry;
mod parse;

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(super) use parse::keys;

use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::file;
use crate::linux::trust;
use crate::model::rules::book::Found;
use crate::model::rules::own::OwnFile;
use crate::model::rules::{MOST_RULES, Rules};

/// Most files of a directory of rules.
const MOST_FILES: usize = 256;

/// The file of the directory that oomtop writes as root.
const OWN_FILE: &str = "50-oomtop.toml";

/// Where rules are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFiles {
    place: Place,
    /// The effective user of oomtop: as root it reads only what root alone can write.
    euid: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// These files alone (`--rules`); each must be there.
    Named(Vec<PathBuf>),
    /// Where they belong; none of them must be there.
    Usual {
        system: PathBuf,
        directory: PathBuf,
        user: Option<PathBuf>,
    },
}

impl RuleFiles {
    /// These files, or the usual ones if there is none.
    pub(super) fn new(named: Vec<PathBuf>, environment: &Environment) -> Self {
        let (system, directory, user) = environment.rule_places();
        let place = if named.is_empty() {
            Place::Usual {
                system,
                directory,
                user,
            }
        } else {
            Place::Named(named)
        };
        Self {
            place,
            euid: rustix::process::geteuid().as_raw(),
        }
    }

    /// Where rules are looked for, for messages.
    #[must_use]
    pub fn places(&self) -> Vec<String> {
        let paths: Vec<&PathBuf> = match &self.place {
            Place::Named(files) => files.iter().collect(),
            Place::Usual {
                system,
                directory,
                user,
            } => [system, directory].into_iter().chain(user).collect(),
        };
        paths
            .iter()
            .map(|path| path.display().to_string())
            .collect()
    }

    /// Reads all files.
    ///
    /// # Errors
    /// A sentence for everything that is wrong in any file, with the file and the line.
    pub fn read(&self) -> Result<Rules, Vec<String>> {
        let found = self.survey();
        if found.faults.is_empty() {
            Ok(found.rules)
        } else {
            Err(found.faults)
        }
    }

    /// Reads all files: the rules that are right, everything that is wrong, and the file that oomtop writes.
    #[must_use]
    pub fn survey(&self) -> Found {
        let (mut rules, mut errors) = (Vec::new(), Vec::new());
        let own_path = self.own_path();
        let mut own = OwnFile::default();
        if let Some(path) = &own_path {
            own = OwnFile {
                path: path.display().to_string(),
                refused: self.refused(path),
                ..own
            };
        } else {
            own.refused =
                Some("neither HOME nor XDG_CONFIG_HOME says where your rules are".to_owned());
        }
        for (path, must_be_there) in self.files(&mut errors) {
            let faults = errors.len();
            let text = self.text(&path);
            match &text {
                Ok(Some(text)) => rules.extend(parse::parse(&path, text, &mut errors)),
                Ok(None) if must_be_there => {
                    errors.push(format!("{}: there is no such file", path.display()));
                }
                Ok(None) => {}
                Err(sentence) => errors.push(sentence.clone()),
            }
            let is_own = own_path.as_ref() == Some(&path);
            if is_own {
                own.text = text.ok().flatten();
                own.refused = errors.get(faults).cloned().or(own.refused);
            }
            // Those of later files are stronger than a new rule.
            if own_path
                .as_ref()
                .is_some_and(|own| self.is_up_to(&path, own))
            {
                own.before = rules.len();
            }
        }
        if rules.len() > MOST_RULES {
            errors.push(format!(
                "there are {} rules: oomtop takes {MOST_RULES}",
                rules.len()
            ));
        }
        Found {
            rules: Rules::new(rules),
            faults: errors,
            places: self.places(),
            own,
        }
    }

    /// The file that oomtop writes: one of the directory as root, that of the user otherwise.
    fn own_path(&self) -> Option<PathBuf> {
        match &self.place {
            Place::Named(_) => None,
            Place::Usual { directory, .. } if self.euid == 0 => Some(directory.join(OWN_FILE)),
            Place::Usual { user, .. } => user.clone(),
        }
    }

    /// The file is read before this one, or is this one.
    fn is_up_to(&self, path: &Path, own: &Path) -> bool {
        match &self.place {
            Place::Usual { system, user, .. } if self.euid == 0 => {
                path == system || user.as_deref() != Some(path) && path <= own
            }
            Place::Named(_) | Place::Usual { .. } => true,
        }
    }

    /// Why a rule must not be written there: a sentence, where `oomtop protect` would not obey it.
    fn refused(&self, path: &Path) -> Option<String> {
        if file::is_out_of_reach(path) {
            return Some(format!("{}: no permission to look there", path.display()));
        }
        let mut around = path.ancestors().skip(1);
        let nearest = around.find(|directory| directory.is_dir())?;
        trust::directory_for_file(nearest, self.euid).err()
    }

    /// The files in their order, and whether each must be there.
    fn files(&self, errors: &mut Vec<String>) -> Vec<(PathBuf, bool)> {
        match &self.place {
            Place::Named(files) => files.iter().map(|path| (path.clone(), true)).collect(),
            Place::Usual {
                system,
                directory,
                user,
            } => {
                let mut files = vec![(system.clone(), false)];
                match listed(directory) {
                    Ok(found) => files.extend(found.into_iter().map(|path| (path, false))),
                    Err(sentence) => errors.push(sentence),
                }
                // After `sudo -u` HOME is still another user's: its rules are not meant for this user.
                let reachable = user.iter().filter(|path| !file::is_out_of_reach(path));
                files.extend(reachable.map(|path| (path.clone(), false)));
                files
            }
        }
    }

    fn text(&self, path: &Path) -> Result<Option<String>, String> {
        let text = file::read_if(path, |found| trust::file(found, self.euid))?;
        if text.is_some() {
            trust::directories_of(path, self.euid)?;
        }
        Ok(text)
    }
}

/// Whether oomtop may obey this file with its present rights.
///
/// # Errors
/// A sentence, if it runs as root and somebody else can change the file.
pub(super) fn trusted(path: &Path) -> Result<(), String> {
    let euid = rustix::process::geteuid().as_raw();
    let say = |why: String| format!("{}: {why}", path.display());
    let found = std::fs::metadata(path).map_err(|error| say(error.to_string()))?;
    trust::file(&found, euid).map_err(say)?;
    trust::directories_of(path, euid)
}

/// The files of the directory that end with `.toml`, by name; none if it is not there.
fn listed(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let wrong = |why: &str| format!("{}: {why}", directory.display());
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(wrong(&format!("cannot be read: {error}"))),
    };
    let is_rules = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy());
        // Editors keep copies with a dot in front.
        name.is_some_and(|name| !name.starts_with('.'))
            && path.extension().is_some_and(|end| end == "toml")
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| wrong(&format!("cannot be read: {error}")))?;
        files.extend(Some(entry.path()).filter(is_rules));
        if files.len() > MOST_FILES {
            return Err(wrong(&format!("holds more than {MOST_FILES} files")));
        }
    }
    files.sort();
    Ok(files)
}
