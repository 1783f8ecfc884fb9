//! What makes oomtop look before the clock says so.

use crate::app::dialog::DialogContext;
use crate::model::wake::{Turn, WakeSource};
use crate::text::tone::{Line, Tone};

/// What wakes oomtop, and why something does not.
pub(super) fn lines(context: &DialogContext<'_>) -> Vec<Line> {
    let seconds = context.settings.delay.as_secs_f64();
    let sources = [
        ("Pressure of the host", &context.wakes.pressure),
        ("Events of cgroups", &context.wakes.groups),
    ];
    let mut lines = vec![Line::of(Tone::Accent, "When oomtop looks")];
    let clock = format!("every {seconds:.1} s, and at once (at most 4 times a second) at:");
    lines.push(Line::of(Tone::Dim, format!("  {clock}")));
    for (name, source) in sources {
        let (tone, text) = match source {
            WakeSource::NotYet => (Tone::Dim, "none yet".to_owned()),
            WakeSource::Live(what) => (Tone::Normal, what.clone()),
            WakeSource::Off(reason) => (Tone::Watch, format!("only by the clock: {reason}")),
        };
        lines.push(Line::of(Tone::Strong, format!("  {name:<26}")).add(tone, text));
    }
    let (tone, text) = match &context.wakes.turn {
        Turn::NotAsked => (
            Tone::Dim,
            "as others (--no-self-protect or --read-only)".to_owned(),
        ),
        Turn::First => {
            let text = "before all others while memory is short (SCHED_RR)";
            (Tone::Normal, text.to_owned())
        }
        Turn::AsOthers(reason) => (Tone::Dim, format!("as others: {reason}")),
    };
    let name = "Its turn to run";
    lines.push(Line::of(Tone::Strong, format!("  {name:<26}")).add(tone, text));
    lines
}
