//! The root cause in a sentence, and what was left beside it.

mod kernel;

use super::{capital, kb};
use crate::oomlog::OomReport;
use crate::oomlog::analysis::page_kb;
use crate::oomlog::analysis::root_cause::RootCause;
use crate::oomlog::analysis::share::Share;
use crate::oomlog::analysis::swap::SwapState;
use crate::oomlog::analysis::verdict::{RanOut, Verdict};
use crate::text::format::number_of;
use crate::text::tone::Line;

/// From this share on, in percent, memory was "full of" something.
const FULL: u64 = 75;
/// From this share on, in percent, something was most of it.
const MOST: u64 = 50;

/// `The limit was full of page cache: 60 MiB of 64 MiB (93 %)`, or less where it was less.
fn full_of(whole: &str, share: Share, what: &str) -> String {
    let numbers = format!(
        "{} of {} ({} %)",
        kb(share.held_kb),
        kb(share.of_kb),
        share.percent()
    );
    match share.percent() {
        FULL.. => format!("{whole} was full of {what}: {numbers}"),
        MOST.. => format!("Most of {} was {what}: {numbers}", lower(whole)),
        _ => format!("The largest part of {} was {what}: {numbers}", lower(whole)),
    }
}

/// `the limit` of `The limit`; `RAM` stays.
fn lower(whole: &str) -> String {
    whole.replacen("The ", "the ", 1)
}

/// A kill frees it only if no file has it (mm/shmem.c): tmpfs files and System V segments stay; anonymous shared maps
/// and memfds go with their last user.
const SHARED_STAYS: &str = "Files in tmpfs and System V segments outlive a kill; shared anonymous maps and memfds go with \
     their last user.";

/// The root cause, with the numbers it rests on. `asked`: the log says what was asked for.
pub(super) fn sentence(root: &RootCause, asked: bool) -> String {
    match root {
        RootCause::ByHand => {
            "Somebody asked for a kill (SysRq-f): memory need not have been short.".to_owned()
        }
        RootCause::ByBpf => {
            "A BPF program asked for a kill: memory need not have been short.".to_owned()
        }
        RootCause::NoShortage {
            free_kb,
            page_fault: true,
            cgroup,
        } => {
            let whose = cgroup.as_ref().map_or_else(
                || "a cgroup's limit".to_owned(),
                |name| format!("the limit of cgroup {name}"),
            );
            format!(
                "{} was free: it was {whose}, most likely (kernels before 5.16 end up here).",
                kb(*free_kb)
            )
        }
        RootCause::NoShortage { free_kb, .. } if !asked => format!(
            "{} was free, and the log does not say what was asked for: memory came back before the report was printed, or \
             somebody asked for a kill (SysRq-f).",
            kb(*free_kb)
        ),
        RootCause::NoShortage { free_kb, .. } => format!(
            "{} was free in zones that could serve the request: memory came back before the report was printed, the \
             kernel counts it for somebody else, or somebody asked for a kill (SysRq-f).",
            kb(*free_kb)
        ),
        RootCause::NobodyKillable { tasks } => match tasks {
            1 => "The only task may not be killed: it has oom_score_adj -1000.".to_owned(),
            tasks => {
                format!("None of the {tasks} tasks may be killed: all have oom_score_adj -1000.")
            }
        },
        RootCause::LimitByProcesses(part) => {
            format!(
                "{}.",
                full_of("The limit", *part, "its programs' own memory")
            )
        }
        RootCause::LimitByTmpfs(part) => format!(
            "{}. {SHARED_STAYS}",
            full_of("The limit", *part, "tmpfs files and shared memory")
        ),
        RootCause::LimitByPageCache(part) => format!(
            "{}.",
            full_of(
                "The limit",
                *part,
                "page cache that could not be dropped in time"
            )
        ),
        RootCause::LimitByKernel(part) => kernel::sentence("The limit", part),
        RootCause::HostByProcesses(part) => {
            format!("{}.", full_of("RAM", *part, "programs' own memory"))
        }
        RootCause::HostByTmpfs(part) => format!(
            "{}. {SHARED_STAYS}",
            full_of("RAM", *part, "tmpfs files and shared memory")
        ),
        RootCause::HostByKernel(part) => kernel::sentence("RAM", part),
        RootCause::HostByHugePages(part) => format!(
            "{} of {} RAM ({} %) was set aside as huge pages.",
            kb(part.held_kb),
            kb(part.of_kb),
            part.percent()
        ),
        RootCause::HostByUncounted(part) => format!(
            "{} of {} RAM ({} %) is in none of the printed counters: a driver, a GPU, a balloon, vmalloc, or the \
             compressed pool of zram or zswap.",
            kb(part.held_kb),
            kb(part.of_kb),
            part.percent()
        ),
        RootCause::Fragmented { .. }
        | RootCause::ZonesExhausted { .. }
        | RootCause::NodesExhausted { .. } => not_everywhere(root),
    }
}

