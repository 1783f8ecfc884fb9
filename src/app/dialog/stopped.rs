//! The unit that systemd stops after a kill in it.

use crate::model::killers::oom_policy::OomPolicy;
use crate::model::process::ProcessId;
use crate::model::snapshot::Snapshot;
use crate::text::tone::{Line, Tone};

/// What follows if the kernel kills this process; none if the others of its unit live on.
pub(super) fn stopped_line(id: ProcessId, snapshot: &Snapshot) -> Option<Line> {
    let (key, policy) = snapshot.stopped_with(id)?;
    let unit = snapshot.cgroup(key)?;
    let along = snapshot.mortals_in(key);
    let how = match policy {
        OomPolicy::Kill => "  systemd ends the whole unit: ",
        OomPolicy::Stop | OomPolicy::Continue => "  Then systemd stops the unit: ",
    };
    let along = match along {
        1 => "1 process".to_owned(),
        along => format!("{along} processes"),
    };
    let text = format!(
        "{}, {along} in it (OOMPolicy={})",
        unit.path.name(),
        policy.name()
    );
    Some(Line::of(Tone::Danger, how).add(Tone::Normal, text))
}
