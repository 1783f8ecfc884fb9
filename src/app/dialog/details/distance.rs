//! The OOM domains a process is in: who dies in each, how far it is from being that one, and how much is
//! left before anybody dies.

use crate::app::dialog::DialogContext;
use crate::app::format;
use crate::app::text::{Line, Tone};
use crate::domain::badness::badness;
use crate::domain::cgroup::CgroupKey;
use crate::domain::distance::{Lead, domain_room, lead};
use crate::domain::process::{Process, ProcessId};
use crate::domain::snapshot::Snapshot;
use crate::domain::victim::{DomainState, Scope};
use crate::domain::vm_settings::OomAction;

pub(super) fn domains(process: &Process, context: &DialogContext<'_>) -> Vec<Line> {
    let snapshot = context.cells.snapshot;
    let mut lines = vec![Line::of(Tone::Accent, "How far from death")];
    let inside =
        |domain: &&DomainState| crate::app::table::is_member(process, domain.scope, snapshot);
    for domain in snapshot.domains.iter().filter(inside) {
        lines.push(domain_line(process, domain, snapshot));
        lines.push(distance_line(process, domain, context));
    }
    lines
}

fn domain_line(process: &Process, domain: &DomainState, snapshot: &Snapshot) -> Line {
    let name = match domain.scope {
        Scope::Host => "host".to_owned(),
        Scope::Memcg(key) => snapshot
            .cgroup(key)
            .map_or_else(|| "?".to_owned(), |g| g.path.to_string()),
        Scope::Nodes(set) => format!("memory nodes {set}"),
    };
    let badness = badness(process, domain.total_pages).permille(domain.total_pages);
    let share = badness.map_or_else(|| "never".to_owned(), |permille| format!("{permille}‰"));
    let line = Line::of(Tone::Normal, format!("  {name}  "))
        .add(
            Tone::Dim,
            format!("limit {}, ", format::long_size(domain.limit)),
        )
        .add(Tone::Dim, "share ")
        .add(Tone::Strong, share);
    match (snapshot.vm_settings.action(domain.scope), domain.verdict) {
        (OomAction::Panic, _) => line.add(Tone::Danger, "  nobody dies: the kernel panics"),
        (OomAction::KillAsker, _) => line.add(Tone::Watch, "  next victim: whoever asks"),
        (OomAction::KillWorst, Some(verdict)) if verdict.victim.id == process.id => {
            line.add(Tone::Critical, "  next victim")
        }
        (OomAction::KillWorst, Some(verdict)) => line.add(
            Tone::Dim,
            format!("  before it: {}", named(snapshot, verdict.victim.id)),
        ),
        (OomAction::KillWorst, None) => line.add(Tone::Watch, "  nobody can be killed here"),
    }
}

fn named(snapshot: &Snapshot, id: ProcessId) -> String {
    let comm = snapshot
        .process(id)
        .map(|p| p.comm.text().into_owned())
        .unwrap_or_default();
    format!("{} {comm}", id.pid)
}

/// The distance in plain words: what it takes for this process to be the first, and whether there is that
/// much.
fn distance_line(process: &Process, domain: &DomainState, context: &DialogContext<'_>) -> Line {
    let snapshot = context.cells.snapshot;
    let of_group = |(of, _): &&(CgroupKey, u64)| domain.scope == Scope::Memcg(*of);
    let cache = snapshot.caches.iter().find(of_group);
    let cache = cache.map(|(_, bytes)| *bytes).filter(|bytes| *bytes > 0);
    let room = domain_room(domain.scope, &snapshot.cgroups, &snapshot.memory)
        .map(|room| room.saturating_add(cache.unwrap_or(0)));
    let size = format::long_size;
    let left = match (room, cache) {
        (None, _) => "what is left cannot be read".to_owned(),
        (Some(room), None) => format!("{} left", size(room)),
        (Some(room), Some(cache)) => {
            format!(
                "{} left, {} of it page cache to give up",
                size(room),
                size(cache)
            )
        }
    };
    let line = Line::of(Tone::Dim, "    ");
    match snapshot.vm_settings.action(domain.scope) {
        OomAction::Panic => {
            return line.add(
                Tone::Danger,
                format!("panic_on_oom is set; {left} before the panic"),
            );
        }
        OomAction::KillAsker => {
            let text = format!("oom_kill_allocating_task is set: badness does not matter; {left}");
            return line.add(Tone::Watch, text);
        }
        OomAction::KillWorst => {}
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
                    format!("only {left}: {} dies before", named(snapshot, leader)),
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
        Lead::NobodyDies => {
            let text = match domain.scope {
                Scope::Memcg(key)
                    if snapshot
                        .cgroup(key)
                        .is_some_and(|group| group.limits.kill_disabled) =>
                {
                    "nobody is killed here (oom_kill_disable): at the limit its tasks hang"
                }
                _ => "nobody can be killed here",
            };
            line.add(Tone::Watch, format!("{text}; {left}"))
        }
    }
}
