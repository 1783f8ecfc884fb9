//! Who ends with a victim, a line for each reason.

use crate::model::blast::{Along, Blast};
use crate::model::cgroup::limits::LimitFile;
use crate::model::cgroup::{CgroupKey, container};
use crate::model::killers::oom_policy::OomPolicy;
use crate::model::process::ProcessId;
use crate::model::snapshot::Snapshot;
use crate::text::format;
use crate::text::tone::{Line, Tone};

/// Most processes with the same address space that are named.
const NAMED: usize = 8;

/// What the kernel's kill of a process takes along, and what keeps it; nothing if it dies alone. `group` is killed as
/// a whole (`memory.oom.group`).
pub(super) fn lines(victim: ProcessId, group: Option<CgroupKey>, snapshot: &Snapshot) -> Vec<Line> {
    let blast = Blast::new(victim, group, snapshot);
    let mut lines = Vec::new();
    for reason in Along::ALL {
        let ids: Vec<ProcessId> = blast.by(reason).collect();
        if ids.is_empty() {
            continue;
        }
        let (who, why) = words(reason, &ids, victim, group, snapshot);
        let mut line =
            Line::of(Tone::Danger, format!("{:<12}", "dies with")).add(Tone::Normal, who);
        line.push(Tone::Dim, format!(": {why}"));
        if let Some(text) = remedy(reason) {
            line.push(Tone::Dim, format!("; {text}"));
        }
        lines.push(line);
    }
    if blast.orphans > 0 {
        let text = format::number_of(blast.orphans as u64, "child", "children");
        let text = format!("{text}, to another parent (pid 1 or a subreaper)");
        lines.push(Line::of(Tone::Dim, format!("{:<12}", "leaves")).add(Tone::Normal, text));
    }
    lines
}

/// Who, and why.
fn words(
    reason: Along,
    ids: &[ProcessId],
    victim: ProcessId,
    group: Option<CgroupKey>,
    snapshot: &Snapshot,
) -> (String, String) {
    let others = format::number_of(ids.len() as u64, "other", "others");
    let name = |key: Option<CgroupKey>| {
        let path = key
            .and_then(|key| snapshot.cgroup(key))
            .map(|group| &group.path);
        path.map_or_else(
            || "its group".to_owned(),
            |path| container::label(path.as_str()).unwrap_or_else(|| path.name().to_owned()),
        )
    };
    match reason {
        Along::SharedMemory => {
            let name = |id: &ProcessId| {
                let process = snapshot.process(*id)?;
                Some(format!("{} {}", id.pid, process.comm.text()))
            };
            let names: Vec<String> = ids.iter().take(NAMED).filter_map(name).collect();
            let more = if ids.len() > NAMED { ", …" } else { "" };
            (
                format!("{}{more}", names.join(", ")),
                "one address space".to_owned(),
            )
        }
        Along::Group => (
            format!("{others} in {}", name(group)),
            format!("{} is set, all but adj -1000", LimitFile::OomGroup.name()),
        ),
        Along::Namespace => (
            format!("{others} in its PID namespace"),
            "it is the first process there, the container ends".to_owned(),
        ),
        Along::Unit => {
            let (unit, policy) = snapshot.stopped_with(victim).unzip();
            let policy = policy.unwrap_or(OomPolicy::Stop).name();
            (
                format!("{others} in {}", name(unit)),
                format!("systemd stops the unit (OOMPolicy={policy})"),
            )
        }
        Along::Main => {
            let unit = snapshot.led_by(victim).map(|unit| unit.group);
            (
                format!("{others} in {}", name(unit)),
                "the service ends with its main process".to_owned(),
            )
        }
    }
}

/// What would keep them.
fn remedy(reason: Along) -> Option<&'static str> {
    match reason {
        Along::Unit => Some("OOMPolicy=continue in a drop-in keeps them"),
        Along::Group => Some("0 keeps them"),
        Along::Main => Some("a scope of their own keeps them"),
        Along::SharedMemory | Along::Namespace => None,
    }
}
