//! The rule that holds a process.

use super::pair;
use crate::app::dialog::DialogContext;
use crate::model::process::Process;
use crate::model::snapshot::Detail;
use crate::text::tone::{Line, Tone};

/// One line; none without rules, and for a process that none holds.
pub(super) fn line(
    process: &Process,
    detail: Option<&Detail>,
    context: &DialogContext<'_>,
) -> Option<Line> {
    if let Err(why) = &context.settings.rules {
        return Some(pair("rule", "").add(Tone::Watch, format!("unknown: {why}")));
    }
    let held = detail?.rule.as_ref()?;
    let descends = held.supervisor.map_or_else(String::new, |supervisor| {
        format!(", as a descendant of {supervisor}")
    });
    let line = pair("rule", format!("{} ({}){descends}", held.rule, held.origin));
    Some(match held.value {
        None => line.add(Tone::Dim, ": leaves it as it is"),
        Some(value) if process.adj == Some(value) => {
            line.add(Tone::Dim, format!(": gives {value}"))
        }
        Some(value) => line.add(
            Tone::Watch,
            format!(": gives {value}, which it does not have; oomtop protect writes it"),
        ),
    })
}
