//! Reads every source of settings, in the order of the layers.

use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::file;
use super::layers::{Configuration, Found, Layer};

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
    /// The files.
    pub(super) files: Vec<ConfigFile>,
}

/// Reads the two files and the variables and lays the flags over them.
///
/// # Errors
/// A sentence for everything that is wrong in any layer; an overridden value must be right too.
pub(super) fn read(flags: Vec<Found>, environment: &Environment) -> Result<Sources, Vec<String>> {
    let mut reading = Reading::default();
    reading.file(&environment.system_file);
    // https://no-color.org: the user's configuration and flags override it.
    reading.layer(environment.no_color().into_iter().collect());
    reading.layer(environment.only_ascii().into_iter().collect());
    if let Some(path) = environment.user_file() {
        if file::is_out_of_reach(&path) {
            // After `sudo -u` HOME is still another user's: its files are not meant for this user.
            reading.missing(&path);
        } else {
            reading.file(&path);
        }
    }
    let variables = environment.settings(&mut reading.errors);
    reading.layer(variables);
    reading.layer(flags);
    if reading.errors.is_empty() {
        Ok(Sources {
            configuration: Configuration::merge(reading.layers),
            files: reading.files,
        })
    } else {
        Err(reading.errors)
    }
}

#[derive(Default)]
struct Reading {
    layers: Vec<Layer>,
    files: Vec<ConfigFile>,
    errors: Vec<String>,
}

impl Reading {
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
                let found = file::parse(path, &text, &mut self.errors);
                self.layer(found);
            }
            Err(sentence) => self.errors.push(sentence),
        }
    }
}
