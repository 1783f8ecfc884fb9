//! The sentences about a rule that was added to a file, or taken away.

use crate::model::rules::own::{RuleEdit, RuleFound};
use crate::text::format::number_of;

/// A change of a file of rules.
#[derive(Debug, Clone, Copy)]
pub(super) struct RuleChange<'a> {
    pub(super) edit: &'a RuleEdit,
    /// Read back; `None` if it may not last.
    pub(super) after: Option<RuleFound>,
}

/// What taking it back does.
pub(super) fn back(change: &RuleChange<'_>) -> String {
    let file = change.edit.file();
    if change.edit.add {
        format!("rule out of {file}")
    } else {
        format!("rule into {file}")
    }
}

/// What was done.
pub(super) fn done(change: &RuleChange<'_>) -> String {
    let RuleEdit { path, add, .. } = change.edit;
    let done = if *add {
        format!("rule added to {path}")
    } else {
        format!("rule taken out of {path}")
    };
    match change.after.map_or(0, |after| after.told) {
        0 if *add => format!("{done}; it counts when oomtop protect starts or gets SIGHUP"),
        0 => format!("{done}; values that were written stay"),
        told => {
            let who = number_of(told as u64, "oomtop protect reads", "oomtop protect read");
            format!("{done}; {who} it now")
        }
    }
}
