//! [`SettingsFile`]: where the settings dialog saves.

use std::fmt::Debug;
use std::sync::Arc;

pub use crate::app::settings::draft::Draft;

/// The user's configuration file.
pub trait SettingsFile: Debug + Send + Sync {
    /// The file with these values, by key.
    ///
    /// # Errors
    /// A sentence.
    fn draft(&self, changes: &[(&'static str, String)]) -> Result<Draft, String>;

    /// Writes a draft. Returns a sentence.
    ///
    /// # Errors
    /// A sentence.
    fn write(&self, draft: &Draft) -> Result<String, String>;
}

fn none() -> String {
    "nothing is saved here: start oomtop without a subcommand".to_owned()
}

/// What [`crate::app::msg::Effect::DraftSettings`] asks for.
///
/// # Errors
/// A sentence; also where this run saves nothing.
pub(in crate::runtime) fn draft(
    file: Option<&Arc<dyn SettingsFile>>,
    changes: &[(&'static str, String)],
) -> Result<Draft, String> {
    file.ok_or_else(none)?.draft(changes)
}

/// Carries out [`crate::app::msg::Effect::WriteSettings`]. Returns a sentence.
///
/// # Errors
/// A sentence; also where this run writes nothing.
pub(in crate::runtime) fn write(
    file: Option<&Arc<dyn SettingsFile>>,
    read_only: bool,
    draft: &Draft,
) -> Result<String, String> {
    if read_only {
        return Err("oomtop is read-only: no file is written".to_owned());
    }
    file.ok_or_else(none)?.write(draft)
}
