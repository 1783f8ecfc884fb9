//! Parses the texts of settings. Each error is the end of a sentence: "takes …, not …".

use std::path::PathBuf;

use crate::app::input::presets::Preset;
pub(in crate::config) use crate::app::settings::text::seconds;
pub(super) use crate::app::settings::text::{bands, column, filter, preset, switch};
use crate::linux::scan::backend::BackendChoice;
use crate::ui::theme::Depth;

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

/// The names of the presets of keys and their lines of the help.
pub(super) fn presets() -> Vec<(&'static str, &'static str)> {
    let presets = Preset::ALL.iter();
    presets
        .map(|preset| (preset.name(), preset.doc()))
        .collect()
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
