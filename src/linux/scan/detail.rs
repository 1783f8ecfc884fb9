//! What the details pane shows of one process, in addition to its row.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use crate::model::heap::HeapBound;
use crate::model::kernel::KernelRules;
use crate::model::process::ProcessId;
use crate::model::rules::Rules;
use crate::model::snapshot::Detail;

use crate::linux::SysRoot;
use crate::linux::held::Holders;
use crate::linux::kernel_file::{FileBuffer, lines, number, signed};
use crate::linux::scan::aside::{Aside, Wait};
use crate::linux::scan::launch;
use crate::linux::scan::proc::{stat_line, status_lines};
use crate::linux::write::pinned::PinnedProcess;

/// Bytes kept of a line of `/proc/PID/cgroup`: a path is at most `PATH_MAX` (4096) long.
const LINE_MOST: usize = 4200;

/// Reads the process whose details are shown.
#[derive(Debug, Default)]
pub(crate) struct Details {
    launches: Option<Aside<Option<HeapBound>>>,
    /// What bounds its heap, as last read: a read that blocks must not take the answer off the screen.
    heap: Option<(ProcessId, Option<HeapBound>)>,
    holders: Holders,
}

impl Details {
    /// `None` if the process has ended or another process has its pid.
    pub(crate) fn read(
        &mut self,
        (root, proc): (&SysRoot, &OwnedFd),
        id: ProcessId,
        kernel: &KernelRules,
        rules: &Arc<Rules>,
    ) -> Option<Detail> {
        let mut detail = read(root, id, kernel)?;
        detail.rule = self.holders.find(root, id, rules);
        if self.launches.is_none() {
            self.launches = launch::reader(proc).ok();
        }
        if let Some(launches) = &mut self.launches {
            launches.read(&[id], Wait::InTurn, |(whose, found)| {
                if whose == id {
                    self.heap = found.map(|heap| (id, heap));
                }
            });
        }
        let heap = self.heap.as_ref().filter(|(whose, _)| *whose == id);
        detail.heap = heap.and_then(|(_, heap)| heap.clone());
        Some(detail)
    }
}

fn read(root: &SysRoot, id: ProcessId, rules: &KernelRules) -> Option<Detail> {
    let process = PinnedProcess::open(root, id).ok()?;
    let dir = process.dir();
    let mut buffer = FileBuffer::default();
    let stat = stat_line::parse(buffer.read_single(dir, "stat").ok()?)?;
    let status_rss = buffer
        .read_single(dir, "status")
        .ok()
        .map(status_lines::parse)
        .and_then(|status| status.memory(rules.page_size))
        .map(|memory| memory.rss);
    let kernel_score = buffer
        .read_single(dir, "oom_score")
        .ok()
        .and_then(number)
        .and_then(|score| u32::try_from(score).ok());
    let legacy_adj = buffer
        .read_single(dir, "oom_adj")
        .ok()
        .and_then(signed)
        .and_then(|adj| i16::try_from(adj).ok());
    let cgroup_lines = buffer
        .read_whole(dir, "cgroup")
        .map(|text| {
            lines(text)
                .map(|line| line.get(..LINE_MOST).unwrap_or(line))
                .map(|line| String::from_utf8_lossy(line).into_owned())
                .collect()
        })
        .unwrap_or_default();
    Some(Detail {
        id,
        kernel_score,
        legacy_adj,
        stat_rss: Some(stat.rss),
        status_rss,
        cgroup_lines,
        exe: rustix::fs::readlinkat(dir.as_fd(), "exe", Vec::new())
            .ok()
            .map(|target| target.to_string_lossy().into_owned()),
        threads: stat.threads,
        heap: None,
        rule: None,
    })
}
