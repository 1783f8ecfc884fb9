//! Which version of cgroups the host of a report has: the files of the two have different names.

use crate::oomlog::analysis::gfp::version;
use crate::oomlog::report::memcg::Usage;
use crate::oomlog::{OomReport, UsageKind};

/// The version of the memory controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MemcgVersion {
    /// `memory.limit_in_bytes`.
    V1,
    /// `memory.max`.
    V2,
}

/// The kernel from which on the usage lines differ between the versions.
const TOLD_APART: (u32, u32) = (5, 3);

/// The version; `None` if the report does not tell.
///
/// Since 5.3 v2 prints `swap:` where v1 prints `memory+swap:` and `kmem:` (mm/memcontrol.c
/// `mem_cgroup_print_oom_meminfo`). Kernels before print the two lines of v1 on both
/// (`mem_cgroup_print_oom_info`), but v2 charges nothing to these counters and offers no limit of them.
#[must_use]
pub fn memcg_version(report: &OomReport) -> Option<MemcgVersion> {
    let memcg = report.memcg.as_ref()?;
    if memcg.usage(UsageKind::Swap).is_some() {
        return Some(MemcgVersion::V2);
    }
    let of_v1 = [UsageKind::MemorySwap, UsageKind::Kernel];
    let mut lines = of_v1.iter().filter_map(|kind| memcg.usage(*kind));
    let is_counted = |usage: &Usage| usage.usage_kb > 0 || !usage.is_unlimited();
    let is_told_apart = || {
        let kernel = report.kernel.as_deref().and_then(version);
        kernel.is_some_and(|kernel| kernel >= TOLD_APART)
    };
    lines
        .any(|usage| is_counted(usage) || is_told_apart())
        .then_some(MemcgVersion::V1)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{MemcgVersion, memcg_version};
    use crate::oomlog::report::memcg::{MemcgUse, Usage};
    use crate::oomlog::{OomReport, UsageKind};

    const NO_LIMIT: u64 = 9_007_199_254_740_988;

    fn of(kernel: &str, lines: &[(UsageKind, u64, u64)]) -> Option<MemcgVersion> {
        let usage = lines.iter().map(|&(kind, usage_kb, limit_kb)| Usage {
            kind,
            usage_kb,
            limit_kb,
            failcnt: 0,
        });
        memcg_version(&OomReport {
            kernel: Some(kernel.to_owned()),
            memcg: Some(Arc::new(MemcgUse {
                usage: usage.collect(),
                ..MemcgUse::default()
            })),
            ..OomReport::default()
        })
    }

    #[test]
    fn the_usage_lines_tell_the_version() {
        let memory = (UsageKind::Memory, 100, 100);
        let swap = (UsageKind::Swap, 0, NO_LIMIT);
        assert_eq!(of("6.12.9", &[memory, swap]), Some(MemcgVersion::V2));
        let unused = [
            memory,
            (UsageKind::MemorySwap, 0, NO_LIMIT),
            (UsageKind::Kernel, 0, NO_LIMIT),
        ];
        assert_eq!(of("5.10.0-32", &unused), Some(MemcgVersion::V1));
        assert_eq!(of("4.14.9", &unused), None, "v2 prints them too");
        let used = [memory, (UsageKind::Kernel, 364, NO_LIMIT)];
        assert_eq!(of("4.14.9", &used), Some(MemcgVersion::V1));
        let limited = [memory, (UsageKind::MemorySwap, 0, 100)];
        assert_eq!(of("4.14.9", &limited), Some(MemcgVersion::V1));
        assert_eq!(of("6.12.9", &[memory]), None);
        assert_eq!(memcg_version(&OomReport::default()), None);
    }
}
