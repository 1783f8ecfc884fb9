//! Themes: those in `assets/themes/`, compiled in, and files in directories of the user and the administrator, all read
//! by the same code.

mod parse;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::file;
use crate::text::suggest::nearest;
use crate::ui::theme::{Depth, Theme, Themes};

/// The themes that are compiled in, in the order of the lists that show them.
const BUILT_IN: &[(&str, &str)] = &[
    ("oomtop", include_str!("../../../assets/themes/oomtop.toml")),
    ("dark", include_str!("../../../assets/themes/dark.toml")),
    ("light", include_str!("../../../assets/themes/light.toml")),
    (
        "high-contrast",
        include_str!("../../../assets/themes/high-contrast.toml"),
    ),
    (
        "colour-blind",
        include_str!("../../../assets/themes/colour-blind.toml"),
    ),
    ("mono", include_str!("../../../assets/themes/mono.toml")),
    (
        "gruvbox",
        include_str!("../../../assets/themes/gruvbox.toml"),
    ),
    ("nord", include_str!("../../../assets/themes/nord.toml")),
    (
        "dracula",
        include_str!("../../../assets/themes/dracula.toml"),
    ),
];

/// Most files of a directory of themes that are looked at.
const MOST: usize = 64;

/// A theme as a file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Described {
    /// Its name.
    pub(super) name: String,
    /// The line of `--print themes`.
    pub(super) about: String,
    /// Its file; `None` if it is compiled in.
    pub(super) path: Option<PathBuf>,
    /// How it looks with all colours.
    pub(super) theme: Theme,
}

/// Every theme there is: a file of the user comes before one of the administrator, and both before a built-in theme of
/// the same name.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Those that can be shown.
    pub(super) themes: Vec<Described>,
    /// Those that cannot: the name, and a sentence for each error.
    pub(super) broken: Vec<(String, Vec<String>)>,
}

impl Found {
    /// Looks in both directories.
    pub(super) fn new(environment: &Environment) -> Self {
        let mut found = Self::default();
        for (name, path) in files(environment) {
            if found.is_known(&name) {
                continue;
            }
            let described = match file::read(&path) {
                Ok(Some(text)) => parse::theme(&path, &text),
                Ok(None) => continue,
                Err(sentence) => Err(vec![sentence]),
            };
            match described {
                Ok((about, theme)) => found.themes.push(Described {
                    name,
                    about,
                    path: Some(path),
                    theme,
                }),
                Err(sentences) => found.broken.push((name, sentences)),
            }
        }
        let own = std::mem::take(&mut found.themes);
        for (name, text) in BUILT_IN {
            if own.iter().any(|theme| theme.name == *name)
                || found.broken.iter().any(|(broken, _)| broken == name)
            {
                continue;
            }
            // A test keeps these free of errors.
            if let Ok((about, theme)) = parse::theme(Path::new(name), text) {
                found.themes.push(Described {
                    name: (*name).to_owned(),
                    about,
                    path: None,
                    theme,
                });
            }
        }
        found.themes.extend(own);
        found
    }

    /// The names of those that can be shown.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.themes.iter().map(|theme| theme.name.as_str())
    }

    fn is_known(&self, name: &str) -> bool {
        let is_it = |theme: &Described| theme.name == name;
        self.themes.iter().any(is_it) || self.broken.iter().any(|(broken, _)| broken == name)
    }

    /// Looks for the theme of this name.
    ///
    /// # Errors
    /// What is wrong with its file, or the ends of sentences that begin with where the name is from.
    pub(super) fn check(&self, name: &str) -> Result<(), Wrong> {
        if let Some((_, sentences)) = self.broken.iter().find(|(broken, _)| broken == name) {
            return Err(Wrong::File(sentences.clone()));
        }
        if self.is_known(name) {
            return Ok(());
        }
        let names: Vec<_> = self.themes.iter().map(|t| t.name.as_str()).collect();
        let meant = nearest(name, &names)
            .map_or_else(String::new, |meant| format!(" (did you mean '{meant}'?)"));
        Err(Wrong::Name(format!(
            "there is no theme '{name}'{meant}; the themes are {}",
            names.join(", ")
        )))
    }

    /// The themes with the colours of the terminal.
    pub(super) fn at(&self, depth: Depth) -> Themes {
        let named = self.themes.iter();
        let named = named.map(|described| (described.name.clone(), described.theme.at(depth)));
        Themes::new(named.collect(), Theme::colours().at(depth))
    }
}

/// Why there is no such theme.
#[derive(Debug)]
pub(super) enum Wrong {
    /// Its file has errors: whole sentences.
    File(Vec<String>),
    /// Nobody has it: the end of a sentence.
    Name(String),
}

/// The files of themes, the user's first, with the names of the themes; in the order of their names.
fn files(environment: &Environment) -> Vec<(String, PathBuf)> {
    let mut files = Vec::new();
    for dir in environment.theme_dirs() {
        let Ok(entries) = std::fs::read_dir(dir) else {
            continue;
        };
        let mut here: Vec<_> = entries
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                let is_theme = path.extension().is_some_and(|end| end == "toml");
                let name = path.file_stem()?.to_str()?.to_owned();
                is_theme.then_some((name, path))
            })
            .collect();
        here.sort();
        here.truncate(MOST);
        files.extend(here);
    }
    files
}
