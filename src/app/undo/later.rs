//! The sentences about a drop-in: what a service starts with later.

use crate::model::systemd::drop_in::DropInWrite;

/// What was done for now, and what was done for later.
pub(super) fn with(said: String, later: Option<String>) -> String {
    match later {
        Some(later) => format!("{said}; {later}"),
        None => said,
    }
}

/// What a drop-in does.
pub(super) fn done(write: &DropInWrite) -> String {
    match &write.text {
        Some(_) if write.sets() => format!(
            "{} starts with {}={}",
            write.unit,
            write.setting.key(),
            write.setting.value()
        ),
        Some(_) => format!("{} is as it was", write.path()),
        None => format!("{} is removed", write.path()),
    }
}

/// What taking it back does.
pub(super) fn back(write: &DropInWrite) -> String {
    match &write.was {
        None => format!("remove {}", write.path()),
        Some(_) => format!("{} as it was", write.path()),
    }
}
