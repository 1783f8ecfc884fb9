//! The rule that holds a process.

use super::pair;
use crate::app::dialog::DialogContext;
use crate::model::process::Process;
use crate::model::rules::held::HeldBy;
use crate::model::rules::kept::limit_drift;
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
    let line = in_group(line, process, held, context);
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

/// Where the rule wants the process, if that is elsewhere, and which limits that group does not have.
fn in_group(line: Line, process: &Process, held: &HeldBy, context: &DialogContext<'_>) -> Line {
    let rules = context.settings.rules.iter();
    let mut rules = rules.flat_map(|rules| rules.iter()).map(|(_, rule)| rule);
    let rule = rules.find(|rule| rule.title == held.rule && rule.origin.to_string() == held.origin);
    let Some(kept) = rule.and_then(|rule| rule.rule_group.as_ref()) else {
        return line;
    };
    let snapshot = context.cells.snapshot;
    let now = process.cgroup.and_then(|key| snapshot.cgroup(key));
    if let Some(now) = now.filter(|now| !now.path.is_within(&kept.group)) {
        let text = format!(
            ": wants it in {kept}, and it is in {}; oomtop protect --why {} tells why it stays",
            now.path, process.id.pid
        );
        return line.add(Tone::Watch, text);
    }
    let groups = snapshot.cgroups.iter();
    let group = groups
        .into_iter()
        .find(|group| group.present && group.path == kept.group);
    // Unread limits look like none.
    let limits = group
        .filter(|group| group.usage.is_some())
        .map(|group| group.limits);
    let page_size = context.cells.rules.page_size;
    let drift = limit_drift(kept, context.host.cgroups, page_size, |file| {
        file.get(limits.as_ref()?)
    });
    match drift.first() {
        Some(drift) => line.add(Tone::Watch, format!(": keeps it in {kept}, but {drift}")),
        None => line.add(Tone::Dim, format!(": keeps it in {kept}")),
    }
}
