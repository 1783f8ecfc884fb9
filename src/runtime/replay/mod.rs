//! `oomtop replay`: a recording on the screen of the dashboard, or one sample of it as text.

mod clocks;
mod director;
mod files;
mod holes;
mod picture;
mod printed;
mod stage;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use super::RunError;
use crate::app::settings::Settings;
use crate::ui::theme::Themes;
use director::Director;

/// A recording to show.
#[derive(Debug)]
pub struct Showing {
    /// The newest part.
    pub file: PathBuf,
    /// Print the sample of this time.
    pub at: Option<String>,
    /// Print it as JSON.
    pub json: bool,
    /// Settings of the run.
    pub settings: Settings,
    /// How it looks.
    pub theme: Themes,
    /// Listen to the mouse.
    pub mouse: bool,
}

/// Shows a recording. Returns the exit status: 0, 1 if there is no sample at the time that was asked for, 128 + the signal that
/// ended the program.
///
/// # Errors
/// If the recording cannot be read, or the terminal fails.
pub fn replay(showing: Showing) -> Result<u8, RunError> {
    let stage = stage::Stage::open(&showing.file).map_err(RunError::Recording)?;
    if showing.json || showing.at.is_some() {
        return printed::print_moment(
            stage,
            &showing.file,
            showing.settings,
            showing.at.as_deref(),
            showing.json,
        );
    }
    let name = showing
        .file
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let director = Director::new(stage, name, showing.settings);
    super::screen::show_other(director, &showing.theme, showing.mouse)
}
