//! Learns the kernel's rules from live processes, once at start.

use crate::model::memory::Memory;
use crate::model::process::{Pid, Process};
use crate::model::snapshot::Host;

use crate::linux::SysRoot;
use crate::linux::host::{Facts, tie_of};
use crate::linux::kernel_file;
use crate::linux::scan::ScanWants;
use crate::linux::scan::proc::row::RowReader;

/// Most processes read to learn the scale of `oom_score`.
const MOST_ASKED: usize = 512;

/// Completes the rules of `host`, and returns what a scan must read under these rules, and
/// [`KernelRules::swap_error`](crate::model::kernel::KernelRules::swap_error) of rows that are read from files.
pub(crate) fn learn(
    facts: &mut Facts<'_>,
    root: &SysRoot,
    host: &mut Host,
    memory: &Memory,
) -> (ScanWants, u64) {
    let page_size = host.rules.page_size;
    let mut wants = ScanWants {
        rss: host.rules.rss,
        page_size,
        global_init: facts.sees_global_init(),
    };
    let total = memory.host_total_pages(page_size);
    let first = first_rows(root, host.own_pid, &wants);
    if let Some(score) = facts.score_formula(first, total) {
        host.rules.score = score;
        host.rules.tie = tie_of(score);
    }
    facts.learn_rss(&mut host.rules, listed(root), total);
    wants.rss = host.rules.rss;
    (wants, facts.swap_error(host.version, host.rules.rss))
}

/// The rows of oomtop and then of other processes, each read when the iterator reaches it.
fn first_rows(
    root: &SysRoot,
    own: Option<Pid>,
    wants: &ScanWants,
) -> impl Iterator<Item = Process> {
    let mut reader = kernel_file::open_dir(&root.proc).ok().map(RowReader::new);
    let pids = own.into_iter().chain(listed(root).take(MOST_ASKED));
    pids.filter_map(move |pid| reader.as_mut()?.row(pid, wants).ok().flatten())
}

/// The pids in `/proc`, in directory order.
fn listed(root: &SysRoot) -> impl Iterator<Item = Pid> + use<> {
    let entries = std::fs::read_dir(&root.proc).into_iter().flatten();
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}
