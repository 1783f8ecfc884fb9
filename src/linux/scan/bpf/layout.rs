//! [`Layout`]: where this kernel keeps what a row of the process table needs.

mod lookup;

use super::btf::TypeId;

/// A member that is read as a number or pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    /// Bytes from the start of its structure.
    pub(super) offset: i16,
    /// Bytes it takes.
    pub(super) width: Width,
}

/// How many bytes one instruction moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    /// Two.
    Half,
    /// Four.
    Word,
    /// Eight.
    Double,
}

/// From a task to the number of its memory cgroup, step by step; all but the last are pointers.
pub(super) type GroupPath = Vec<Field>;

/// The members and functions that the program uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) visit: Visit,
    // task_struct
    pub(super) pid: Field,
    pub(super) tgid: Field,
    pub(super) real_parent: Field,
    pub(super) real_cred: Field,
    pub(super) signal: Field,
    pub(super) mm: Field,
    pub(super) flags: Field,
    pub(super) state: Field,
    pub(super) exit_state: Field,
    pub(super) start_boottime: Field,
    /// The two halves of the name.
    pub(super) comm: [Field; 2],
    // cred
    pub(super) euid: Field,
    // signal_struct
    pub(super) oom_score_adj: Field,
    pub(super) threads: Field,
    // mm_struct
    pub(super) rss: Counters,
    pub(super) page_tables: Field,
    /// `None` on a host without memory cgroups.
    pub(super) group: Option<GroupPath>,
}

/// Where file, anonymous, swapped and shared pages are counted: `MM_FILEPAGES` …
/// (include/linux/mm_types_task.h).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counters {
    /// Four members, since 6.2.
    Each([Field; 4]),
    /// Four numbers of eight bytes, one after the other. Kernels of that time do not let a program
    /// load from an array of `atomic_long_t` (kernel/bpf/btf.c: "is not a struct").
    Together(i16),
}

/// How the program gets to see the tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Visit {
    /// It walks them by itself, process by process: 6.7 and later.
    Walks {
        /// Bytes of the walk's own state.
        iterator_size: u32,
        functions: Functions,
    },
    /// The kernel calls it for every task, threads included: 5.8 and later (kernel/bpf/task_iter.c).
    IsCalled {
        /// Number of the function in whose place it is called.
        by: TypeId,
        /// In what it is given: a description of the reading, and the task, null at the end.
        meta: Field,
        task: Field,
        /// In the description: how many tasks came before.
        number: Field,
    },
}

/// Which of them to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The cheapest that this kernel has.
    Cheapest,
    /// Being called for every task.
    IsCalled,
}

/// Numbers of the kernel functions that the program calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Functions {
    pub(super) iter_new: TypeId,
    pub(super) iter_next: TypeId,
    pub(super) iter_destroy: TypeId,
    pub(super) rcu_lock: TypeId,
    pub(super) rcu_unlock: TypeId,
}
