//! Texts of settings, as files, flags and the settings dialog have them. Each error is the end of a sentence: "takes …, not …".

use std::time::Duration;

use super::{MAX_DELAY, MIN_DELAY};
use crate::app::input::presets::Preset;
use crate::app::view::processes::columns::{self, COLUMNS};
use crate::model::filter::Filter;
use crate::model::memory::band::Thresholds;

/// # Errors
/// Outside [`MIN_DELAY`] to [`MAX_DELAY`], or no number.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok();
    seconds
        .filter(|seconds| (MIN_DELAY..=MAX_DELAY).contains(seconds))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| format!("takes seconds from {MIN_DELAY} to {MAX_DELAY}, not '{text}'"))
}

/// # Errors
/// Not three numbers, or marks that [`Thresholds::new`] refuses.
pub fn bands(text: &str) -> Result<Thresholds, String> {
    let marks: Result<Vec<f64>, _> = text
        .split(',')
        .map(|mark| mark.trim().trim_end_matches('%').parse())
        .collect();
    let marks: Option<[f64; 3]> = marks.ok().and_then(|marks| marks.try_into().ok());
    let marks =
        marks.ok_or_else(|| format!("takes three percentages such as 70,85,95, not '{text}'"))?;
    Thresholds::new(marks)
}

/// # Errors
/// Anything but `true` and `false`.
pub fn switch(text: &str) -> Result<bool, String> {
    text.parse()
        .map_err(|_| format!("takes true or false, not '{text}'"))
}

/// # Errors
/// What [`Filter::parse`] says.
pub fn filter(text: &str) -> Result<Filter, String> {
    Filter::parse(text)
}

/// The id of a column.
///
/// # Errors
/// An unknown column.
pub fn column(text: &str) -> Result<&'static str, String> {
    columns::column(text)
        .map(|column| column.id)
        .ok_or_else(|| {
            let ids: Vec<_> = COLUMNS.iter().map(|column| column.id).collect();
            format!(
                "there is no column '{text}'; the columns are {}",
                ids.join(", ")
            )
        })
}

/// The preset of keys.
///
/// # Errors
/// An unknown one.
pub fn preset(text: &str) -> Result<Preset, String> {
    Preset::named(text).ok_or_else(|| {
        let names: Vec<_> = Preset::ALL.iter().map(|preset| preset.name()).collect();
        format!("takes one of {}, not '{text}'", names.join(", "))
    })
}

/// The marks as [`bands`] takes them.
pub fn show_bands(bands: &Thresholds) -> String {
    bands.marks().map(|mark| mark.to_string()).join(",")
}
