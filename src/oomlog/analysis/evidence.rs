//! How far the table of tasks can be trusted: advice about a process needs it.

use super::holders::resident_kb;
use super::page_kb;
use super::share::reaches;
use crate::oomlog::{OomReport, UsageKind};

/// What the table of tasks proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// The log has no row of it.
    Missing,
    /// Rows are missing: whoever held most may be among them.
    Partial,
    /// Nothing speaks against it.
    Whole,
}

/// Rows of the table that hold less than this share of the anonymous memory cannot be all, in percent.
const HALF: u64 = 50;

/// Judges the table: a victim without a row, lost records, and much more anonymous memory than the rows hold show that
/// some are missing.
#[must_use]
pub fn table(report: &OomReport) -> Table {
    let Some(tasks) = report.tasks.as_ref().filter(|table| !table.rows.is_empty()) else {
        return Table::Missing;
    };
    let victim = report.kills.first().map(|kill| kill.pid);
    let chosen = report.chosen.as_ref().map(|chosen| chosen.pid);
    let unlisted = [victim, chosen]
        .into_iter()
        .flatten()
        .any(|pid| tasks.row(pid).is_none());
    if unlisted || report.gap || tasks.dropped > 0 || is_short(report).unwrap_or(false) {
        Table::Partial
    } else {
        Table::Whole
    }
}

/// True if the table has a process that the kernel may kill: where it killed nobody all the same, such processes were
/// dying already, or their memory was given up on (`MMF_OOM_SKIP`, mm/oom_kill.c `oom_evaluate_task`).
#[must_use]
pub fn some_may_be_killed(report: &OomReport) -> bool {
    let table = report.tasks.as_ref();
    table.is_some_and(|table| {
        let mut adjs = table.rows.iter().filter_map(|row| row.adj);
        adjs.any(|adj| adj > -1000)
    })
}

/// The rows hold much less than the counters say. `None` where there are no counters to compare with.
fn is_short(report: &OomReport) -> Option<bool> {
    let resident = resident_kb(report)?;
    let anon_kb = match &report.memory {
        // The kernel lists the tasks of a cpuset's nodes only, while its counters are the host's.
        Some(_) if super::root_cause::nodes(report).is_some() => return None,
        Some(memory) => {
            let pages = |key| memory.pages(key).unwrap_or(0);
            let all = pages("active_anon").saturating_add(pages("inactive_anon"));
            let anon = all.saturating_sub(pages("shmem"));
            anon.saturating_mul(page_kb(report)?)
        }
        None => anon_of_cgroup(report)?,
    };
    Some(!reaches(resident, anon_kb, HALF) && anon_kb > 0)
}

fn anon_of_cgroup(report: &OomReport) -> Option<u64> {
    let memcg = report.memcg.as_ref()?;
    let sum = |key: &str| {
        let values = memcg.stats.iter().filter_map(|stats| stats.get(key));
        values.reduce(u64::saturating_add)
    };
    Some(sum("anon").or_else(|| sum("rss"))? / 1024)
}

/// The whole that ran out, in kB: the cgroup's limit or the host's RAM.
#[must_use]
pub fn whole_kb(report: &OomReport) -> Option<u64> {
    if report.is_memcg() {
        let usage = report
            .memcg
            .as_ref()
            .and_then(|memcg| memcg.usage(UsageKind::Memory));
        let printed = usage.filter(|usage| !usage.is_unlimited());
        return report.limit_kb.or(printed.map(|usage| usage.limit_kb));
    }
    let pages = report.memory.as_ref()?.ram_pages?;
    Some(pages.saturating_mul(page_kb(report)?))
}

#[cfg(test)]
mod tests {
    use super::{Table, table};
    use crate::oomlog::on_paper::report;

    const HEAD: &str =
        "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name";
    const BIG: &str = "[      7]     0     7    25600    20000     4096        0             0 big";
    const SMALL: &str =
        "[      8]     0     8    25600        5     4096        0             0 small";
    const KILLED: &str = "Memory cgroup out of memory: Killed process 7 (big) total-vm:102400kB, anon-rss:80000kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:4kB oom_score_adj:0";

    fn of(rows: &[&str], stat: &str) -> Table {
        let head = "a invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0";
        let usage = "memory: usage 102400kB, limit 102400kB, failcnt 9";
        let before = [head, usage, "Memory cgroup stats for /g:", stat, HEAD];
        let lines = before
            .into_iter()
            .chain(rows.iter().copied())
            .chain([KILLED]);
        table(&report(lines))
    }

    #[test]
    fn a_table_that_was_cut_is_known() {
        assert_eq!(of(&[BIG, SMALL], "anon 83886080"), Table::Whole);
        assert_eq!(of(&[SMALL], "anon 83886080"), Table::Partial, "no victim");
        assert_eq!(of(&[], "anon 83886080"), Table::Missing);
        // The victim is there, but 100 MiB more belonged to somebody.
        assert_eq!(of(&[BIG, SMALL], "anon 188743680"), Table::Partial);
    }
}
