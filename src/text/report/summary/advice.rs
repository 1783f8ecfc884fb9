//! What to do now: the root cause first, then protect, then fix for good; with the keys that do it.

use super::kb;
use crate::model::process::Pid;
use crate::model::recall::Remembered;
use crate::oomlog::analysis::holders::by_name;
use crate::oomlog::analysis::root_cause::{RootCause, SwapState, swap};
use crate::oomlog::{Kill, OomReport, Outcome};
use crate::text::tone::{Line, Tone};
use crate::text::wording::short_id;

/// Growth before death that counts as a leak, in bytes per second.
const LEAK: i64 = 1 << 20;

/// Steps, each with its key or a word for what kind of step it is.
pub(super) fn lines(
    report: &OomReport,
    root: Option<&RootCause>,
    remembered: &[(Pid, Remembered)],
) -> Vec<Line> {
    let mut steps = Vec::new();
    if report.outcome == Outcome::NobodyKillable {
        steps.push((
            "a",
            "give at least one process there an adj above -1000, or raise the limit".to_owned(),
        ));
        return as_lines(steps);
    }
    let victim = report.kills.first();
    let leaked = |kill: &&Kill| {
        remembered.iter().any(|(pid, known)| {
            *pid == kill.pid && known.growth.is_some_and(|growth| growth > LEAK)
        })
    };
    if let Some(kill) = victim.filter(leaked) {
        steps.push((
            "fix",
            format!(
                "{} was growing steadily: look for a leak in it before anything else",
                kill.comm
            ),
        ));
    }
    steps.extend(root.and_then(by_cause));
    if report.is_memcg() {
        steps.push(("limit", raise(report)));
    } else if matches!(root, Some(RootCause::HostByProcesses(_)) | None) {
        steps.extend(fence(report));
    }
    let by_programs = matches!(
        root,
        Some(RootCause::HostByProcesses(_) | RootCause::LimitByProcesses(_)) | None
    );
    if by_programs
        && let Some((kill, larger)) =
            victim.and_then(|kill| Some((kill, larger_than(kill, report)?)))
    {
        steps.push((
            "a",
            format!("protect {} with a lower adj: {larger} held more", kill.comm),
        ));
    }
    if !report.has_header && victim.is_some() {
        steps.push((
            "look",
            "for the report above it, in the older part of the log".to_owned(),
        ));
    }
    let swapless = swap(report) == Some(SwapState::None)
        && matches!(root, Some(RootCause::HostByProcesses(_)));
    if swapless {
        steps.push((
            "fix",
            "add some swap or zram: without it there is no time between full and dead".to_owned(),
        ));
    }
    as_lines(steps)
}

fn as_lines(steps: Vec<(&'static str, String)>) -> Vec<Line> {
    let line = |(key, text)| Line::of(Tone::Strong, format!("  {key:<8}")).add(Tone::Normal, text);
    steps.into_iter().map(line).collect()
}

/// The step that goes to the root.
fn by_cause(root: &RootCause) -> Option<(&'static str, String)> {
    let text = match root {
        RootCause::LimitByTmpfs(_) | RootCause::HostByTmpfs(_) => {
            "delete files in tmpfs (df -t tmpfs, ipcs -m), or mount it with a size="
        }
        RootCause::LimitByPageCache(_) => {
            "slow its writes down (memory.high throttles), or give it more room"
        }
        RootCause::LimitByKernel(_) => {
            "look at its memory.stat: many files, sockets or threads cost kernel memory"
        }
        RootCause::HostByKernel(_) => {
            "look at slabtop -sc and /proc/slabinfo: which cache grows, and which driver owns it"
        }
        RootCause::HostByHugePages(_) => "give huge pages back: vm.nr_hugepages",
        RootCause::HostByUncounted(_) => "ask the drivers: GPU, balloon (virtio), DMA buffers",
        RootCause::Fragmented { .. } => {
            "raise vm.min_free_kbytes, or echo 1 > /proc/sys/vm/compact_memory"
        }
        RootCause::ZonesExhausted { .. } => {
            "use a 64-bit kernel, or raise vm.lowmem_reserve_ratio for that zone"
        }
        RootCause::NodesExhausted { .. } => {
            "widen the cpuset's mems or the memory policy, or move work to other nodes"
        }
        RootCause::NoShortage { .. } => {
            "look for a cgroup limit around the asker; a newer kernel says which"
        }
        RootCause::ByHand => {
            "ask who pressed SysRq-f or wrote to /proc/sysrq-trigger (earlyoom can)"
        }
        RootCause::NobodyKillable { .. }
        | RootCause::LimitByProcesses(_)
        | RootCause::HostByProcesses(_) => return None,
    };
    Some(("fix", text.to_owned()))
}

/// How the limit is raised.
fn raise(report: &OomReport) -> String {
    let group = report.oom_memcg.as_deref().unwrap_or("the cgroup");
    let name = short_id(group.rsplit('/').next().unwrap_or(group));
    let limit = report
        .limit_kb
        .map_or_else(String::new, |limit| format!(" (now {})", kb(limit)));
    format!(
        "if {name} needs what it used, raise its limit{limit}: systemctl set-property, the container's memory option, \
         or memory.max"
    )
}

/// Who should run out alone: the name that held most.
fn fence(report: &OomReport) -> Option<(&'static str, String)> {
    let holder = by_name(report)?.into_iter().next()?;
    let all = if holder.processes > 1 {
        format!(" (all {} processes of it)", holder.processes)
    } else {
        String::new()
    };
    Some((
        "c",
        format!(
            "fence {}{all} in with a memory limit, so that it runs out alone",
            holder.comm
        ),
    ))
}

/// The name that held more than a victim that nobody had offered (adj 0 or less).
fn larger_than(kill: &Kill, report: &OomReport) -> Option<String> {
    let holder = by_name(report)?.into_iter().next()?;
    let offered = kill.adj.is_some_and(|adj| adj > 0);
    (!offered && holder.comm != kill.comm).then_some(holder.comm)
}
