//! How much memory a report takes: whoever keeps many has to know before the machine does.

use std::mem::size_of;

use crate::oomlog::report::mem_info::{FreeBlocks, HugePages, MemoryState, NodeMemory, Slab, Zone};
use crate::oomlog::report::memcg::{MemcgStats, MemcgUse, Usage};
use crate::oomlog::report::tasks::{Columns, TaskRow, TaskTable};
use crate::oomlog::{Chosen, Kill, OomReport, Pid, RawLines, Trigger, UserspaceKill};

/// What the allocator adds to a piece of memory: its header, and what rounding up to 16 bytes adds.
const PIECE: usize = 16;

/// The bytes that a value holds outside of itself.
pub(crate) trait Heap {
    /// The bytes, those of the allocator included.
    fn heap(&self) -> usize;
}

/// A piece of so many bytes.
pub(crate) fn piece(bytes: usize) -> usize {
    // An empty value has no piece.
    if bytes == 0 { 0 } else { bytes + PIECE }
}

macro_rules! flat {
    ($($kind:ty),*) => {
        $(impl Heap for $kind {
            fn heap(&self) -> usize {
                0
            }
        })*
    };
}
flat!(u64, Pid, Usage, HugePages);

macro_rules! sum {
    ($($kind:ty: $($field:ident)*;)*) => {
        $(impl Heap for $kind {
            fn heap(&self) -> usize {
                0 $(+ self.$field.heap())*
            }
        })*
    };
}
sum! {
    TaskRow: comm;
    TaskTable: columns rows;
    MemcgStats: path values;
    MemcgUse: usage stats;
    Zone: name kb lowmem_reserve blocks;
    FreeBlocks: types;
    NodeMemory: kb;
    Slab: name;
    MemoryState: counters nodes zones huge_pages slabs;
    Kill: comm;
    Trigger: comm gfp_flags;
    Chosen: comm;
    UserspaceKill: stamp comm cgroup signal reason text;
}

impl Heap for String {
    fn heap(&self) -> usize {
        piece(self.capacity())
    }
}

impl<T: Heap> Heap for Vec<T> {
    fn heap(&self) -> usize {
        let entries: usize = self.iter().map(Heap::heap).sum();
        piece(self.capacity() * size_of::<T>()) + entries
    }
}

impl<T: Heap> Heap for Option<T> {
    fn heap(&self) -> usize {
        self.as_ref().map_or(0, Heap::heap)
    }
}

impl<T: Heap> Heap for (String, T) {
    fn heap(&self) -> usize {
        self.0.heap() + self.1.heap()
    }
}

impl<T: Heap> Heap for std::sync::Arc<T> {
    fn heap(&self) -> usize {
        // Two counters stand in front of the value.
        piece(size_of::<T>() + 16) + (**self).heap()
    }
}

impl Heap for Columns {
    fn heap(&self) -> usize {
        self.0.heap()
    }
}

impl Heap for RawLines {
    fn heap(&self) -> usize {
        piece(self.capacity())
    }
}

impl OomReport {
    /// How many bytes of memory the parts take that [`Self::shed`] drops.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.tasks.heap() + self.memory.heap() + self.memcg.heap() + self.raw.heap()
    }

    /// How many bytes of memory the other parts take, which stay: who died and why.
    #[must_use]
    pub fn remainder(&self) -> usize {
        let texts = [
            &self.stamp,
            &self.kernel,
            &self.constraint_text,
            &self.message,
            &self.nodemask,
            &self.cpuset,
            &self.mems_allowed,
            &self.oom_group,
            &self.oom_memcg,
            &self.task_memcg,
            &self.panic,
        ];
        let lists = [&self.reaped, &self.shared_memory, &self.already_exiting];
        piece(size_of::<Self>() + 16)
            + texts.into_iter().map(Heap::heap).sum::<usize>()
            + lists.into_iter().map(Heap::heap).sum::<usize>()
            + self.trigger.heap()
            + self.chosen.heap()
            + self.kills.heap()
    }
}

impl UserspaceKill {
    /// How many bytes of memory it takes.
    #[must_use]
    pub fn weight(&self) -> usize {
        piece(size_of::<Self>() + 16) + self.heap()
    }
}
