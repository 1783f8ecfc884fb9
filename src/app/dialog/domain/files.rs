//! [`Files`]: the file behind each number in a domain's details.

use crate::model::cgroup::limits::LimitFile;
use crate::text::joined::joined;

/// The file of each number.
pub(super) struct Files {
    pub(super) usage: &'static str,
    pub(super) limit: &'static str,
    pub(super) cache: &'static str,
    pub(super) swap: &'static str,
    pub(super) max: &'static str,
    pub(super) kills: &'static str,
}

impl Files {
    pub(super) fn of(v1: bool, host: bool) -> Self {
        if host {
            Self {
                usage: "/proc/meminfo MemTotal - MemAvailable",
                limit: "MemTotal",
                cache: "",
                swap: "/proc/meminfo SwapTotal - SwapFree",
                max: "",
                kills: "/proc/vmstat oom_kill",
            }
        } else if v1 {
            Self {
                usage: "memory.usage_in_bytes",
                limit: LimitFile::V1Limit.name(),
                cache: "memory.stat total_{in,}active_file",
                swap: "memory.memsw.usage_in_bytes - usage",
                max: "memory.failcnt + memsw.failcnt",
                kills: joined!(
                    LimitFile::V1OomControl.row().name,
                    " oom_kill, of it and below"
                ),
            }
        } else {
            Self {
                usage: "memory.current",
                limit: LimitFile::Max.name(),
                cache: "memory.stat {in,}active_file",
                swap: "memory.swap.current",
                max: "memory.events max",
                kills: "memory.events oom_kill",
            }
        }
    }
}
