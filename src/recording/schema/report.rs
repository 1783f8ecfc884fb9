//! Reports of the kernel, and kills by programs.

use crate::oomlog::Chosen;
use crate::oomlog::Constraint;
use crate::oomlog::Kill;
use crate::oomlog::OomReport;
use crate::oomlog::Outcome;
use crate::oomlog::Provenance;
use crate::oomlog::ReportKey;
use crate::oomlog::Trigger;
use crate::oomlog::UserspaceKill;
use crate::recording::codec::{choice, record, single};

record!(OomReport {
    key,
    source,
    at,
    stamp,
    kernel,
    has_header,
    trigger,
    constraint,
    constraint_text,
    message,
    nodemask,
    cpuset,
    mems_allowed,
    global_oom,
    chosen,
    oom_group,
    oom_memcg,
    task_memcg,
    limit_kb,
    usage_kb,
    kills,
    reaped,
    shared_memory,
    already_exiting,
    outcome,
    nobody_killable,
    panic,
    repeats,
    tasks,
    memcg,
    memory,
    gap,
    raw,
    shed
});
single!(ReportKey);
choice!(Provenance { 0 => Vouched, 1 => Unproven });
record!(Trigger {
    comm,
    pid,
    gfp_mask,
    gfp_flags,
    order,
    adj,
    legacy_adj
});
choice!(Constraint { 0 => None, 1 => Memcg, 2 => Cpuset, 3 => MemoryPolicy, 4 => Other });
record!(Chosen {
    pid,
    comm,
    uid,
    score
});
record!(Kill {
    pid,
    thread,
    comm,
    at,
    uid,
    total_vm_kb,
    anon_rss_kb,
    file_rss_kb,
    shmem_rss_kb,
    pgtables_kb,
    adj,
    group_member,
    lines,
    reaped
});
choice!(Outcome { 0 => Pending, 1 => Killed, 2 => NobodyKillable, 3 => Panic, 4 => Ignored });
record!(UserspaceKill {
    key,
    killer,
    source,
    at,
    stamp,
    pid,
    comm,
    cgroup,
    processes,
    signal,
    rss_kb,
    survived,
    reason,
    text
});
