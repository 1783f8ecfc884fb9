//! The OOM domains of a process: who dies in each, how far the process is from being the victim, and how much
//! is left before anybody dies.

use crate::app::dialog::DialogContext;
use crate::app::view::domains::death::Death;
use crate::model::oom_domain::distance::{Lead, lead};
use crate::model::oom_domain::enclosing::around;
use crate::model::oom_domain::headroom::Room;
use crate::model::oom_domain::victim::{DomainState, Verdict};
use crate::model::process::Process;
use crate::model::process::badness::badness;
use crate::model::snapshot::Snapshot;
use crate::text::format;
use crate::text::tone::{Line, Tone};
use crate::text::wording;

pub(super) fn domains(process: &Process, context: &DialogContext<'_>) -> Vec<Line> {
    let snapshot = context.cells.snapshot;
    let mut lines = vec![Line::of(Tone::Accent, "How far from death")];
    for domain in around(process, snapshot) {
        lines.push(domain_line(process, domain, snapshot));
        lines.push(distance_line(process, domain, context));
    }
    lines
}

fn domain_line(process: &Process, domain: &DomainState, snapshot: &Snapshot) -> Line {
    let name = wording::domain(domain.scope, snapshot);
    let points = badness(process, domain.total_pages).points();
    let share = points.map_or_else(
        || "never".to_owned(),
        |points| format!("{}‰", format::permille(points, domain.total_pages)),
    );
    let line = Line::of(Tone::Normal, format!("  {name}  "))
        .add(
            Tone::Dim,
            format!("limit {}, ", format::long_size(domain.limit)),
        )
        .add(Tone::Dim, "share ")
        .add(Tone::Strong, share);
    match Death::from_domain(domain, snapshot) {
        Death::Panics => line.add(Tone::Danger, "  nobody dies: the kernel panics"),
        Death::Asker => line.add(Tone::Watch, "  next victim: whoever asks"),
        Death::Kill(verdict, _) => next_victim(process, &verdict, line, snapshot),
        Death::Throttles => line.add(Tone::Watch, "  nobody dies: its tasks are slowed down"),
        Death::Dying(id) => line.add(
            Tone::Watch,
            format!("  next victim: {}", wording::dying(id, snapshot)),
        ),
        Death::Hangs | Death::Empty | Death::Nobody => {
            line.add(Tone::Watch, "  nobody can be killed here")
        }
    }
}

fn next_victim(process: &Process, verdict: &Verdict, line: Line, snapshot: &Snapshot) -> Line {
    let other = verdict.or();
    let first = [Some(verdict.victim), other];
    let mut first: Vec<_> = first.into_iter().flatten().map(|one| one.id).collect();
    let all = first.len();
    first.retain(|id| *id != process.id);
    match first.first() {
        None => line.add(Tone::Critical, "  next victim"),
        // The process is one of two that are too close to call.
        Some(other) if first.len() < all => {
            let other = wording::process(*other, snapshot);
            line.add(Tone::Critical, format!("  next victim, or {other}"))
        }
        Some(_) => {
            let before = wording::victim(verdict, snapshot);
            line.add(Tone::Dim, format!("  before it: {before}"))
        }
    }
}

/// The distance in plain words: how much it takes to make this process the victim, and whether that much is
/// left.
fn distance_line(process: &Process, domain: &DomainState, context: &DialogContext<'_>) -> Line {
    let snapshot = context.cells.snapshot;
    let size = format::long_size;
    let room = Room::from_domain(domain, snapshot);
    let left = room
        .as_ref()
        .map_or_else(|| "what is left cannot be read".to_owned(), wording::left);
    let room = room.map(|room| room.left());
    let line = Line::of(Tone::Dim, "    ");
    match Death::from_domain(domain, snapshot) {
        Death::Panics => {
            return line.add(
                Tone::Danger,
                format!("panic_on_oom is set; {left} before the panic"),
            );
        }
        Death::Asker => {
            let text = format!("oom_kill_allocating_task is set: badness does not matter; {left}");
            return line.add(Tone::Watch, text);
        }
        Death::Hangs => {
            let text = "nobody is killed here (oom_kill_disable): at the limit its tasks hang";
            return line.add(Tone::Watch, format!("{text}; {left}"));
        }
        Death::Throttles | Death::Empty | Death::Dying(_) | Death::Nobody | Death::Kill(..) => {}
    }
    match lead(process, domain, context.cells.rules.page_size) {
        Lead::First { ahead } => {
            let line = line.add(Tone::Critical, format!("it is the first to die; {left}"));
            match ahead {
                Some(ahead) => line.add(Tone::Dim, format!("; the next is {} behind", size(ahead))),
                None => line.add(Tone::Dim, "; there is nobody else to kill"),
            }
        }
        Lead::Behind { bytes, leader } => {
            let line = line
                .add(Tone::Strong, format!("{} more", size(bytes)))
                .add(Tone::Normal, " and it is the first to die; ");
            match room {
                Some(room) if room < bytes => line.add(
                    Tone::Normal,
                    format!(
                        "only {left}: {} dies before",
                        wording::process(leader, snapshot)
                    ),
                ),
                Some(_) => line.add(Tone::Watch, left),
                None => line.add(Tone::Dim, left),
            }
        }
        Lead::Immune(immunity) => line.add(
            Tone::Good,
            format!(
                "never chosen: {}; {left} before others die",
                immunity.reason()
            ),
        ),
        Lead::Unknown => line.add(
            Tone::Watch,
            format!("n/a: its memory could not be read; {left}"),
        ),
        Lead::NobodyDies => line.add(Tone::Watch, format!("nobody can be killed here; {left}")),
    }
}
