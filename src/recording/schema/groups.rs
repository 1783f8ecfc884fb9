//! Memory cgroups, OOM domains, units.

use crate::model::cgroup::Cgroup;
use crate::model::cgroup::CgroupKey;
use crate::model::cgroup::GroupEvents;
use crate::model::cgroup::GroupPressure;
use crate::model::cgroup::GroupStat;
use crate::model::cgroup::limits::Limits;
use crate::model::freezer::Freezable;
use crate::model::freezer::FreezerState;
use crate::model::killers::oom_policy::OomPolicy;
use crate::model::killers::oom_policy::Unit;
use crate::model::oom_domain::victim::Candidate;
use crate::model::oom_domain::victim::DomainState;
use crate::model::oom_domain::victim::Scope;
use crate::model::oom_domain::victim::Verdict;
use crate::recording::codec::{choice, record, single};

single!(CgroupKey);
record!(Cgroup {
    path,
    parent,
    present,
    limits,
    usage,
    swap_usage,
    events,
    pressure,
    stat,
    under_oom,
    read_seq,
    instance
});
record!(Limits {
    max,
    high,
    soft,
    low,
    min,
    swap_max,
    memsw_max,
    swappiness,
    oom_group,
    kill_disabled
});
record!(GroupEvents {
    high,
    max,
    oom,
    own_oom,
    oom_kill,
    own_kills,
    oom_group_kill
});
record!(GroupPressure {
    some,
    full,
    full_total
});
record!(GroupStat {
    inactive_file,
    active_file,
    unwritten,
    refaults,
    slab_reclaimable,
    kernel,
    anon,
    shmem,
    scanned,
    stolen
});
// A replay hears of the kills, as the dashboard did: who is dying follows from them.
record!(DomainState { scope, total_pages, limit, usage, members, verdict, group_kill, throttles_only; dying });
choice!(Scope { 0 => Host, 1 => Memcg(a), 2 => Nodes(a) });
record!(Verdict {
    victim,
    runner_up,
    close,
    rival
});
record!(Candidate { id, points });
record!(Unit {
    group,
    policy,
    main,
    adj,
    has_old_limit
});
choice!(OomPolicy { 0 => Continue, 1 => Stop, 2 => Kill });
choice!(Freezable { 0 => Group(a), 1 => Process(a) });
choice!(FreezerState { 0 => Thawed, 1 => Freezing, 2 => Frozen });
