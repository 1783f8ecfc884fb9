//! The sentences about a drop-in, what a service starts with later, and about what systemd-oomd does with it.

use super::changes::{DropInChange, OomdChange};

/// What was done for now, and what was done for later.
pub(super) fn with(said: String, later: Option<String>) -> String {
    match later {
        Some(later) => format!("{said}; {later}"),
        None => said,
    }
}

/// What a drop-in does.
pub(super) fn done(change: &DropInChange<'_>) -> String {
    let write = change.write;
    let done = match &write.text {
        Some(_) if write.sets() && write.setting.counts_at_once() => format!(
            "{}={} counts for {} at once and at every start",
            write.setting.key(),
            write.setting.value(),
            write.unit
        ),
        Some(_) if write.sets() => format!(
            "{} starts with {}={}",
            write.unit,
            write.setting.key(),
            write.setting.value()
        ),
        Some(_) => format!("{} is as it was", write.path()),
        None => format!("{} is removed", write.path()),
    };
    if change.is_unread {
        return format!("{done}, but systemd has not said yet that it has loaded its files again");
    }
    done
}

/// What taking it back does; `None` if nothing is taken back.
pub(super) fn back(change: &DropInChange<'_>) -> Option<String> {
    let write = change.write;
    change.is_new.then(|| match &write.was {
        None => format!("remove {}", write.path()),
        Some(_) => format!("{} as it was", write.path()),
    })
}

/// What was told of systemd-oomd; `None` if nothing was.
pub(super) fn oomd_done(changes: &[OomdChange<'_>], undo: bool) -> Option<String> {
    let last = changes.last()?;
    let verb = if undo { "restored" } else { "set" };
    let unit = &last.write.unit;
    let pending = if changes.iter().any(|change| change.is_pending) {
        "; systemd-oomd sees the preference from the next start of it"
    } else {
        ""
    };
    Some(match changes {
        [one] => format!(
            "{} {} → {} {verb} and read back: {unit}{pending}",
            one.write.setting, one.before, one.write.value
        ),
        many => format!(
            "{} settings of {unit} for systemd-oomd {verb} and read back{pending}",
            many.len()
        ),
    })
}

/// What taking it back does; `None` if there is nothing.
pub(super) fn oomd_back(changes: &[OomdChange<'_>]) -> Option<String> {
    match changes {
        [] => None,
        [one] => Some(format!("{} → {}", one.write.setting, one.before)),
        many => Some(format!("{} settings for systemd-oomd", many.len())),
    }
}
