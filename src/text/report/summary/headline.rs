//! The first line of the Summary: what ran out, by the verdict.

use super::kb;
use crate::model::cgroup::container::short_id;
use crate::oomlog::analysis::swap::SwapState;
use crate::oomlog::analysis::verdict::{RanOut, Verdict};
use crate::oomlog::{OomReport, Outcome};

/// What ran out, and whether somebody died of it.
pub(super) fn sentences(report: &OomReport, verdict: &Verdict) -> String {
    let what = what_ran_out(report, &verdict.ran_out);
    match no_kill(report) {
        Some(none) => format!("{what} {none}"),
        None => what,
    }
}

fn what_ran_out(report: &OomReport, ran_out: &RanOut) -> String {
    let fixed = match ran_out {
        RanOut::ByRequest => "The kernel was asked for a kill.",
        RanOut::Limit {
            cgroup,
            limit_kb,
            usage_kb,
            with_swap_kb,
        } => return limit(cgroup.as_deref(), *limit_kb, *usage_kb, *with_swap_kb),
        RanOut::HiddenLimit { cgroup } => {
            let whose = cgroup.as_ref().map_or_else(
                || "A page fault failed".to_owned(),
                |name| format!("A page fault failed in the cpuset {}", short_id(name)),
            );
            return format!("{whose}: the host itself had memory.");
        }
        RanOut::Host { swap } => match swap {
            Some(SwapState::None) => "The host ran out of memory; it has no swap.",
            Some(SwapState::Left { .. } | SwapState::Unused { .. }) => {
                "The host ran out of memory, though swap was left."
            }
            Some(SwapState::Full { .. }) => "The host ran out of memory and swap.",
            None => "The host ran out of memory.",
        },
        RanOut::Blocks => "The kernel found no block of memory large enough for a request.",
        RanOut::Zones => "The memory that this request may use ran out.",
        RanOut::CpusetNodes => "The memory nodes of a cpuset ran out.",
        RanOut::PolicyNodes => "The memory nodes of a memory policy ran out.",
        RanOut::Nodes => "The memory nodes that this request may use ran out.",
        RanOut::NothingShown => {
            "The kernel called the host out of memory, but the report shows memory free."
        }
        RanOut::Other => "Memory ran out under a constraint this version does not know.",
        RanOut::Unknown if report.has_header => "Memory ran out.",
        RanOut::Unknown => "Memory ran out; the log does not say where.",
    };
    fixed.to_owned()
}

fn limit(
    cgroup: Option<&str>,
    limit_kb: Option<u64>,
    usage_kb: Option<u64>,
    with_swap_kb: Option<u64>,
) -> String {
    let group = cgroup.map_or_else(
        || "A cgroup".to_owned(),
        |path| format!("The cgroup {path}"),
    );
    if let Some(both) = with_swap_kb {
        return format!(
            "{group} reached its limit of {} for memory and swap together.",
            kb(both)
        );
    }
    // At its limit a cgroup uses a little less: what the CPUs hold back in batches.
    match (limit_kb, usage_kb) {
        (Some(limit), Some(usage)) if usage < limit / 100 * 99 => {
            format!(
                "{group} reached its limit of {} (it used {}).",
                kb(limit),
                kb(usage)
            )
        }
        (Some(limit), _) => format!("{group} reached its limit of {}.", kb(limit)),
        (None, _) => format!("{group} reached its limit."),
    }
}

/// What the log shows in the place of a kill. What it does not show may have happened.
fn no_kill(report: &OomReport) -> Option<String> {
    if report.outcome != Outcome::Pending || !report.kills.is_empty() {
        return None;
    }
    Some(match &report.chosen {
        Some(chosen) => format!(
            "The kernel chose {} {}; the log does not show the kill itself.",
            chosen.pid, chosen.comm
        ),
        None => "The log does not show whom the kernel killed.".to_owned(),
    })
}
