//! Reads every source of settings, in the order of the layers.

use std::path::{Path, PathBuf};

use super::bind::Bounds;
use super::environment::Environment;
use super::file;
use super::flags::Flags;
use super::layers::{Configuration, Found, Layer, wrong};
use super::settings::{Values, setting};
use super::themes;
use crate::ui::theme::{Depth, Theme, Themes};

/// A configuration file that was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConfigFile {
    /// Its path.
    pub(super) path: PathBuf,
    /// True if it exists and was read.
    pub(super) is_there: bool,
}

/// The settings in force, and the files they may come from, the stronger file last.
#[derive(Debug)]
pub(super) struct Sources {
    /// The settings.
    pub(super) configuration: Configuration,
    /// The keys of `[bind]`.
    pub(super) keys: Bounds,
    /// The files.
    pub(super) files: Vec<ConfigFile>,
    /// The themes there are.
    pub(super) found: themes::Found,
    /// How many colours are shown.
    pub(super) depth: Depth,
}

impl Sources {
    /// The chosen theme as this terminal shows it.
    pub(super) fn theme(&self) -> Theme {
        let name = &self.configuration.values.settings.theme;
        self.themes().of(name).clone()
    }

    /// The themes as this terminal shows them.
    pub(super) fn themes(&self) -> Themes {
        self.found.at(self.depth)
    }
}

/// Reads the two files and the variables and lays the flags over them.
///
/// # Errors
/// A sentence for everything that is wrong in any layer; an overridden value must be right too.
pub(super) fn read(flags: Flags, environment: &Environment) -> Result<Sources, Vec<String>> {
    let mut reading = Reading::default();
    reading.below(environment);
    if let Some(path) = flags.config.or_else(|| environment.other_file()) {
        reading.file(&path);
        // A file that is there and cannot be read has its sentence already.
        let is_missing = |file: &ConfigFile| file.path == path && !file.is_there;
        if reading.files.last().is_some_and(is_missing) {
            let sentence = format!("{}: there is no such file", path.display());
            reading.errors.push(sentence);
        }
    } else if let Some(path) = environment.user_file() {
        if file::is_out_of_reach(&path) {
            // After `sudo -u` HOME is still another user's: its files are not meant for this user.
            reading.missing(&path);
        } else {
            reading.file(&path);
        }
    }
    let variables = environment.settings(&mut reading.errors);
    reading.layer(variables);
    reading.layer(flags.found);
    let mut configuration = Configuration::merge(reading.layers);
    let found = themes::Found::new(environment);
    if let Some(theme) = setting("theme") {
        let name = (theme.show)(&configuration.values);
        match found.check(&name) {
            Ok(()) => {}
            Err(themes::Wrong::File(sentences)) => reading.errors.extend(sentences),
            Err(themes::Wrong::Name(why)) => {
                let origin = configuration.origin(theme);
                reading.errors.push(wrong(origin, theme.key, &why));
            }
        }
    }
    let preset = configuration.values.settings.keys;
    reading
        .errors
        .extend(reading.keys.check(preset).err().into_iter().flatten());
    if reading.errors.is_empty() {
        let values = &mut configuration.values;
        values.settings.bind = reading.keys.bindings();
        let depth = match (values.color, values.color_depth) {
            (false, _) => Depth::None,
            (true, Some(depth)) => depth,
            (true, None) => environment.depth(),
        };
        values.settings.themes = found.names().map(str::to_owned).collect();
        Ok(Sources {
            configuration,
            keys: reading.keys,
            files: reading.files,
            found,
            depth,
        })
    } else {
        Err(reading.errors)
    }
}

/// The settings in force without the user's file, variables of oomtop and flags.
///
/// # Errors
/// As [`read`].
pub(super) fn below(environment: &Environment) -> Result<Values, Vec<String>> {
    let mut reading = Reading::default();
    reading.below(environment);
    if reading.errors.is_empty() {
        Ok(Configuration::merge(reading.layers).values)
    } else {
        Err(reading.errors)
    }
}

#[derive(Default)]
struct Reading {
    layers: Vec<Layer>,
    keys: Bounds,
    files: Vec<ConfigFile>,
    errors: Vec<String>,
}

impl Reading {
    /// The layers below the user's file.
    fn below(&mut self, environment: &Environment) {
        self.file(&environment.system_file);
        // The user's configuration and flags override these.
        self.layer(environment.no_color().into_iter().collect());
        self.layer(environment.only_ascii().into_iter().collect());
    }

    fn layer(&mut self, found: Vec<Found>) {
        self.layers.push(Layer::checked(found, &mut self.errors));
    }

    fn missing(&mut self, path: &Path) {
        self.files.push(ConfigFile {
            path: path.to_owned(),
            is_there: false,
        });
    }

    fn file(&mut self, path: &Path) {
        match file::read(path) {
            Ok(None) => self.missing(path),
            Ok(Some(text)) => {
                self.files.push(ConfigFile {
                    path: path.to_owned(),
                    is_there: true,
                });
                let said = file::parse(path, &text, &mut self.errors);
                self.layer(said.settings);
                self.keys.lay_over(said.keys);
            }
            Err(sentence) => self.errors.push(sentence),
        }
    }
}
