//! The memory that a kill freed: the sizes of the dead, and what the reaper could not take.

use super::ledger::report::prospect;
use super::pgtables_kb;
use crate::oomlog::OomReport;

/// What the dead held when they were killed, in kB.
///
/// All of it is an upper bound of what a kill frees. A page that was shared by fork counts in `RssAnon` of every sharer
/// and is freed with the last one: a child of a prefork server or of a database that saves itself frees hardly
/// anything. File pages stay in the page cache, which reclaim had already failed to shrink. Shared memory stays as long
/// as its file or another process holds it.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Freed {
    /// Dead processes whose size is known.
    pub counted: u64,
    /// Dead processes whose size is not in the log: the sums do not include them.
    pub unknown: u64,
    /// Anonymous memory.
    pub anon_kb: u64,
    /// File mappings.
    pub file_kb: u64,
    /// Shared memory and tmpfs mappings; kernels before 4.5 count them as files.
    pub shmem_kb: Option<u64>,
    /// Page tables; kernels before 5.4 do not print them.
    pub page_tables_kb: Option<u64>,
    /// Swap, where the table of tasks has it.
    pub swap_kb: Option<u64>,
    /// What kills could free at most in the domain that ran out ([`Prospect::by_kill`](super::ledger::Prospect::by_kill)):
    /// memory that a process brought along from another cgroup stays charged there. `None` where the log does not tell.
    pub by_kill_kb: Option<u64>,
    /// Anonymous memory that the reaper could not take, where its line is in the log: the process had locked it,
    /// or was already exiting.
    pub left_kb: Option<u64>,
}

impl Freed {
    /// The most RAM in kB that the kill can have freed at once where memory was short: what the dead alone may have
    /// held, and no more than all kills together could free.
    #[must_use]
    pub fn at_most_kb(&self) -> u64 {
        let tables = self.page_tables_kb.unwrap_or(0);
        let held = self.anon_kb.saturating_add(tables);
        held.saturating_sub(self.left_kb.unwrap_or(0))
            .min(self.by_kill_kb.unwrap_or(u64::MAX))
    }
}

/// Sums up the dead; `None` if the log has no size for any of them.
#[must_use]
pub fn freed(report: &OomReport) -> Option<Freed> {
    let mut freed = Freed {
        shmem_kb: Some(0),
        page_tables_kb: Some(0),
        swap_kb: Some(0),
        ..Freed::default()
    };
    let page_kb = super::page_kb(report);
    for kill in &report.kills {
        let (Some(anon), Some(file)) = (kill.anon_rss_kb, kill.file_rss_kb) else {
            freed.unknown += 1;
            continue;
        };
        freed.counted += 1;
        freed.anon_kb = freed.anon_kb.saturating_add(anon);
        freed.file_kb = freed.file_kb.saturating_add(file);
        add(&mut freed.shmem_kb, kill.shmem_rss_kb);
        add(&mut freed.page_tables_kb, pgtables_kb(report, kill.pid));
        let table = report.tasks.as_ref();
        let swapped = table.and_then(|table| table.row(kill.pid)?.swapents);
        add(
            &mut freed.swap_kb,
            swapped
                .zip(page_kb)
                .map(|(pages, kb)| pages.saturating_mul(kb)),
        );
    }
    // A process that died without a line of its own shared the memory of a victim: nothing to add.
    freed.left_kb = left(report);
    freed.by_kill_kb = prospect(report).map(|known| known.by_kill / 1024);
    (freed.counted > 0).then_some(freed)
}

fn add(sum: &mut Option<u64>, part: Option<u64>) {
    *sum = sum.zip(part).map(|(sum, part)| sum.saturating_add(part));
}

/// `oom_reaper: reaped process %d (%s), now anon-rss:%lukB, file-rss:%lukB, shmem-rss:%lukB`
/// (`oom_reap_task_mm`, mm/oom_kill.c, 4.6 and later): the sum over the dead, by the last line of each.
fn left(report: &OomReport) -> Option<u64> {
    let mut spoken: Vec<(u32, u64)> = Vec::new();
    for line in report.raw.lines() {
        let Some((_, rest)) = line.split_once("oom_reaper: reaped process ") else {
            continue;
        };
        // A process name can hold anything: the numbers follow the last parenthesis.
        let Some((named, now)) = rest.rsplit_once("), now anon-rss:") else {
            continue;
        };
        let pid = named.split(' ').next().and_then(|pid| pid.parse().ok());
        let kb = now.split("kB").next().and_then(|kb| kb.parse().ok());
        let (Some(pid), Some(kb)) = (pid, kb) else {
            continue;
        };
        if report.kills.iter().any(|kill| kill.pid == pid) {
            spoken.retain(|(known, _)| *known != pid);
            spoken.push((pid, kb));
        }
    }
    let sum = spoken
        .iter()
        .fold(0_u64, |sum, (_, kb)| sum.saturating_add(*kb));
    (!spoken.is_empty()).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::freed;
    use crate::oomlog::on_paper::report;

    #[test]
    fn sums_of_the_dead_and_what_the_reaper_left() {
        let report = report([
            "Memory cgroup out of memory: Killed process 7 (a), now anon-rss:9kB) total-vm:90kB, anon-rss:40kB, file-rss:5kB, shmem-rss:6kB, UID:0 pgtables:4kB oom_score_adj:0",
            "Tasks in /g are going to be killed due to memory.oom.group set",
            "Memory cgroup out of memory: Killed process 8 (b) total-vm:90kB, anon-rss:60kB, file-rss:1kB, shmem-rss:0kB, UID:0 pgtables:8kB oom_score_adj:0",
            "oom_reaper: reaped process 7 (a), now anon-rss:9kB), now anon-rss:3kB, file-rss:0kB, shmem-rss:6kB",
            "oom_reaper: reaped process 99 (stranger), now anon-rss:50kB, file-rss:0kB, shmem-rss:0kB",
        ]);
        let freed = freed(&report).unwrap();
        assert_eq!((freed.counted, freed.unknown), (2, 0));
        assert_eq!((freed.anon_kb, freed.file_kb), (100, 6));
        assert_eq!((freed.shmem_kb, freed.page_tables_kb), (Some(6), Some(12)));
        assert_eq!(freed.swap_kb, None, "no table");
        assert_eq!(freed.left_kb, Some(3));
        assert_eq!(freed.at_most_kb(), 109);
    }

    #[test]
    fn a_line_without_sizes_is_no_zero() {
        let report = report(["Killed process 3855 (x)"]);
        assert_eq!(report.kills.len(), 1);
        assert_eq!(freed(&report), None);
    }
}
