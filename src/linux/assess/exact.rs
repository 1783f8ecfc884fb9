//! [`ExactRows`]: exact memory from `status` where a counter without its per-CPU parts could mislead.
//!
//! The task walk reads the kernel's counters without the parts that each CPU keeps to itself
//! (lib/percpu_counter.c, 6.2 and later). Up to 6.19 (read in 6.19.10) badness does the same: the walk has
//! the numbers that the kernel compares, and nothing is read here. In 7.x (read in 7.3.4) badness adds the
//! parts up (mm/oom_kill.c `get_mm_rss_sum`), and so does `status`. There, `status` is read for the rows on
//! the screen and, in every OOM domain, for the processes that could come first or second.

use std::cmp::Reverse;
use std::path::Path;

use crate::linux::kernel_file::open_dir;
use crate::linux::scan::proc::row::RowReader;
use crate::model::cgroup::{Cgroup, ancestry};
use crate::model::kernel::KernelRules;
use crate::model::memory::nodes::NodeSet;
use crate::model::oom_domain::victim::{DomainState, Scope};
use crate::model::process::Process;
use crate::model::process::badness::{Badness, badness};

/// Most processes read for one domain, not counting those on the screen. On an idle machine with many CPUs,
/// thousands of processes can be closer together than the error.
const MOST_OF_DOMAIN: usize = 16;

/// Most processes read in one sample, not counting those on the screen: about 5 ms.
const MOST: usize = 384;

/// Reads exact rows, and remembers which it has read in this sample.
#[derive(Debug)]
pub(crate) struct ExactRows {
    files: Option<RowReader>,
    /// Largest error of badness of a row that was not read here, in pages.
    error: u64,
    contenders: Vec<Contender>,
    /// By row number: true if the row was read in this sample.
    read: Vec<bool>,
}

/// A process that could be first or second in a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Contender {
    domain: usize,
    points: Reverse<i64>,
    row: usize,
}

impl ExactRows {
    /// Reads below the procfs directory `proc`, on a machine with `cpus` CPUs.
    pub(crate) fn new(proc: &Path, cpus: u64) -> Self {
        Self {
            files: open_dir(proc).ok().map(RowReader::new),
            // Badness adds up four counters: file, anonymous, shared and swapped pages.
            error: KernelRules::percpu_error(cpus).saturating_mul(4),
            contenders: Vec::new(),
            read: Vec::new(),
        }
    }

    /// Largest error of badness of a row that was not read here, in pages.
    pub(crate) fn error(&self) -> u64 {
        self.error
    }

    /// Replaces the memory of the rows at `shown` and of the rows that could come first or second in one of
    /// the `domains`. The caller has assessed `domains` with the numbers that `table` has on entry.
    pub(crate) fn read(
        &mut self,
        table: &mut [Process],
        shown: &[usize],
        cgroups: &[Cgroup],
        domains: &[DomainState],
        page_size: u64,
    ) {
        self.read.clear();
        self.read.resize(table.len(), false);
        self.find_contenders(table, cgroups, domains);
        let contenders = std::mem::take(&mut self.contenders);
        let rows = contenders.iter().map(|contender| contender.row);
        for row in shown.iter().copied().chain(rows) {
            self.read_row(table, row, page_size);
        }
        self.contenders = contenders;
    }

    /// Marks the domains whose first two candidates cannot be told apart. Call it after the domains have been
    /// assessed again with the exact numbers.
    pub(crate) fn judge(&self, domains: &mut [DomainState]) {
        for (at, state) in domains.iter_mut().enumerate() {
            let start = self.contenders.partition_point(|c| c.domain < at);
            let end = self.contenders.partition_point(|c| c.domain <= at);
            let all_read = end - start < MOST_OF_DOMAIN
                && self.contenders.len() < MOST
                && self
                    .contenders
                    .get(start..end)
                    .is_some_and(|own| own.iter().all(|c| self.is_read(c.row)));
            if let Some(verdict) = &mut state.verdict
                && !all_read
            {
                let lead = verdict
                    .runner_up
                    .map(|second| verdict.victim.points.abs_diff(second.points));
                verdict.close |= lead.is_some_and(|lead| lead <= self.error.saturating_mul(2));
            }
        }
    }

    fn is_read(&self, row: usize) -> bool {
        self.read.get(row).copied().unwrap_or(false)
    }

    fn read_row(&mut self, table: &mut [Process], at: usize, page_size: u64) {
        let (Some(row), Some(read), Some(files)) =
            (table.get_mut(at), self.read.get_mut(at), &mut self.files)
        else {
            return;
        };
        // A process without memory of its own has no memory lines in `status`.
        if !*read && row.memory.is_some() {
            *read = files.exact_memory(row, page_size);
        }
    }

    /// Finds the processes whose points are within twice the error of the runner-up's: both readings can be
    /// off.
    fn find_contenders(&mut self, table: &[Process], cgroups: &[Cgroup], domains: &[DomainState]) {
        self.contenders.clear();
        let mut domain_of = vec![None; cgroups.len()];
        let mut of_nodes: Vec<(usize, NodeSet)> = Vec::new();
        let mut least = Vec::with_capacity(domains.len());
        for (at, state) in domains.iter().enumerate() {
            match state.scope {
                Scope::Host => {}
                Scope::Memcg(key) => {
                    if let Some(slot) = domain_of.get_mut(key.index()) {
                        *slot = Some(at);
                    }
                }
                Scope::Nodes(set) => of_nodes.push((at, set)),
            }
            let second = state.verdict.map(|v| v.runner_up.unwrap_or(v.victim));
            let reach = i64::try_from(self.error.saturating_mul(2)).unwrap_or(i64::MAX / 2);
            least.push(second.map(|second| second.points.saturating_sub(reach)));
        }
        for (row, process) in table.iter().enumerate() {
            let mut enter = |domain: usize| {
                let (Some(state), Some(Some(least))) = (domains.get(domain), least.get(domain))
                else {
                    return;
                };
                if let Badness::Points(points) = badness(process, state.total_pages)
                    && points >= *least
                {
                    self.contenders.push(Contender {
                        domain,
                        points: Reverse(points),
                        row,
                    });
                }
            };
            // Domain 0 is the host; every process is in it.
            enter(0);
            for (key, _) in process
                .cgroup
                .into_iter()
                .flat_map(|own| ancestry(own, cgroups))
            {
                if let Some(domain) = domain_of.get(key.index()).copied().flatten() {
                    enter(domain);
                }
            }
            for (domain, set) in &of_nodes {
                if process.nodes.is_none_or(|own| own.common(*set).is_some()) {
                    enter(*domain);
                }
            }
        }
        self.contenders.sort_unstable();
        let (mut domain, mut taken) = (usize::MAX, 0);
        self.contenders.retain(|contender| {
            taken = if contender.domain == domain {
                taken + 1
            } else {
                1
            };
            domain = contender.domain;
            taken <= MOST_OF_DOMAIN
        });
        self.contenders.truncate(MOST);
    }
}
