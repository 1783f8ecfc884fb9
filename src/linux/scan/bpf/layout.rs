//! [`Layout`]: where this kernel stores the data of a row of the process table.

pub(super) mod lookup;

use super::btf::TypeId;

/// A structure member that is a number or a pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    /// Bytes from the start of its structure.
    pub(super) offset: i16,
    /// Size of the member.
    pub(super) width: Width,
}

/// The number of bytes that one instruction moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    /// Two.
    Half,
    /// Four.
    Word,
    /// Eight.
    Double,
}

/// The members that lead from a task to the id of its memory cgroup; all but the last are pointers.
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
    /// The two halves of the process name.
    pub(super) comm: [Field; 2],
    // cred
    pub(super) euid: Field,
    // signal_struct
    pub(super) oom_score_adj: Field,
    pub(super) threads: Field,
    // mm_struct
    pub(super) rss: Counters,
    pub(super) page_tables: Field,
    /// `None` where the kernel has other names for it.
    pub(super) cpu: Option<CpuFields>,
    /// `None` on a host without memory cgroups.
    pub(super) group: Option<GroupPath>,
}

/// The counters of file, anonymous, swapped and shared pages: `MM_FILEPAGES` …
/// (include/linux/mm_types_task.h).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counters {
    /// Four separate members, since 6.2.
    Each([Field; 4]),
    /// An array of four numbers of eight bytes at this offset. Those kernels do not let a program load
    /// directly from an array of `atomic_long_t` (kernel/bpf/btf.c: "is not a struct").
    Together(i16),
}

/// Processor time in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CpuFields {
    /// `task_struct`: of a thread.
    pub(super) thread: Field,
    /// `signal_struct`: of the threads that have ended.
    pub(super) ended: Field,
}

/// How the program visits the tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Visit {
    /// The program loops over all processes itself: 6.7 and later.
    Walks {
        /// Size of the iterator's state in bytes.
        iterator_size: u32,
        functions: Functions,
    },
    /// The kernel calls the program for every task, threads included: 5.8 and later (kernel/bpf/task_iter.c).
    IsCalled {
        /// Type id of the function that the program attaches to.
        by: TypeId,
        /// Members of the context: the iterator's metadata, and the task, which is null in the last call.
        meta: Field,
        task: Field,
        /// Member of the metadata: the number of tasks before this one.
        number: Field,
    },
}

/// Which kind of visit to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The cheapest kind that this kernel supports.
    Cheapest,
    /// The kernel calls the program for every task.
    IsCalled,
}

/// Type ids of the kernel functions that the program calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Functions {
    pub(super) iter_new: TypeId,
    pub(super) iter_next: TypeId,
    pub(super) iter_destroy: TypeId,
    pub(super) rcu_lock: TypeId,
    pub(super) rcu_unlock: TypeId,
}
