//! The limit that is nearer to its OOM than the host: other rules decide there than on the host.

use crate::app::dialog::DialogContext;
use crate::app::view::domains::death::{Death, Reach};
use crate::text::tone::{Line, Tone};
use crate::text::wording;

/// `None` while no cgroup is more urgent than the host.
pub(super) fn line(context: &DialogContext<'_>) -> Option<Line> {
    let snapshot = context.cells.snapshot;
    let scope = context.domains.leading()?;
    let domain = snapshot.domain(scope)?;
    let room = context.domains.watch(scope)?.room;
    let left = room
        .as_ref()
        .map_or_else(|| "what is left cannot be read".to_owned(), wording::left);
    let line = Line::of(Tone::Normal, "  most urgent: ")
        .add(Tone::Strong, wording::domain(scope, snapshot))
        .add(Tone::Watch, format!(", {left}"));
    let line = match Death::from_domain(domain, snapshot) {
        Death::Kill(verdict, reach) => line
            .add(Tone::Normal, ": the kernel kills ")
            .add(Tone::Critical, wording::victim(&verdict, snapshot))
            .add(
                Tone::Normal,
                match reach {
                    Reach::One => " there",
                    Reach::Shared => " there, and who shares its memory",
                    Reach::Group => " and its group there",
                    Reach::Unit => " there, then systemd stops its unit",
                    Reach::Namespace => " there, and its container ends",
                },
            ),
        Death::Hangs => line.add(Tone::Danger, ": its tasks hang there (oom_kill_disable)"),
        Death::Panics => line.add(Tone::Danger, ": the kernel panics there (panic_on_oom 2)"),
        Death::Asker => line.add(Tone::Normal, ": whoever asks for memory dies there"),
        Death::Throttles => line.add(Tone::Normal, ": its tasks are slowed down there"),
        Death::Dying(id) => line.add(
            Tone::Watch,
            format!(": {} there", wording::dying(id, snapshot)),
        ),
        Death::Empty | Death::Nobody => line.add(Tone::Watch, ": nobody can be killed there"),
    };
    Some(if snapshot.killers.is_empty() {
        line
    } else {
        line.add(Tone::Dim, " (the killers below do not see that limit)")
    })
}
