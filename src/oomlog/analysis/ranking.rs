//! The kernel's ranking, computed again from the table of tasks: why the victim was the victim.
//!
//! `oom_badness` in mm/oom_kill.c: resident pages + swap + page tables + adj * total / 1000. Checked against real
//! reports of 4.4 to 7.3: the victim comes first.

use super::page_kb;
use crate::oomlog::Pid;
use crate::oomlog::{Constraint, OomReport, TaskRow, UsageKind};

/// The candidates of one report, the likeliest victim first.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Ranking {
    /// Size of a page in kB.
    pub page_kb: u64,
    /// Pages of the domain that ran out, swap included. One adj point is a thousandth of this.
    pub total_pages: u64,
    /// False if part of the total is not in the report (the swap that a cgroup may use). Then adj has more weight
    /// than computed here.
    pub total_exact: bool,
    /// The candidates. Tasks with adj -1000 are none.
    pub rows: Vec<Ranked>,
}

/// One candidate.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Ranked {
    /// Pid.
    pub pid: Pid,
    /// Short name.
    pub comm: String,
    /// Badness in pages; negative with a negative adj.
    pub badness: i64,
    /// Badness without adj, in pages.
    pub pages: u64,
    /// `oom_score_adj`.
    pub adj: i16,
}

impl Ranking {
    /// Place of a process; 1 is the victim's. Processes with equal badness share the better place.
    #[must_use]
    pub fn place(&self, pid: Pid) -> Option<usize> {
        let points = self.rows.iter().find(|row| row.pid == pid)?.badness;
        let better = self.rows.iter().filter(|row| row.badness > points).count();
        Some(better + 1)
    }

    /// True if the process that the kernel chose is first here too; `None` if the table does not have it.
    #[must_use]
    pub fn explains(&self, report: &OomReport) -> Option<bool> {
        let chosen = report.chosen.as_ref().map(|chosen| chosen.pid);
        let pid = chosen.or_else(|| Some(report.kills.first()?.pid))?;
        Some(self.place(pid)? == 1)
    }
}

/// Ranks the tasks of a report; `None` without a table, the size of a page or the domain's total.
///
/// Kernels up to 3.5 (RHEL 6) scored in thousandths and could prefer a child: `None` too.
#[must_use]
pub fn ranking(report: &OomReport) -> Option<Ranking> {
    let table = report.tasks.as_ref()?;
    let known = |name: &str| table.columns.0.iter().any(|column| column == name);
    if !known("swapents") {
        return None;
    }
    let page_kb = page_kb(report)?;
    let (total_pages, total_exact) = total(report, page_kb)?;
    // Up to 4.16 root's processes get a discount of 3 %, and everyone has at least one point.
    let old = known("nr_ptes");
    let mut rows: Vec<Ranked> = table
        .rows
        .iter()
        .filter_map(|row| ranked(row, page_kb, total_pages, old))
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.badness));
    Some(Ranking {
        page_kb,
        total_pages,
        total_exact,
        rows,
    })
}

fn ranked(row: &TaskRow, page_kb: u64, total: u64, old: bool) -> Option<Ranked> {
    let adj = row.adj.filter(|&adj| adj != -1000)?;
    let tables = match row.pgtables_bytes {
        Some(bytes) => bytes / (page_kb * 1024),
        None => row.nr_ptes?.saturating_add(row.nr_pmds.unwrap_or(0)),
    };
    let pages = row
        .rss?
        .saturating_add(row.swapents?)
        .saturating_add(tables);
    let mut points = i64::try_from(pages).ok()?;
    if old && row.uid == Some(0) {
        points -= points.saturating_mul(3) / 100;
    }
    let share = i64::try_from(total / 1000).ok()?;
    points = points.saturating_add(i64::from(adj).saturating_mul(share));
    Some(Ranked {
        pid: row.pid,
        comm: row.comm.clone(),
        badness: if old { points.max(1) } else { points },
        pages,
        adj,
    })
}

/// `totalpages` of the report (`constrained_alloc`, mm/oom_kill.c; `mem_cgroup_get_max`,
/// mm/memcontrol.c), and whether all of it is known.
fn total(report: &OomReport, page_kb: u64) -> Option<(u64, bool)> {
    if report.constraint == Some(Constraint::Memcg) {
        let memcg = report.memcg.as_ref()?;
        let limit = memcg.usage(UsageKind::Memory)?;
        let both = memcg.usage(UsageKind::MemorySwap);
        let swap = memcg.usage(UsageKind::Swap);
        let (kb, exact) = match (both, swap) {
            (Some(both), _) if !both.is_unlimited() => (both.limit_kb, true),
            (_, Some(swap)) if !swap.is_unlimited() => {
                (limit.limit_kb.saturating_add(swap.limit_kb), true)
            }
            _ => (limit.limit_kb, false),
        };
        return (!limit.is_unlimited()).then_some((kb / page_kb, exact));
    }
    let memory = report.memory.as_ref()?;
    let swap = memory.total_swap_kb? / page_kb;
    let nodes = match report.constraint {
        Some(Constraint::Cpuset) => report.mems_allowed.as_deref(),
        Some(Constraint::MemoryPolicy) => report.nodemask.as_deref(),
        _ => None,
    };
    let pages = match nodes {
        Some(list) => {
            let allowed = |node: u32| in_list(list, node);
            let zones = memory.zones.iter().filter(|zone| allowed(zone.node));
            zones.filter_map(|zone| zone.get("present")).sum::<u64>() / page_kb
        }
        None => memory.ram_pages?.checked_sub(memory.reserved_pages?)?,
    };
    Some((pages.saturating_add(swap), true))
}

/// True if a list like `0-1,3` holds the number.
pub(super) fn in_list(list: &str, number: u32) -> bool {
    list.split(',').any(|range| {
        let (low, high) = range.split_once('-').unwrap_or((range, range));
        match (low.trim().parse::<u32>(), high.trim().parse::<u32>()) {
            (Ok(low), Ok(high)) => (low..=high).contains(&number),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::in_list;

    #[test]
    fn node_lists() {
        assert!(in_list("0-1,3", 1) && in_list("0-1,3", 3));
        assert!(!in_list("0-1,3", 2) && !in_list("(null)", 0));
    }
}
