//! [`SkippedByKernel`]: checks with the kernel that the predicted victims are candidates.
//!
//! The kernel skips some processes for reasons that `/proc` does not show: the OOM reaper has taken the
//! memory (`MMF_OOM_SKIP`), or a child is between `vfork` and `exec` (`in_vfork`, 4.9 and later;
//! mm/oom_kill.c `oom_badness` as read in 6.18.2). Their `/proc/PID/oom_score` is 0 (fs/proc/base.c
//! `proc_oom_score`), although the computed badness is higher. So this reads that file once a sample, for the
//! victims of the fullest domains only.

use std::fmt::Write as _;
use std::os::fd::OwnedFd;

use crate::linux::kernel_file::{FileBuffer, number};
use crate::model::cgroup::Cgroup;
use crate::model::kernel::KernelRules;
use crate::model::memory::Memory;
use crate::model::memory::nodes::NodeMemory;
use crate::model::oom_domain::victim::{DomainState, assess, assess_nodes};
use crate::model::process::badness::badness;
use crate::model::process::score::oom_score;
use crate::model::process::{Process, ProcessId};

/// Most domains whose victim is checked, the fullest first. The host is checked too, always.
const ASKED: usize = 8;

/// Most skipped victims in a row within one sample; the next sample checks the rest.
const ROUNDS: usize = 4;

/// The file can show 0 for a computed score below this, because of rounding and reading errors.
const LEAST_SCORE: u32 = 5;

/// Remembers which processes the kernel skips.
#[derive(Debug, Default)]
pub(crate) struct SkippedByKernel {
    known: Vec<ProcessId>,
    buffer: FileBuffer,
    name: String,
}

/// One sample, as far as a second assessment needs it.
pub(crate) struct Assessed<'a> {
    pub(crate) proc: &'a OwnedFd,
    pub(crate) cgroups: &'a [Cgroup],
    pub(crate) memory: &'a Memory,
    /// The memory nodes of a host that has more than one; else empty.
    pub(crate) nodes: &'a [NodeMemory],
    pub(crate) rules: &'a KernelRules,
}

impl Assessed<'_> {
    /// Every OOM domain with the numbers that the table has now: all are made in one place, so that each is made again
    /// when the numbers change.
    pub(crate) fn domains(&self, table: &[Process]) -> Vec<DomainState> {
        let mut domains = assess(table, self.cgroups, self.memory, self.rules);
        let of_nodes = assess_nodes(table, self.cgroups, self.nodes, self.memory, self.rules);
        domains.extend(of_nodes);
        domains
    }
}

impl SkippedByKernel {
    /// Marks the rows that the kernel skips, and assesses the domains again if there are any.
    pub(crate) fn check(
        &mut self,
        sample: &Assessed<'_>,
        table: &mut [Process],
        domains: &mut Vec<DomainState>,
    ) {
        let mut marked = self.mark_known(sample, table);
        for _ in 0..ROUNDS {
            if marked {
                *domains = sample.domains(table);
            }
            marked = false;
            for id in announced(domains) {
                if self.is_skipped(sample, table, id) {
                    marked |= mark(table, id);
                    self.known.push(id);
                }
            }
            if !marked {
                return;
            }
        }
        *domains = sample.domains(table);
    }

    /// Marks the rows found in earlier samples that the kernel still skips. True if there are any.
    fn mark_known(&mut self, sample: &Assessed<'_>, table: &mut [Process]) -> bool {
        let mut known = std::mem::take(&mut self.known);
        known.retain(|id| self.is_skipped(sample, table, *id));
        for id in &known {
            mark(table, *id);
        }
        self.known = known;
        !self.known.is_empty()
    }

    fn is_skipped(&mut self, sample: &Assessed<'_>, table: &[Process], id: ProcessId) -> bool {
        self.name.clear();
        // Writing to a String cannot fail.
        let _ = write!(self.name, "{}/oom_score", id.pid);
        let text = self.buffer.read_single(sample.proc, self.name.as_str());
        if text.ok().and_then(number) != Some(0) {
            return false;
        }
        let Some(process) = table.iter().find(|process| process.id == id) else {
            return false;
        };
        let total = sample.memory.host_total_pages(sample.rules.page_size);
        let points = badness(process, total).points();
        oom_score(points, total, sample.rules.score) >= LEAST_SCORE
    }
}

fn mark(table: &mut [Process], id: ProcessId) -> bool {
    let row = table.iter_mut().find(|process| process.id == id);
    row.is_some_and(|row| !std::mem::replace(&mut row.skipped_by_kernel, true))
}

/// The victims of the host and of the fullest groups.
fn announced(domains: &[DomainState]) -> Vec<ProcessId> {
    let mut fullest: Vec<&DomainState> = domains.iter().skip(1).collect();
    let by_fullness = |a: &&DomainState, b: &&DomainState| {
        let percent = |state: &DomainState| state.percent().unwrap_or(0.0);
        percent(b).total_cmp(&percent(a))
    };
    if fullest.len() > ASKED {
        fullest.select_nth_unstable_by(ASKED - 1, by_fullness);
        fullest.truncate(ASKED);
    }
    let mut victims: Vec<ProcessId> = domains
        .first()
        .into_iter()
        .chain(fullest)
        .filter_map(|state| Some(state.verdict?.victim.id))
        .collect();
    victims.sort_unstable();
    victims.dedup();
    victims
}

#[cfg(test)]
mod tests {
    use super::{Assessed, SkippedByKernel};
    use crate::linux::kernel_file::open_dir;
    use crate::model::kernel::KernelRules;
    use crate::model::memory::Memory;
    use crate::model::on_paper::process;
    use crate::model::oom_domain::victim::assess;
    use crate::model::process::badness::{Badness, Immunity, badness};

    #[test]
    fn the_kernel_skips_a_victim_whose_score_is_zero_until_it_has_one() {
        let dir = tempfile::tempdir().expect("a directory");
        for (pid, score) in [(10, "0\n"), (11, "0\n"), (12, "700\n")] {
            std::fs::create_dir(dir.path().join(pid.to_string())).expect("a process");
            std::fs::write(dir.path().join(format!("{pid}/oom_score")), score).expect("a score");
        }
        let (proc, rules) = (open_dir(dir.path()).expect("open"), KernelRules::default());
        let memory = Memory {
            total: 4 << 30,
            ..Memory::default()
        };
        let sample = Assessed {
            proc: &proc,
            cgroups: &[],
            memory: &memory,
            nodes: &[],
            rules: &rules,
        };
        let mut asked = SkippedByKernel::default();
        let victim = |asked: &mut SkippedByKernel| {
            let mut table = [
                process(10, 900, 0),
                process(11, 800, 0),
                process(12, 700, 0),
            ];
            let mut domains = assess(&table, &[], &memory, &rules);
            asked.check(&sample, &mut table, &mut domains);
            let why = badness(&table[0], 1000);
            (domains[0].verdict.map(|v| v.victim.id.pid), why)
        };
        let passed = Badness::Immune(Immunity::SkippedByKernel);
        assert_eq!(victim(&mut asked), (Some(12), passed));
        assert_eq!(victim(&mut asked), (Some(12), passed));
        std::fs::write(dir.path().join("10/oom_score"), "700\n").expect("a score");
        assert_eq!(victim(&mut asked), (Some(10), Badness::Points(900)));
    }
}
