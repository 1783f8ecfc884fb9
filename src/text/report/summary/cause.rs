//! The root cause in a sentence, and what was left beside it.

use super::{capital, kb};
use crate::oomlog::OomReport;
use crate::oomlog::analysis::page_kb;
use crate::oomlog::analysis::root_cause::{RootCause, Share, SwapState, swap};
use crate::text::tone::Line;

/// The root cause, with the numbers it rests on.
#[expect(
    clippy::too_many_lines,
    reason = "a table in prose: one sentence for each cause"
)]
pub(super) fn sentence(root: &RootCause) -> String {
    let share = |share: &Share| {
        format!(
            "{} of {} ({} %)",
            kb(share.held_kb),
            kb(share.of_kb),
            share.percent()
        )
    };
    match root {
        RootCause::ByHand => {
            "Somebody asked for a kill (SysRq-f): memory need not have been short.".to_owned()
        }
        RootCause::NoShortage { free_kb } => format!(
            "A page fault failed though {} was free: a cgroup's limit, most likely (kernels before 5.16 end up here).",
            kb(*free_kb)
        ),
        RootCause::NobodyKillable { tasks } => {
            format!("None of the {tasks} tasks may be killed: all have oom_score_adj -1000.")
        }
        RootCause::LimitByProcesses(part) => format!(
            "The limit was full of its programs' own memory: {}.",
            share(part)
        ),
        RootCause::LimitByTmpfs(part) => {
            format!(
                "The limit was full of tmpfs files or shared memory: {}. Killing does not free those.",
                share(part)
            )
        }
        RootCause::LimitByPageCache(part) => {
            format!(
                "The limit was full of page cache that could not be dropped in time: {}.",
                share(part)
            )
        }
        RootCause::LimitByKernel(part) => {
            format!(
                "The limit was full of kernel memory (slab, page tables, sockets): {}.",
                share(part)
            )
        }
        RootCause::Fragmented { order, free_kb } => format!(
            "{} was free, but not {} pages in one piece (order {order}): memory was fragmented, not full.",
            kb(*free_kb),
            1_u64.checked_shl(*order).unwrap_or(u64::MAX)
        ),
        RootCause::ZonesExhausted {
            zones,
            free_elsewhere_kb,
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
            format!(
                "The request may use only memory node {nodes}, which had {} left{unusable}{elsewhere}.",
                kb(*free_kb)
            )
        }
        RootCause::HostByProcesses(part) => {
            format!("RAM was full of programs' own memory: {}.", share(part))
        }
        RootCause::HostByTmpfs(part) => {
            format!(
                "RAM was full of tmpfs files and shared memory: {}. Killing does not free those.",
                share(part)
            )
        }
        RootCause::HostByKernel(part) => {
            format!(
                "RAM was full of kernel memory that cannot be reclaimed: {}. A leak in a driver, perhaps.",
                share(part)
            )
        }
        RootCause::HostByHugePages(part) => {
            format!("RAM was set aside as huge pages: {}.", share(part))
        }
        RootCause::HostByUncounted(part) => {
            format!(
                "RAM was taken by something no counter shows (a driver, a balloon, a GPU): {}.",
                share(part)
            )
        }
    }
}

/// Swap and page cache that reclaim could still have used.
pub(super) fn what_was_left(report: &OomReport) -> Option<Line> {
    let mut parts: Vec<String> = swap(report)
        .map(|swap| match swap {
            SwapState::None => "no swap could be used".to_owned(),
            SwapState::Full { total_kb } => format!("swap ({}) was full", kb(total_kb)),
            SwapState::Left { free_kb, total_kb } => {
                format!("{} of {} swap was free", kb(free_kb), kb(total_kb))
            }
        })
        .into_iter()
        .collect();
    let page = page_kb(report).unwrap_or(4);
    let counter = |name: &str| {
        let counters = &report.memory.as_ref()?.counters;
        counters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, pages)| pages.saturating_mul(page))
    };
    if let (Some(active), Some(inactive)) = (counter("active_file"), counter("inactive_file")) {
        parts.push(format!(
            "{} of page cache was left to reclaim",
            kb(active.saturating_add(inactive))
        ));
    }
    (!parts.is_empty()).then(|| Line::from(format!("{}.", capital(&parts.join(", ")))))
}
