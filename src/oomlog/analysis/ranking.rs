//! The kernel's ranking, computed again from the table of tasks: why the victim was the victim.
//!
//! `oom_badness` in mm/oom_kill.c: resident pages + swap + page tables + adj * total / 1000. Checked against real
//! reports of 4.4 to 7.3: the victim comes first.

use super::gfp::version;
use super::memcg_total::{SwapLimit, memcg_total, swap_limit};
use super::page_kb;
use super::swap::{SwapState, swap};
use crate::oomlog::{Constraint, MemoryState, OomReport, Pid, TaskRow, UsageKind};

/// How many sizes of the host's swap are tried, each twice as large, from the size of the cgroup's limit on.
const SWAP_SIZES: u32 = 8;

/// The candidates of one report, the likeliest victim first.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Ranking {
    /// Size of a page in kB.
    pub page_kb: u64,
    /// Pages of the domain that ran out, swap included. One adj point is a thousandth of this.
    pub total_pages: u64,
    /// False if part of the total is not in the report: the swap that a cgroup may use, as far as there is any.
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
///
/// Where the total is not known exactly (the log of a cgroup's OOM does not have the host's swap), the first of the
/// possible ones under which the kernel's choice comes out first is taken.
#[must_use]
pub fn ranking(report: &OomReport) -> Option<Ranking> {
    let table = report.tasks.as_ref()?;
    let known = |name: &str| table.columns.0.iter().any(|column| column == name);
    if !known("swapents") {
        return None;
    }
    let page_kb = page_kb(report)?;
    let totals = totals(report, page_kb)?;
    let version = report.kernel.as_deref().and_then(version);
    let rules = Rules {
        root_bonus: version.map_or_else(|| known("nr_ptes"), |version| version < (4, 17)),
        at_least_one: version.map_or_else(|| known("nr_ptes"), |version| version < (5, 4)),
    };
    let with = |total_pages: u64| {
        let rows = table.rows.iter();
        let mut rows: Vec<Ranked> = rows
            .filter_map(|row| ranked(row, page_kb, total_pages, rules))
            .collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.badness));
        Ranking {
            page_kb,
            total_pages,
            total_exact: totals.others.is_empty(),
            rows,
        }
    };
    let likely = with(totals.likely);
    if likely.explains(report) == Some(false) {
        let mut others = totals.others.iter().map(|total| with(*total));
        if let Some(other) = others.find(|other| other.explains(report) == Some(true)) {
            return Some(other);
        }
    }
    Some(likely)
}

/// How this kernel computes badness.
#[derive(Debug, Clone, Copy)]
struct Rules {
    /// Up to 4.16, root's processes get a discount of 3 %.
    root_bonus: bool,
    /// Everyone has at least one point (4.19 and 5.0 too; signed since 5.9 and in late 5.4).
    at_least_one: bool,
}

fn ranked(row: &TaskRow, page_kb: u64, total: u64, rules: Rules) -> Option<Ranked> {
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
    if rules.root_bonus && row.uid == Some(0) {
        points -= points.saturating_mul(3) / 100;
    }
    let share = i64::try_from(total / 1000).ok()?;
    points = points.saturating_add(i64::from(adj).saturating_mul(share));
    Some(Ranked {
        pid: row.process(),
        comm: row.comm.clone(),
        badness: if rules.at_least_one {
            points.max(1)
        } else {
            points
        },
        pages,
        adj,
    })
}

/// `totalpages` of a report, in pages.
#[derive(Debug, Clone)]
struct Totals {
    /// The value that the report speaks for.
    likely: u64,
    /// What it may be as well, ascending, if the report does not have all of it.
    others: Vec<u64>,
}

impl Totals {
    fn exact(total: u64) -> Self {
        Self {
            likely: total,
            others: Vec::new(),
        }
    }
}

/// `totalpages` of the report (`constrained_alloc`, mm/oom_kill.c).
fn totals(report: &OomReport, page_kb: u64) -> Option<Totals> {
    if report.constraint == Some(Constraint::Memcg) {
        return memcg_totals(report, page_kb);
    }
    let memory = report.memory.as_ref()?;
    let swap = memory.total_swap_kb? / page_kb;
    let nodes = match report.constraint {
        Some(Constraint::Cpuset) => report.mems_allowed.as_deref(),
        Some(Constraint::MemoryPolicy) => report.nodemask.as_deref(),
        _ => None,
    };
    let pages = match nodes {
        Some(list) => nodes_kb(memory, list)? / page_kb,
        None => memory.ram_pages?.checked_sub(memory.reserved_pages?)?,
    };
    Some(Totals::exact(pages.saturating_add(swap)))
}

/// RAM of these nodes in kB; `None` if the log has lost a zone of them.
fn nodes_kb(memory: &MemoryState, list: &str) -> Option<u64> {
    if memory.lacks_zone(|node| in_list(list, node)) {
        return None;
    }
    let zones = memory.zones.iter().filter(|zone| in_list(list, zone.node));
    let sizes = zones.filter_map(|zone| zone.get("present"));
    sizes.reduce(u64::saturating_add)
}

