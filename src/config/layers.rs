//! Layers of settings, from the bottom: built-in, `/etc`, `NO_COLOR`, the user's file, variables, flags. The topmost
//! layer that gives a setting decides; [`Configuration`] remembers which layer that was.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::faults::Faults;
use super::settings::{Change, Setting, Values};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// oomtop's own default.
    BuiltIn,
    /// A configuration file.
    File {
        /// Its path.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
    },
    /// An environment variable.
    Variable(String),
    /// A flag, with its dashes.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built-in"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) | Self::Flag(name) => f.write_str(name),
        }
    }
}

/// A value as it was found, not yet checked.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// The setting it belongs to.
    pub(super) setting: &'static Setting,
    /// The value.
    pub(super) text: String,
    /// Where it was found.
    pub(super) origin: Origin,
}

impl Found {
    /// Checks the value.
    ///
    /// # Errors
    /// A sentence that names the origin.
    fn check(self) -> Result<Given, String> {
        match (self.setting.parse)(&self.text) {
            Ok(change) => Ok(Given {
                change,
                origin: self.origin,
            }),
            Err(why) => Err(wrong(&self.origin, self.setting.key, &why)),
        }
    }
}

/// A sentence about a wrong value. Only for a place in a file it adds the key: the name of a variable or flag
/// already contains it.
pub(super) fn wrong(origin: &Origin, key: &str, why: &str) -> String {
    match origin {
        Origin::File { .. } => format!("{origin}: {key}: {why}"),
        Origin::BuiltIn | Origin::Variable(_) | Origin::Flag(_) => format!("{origin}: {why}"),
    }
}

/// A checked value with its origin.
struct Given {
    change: Change,
    origin: Origin,
}

/// What one source gives, by key.
#[derive(Default)]
pub(super) struct Layer(BTreeMap<&'static str, Given>);

impl Layer {
    /// Checks every value; each wrong value adds a sentence to `faults`.
    pub(super) fn checked(found: Vec<Found>, faults: &mut Faults) -> Self {
        let mut given = BTreeMap::new();
        for found in found {
            let Setting { key, matters, .. } = *found.setting;
            match found.check() {
                Ok(value) => {
                    given.insert(key, value);
                }
                Err(sentence) => faults.push(matters, sentence),
            }
        }
        Self(given)
    }
}

/// The settings in force.
#[derive(Debug, Default)]
pub(super) struct Configuration {
    /// The values.
    pub(super) values: Values,
    origins: BTreeMap<&'static str, Origin>,
}

impl Configuration {
    /// Starts from the built-in values; each layer overrides the layers before it.
    pub(super) fn merge(layers: impl IntoIterator<Item = Layer>) -> Self {
        let mut top = BTreeMap::new();
        for Layer(given) in layers {
            top.extend(given);
        }
        let mut merged = Self::default();
        for (key, given) in top {
            (given.change)(&mut merged.values);
            merged.origins.insert(key, given.origin);
        }
        merged
    }

    /// Where the value of this setting came from.
    pub(super) fn origin(&self, setting: &Setting) -> &Origin {
        self.origins.get(setting.key).unwrap_or(&Origin::BuiltIn)
    }
}
