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

use std::os::fd::OwnedFd;

use crate::model::cgroup::Cgroup;
use crate::model::kernel::{KernelRules, RssSource};
use crate::model::memory::Memory;
use crate::model::memory::nodes::NodeMemory;
use crate::model::oom_domain::victim::{DomainState, assess, assess_nodes};
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
    /// The back end reads counters without their per-CPU parts.
    is_approximate: bool,
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
}

impl Assessor {
    /// `cpus` is the number of CPUs online.
    pub(crate) fn new(root: &SysRoot, proc: &OwnedFd, cpus: u64, is_approximate: bool) -> Self {
        Self {
            exact: ExactRows::new(&root.proc, cpus),
            skipped: SkippedByKernel::default(),
            nodes: Nodes::detect(proc),
            root_bonus: RootBonus::default(),
            is_approximate,
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
        let mut domains = assess(table, cgroups, memory, rules);
        let must_read = self.must_read_exact(rules);
        if must_read {
            self.exact
                .read(table, sample.shown, cgroups, &domains, rules.page_size);
            domains = assess(table, cgroups, memory, rules);
        }
        let assessed = Assessed {
            proc: sample.proc,
            cgroups,
            memory,
            rules,
        };
        self.skipped.check(&assessed, table, &mut domains);
        if must_read {
            self.exact.judge(&mut domains);
        }
        settle_ties(&mut domains, table, cgroups, sample.hierarchy, rules.tie);
        let unshown_error = self.unshown_error(rules);
        let Some(nodes) = &mut self.nodes else {
            return (domains, Vec::new());
        };
        nodes.complete(sample.proc, sample.seq, table);
        let nodes = nodes.read(sample.proc).to_vec();
        // Exact rows were read for the first candidates of the host and of the groups only, not of the nodes.
        let rules = KernelRules {
            rss_error: rules.rss_error.max(unshown_error),
            ..*rules
        };
        domains.extend(assess_nodes(table, cgroups, &nodes, memory, &rules));
        (domains, nodes)
    }

    /// True if the back end lacks the numbers that badness compares on this kernel.
    fn must_read_exact(&self, rules: &KernelRules) -> bool {
        self.is_approximate && rules.rss == RssSource::Status
    }

    /// Largest error of the memory of a row that is neither on the screen nor near the first of an OOM
    /// domain, in pages; 0 if all rows have the numbers of badness.
    pub(crate) fn unshown_error(&self, rules: &KernelRules) -> u64 {
        if self.must_read_exact(rules) {
            self.exact.error()
        } else {
            0
        }
    }
}
