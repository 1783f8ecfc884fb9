//! What follows from a report: facts that the kernel did not print, computed from its numbers.
//!
//! Everything here is a pure function of an [`OomReport`]. Where the report does not have the numbers, the answer is
//! `None`, never a guess.

pub mod advice;
pub mod death;
pub mod evidence;
pub mod freed;
pub mod gfp;
pub mod holders;
pub mod ledger;
pub mod memcg_total;
pub mod memcg_version;
pub mod purpose;
pub mod ranking;
pub mod root_cause;
pub mod share;
pub mod swap;
pub mod trace;
pub mod verdict;
pub mod zones;

use crate::oomlog::{OomReport, Pid};

/// Size of a page in kB, from the report itself: the size of the smallest free block, or the victim's size in both
/// units. It is 4 on most machines, 16 or 64 on some ARM and POWER machines.
#[must_use]
pub fn page_kb(report: &OomReport) -> Option<u64> {
    let smallest = || {
        let zones = &report.memory.as_ref()?.zones;
        zones
            .iter()
            .find_map(|zone| zone.blocks.first())
            .map(|block| block.size_kb)
    };
    let by_victim = || {
        let table = report.tasks.as_ref()?;
        report.kills.iter().find_map(|kill| {
            let pages = table.row(kill.pid)?.total_vm.filter(|&pages| pages > 0)?;
            let kb = kill.total_vm_kb?;
            (kb % pages == 0).then_some(kb / pages)
        })
    };
    smallest()
        .or_else(by_victim)
        .filter(|kb| kb.is_power_of_two() && (4..=256).contains(kb))
}

/// Page tables of a killed process in kB. 5.4.0 to 5.4.6 and some vendors' kernels print bytes with "kB"
/// (`mm_pgtables_bytes` without the shift); a comparison with the task table shows it.
#[must_use]
pub fn pgtables_kb(report: &OomReport, pid: Pid) -> Option<u64> {
    let kill = report.kills.iter().find(|kill| kill.pid == pid)?;
    let printed = kill.pgtables_kb?;
    let table = report.tasks.as_ref().and_then(|table| table.row(pid));
    match table.and_then(|row| row.pgtables_bytes) {
        Some(bytes) if printed >= 4096 && printed >= bytes / 2 => Some(printed / 1024),
        _ => Some(printed),
    }
}

#[cfg(test)]
mod tests {
    use super::{page_kb, pgtables_kb};
    use crate::oomlog::{Kill, OomReport, TaskRow, TaskTable};
    use std::sync::Arc;

    #[test]
    fn units_come_from_the_victim() {
        let mut report = OomReport {
            kills: vec![Kill {
                pid: 5,
                total_vm_kb: Some(36_544),
                pgtables_kb: Some(131_072),
                ..Kill::default()
            }],
            tasks: Some(Arc::new(TaskTable {
                rows: vec![TaskRow {
                    pid: 5,
                    total_vm: Some(571),
                    pgtables_bytes: Some(131_072),
                    ..TaskRow::default()
                }],
                ..TaskTable::default()
            })),
            ..OomReport::default()
        };
        assert_eq!(page_kb(&report), Some(64));
        assert_eq!(pgtables_kb(&report, 5), Some(128), "printed in bytes");
        report.kills[0].pgtables_kb = Some(128);
        assert_eq!(pgtables_kb(&report, 5), Some(128));
        report.kills[0].total_vm_kb = Some(5);
        assert_eq!(page_kb(&report), None);
    }
}
