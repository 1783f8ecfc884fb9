//! Processes and what is known of one.

use super::process_list;
use crate::model::heap::HeapBound;
use crate::model::heap::Most;
use crate::model::heap::Runtime;
use crate::model::process::MemoryUse;
use crate::model::process::Process;
use crate::model::process::ProcessId;
use crate::model::process::TaskState;
use crate::model::process::init::Init;
use crate::model::process::pace::Pace;
use crate::model::rules::held::HeldBy;
use crate::model::snapshot::Detail;
use crate::model::snapshot::OwnCost;
use crate::model::snapshot::Waiter;
use crate::recording::codec::{Malformed, Reader, Writer, choice, record, single};

record!(ProcessId { pid, start_ticks });
single!(TaskState);
record!(MemoryUse {
    rss,
    anon,
    file,
    shmem,
    swap,
    page_tables
});
record!(Pace {
    growth,
    steady,
    high,
    low,
    last
});
record!(Waiter { id, threads, place });
record!(Detail {
    id,
    kernel_score,
    legacy_adj,
    stat_rss,
    status_rss,
    cgroup_lines,
    exe,
    threads,
    heap,
    rule
});
record!(HeapBound {
    runtime,
    most,
    source,
    is_default,
    may_differ
});
choice!(Runtime { 0 => Java, 1 => Node, 2 => Go, 3 => Dotnet, 4 => Postgres });
choice!(Most { 0 => Bytes(a), 1 => Percent(a) });
record!(HeldBy {
    rule,
    origin,
    supervisor,
    value
});
record!(Init { id, others });
record!(OwnCost {
    cpu_percent,
    resident
});

// The processor time changes in every sample, and no question about memory needs it.
record!(Process { id, ppid, uid, comm, state, threads, kernel_thread, global_init, memory, address_space, skipped_by_kernel, root_bonus, nodes, unreadable, adj, cgroup, cgroup_id, command_blocks, growth, pace, command; cpu }
    fn put_list_change(items: &[Self], base: &[Self], to: &mut Writer) {
        process_list::put_change(items, base, to);
    }
    fn take_list_change(base: &[Self], from: &mut Reader<'_>) -> Result<Vec<Self>, Malformed> {
        process_list::take_change(base, from)
    }
);
