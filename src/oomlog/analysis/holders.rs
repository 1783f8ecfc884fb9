//! Who held the memory: sums by process name from the table of tasks, and by cgroup where the log has statistics of
//! each.

use std::collections::HashMap;

use super::page_kb;
use crate::oomlog::base::CUT;
use crate::oomlog::{OomReport, Outcome, Pid, TaskRow};

/// The processes of one name.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct NameHolder {
    /// Short name, as in the table.
    pub comm: String,
    /// How many processes have it.
    pub processes: u64,
    /// Resident memory in kB. Memory that processes share counts once for each of them.
    pub rss_kb: u64,
    /// Swapped out, in kB; `None` where the table has no such column (kernels before 3.6).
    pub swap_kb: Option<u64>,
    /// The anonymous part of the resident memory: `rss_anon` in kB (6.8 and later).
    pub anon_kb: Option<u64>,
}

/// One cgroup of the subtree that ran out. The numbers are its own charges. If it is the only one listed, they
/// include the cgroups below it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct GroupHolder {
    /// Path from the root of the hierarchy.
    pub path: String,
    /// Memory of programs in kB.
    pub anon_kb: u64,
    /// Page cache in kB, tmpfs and shared memory included.
    pub cache_kb: u64,
    /// Swapped out, in kB, where it is counted.
    pub swap_kb: Option<u64>,
    /// Victims of this cgroup; `None` where the log has lost who died or of which cgroup the victim was.
    pub killed: Option<u64>,
}

/// Processes by name, the largest (resident and swapped) first; `None` without a table of tasks or without the size
/// of a page, or where the log has lost names. A name that was cut may be that of several programs: it is not summed.
#[must_use]
pub fn by_name(report: &OomReport) -> Option<Vec<NameHolder>> {
    let table = report.tasks.as_ref()?;
    let page_kb = page_kb(report)?;
    let kb = |pages: u64| pages.saturating_mul(page_kb);
    if table.rows.iter().any(|row| row.comm.is_empty()) {
        return None;
    }
    let mut by_name: HashMap<(&str, Option<Pid>), NameHolder> = HashMap::new();
    for row in table.rows.iter().filter(|row| row.rss.is_some()) {
        let cut = row.comm.ends_with(CUT).then_some(row.pid);
        let holder = by_name
            .entry((&row.comm, cut))
            .or_insert_with(|| NameHolder {
                comm: row.comm.clone(),
                processes: 0,
                rss_kb: 0,
                swap_kb: Some(0),
                anon_kb: Some(0),
            });
        holder.processes += 1;
        holder.rss_kb = holder.rss_kb.saturating_add(kb(row.rss.unwrap_or(0)));
        holder.swap_kb = add(holder.swap_kb, row.swapents.map(kb));
        holder.anon_kb = add(holder.anon_kb, row.rss_anon.map(kb));
    }
    let mut holders: Vec<NameHolder> = by_name.into_values().collect();
    holders.sort_by(|a, b| size(b).cmp(&size(a)).then_with(|| a.comm.cmp(&b.comm)));
    (!holders.is_empty()).then_some(holders)
}

/// Cgroups of the subtree that ran out, the largest first; `None` if the log names none. Kernels before 5.3 print
/// each cgroup, later kernels print only the sum.
#[must_use]
pub fn by_cgroup(report: &OomReport) -> Option<Vec<GroupHolder>> {
    let memcg = report.memcg.as_ref()?;
    let mut holders: Vec<GroupHolder> = Vec::new();
    for stats in &memcg.stats {
        let Some(path) = stats.path.as_ref() else {
            continue;
        };
        let kb = |keys: [&str; 2]| {
            let bytes = keys.iter().find_map(|key| stats.get(key))?;
            Some(bytes / 1024)
        };
        let (Some(anon_kb), Some(cache_kb)) = (kb(["anon", "rss"]), kb(["file", "cache"])) else {
            continue;
        };
        let victims = report.task_memcg.as_ref().map(|of| {
            if of == path {
                report.kills.len() as u64
            } else {
                0
            }
        });
        // Without a line about a death somebody may have died all the same.
        let killed = match (report.kills.is_empty(), report.outcome) {
            (true, Outcome::NobodyKillable | Outcome::Ignored) => Some(0),
            (true, _) => None,
            (false, _) => victims,
        };
        holders.push(GroupHolder {
            path: path.clone(),
            anon_kb,
            cache_kb,
            swap_kb: stats.get("swap").map(|bytes| bytes / 1024),
            killed,
        });
    }
    holders.sort_by_key(|holder| std::cmp::Reverse(holder.anon_kb.saturating_add(holder.cache_kb)));
    (!holders.is_empty()).then_some(holders)
}