/// The limit, and the swap that it may use as far as it exists ([`memcg_total`]). The log does not say how much
/// exists. Swap in use proves that there is some; swap that stayed empty while the limit was full speaks for none.
fn memcg_totals(report: &OomReport, page_kb: u64) -> Option<Totals> {
    let limit = report.memcg.as_ref()?.usage(UsageKind::Memory)?;
    if limit.is_unlimited() {
        return None;
    }
    let swap_limit = swap_limit(report);
    let total = |total_swap| memcg_total(limit.limit_kb, swap_limit, total_swap) / page_kb;
    let host = report.memory.as_ref();
    if let Some(known) = host.and_then(|memory| memory.total_swap_kb) {
        return Some(Totals::exact(total(known)));
    }
    if swap_limit == SwapLimit::None {
        // Without a limit no bound is known but what is in use. Sizes of swap that hosts have come after that.
        let used = swap_used_kb(report, page_kb);
        let sizes = (0..SWAP_SIZES).map(|doublings| limit.limit_kb.saturating_mul(1 << doublings));
        return Some(Totals {
            likely: total(used),
            others: sizes.filter(|size| *size > used).map(total).collect(),
        });
    }
    let (without, with) = (total(0), total(u64::MAX / 2));
    Some(match swap(report) {
        _ if without == with => Totals::exact(with),
        Some(SwapState::Full { .. }) => Totals::exact(with),
        Some(SwapState::Left { .. }) => Totals {
            likely: with,
            others: vec![without],
        },
        _ => Totals {
            likely: without,
            others: vec![with],
        },
    })
}

/// Swap that the report shows in use, in kB: what the group is charged with, or else the sum of its tasks, which
/// counts twice what tasks share.
fn swap_used_kb(report: &OomReport, page_kb: u64) -> u64 {
    let usage = |kind| Some(report.memcg.as_ref()?.usage(kind)?.usage_kb);
    let charged = usage(UsageKind::Swap)
        .or_else(|| usage(UsageKind::MemorySwap)?.checked_sub(usage(UsageKind::Memory)?));
    let rows = report.tasks.iter().flat_map(|table| &table.rows);
    let pages = rows
        .filter_map(|row| row.swapents)
        .fold(0, u64::saturating_add);
    charged.unwrap_or_else(|| pages.saturating_mul(page_kb))
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
    use super::{in_list, ranking};
    use crate::oomlog::on_paper::report;

    /// Two tasks in a v1 group of 100 MiB, 200 MiB with swap; adj 100 is 10 MiB without swap, 20 MiB with it.
    fn v1(both_usage_kb: u64, chosen: u32) -> std::sync::Arc<crate::oomlog::OomReport> {
        let usage = format!("memory+swap: usage {both_usage_kb}kB, limit 204800kB, failcnt 0");
        let verdict = format!(
            "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/g,task_memcg=/g,task=a,pid={chosen},uid=0"
        );
        let killed = format!(
            "Memory cgroup out of memory: Killed process {chosen} (a) total-vm:102400kB, anon-rss:1kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:4kB oom_score_adj:0"
        );
        report([
            "a invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
            "CPU: 0 PID: 7 Comm: a Not tainted 6.18.0",
            "memory: usage 102400kB, limit 102400kB, failcnt 9",
            usage.as_str(),
            "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
            "[      7]     0     7    25600    14000     4096        0             0 a",
            "[      8]     0     8    25600    11000     4096        0           100 b",
            verdict.as_str(),
            killed.as_str(),
        ])
    }

    #[test]
    fn a_host_without_swap_makes_adj_weigh_less_than_the_limits_allow() {
        // With 100 MiB of swap, adj 100 would weigh 5120 pages and 8 would come first.
        let ranked = ranking(&v1(102_400, 7)).expect("a ranking");
        assert_eq!(ranked.total_pages, 25_600, "no swap was used");
        assert_eq!((ranked.place(7), ranked.total_exact), (Some(1), false));
        let swapping = ranking(&v1(204_800, 8)).expect("a ranking");
        assert_eq!((swapping.total_pages, swapping.total_exact), (51_200, true));
        assert_eq!(swapping.place(8), Some(1));
    }

    #[test]
    fn the_bound_that_explains_the_choice_is_taken_where_the_log_has_no_other() {
        let ranked = ranking(&v1(102_400, 8)).expect("a ranking");
        assert_eq!((ranked.total_pages, ranked.place(8)), (51_200, Some(1)));
        assert!(!ranked.total_exact);
    }

    #[test]
    fn swap_without_a_limit_counts_as_what_is_in_use() {
        // Logged by 6.12: 120 MiB of memory, as much swap in use, no limit of swap.
        let lines = [
            "mm-l invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=-900",
            "CPU: 1 UID: 0 PID: 321 Comm: mm-l Not tainted 6.12.117",
            "memory: usage 122880kB, limit 122880kB, failcnt 23563",
            "swap: usage 130860kB, limit 9007199254740988kB, failcnt 0",
            "[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name",
            "[    316]     0   316     3901      159        0      159         0    69632     3584             0 vf",
            "[    321]     0   321    49980    30591    30432      159         0   438272    19104          -900 mm-l",
            "[    315]     0   314    23869      222       64      158         0    81920     5120            50 z-leader",
            "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/mm,task_memcg=/mm,task=z-leader,pid=314,uid=0",
            "Memory cgroup out of memory: Killed process 315 (z-leader) total-vm:95476kB, anon-rss:256kB, file-rss:632kB, shmem-rss:0kB, UID:0 pgtables:80kB oom_score_adj:50",
        ];
        let ranked = ranking(&report(lines)).expect("a ranking");
        assert_eq!(ranked.total_pages, (122_880 + 130_860) / 4);
        assert_eq!((ranked.place(314), ranked.total_exact), (Some(1), false));
        // 222 + 5120 + 20 pages, and adj 50 of 63 pages each.
        assert_eq!(ranked.rows[0].badness, 5362 + 50 * 63);
    }

    #[test]
    fn node_lists() {
        assert!(in_list("0-1,3", 1) && in_list("0-1,3", 3));
        assert!(!in_list("0-1,3", 2) && !in_list("(null)", 0));
    }
}
