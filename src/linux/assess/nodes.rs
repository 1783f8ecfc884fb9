//! [`Nodes`]: the memory nodes of a NUMA host, and which nodes each process may use.
//!
//! `/proc/zoneinfo` (proc_zoneinfo(5)) and `Mems_allowed_list` of `/proc/PID/status` (proc_pid_status(5),
//! 2.6.26 and later). `model::oom_domain::victim::assess_nodes` has the kernel's rules.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::os::fd::OwnedFd;

use crate::linux::kernel_file::{FileBuffer, lines, number};
use crate::model::memory::nodes::{NodeMemory, NodeSet};
use crate::model::process::{Pid, Process, ProcessId};

/// Each process is read again once in this many samples: cpusets seldom change.
const CYCLE: u64 = 60;

/// Reads `/proc/zoneinfo` in every sample, and the `status` of a process when it is new or due.
#[derive(Debug)]
pub(crate) struct Nodes {
    known: HashMap<Pid, (ProcessId, Option<NodeSet>)>,
    memory: Vec<NodeMemory>,
    buffer: FileBuffer,
    name: String,
}

impl Nodes {
    /// `None` on a host with one node: the sampler then skips all of this.
    pub(crate) fn detect(proc: &OwnedFd) -> Option<Self> {
        let mut nodes = Self {
            known: HashMap::new(),
            memory: Vec::new(),
            buffer: FileBuffer::default(),
            name: String::new(),
        };
        nodes.read(proc);
        (nodes.memory.len() > 1).then_some(nodes)
    }

    /// Reads the nodes that have memory.
    pub(crate) fn read(&mut self, proc: &OwnedFd) -> &[NodeMemory] {
        if let Ok(text) = self.buffer.read_whole(proc, "zoneinfo") {
            self.memory = parse(text);
        }
        &self.memory
    }

    /// Fills in the allowed nodes of every row, and forgets processes that are gone.
    pub(crate) fn complete(&mut self, proc: &OwnedFd, seq: u64, table: &mut [Process]) {
        let mut before = std::mem::take(&mut self.known);
        self.known.reserve(table.len());
        for row in table.iter_mut().filter(|row| !row.kernel_thread) {
            let turn = (u64::from(row.id.pid) + seq).is_multiple_of(CYCLE);
            let known = before.remove(&row.id.pid);
            let known = known.filter(|(id, _)| *id == row.id && !turn);
            let nodes = known.map_or_else(|| self.allowed(proc, row.id.pid), |(_, nodes)| nodes);
            row.nodes = nodes;
            self.known.insert(row.id.pid, (row.id, nodes));
        }
    }

    fn allowed(&mut self, proc: &OwnedFd, pid: Pid) -> Option<NodeSet> {
        self.name.clear();
        // Writing to a String cannot fail.
        let _ = write!(self.name, "{pid}/status");
        let text = self.buffer.read_single(proc, self.name.as_str()).ok()?;
        let list = lines(text).find_map(|line| line.strip_prefix(b"Mems_allowed_list:"))?;
        NodeSet::parse(std::str::from_utf8(list).ok()?)
    }
}

/// Sums up the zones of each node; leaves out nodes without memory.
fn parse(text: &[u8]) -> Vec<NodeMemory> {
    let mut nodes: Vec<NodeMemory> = Vec::new();
    for line in lines(text) {
        if let Some(rest) = line.strip_prefix(b"Node ") {
            let id = rest.split(|b| *b == b',').next().and_then(number);
            let Some(id) = id.and_then(|id| u32::try_from(id).ok()) else {
                continue;
            };
            if nodes.last().is_none_or(|last| last.node != id) {
                nodes.push(NodeMemory {
                    node: id,
                    ..NodeMemory::default()
                });
            }
            continue;
        }
        let Some(node) = nodes.last_mut() else {
            continue;
        };
        let line = line.trim_ascii();
        let Some(space) = line.iter().rposition(|b| *b == b' ') else {
            continue;
        };
        let (key, value) = line.split_at(space);
        let sum = match key.trim_ascii() {
            b"pages free" => &mut node.free,
            b"present" => &mut node.present,
            b"managed" => &mut node.managed,
            // The kernel counts these per node since 4.8, per zone before: all are summed.
            b"nr_inactive_file" | b"nr_active_file" => &mut node.cache,
            _ => continue,
        };
        *sum = sum.saturating_add(number(value.trim_ascii()).unwrap_or(0));
    }
    nodes.retain(|node| node.present > 0);
    nodes
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::model::memory::nodes::NodeMemory;

    #[test]
    fn zones_are_summed_by_node() {
        let text = b"Node 0, zone      DMA\n  per-node stats\n      nr_inactive_file 30\n      nr_active_file 12\n  pages free     100\n        present  500\n        managed  400\n      nr_free_pages 100\nNode 0, zone   Normal\n  pages free     7\n        present  50\n        managed  40\nNode 1, zone   Normal\n  pages free     9\n        present  80\n        managed  70\nNode 2, zone   Normal\n  pages free     0\n        present  0\n        managed  0\n";
        let node = |node, present, managed, free, cache| NodeMemory {
            node,
            present,
            managed,
            free,
            cache,
        };
        let wanted = [node(0, 550, 440, 107, 42), node(1, 80, 70, 9, 0)];
        assert_eq!(parse(text), wanted);
        assert_eq!(parse(b"Node x\n present 5\nNode\n"), []);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_left(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let _ = parse(&bytes);
        }
    }
}
