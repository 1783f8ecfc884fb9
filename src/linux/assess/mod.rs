//! [`Assessor`]: who dies first in each OOM domain, using facts that only kernel files have.
//!
//! `model::oom_domain::victim` ranks the rows of the table. The assessor reads what the rows lack: exact
//! memory where the back end has approximate counters, processes that the kernel skips, the order of equal
//! candidates, memory nodes.

pub(super) mod exact;
pub(super) mod nodes;
pub(super) mod root_bonus;
pub(super) mod skipped;
pub(super) mod ties;

use crate::model::oom_domain::victim::throttled_groups;
use std::os::fd::OwnedFd;
use std::time::Duration;

use crate::model::cgroup::Cgroup;
use crate::model::kernel::{KernelRules, RssSource};
use crate::model::memory::Memory;
use crate::model::memory::nodes::NodeMemory;
use crate::model::oom_domain::foresee::foresee;
use crate::model::oom_domain::victim::DomainState;
use crate::model::process::Process;

use super::SysRoot;
use crate::linux::assess::exact::ExactRows;
use crate::linux::assess::nodes::Nodes;
use crate::linux::assess::root_bonus::RootBonus;
use crate::linux::assess::skipped::{Assessed, SkippedByKernel};
use crate::linux::assess::ties::settle_ties;
use crate::linux::cgroup::hierarchy::Hierarchy;

/// State kept from one assessment to the next.
#[derive(Debug)]
pub(crate) struct Assessor {
    exact: ExactRows,
    skipped: SkippedByKernel,
    nodes: Option<Nodes>,
    root_bonus: RootBonus,
}

/// One sample before it is assessed.
pub(crate) struct Unassessed<'a> {
    pub(crate) proc: &'a OwnedFd,
    pub(crate) hierarchy: &'a Hierarchy,
    pub(crate) rules: &'a KernelRules,
    pub(crate) seq: u64,
    pub(crate) cgroups: &'a [Cgroup],
    pub(crate) memory: &'a Memory,
    /// Indices of the rows on the screen.
    pub(crate) shown: &'a [usize],
    /// How old this sample may become before there is another.
    pub(crate) age: Duration,
    /// The back end reads counters without their per-CPU parts.
    pub(crate) is_approximate: bool,
}

impl Assessor {
    /// `cpus` is the number of CPUs online.
    pub(crate) fn new(root: &SysRoot, proc: &OwnedFd, cpus: u64) -> Self {
        Self {
            exact: ExactRows::new(&root.proc, cpus),
            skipped: SkippedByKernel::default(),
            nodes: Nodes::detect(proc),
            root_bonus: RootBonus::default(),
        }
    }

    /// Returns the domains, and the memory nodes on a host that has more than one.
    pub(crate) fn assess(
        &mut self,
        sample: &Unassessed<'_>,
        table: &mut [Process],
    ) -> (Vec<DomainState>, Vec<NodeMemory>) {
        let (rules, cgroups, memory) = (sample.rules, sample.cgroups, sample.memory);
        if rules.root_bonus {
            self.root_bonus.complete(sample.proc, sample.seq, table);
        }
        if let Some(nodes) = &mut self.nodes {
            nodes.complete(sample.proc, sample.seq, table);
        }
        let nodes = self.nodes.as_mut().map(|nodes| nodes.read(sample.proc));
        let assessed = Assessed {
            proc: sample.proc,
            cgroups,
            memory,
            nodes: nodes.unwrap_or_default(),
            rules,
        };
        let mut domains = assessed.domains(table);
        let must_read = must_read_exact(sample.is_approximate, rules);
        if must_read {
            self.exact
                .read(table, sample.shown, cgroups, &domains, rules.page_size);
            domains = assessed.domains(table);
        }
        self.skipped.check(&assessed, table, &mut domains);
        if must_read {
            self.exact.judge(&mut domains);
        }
        settle_ties(&mut domains, table, cgroups, sample.hierarchy, rules.tie);
        foresee(
            &mut domains,
            table,
            cgroups,
            memory,
            rules.page_size,
            sample.age,
        );
        let total = domains.first().map_or(0, |host| host.total_pages);
        domains.extend(throttled_groups(table, cgroups, total));
        let nodes = assessed.nodes.to_vec();
        (domains, nodes)
    }

    /// Largest error of the memory of a row that is neither on the screen nor near the first of an OOM
    /// domain, in pages; 0 if all rows have the numbers of badness.
    pub(crate) fn unshown_error(&self, rules: &KernelRules, is_approximate: bool) -> u64 {
        if must_read_exact(is_approximate, rules) {
            self.exact.error()
        } else {
            0
        }
    }
}

/// True if the back end lacks the numbers that badness compares on this kernel.
fn must_read_exact(is_approximate: bool, rules: &KernelRules) -> bool {
    is_approximate && rules.rss == RssSource::Status
}
