//! The expressions of the Talos OOM controller: whether the trigger holds, and whom it takes.

use crate::model::killers::talos::{Compared, Pick, pick, standing};
use crate::model::snapshot::Snapshot;
use crate::text::format;
use crate::text::tone::{Line, Tone};

/// The trigger, and how it stands.
pub(super) fn line(trigger: &str, snapshot: &Snapshot) -> Line {
    let mut line = Line::of(Tone::Normal, trigger);
    let Some(now) = standing(trigger, snapshot.pressure.as_ref(), &snapshot.cgroups) else {
        return line.add(
            Tone::Watch,
            ": not understood here, when it holds is not known",
        );
    };
    let against: Vec<String> = now
        .compared
        .iter()
        .filter(|one| one.holds == Some(false))
        .map(compared)
        .collect();
    let unknown = now.compared.iter().any(|one| one.holds.is_none());
    match now.holds {
        Some(true) => line.push(Tone::Critical, ": it holds now"),
        Some(false) if against.is_empty() => line.push(Tone::Watch, ": never"),
        Some(false) => line.push(Tone::Strong, format!(": not now, {}", against.join(", "))),
        None if snapshot.pressure.is_none() => {
            line.push(Tone::Watch, ": never, this kernel measures no pressure");
        }
        None => {
            let known: Vec<String> = now
                .compared
                .iter()
                .filter(|one| one.now.is_some())
                .map(compared)
                .collect();
            let known = if known.is_empty() {
                String::new()
            } else {
                format!("{}; ", known.join(", "))
            };
            line.push(
                Tone::Watch,
                format!(": it may hold now: {known}the rest is not known here"),
            );
        }
    }
    if now.holds == Some(false) && unknown && against.is_empty() {
        line.push(Tone::Dim, " (not all of it is known here)");
    }
    line
}

/// `memory_full_avg10 > 75.0 is 0.3`.
fn compared(one: &Compared) -> String {
    let now = one
        .now
        .map_or_else(|| "n/a".to_owned(), |now| format!("{now:.1}"));
    format!("{} is at {now}", one.text)
}

/// The group that it would kill, in words.
pub(super) fn choice(ranking: &str, by_class: bool, snapshot: &Snapshot) -> String {
    match pick(ranking, by_class, &snapshot.cgroups) {
        Pick::Group(group) => format!(
            "{} ({}), ranked first{}",
            group.path,
            group.usage.map_or_else(|| "n/a".to_owned(), format::size),
            if by_class { " in its class" } else { "" }
        ),
        Pick::Nobody => "nobody (before 1.14: any group): its ranking gives none more than 0 (only pods without a memory limit by default)".to_owned(),
        Pick::Unknown => format!("the group that this ranks first, not all of it known here: {ranking}"),
    }
}
