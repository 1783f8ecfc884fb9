//! Finds the file that shows the resident size that badness reads, using the scores of live processes.
//!
//! Vendors backport changes, so the kernel version is only a first guess (`RssSource`). Where field 24 of
//! `stat` and the sum in `status` differ, each size gives an `oom_score`. If the two scores differ, the file
//! `oom_score` shows which size the kernel uses. The two files differ since late 6.12 (fs/proc/task_mmu.c and
//! array.c; [`crate::model::kernel::RssSource`] lists the kernels that were read).

use std::os::fd::OwnedFd;

use crate::linux::kernel_file::{FileBuffer, number, signed};
use crate::linux::scan::proc::{stat_line, status_lines};
use crate::model::kernel::{RssEvidence, ScoreFormula};
use crate::model::process::Pid;
use crate::model::process::score::{OomScoreAdj, oom_score};

/// Most processes read: each costs two to five small reads, once at start.
const MOST_ASKED: usize = 128;

/// If the two files agree for this many processes, both show the same counter on this kernel (up to early
/// 6.12).
const ENOUGH_EQUAL: usize = 16;

/// The numbers of one process.
struct Readings {
    stat_rss: u64,
    status_rss: u64,
    /// Swap and page tables in pages, the same for both sizes.
    rest: u64,
    adj: i64,
    score: u32,
}

/// Reads the files of one process.
struct Witness<'a> {
    proc: &'a OwnedFd,
    buffer: FileBuffer,
    page_size: u64,
}

/// Reads processes until there are no more, or until it is clear that the files do not differ.
pub(in crate::linux) fn collect(
    proc: &OwnedFd,
    pids: impl Iterator<Item = Pid>,
    page_size: u64,
    total: u64,
    formula: ScoreFormula,
) -> RssEvidence {
    let mut witness = Witness {
        proc,
        buffer: FileBuffer::default(),
        page_size,
    };
    let mut evidence = RssEvidence::default();
    let (mut equal, mut differ) = (0, 0);
    for pid in pids.take(MOST_ASKED) {
        match witness.ask(pid) {
            Asked::Nothing => {}
            Asked::Equal => equal += 1,
            Asked::Differ(readings) => {
                differ += 1;
                evidence.weigh(&readings, total, formula);
            }
        }
        if differ == 0 && equal >= ENOUGH_EQUAL {
            break;
        }
    }
    evidence
}

enum Asked {
    /// The process has no memory, cannot be read, or changed during the reading.
    Nothing,
    Equal,
    Differ(Readings),
}

impl Witness<'_> {
    fn ask(&mut self, pid: Pid) -> Asked {
        self.readings(pid).unwrap_or(Asked::Nothing)
    }

    fn readings(&mut self, pid: Pid) -> Option<Asked> {
        let before = stat_line::parse(self.read(pid, "stat")?)?;
        if before.kernel_thread || before.state.is_dead() {
            return None;
        }
        let page_size = self.page_size;
        let status = status_lines::parse(self.read(pid, "status")?).memory(page_size)?;
        if status.rss == before.rss {
            return Some(Asked::Equal);
        }
        let adj = signed(self.read(pid, "oom_score_adj")?)?;
        let score = number(self.read(pid, "oom_score")?)?;
        let again = status_lines::parse(self.read(pid, "status")?).memory(page_size)?;
        let after = stat_line::parse(self.read(pid, "stat")?)?;
        let rested = (before.rss, before.faults) == (after.rss, after.faults) && again == status;
        (rested && score > 0 && adj > -1000).then(|| {
            Asked::Differ(Readings {
                stat_rss: before.rss,
                status_rss: status.rss,
                rest: status.swap + status.page_tables,
                adj,
                score: u32::try_from(score).unwrap_or(u32::MAX),
            })
        })
    }

    fn read(&mut self, pid: Pid, file: &str) -> Option<&[u8]> {
        let path = format!("{pid}/{file}");
        self.buffer.read_single(self.proc, path.as_str()).ok()
    }
}

impl RssEvidence {
    fn weigh(&mut self, readings: &Readings, total: u64, formula: ScoreFormula) {
        let score = |rss: u64| {
            let used = i64::try_from(rss + readings.rest).unwrap_or(i64::MAX / 2);
            let adj = OomScoreAdj::clamped(readings.adj);
            oom_score(Some(used.saturating_add(adj.pages(total))), total, formula)
        };
        let (stat, status) = (score(readings.stat_rss), score(readings.status_rss));
        if stat != status {
            self.stat += u32::from(stat == readings.score);
            self.status += u32::from(status == readings.score);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::collect;
    use crate::linux::kernel_file::open_dir;
    use crate::model::kernel::{RssEvidence, ScoreFormula};
    use std::fs;
    use std::path::Path;

    /// A process whose two sizes differ, with this score.
    fn process(proc: &Path, pid: u32, stat_rss: u64, status_kb: u64, score: u32) {
        let dir = proc.join(pid.to_string());
        fs::create_dir(&dir).expect("a process");
        let stat = format!(
            "{pid} (x) S 1 1 1 0 -1 4194560 5 0 0 0 1 2 0 0 20 0 3 0 4711 9999 {stat_rss} 184467\n"
        );
        let status = format!(
            "VmRSS:\t{status_kb} kB\nRssAnon:\t{status_kb} kB\nRssFile:\t0 kB\nRssShmem:\t0 kB\nVmPTE:\t40 kB\nVmSwap:\t0 kB\n"
        );
        for (file, text) in [
            ("stat", stat),
            ("status", status),
            ("oom_score_adj", "0\n".to_owned()),
            ("oom_score", format!("{score}\n")),
        ] {
            fs::write(dir.join(file), text).expect("a file");
        }
    }

    fn evidence(fill: impl Fn(&Path)) -> RssEvidence {
        let dir = tempfile::tempdir().expect("a directory");
        fill(dir.path());
        let proc = open_dir(dir.path()).expect("open");
        // 100 000 pages: a point is 150 of them.
        collect(&proc, 1..1000, 4096, 100_000, ScoreFormula::Scaled)
    }

    #[test]
    fn scores_tell_which_size_is_the_kernels() {
        // 3000 + 10 pages are 30 per mille: (1000 + 30) * 2 / 3 = 686; 3100 + 10 are 31: 687.
        let by =
            |score| evidence(|proc| (10..15).for_each(|p| process(proc, p, 3000, 12_400, score)));
        assert_eq!(by(686), RssEvidence { stat: 5, status: 0 });
        assert_eq!(by(687), RssEvidence { stat: 0, status: 5 });
        assert_eq!(by(900), RssEvidence::default());
        // The two sizes give one score, or are one.
        let none = evidence(|proc| {
            process(proc, 10, 3000, 12_004, 686);
            process(proc, 11, 3000, 12_000, 687);
        });
        assert_eq!(none, RssEvidence::default());
    }
}
