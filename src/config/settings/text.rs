//! Parses the texts of settings. Each error is the end of a sentence: "takes …, not …".

use std::path::PathBuf;
use std::time::Duration;

use crate::app::settings::{MAX_DELAY, MIN_DELAY};
use crate::app::view::processes::columns::chosen;
use crate::linux::scan::backend::BackendChoice;
use crate::model::filter::Filter;
use crate::model::memory::band::Thresholds;
use crate::ui::theme::Depth;

/// # Errors
/// Outside [`MIN_DELAY`] to [`MAX_DELAY`], or no number.
pub(in crate::config) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok();
    seconds
        .filter(|seconds| (MIN_DELAY..=MAX_DELAY).contains(seconds))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| format!("takes seconds from {MIN_DELAY} to {MAX_DELAY}, not '{text}'"))
}

/// # Errors
/// Not three numbers, or marks that [`Thresholds::new`] refuses.
pub(super) fn bands(text: &str) -> Result<Thresholds, String> {
    let marks: Result<Vec<f64>, _> = text
        .split(',')
        .map(|mark| mark.trim().trim_end_matches('%').parse())
        .collect();
    let marks: Option<[f64; 3]> = marks.ok().and_then(|marks| marks.try_into().ok());
    let marks =
        marks.ok_or_else(|| format!("takes three percentages such as 70,85,95, not '{text}'"))?;
    Thresholds::new(marks)
}

/// A file; an empty text is none.
///
/// # Errors
/// The name of a directory.
pub(super) fn file(text: &str) -> Result<Option<PathBuf>, String> {
    if text.ends_with('/') {
        return Err(format!("takes a file, not the directory '{text}'"));
    }
    Ok((!text.is_empty()).then(|| PathBuf::from(text)))
}

/// # Errors
/// Anything but `true` and `false`.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    text.parse()
        .map_err(|_| format!("takes true or false, not '{text}'"))
}

/// # Errors
/// What [`Filter::parse`] says.
pub(super) fn filter(text: &str) -> Result<Filter, String> {
    Filter::parse(text)
}

/// The id of a column.
///
/// # Errors
/// An unknown column.
pub(super) fn column(text: &str) -> Result<&'static str, String> {
    chosen::by_name(text)
        .map(|column| column.id)
        .ok_or_else(|| chosen::unknown(text))
}

/// A name that a file may have.
///
/// # Errors
/// Anything but letters, digits, `-` and `_`.
pub(super) fn name(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    if text.is_empty() || !text.chars().all(is_plain) {
        return Err(format!(
            "takes a name of letters, digits, - and _, not '{text}'"
        ));
    }
    Ok(text.to_owned())
}

/// The depths in the order of the help.
const DEPTHS: [Option<Depth>; 4] = [
    None,
    Some(Depth::True),
    Some(Depth::Palette),
    Some(Depth::Sixteen),
];

/// The name of a depth and its line of the help.
fn depth_words(depth: Option<Depth>) -> (&'static str, &'static str) {
    match depth {
        None => ("auto", "As many as COLORTERM, TERM and terminfo promise"),
        Some(Depth::True) => ("truecolor", "16 million"),
        Some(Depth::Palette) => ("256", "The palette of xterm"),
        Some(Depth::Sixteen) => ("16", "Those that the user of the terminal chooses"),
        Some(Depth::None) => ("none", "None, as --no-color"),
    }
}

/// The names of all depths and their lines of the help.
pub(super) fn depths() -> Vec<(&'static str, &'static str)> {
    DEPTHS.map(depth_words).to_vec()
}

/// The word for a depth.
pub(super) fn depth_name(depth: Option<Depth>) -> &'static str {
    depth_words(depth).0
}

/// # Errors
/// An unknown depth.
pub(super) fn depth(text: &str) -> Result<Option<Depth>, String> {
    DEPTHS
        .into_iter()
        .find(|depth| depth_name(*depth) == text)
        .ok_or_else(|| {
            let names = DEPTHS.map(depth_name).join(", ");
            format!("takes one of {names}, not '{text}'")
        })
}

/// The back ends in the order of the help.
const BACKENDS: [BackendChoice; 5] = [
    BackendChoice::Auto,
    BackendChoice::Bpf,
    BackendChoice::BpfIterator,
    BackendChoice::Proc,
    BackendChoice::ProcAll,
];

/// The name of a back end and its line of the help.
fn backend_words(choice: BackendChoice) -> (&'static str, &'static str) {
    match choice {
        BackendChoice::Auto => ("auto", "The cheapest that works here"),
        BackendChoice::Bpf => (
            "bpf",
            "A task walk inside the kernel: CAP_BPF, CAP_PERFMON, Linux 6.7 or later",
        ),
        BackendChoice::BpfIterator => (
            "bpf-iterator",
            "The kernel's task iterator: CAP_BPF, CAP_PERFMON, Linux 5.8 or later",
        ),
        BackendChoice::Proc => ("proc", "Plain /proc; processes at rest are read less often"),
        BackendChoice::ProcAll => ("proc-all", "Plain /proc, every process in every sample"),
    }
}

/// The names of all back ends and their lines of the help.
pub(super) fn backends() -> Vec<(&'static str, &'static str)> {
    BACKENDS.map(backend_words).to_vec()
}

/// The word for a back end.
pub(super) fn backend_name(choice: BackendChoice) -> &'static str {
    backend_words(choice).0
}

/// # Errors
/// An unknown back end.
pub(super) fn backend(text: &str) -> Result<BackendChoice, String> {
    BACKENDS
        .into_iter()
        .find(|choice| backend_name(*choice) == text)
        .ok_or_else(|| {
            format!(
                "there is no back end '{text}'; the back ends are {}",
                BACKENDS.map(backend_name).join(", ")
            )
        })
}
