//! A write that takes long: its dialog says so, and how to stop waiting.

use std::time::Duration;

use super::DialogView;
use crate::text::tone::{Line, Tone};

/// Who reads a dialog does not notice a shorter wait.
const SHORT: Duration = Duration::from_secs(1);

/// The view, and below it how long its write has been waited for; `key` closes the dialog.
pub(in crate::app) fn below(view: DialogView, waited: Option<Duration>, key: &str) -> DialogView {
    let Some(waited) = waited.filter(|waited| *waited >= SHORT) else {
        return view;
    };
    // The last section of a view with a window is one part of something longer.
    if view.window.is_some() {
        return view;
    }
    let text = format!(
        "No answer of systemd or the kernel after {} s. {key} stops waiting.",
        waited.as_secs()
    );
    view.text(vec![Line::of(Tone::Watch, text)])
}
