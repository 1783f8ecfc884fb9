//! What the details pane shows of one process beyond its row.

use std::os::fd::AsFd;

use crate::domain::cgroup::{Cgroup, CgroupKey};
use crate::domain::kernel::KernelRules;
use crate::domain::process::ProcessId;
use crate::domain::snapshot::Detail;

use super::SysRoot;
use super::hierarchy::Hierarchy;
use super::kernel_file::{FileBuffer, keyed, lines, number, signed};
use super::pinned::PinnedProcess;
use super::{stat_line, status_lines};

/// Bytes kept of a line of `/proc/PID/cgroup`: a path is at most `PATH_MAX` (4096) long.
const LINE_MOST: usize = 4200;

/// `None` if the process has ended or its pid is another's now.
pub(crate) fn read(root: &SysRoot, id: ProcessId, rules: &KernelRules) -> Option<Detail> {
    let process = PinnedProcess::open(root, id).ok()?;
    let dir = process.dir();
    let mut buffer = FileBuffer::default();
    let stat = stat_line::parse(buffer.read_single(dir, "stat").ok()?)?;
    let status_rss = buffer
        .read_single(dir, "status")
        .ok()
        .map(status_lines::parse)
        .and_then(|status| status.memory(rules.page_size))
        .map(|memory| memory.rss);
    let kernel_score = buffer
        .read_single(dir, "oom_score")
        .ok()
        .and_then(number)
        .and_then(|score| u32::try_from(score).ok());
    let legacy_adj = buffer
        .read_single(dir, "oom_adj")
        .ok()
        .and_then(signed)
        .and_then(|adj| i16::try_from(adj).ok());
    let cgroup_lines = buffer
        .read_whole(dir, "cgroup")
        .map(|text| {
            lines(text)
                .map(|line| line.get(..LINE_MOST).unwrap_or(line))
                .map(|line| String::from_utf8_lossy(line).into_owned())
                .collect()
        })
        .unwrap_or_default();
    Some(Detail {
        id,
        kernel_score,
        legacy_adj,
        stat_rss: Some(stat.rss),
        status_rss,
        cgroup_lines,
        exe: rustix::fs::readlinkat(dir.as_fd(), "exe", Vec::new())
            .ok()
            .map(|target| target.to_string_lossy().into_owned()),
        threads: stat.threads,
    })
}

/// Page cache charged to each limited group around `group`, in bytes: `inactive_file` + `active_file` of
/// `memory.stat` (v2), with `total_` before it on v1, where the plain keys are the group's own. The file
/// makes the kernel add up its counters, so only the groups somebody looks at are asked.
pub(crate) fn caches(
    hierarchy: &Hierarchy,
    buffer: &mut FileBuffer,
    group: Option<CgroupKey>,
    cgroups: &[Cgroup],
) -> Vec<(CgroupKey, u64)> {
    let Ok(dir) = hierarchy.dir() else {
        return Vec::new();
    };
    let prefix = if hierarchy.version.is_v1() {
        "total_"
    } else {
        ""
    };
    let mut caches = Vec::new();
    let mut next = group;
    // Bounded: a damaged table must not loop.
    for _ in 0..256 {
        let Some((key, group)) = next.and_then(|key| Some((key, cgroups.get(key.index())?))) else {
            break;
        };
        next = group.parent;
        if group.limits.max.is_none() {
            continue;
        }
        let Some(below) = hierarchy.relative(&group.path) else {
            continue;
        };
        let Ok(text) = buffer.read_whole(dir, format!("{below}/memory.stat")) else {
            continue;
        };
        let part = |name: &str| keyed(text, &format!("{prefix}{name}"));
        if let (Some(inactive), Some(active)) = (part("inactive_file"), part("active_file")) {
            caches.push((key, inactive.saturating_add(active)));
        }
    }
    caches
}