/// There was memory, but not for this request.
fn not_everywhere(root: &RootCause) -> String {
    match root {
        RootCause::Fragmented { order, free_kb } => format!(
            "{} was free, but not {} pages in one piece (order {order}): memory was fragmented, not full.",
            kb(*free_kb),
            1_u64.checked_shl(*order).unwrap_or(u64::MAX)
        ),
        RootCause::ZonesExhausted {
            zones,
            free_elsewhere_kb,
            ..
        } => format!(
            "Only {} may serve the request and had nothing left, while {} was free elsewhere.",
            zones.join(", "),
            kb(*free_elsewhere_kb)
        ),
        RootCause::NodesExhausted {
            nodes,
            free_kb,
            unusable_kb,
            free_elsewhere_kb,
        } => {
            let unusable = if *unusable_kb > 0 {
                format!(
                    " ({} more is free there only for movable pages, and this request needs another kind)",
                    kb(*unusable_kb)
                )
            } else {
                String::new()
            };
            let elsewhere = free_elsewhere_kb.map_or_else(String::new, |free| {
                format!(", while {} was free on others", kb(free))
            });
            let left = free_kb.map_or_else(
                || "an unknown amount left (lines of the log are lost)".to_owned(),
                |free| format!("{} left", kb(free)),
            );
            let (noun, verb) = if nodes.contains([',', '-']) {
                ("nodes", "which had")
            } else {
                ("node", "which had")
            };
            format!(
                "The request may use only memory {noun} {nodes}, {verb} {left}{unusable}{elsewhere}."
            )
        }
        _ => String::new(),
    }
}

/// Swap and page cache: what reclaim still had.
pub(super) fn what_was_left(report: &OomReport, verdict: &Verdict) -> Option<Line> {
    if matches!(
        verdict.ran_out,
        RanOut::ByRequest | RanOut::HiddenLimit { .. }
    ) {
        return None;
    }
    let of_group = report.is_memcg();
    let mut parts: Vec<String> = verdict
        .swap
        .map(|swap| match swap {
            SwapState::None if of_group => "the cgroup may use no swap".to_owned(),
            SwapState::None => "there is no swap".to_owned(),
            SwapState::Unused { allowed_kb } => format!(
                "none of the {} swap that its limits allow was in use (the host may have none)",
                kb(allowed_kb)
            ),
            SwapState::Full { total_kb } if of_group => {
                format!("the {} swap that it may use was full", kb(total_kb))
            }
            SwapState::Full { total_kb } => format!("swap ({}) was full", kb(total_kb)),
            SwapState::Left { free_kb, total_kb } if of_group => format!(
                "{} of the {} swap that its limits allow was not in use",
                kb(free_kb),
                kb(total_kb)
            ),
            SwapState::Left { free_kb, total_kb } => {
                format!("{} of {} swap was free", kb(free_kb), kb(total_kb))
            }
        })
        .into_iter()
        .collect();
    let page = page_kb(report).unwrap_or(4);
    let counter = |name: &str| {
        let memory = report.memory.as_ref()?;
        Some(memory.pages(name)?.saturating_mul(page))
    };
    if let (Some(active), Some(inactive)) = (counter("active_file"), counter("inactive_file")) {
        parts.push(format!(
            "{} of page cache was left to reclaim",
            kb(active.saturating_add(inactive))
        ));
    }
    (!parts.is_empty()).then(|| Line::from(format!("{}.", capital(&parts.join("; ")))))
}

/// `1 process`, `12 processes`.
pub(super) fn processes(count: u64) -> String {
    number_of(count, "process", "processes")
}
