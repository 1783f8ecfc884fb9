//! Where the main process of a service differs from what the files of its unit say, and settings of a name that systemd
//! gave up.

use super::pair;
use crate::model::process::Process;
use crate::model::snapshot::Snapshot;
use crate::text::tone::Line;

/// A line for each difference. The files are read once a minute.
pub(super) fn lines(process: &Process, snapshot: &Snapshot) -> Vec<Line> {
    let Some(unit) = snapshot.units_around(process).next() else {
        return Vec::new();
    };
    let name = snapshot.cgroup(unit.group).map(|group| group.path.name());
    let name = name.unwrap_or("its unit");
    let mut lines = Vec::new();
    // What it has started itself may have been given another value on purpose.
    let is_main = match unit.main {
        Some(main) => main == process.id,
        None => process.ppid == 1,
    };
    if let (Some(says), Some(has), true) = (unit.adj, process.adj, is_main)
        && says != has
    {
        let text = format!(
            "{name} says OOMScoreAdjust={says} (its files are read once a minute), the process has {has}: a restart gives \
             it {says} again"
        );
        lines.push(pair("drift", text));
    }
    if unit.has_old_limit {
        let text =
            format!("{name} has MemoryLimit=, a name of before systemd 231: write MemoryMax=");
        lines.push(pair("unit", text));
    }
    lines
}