/// Resident memory of all processes of the table in kB. Memory that processes share counts once for each of them.
#[must_use]
pub fn resident_kb(report: &OomReport) -> Option<u64> {
    let rows = &report.tasks.as_ref()?.rows;
    let pages = rows.iter().filter_map(|row: &TaskRow| row.rss);
    let pages = pages.fold(0_u64, u64::saturating_add);
    Some(pages.saturating_mul(page_kb(report)?))
}

fn size(holder: &NameHolder) -> u64 {
    holder.rss_kb.saturating_add(holder.swap_kb.unwrap_or(0))
}

/// A sum, known only if both parts are.
fn add(sum: Option<u64>, part: Option<u64>) -> Option<u64> {
    Some(sum?.saturating_add(part?))
}

#[cfg(test)]
mod tests {
    use super::{by_cgroup, by_name, resident_kb};
    use crate::oomlog::report::memcg::{MemcgStats, MemcgUse};
    use crate::oomlog::{Kill, OomReport, TaskRow, TaskTable};
    use std::sync::Arc;

    fn row(pid: u32, comm: &str, rss: u64, swapents: Option<u64>) -> TaskRow {
        TaskRow {
            pid,
            comm: comm.to_owned(),
            total_vm: Some(rss * 2),
            rss: Some(rss),
            swapents,
            ..TaskRow::default()
        }
    }

    #[test]
    fn names_are_summed_with_what_is_known() {
        let report = OomReport {
            kills: vec![Kill {
                pid: 3,
                total_vm_kb: Some(8 * 30),
                ..Kill::default()
            }],
            tasks: Some(Arc::new(TaskTable {
                rows: vec![
                    row(1, "worker", 20, Some(1)),
                    row(2, "worker", 20, Some(1)),
                    row(3, "big", 30, None),
                ],
                ..TaskTable::default()
            })),
            ..OomReport::default()
        };
        let holders = by_name(&report).unwrap();
        assert_eq!(
            (holders[0].comm.as_str(), holders[0].processes),
            ("worker", 2)
        );
        assert_eq!((holders[0].rss_kb, holders[0].swap_kb), (160, Some(8)));
        assert_eq!((holders[1].rss_kb, holders[1].swap_kb), (120, None));
        assert_eq!(holders[0].anon_kb, None, "no such column");
        assert_eq!(resident_kb(&report), Some(280));
        assert_eq!(by_name(&OomReport::default()), None);
    }

    #[test]
    fn cgroups_in_the_order_of_their_size() {
        let set = |path: &str, rss: u64, cache: u64| MemcgStats {
            path: Some(path.to_owned()),
            values: vec![
                ("cache".to_owned(), cache << 10),
                ("rss".to_owned(), rss << 10),
            ],
        };
        let report = OomReport {
            task_memcg: Some("/a/b".to_owned()),
            kills: vec![Kill::default()],
            memcg: Some(Arc::new(MemcgUse {
                stats: vec![
                    set("/a", 1, 2),
                    set("/a/b", 70, 0),
                    MemcgStats::default(),
                    set("/a/c", 0, 9),
                ],
                ..MemcgUse::default()
            })),
            ..OomReport::default()
        };
        let holders = by_cgroup(&report).unwrap();
        let paths: Vec<_> = holders
            .iter()
            .map(|h| (h.path.as_str(), h.killed))
            .collect();
        assert_eq!(
            paths,
            [("/a/b", Some(1)), ("/a/c", Some(0)), ("/a", Some(0))]
        );
        // One of the two lines is lost: nobody knows.
        for lost in [
            OomReport {
                kills: Vec::new(),
                ..report.clone()
            },
            OomReport {
                task_memcg: None,
                ..report.clone()
            },
        ] {
            let holders = by_cgroup(&lost).unwrap();
            assert!(holders.iter().all(|holder| holder.killed.is_none()));
        }
        assert_eq!(by_cgroup(&OomReport::default()), None);
    }
}
