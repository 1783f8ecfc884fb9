//! [`SettingsFile`]: where the settings dialog saves.

use std::fmt::Debug;
use std::sync::Arc;

use crate::app::msg::Msg;
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

/// The answer to [`crate::app::msg::Effect::DraftSettings`].
pub(in crate::runtime) fn draft(
    file: Option<&Arc<dyn SettingsFile>>,
    changes: &[(&'static str, String)],
) -> Msg {
    Msg::SettingsDraft(file.ok_or_else(none).and_then(|file| file.draft(changes)))
}

/// The answer to [`crate::app::msg::Effect::WriteSettings`].
pub(in crate::runtime) fn write(
    file: Option<&Arc<dyn SettingsFile>>,
    read_only: bool,
    draft: &Draft,
) -> Msg {
    Msg::SettingsWritten(if read_only {
        Err("oomtop is read-only: no file is written".to_owned())
    } else {
        file.ok_or_else(none).and_then(|file| file.write(draft))
    })
}
