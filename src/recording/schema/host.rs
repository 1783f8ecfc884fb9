//! The host, and where events come from.

use crate::model::cgroup::CgroupVersion;
use crate::model::event_source::EventSource;
use crate::model::event_source::Tracing;
use crate::model::kernel::KernelRules;
use crate::model::kernel::KernelVersion;
use crate::model::kernel::RssEvidence;
use crate::model::kernel::RssSource;
use crate::model::kernel::ScoreFormula;
use crate::model::kernel::TieBreak;
use crate::model::snapshot::Host;
use crate::model::wake::Turn;
use crate::model::wake::WakeSource;
use crate::model::wake::WakeSources;
use crate::recording::codec::{choice, record};

record!(Host {
    name,
    release,
    version,
    rules,
    cgroups,
    uid,
    user,
    may_lower_adj,
    own_adj,
    own_pid,
    in_container,
    hidepid,
    ticks_per_second,
    systemd;
    command_user
});
record!(KernelVersion { major, minor });
record!(KernelRules {
    score,
    rss,
    rss_evidence,
    tie,
    root_bonus,
    page_size,
    rss_error,
    swap_error
});
record!(RssEvidence { stat, status });
choice!(ScoreFormula { 0 => Scaled, 1 => Permille });
choice!(RssSource { 0 => Stat, 1 => Status });
choice!(TieBreak { 0 => Later, 1 => Earlier });
choice!(CgroupVersion { 0 => None, 1 => V1, 2 => V2, 3 => Hybrid });
record!(WakeSources {
    pressure,
    groups,
    turn
});
choice!(WakeSource { 0 => NotYet, 1 => Live(a), 2 => Off(a) });
choice!(Turn { 0 => NotAsked, 1 => First, 2 => AsOthers(a) });
record!(EventSource {
    name,
    missing,
    unheard,
    caught_up,
    tracing
});
choice!(Tracing { 0 => NotYet, 1 => Live { instructions, lacking, lost }, 2 => Off(a) });
