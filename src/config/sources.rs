//! Reads every source of settings, in the order of the layers.

use std::path::{Path, PathBuf};

use super::bind::Bounds;
use super::environment::Environment;
use super::faults::{Faults, Matters};
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
    let (sources, faults) = all(flags, environment);
    faults.refuse().map(|()| sources)
}

/// As [`read`] for a service: what only a screen needs is a warning, and has the value of the layers below it.
///
/// # Errors
/// As [`read`].
pub(super) fn for_service(
    environment: &Environment,
    warnings: &mut Vec<String>,
) -> Result<Sources, Vec<String>> {
    let (sources, faults) = all(Flags::default(), environment);
    warnings.extend(faults.for_service()?);
    Ok(sources)
}

/// What all sources say, and what is wrong with them.
fn all(flags: Flags, environment: &Environment) -> (Sources, Faults) {
    let mut reading = Reading::default();
    reading.below(environment);
    if let Some(path) = flags.config.or_else(|| environment.other_file()) {
        reading.file(&path);
        // A file that is there and cannot be read has its sentence already.
        let is_missing = |file: &ConfigFile| file.path == path && !file.is_there;
        if reading.files.last().is_some_and(is_missing) {
            let sentence = format!("{}: there is no such file", path.display());
            reading.faults.push(Matters::Always, sentence);
        }
    } else if let Some(path) = environment.user_file() {
        if file::is_out_of_reach(&path) {
            // After `sudo -u` HOME is still another user's: its files are not meant for this user.
            reading.missing(&path);
        } else {
            reading.file(&path);
        }
    }
    let variables = environment.settings(&mut reading.faults);
    reading.layer(variables);
    reading.layer(flags.found);
    let mut configuration = Configuration::merge(reading.layers);
    let found = themes::Found::new(environment);
    if let Some(theme) = setting("theme") {
        let name = (theme.show)(&configuration.values);
        match found.check(&name) {
            Ok(()) => {}
            Err(themes::Wrong::File(sentences)) => {
                reading.faults.extend(theme.matters, sentences);
            }
            Err(themes::Wrong::Name(why)) => {
                let origin = configuration.origin(theme);
                let sentence = wrong(origin, theme.key, &why);
                reading.faults.push(theme.matters, sentence);
            }
        }
    }
    let preset = configuration.values.settings.keys;
    let wrong_keys = reading.keys.check(preset).err().into_iter().flatten();
    reading.faults.extend(Matters::OnScreens, wrong_keys);
    let values = &mut configuration.values;
    values.settings.bind = reading.keys.bindings();
    let depth = match (values.color, values.color_depth) {
        (false, _) => Depth::None,
        (true, Some(depth)) => depth,
        (true, None) => environment.depth(),
    };
    values.settings.themes = found.names().map(str::to_owned).collect();
    let sources = Sources {
        configuration,
        keys: reading.keys,
        files: reading.files,
        found,
        depth,
    };
    (sources, reading.faults)
}

/// The settings in force without the user's file, variables of oomtop and flags.
///
/// # Errors
/// As [`read`].
pub(super) fn below(environment: &Environment) -> Result<Values, Vec<String>> {
    let mut reading = Reading::default();
    reading.below(environment);
    reading.faults.refuse()?;
    Ok(Configuration::merge(reading.layers).values)
}

#[derive(Default)]
struct Reading {
    layers: Vec<Layer>,
    keys: Bounds,
    files: Vec<ConfigFile>,
    faults: Faults,
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
        self.layers.push(Layer::checked(found, &mut self.faults));
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
                let said = file::parse(path, &text, &mut self.faults);
                self.layer(said.settings);
                self.keys.lay_over(said.keys);
            }
            Err(sentence) => self.faults.push(Matters::Always, sentence),
        }
    }
}
