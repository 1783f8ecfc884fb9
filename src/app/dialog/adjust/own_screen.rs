//! What to say of an adj of oomtop itself, or of what its terminal hangs from.

use std::cmp::Ordering;

use super::AdjustDialog;
use crate::app::dialog::{DialogContext, own};
use crate::model::process::Process;
use crate::model::process::score::OomScoreAdj;
use crate::text::tone::{Line, Tone};

/// True if the value makes the kernel kill earlier what the screen depends on: that is asked for twice.
pub(super) fn is_risked(
    dialog: &AdjustDialog,
    value: OomScoreAdj,
    context: &DialogContext<'_>,
) -> bool {
    first(dialog, value, Ordering::Greater, context).is_some()
}

/// What the value does to the screen, if it does something.
pub(super) fn line(
    dialog: &AdjustDialog,
    value: OomScoreAdj,
    context: &DialogContext<'_>,
) -> Option<Line> {
    let raised = first(dialog, value, Ordering::Greater, context);
    if let Some(who) = raised {
        let text = format!(
            "{who}: with a higher value the kernel kills it earlier, and this screen can end."
        );
        return Some(Line::of(Tone::Critical, text));
    }
    let who = first(dialog, value, Ordering::Less, context)?;
    let text = format!(
        "{who}: with a lower value the kernel kills others first, and what it starts from now on inherits the value."
    );
    Some(Line::of(Tone::Watch, text))
}

/// The first target of the screen whose value changes in this direction, as the begin of a sentence. The kernel never kills the
/// first process of the host: a value does nothing to it.
fn first(
    dialog: &AdjustDialog,
    value: OomScoreAdj,
    direction: Ordering,
    context: &DialogContext<'_>,
) -> Option<String> {
    let living = context.living(dialog.targets());
    let changed = living.iter().map(|(_, process)| *process);
    let changed = changed.filter(|process: &&Process| {
        let now = process.adj.unwrap_or_default();
        !process.global_init && value.cmp(&now) == direction
    });
    own::among(changed, context)
}
