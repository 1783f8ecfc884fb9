//! Programs that kill before the kernel does.

use crate::model::killers::Act;
use crate::model::killers::Amount;
use crate::model::killers::Base;
use crate::model::killers::Choice;
use crate::model::killers::Preference;
use crate::model::killers::Rule;
use crate::model::killers::RunningKiller;
use crate::model::killers::Share;
use crate::model::killers::Trigger;
use crate::oomlog::Killer;
use crate::recording::codec::{choice, record, single};

record!(RunningKiller {
    killer,
    id,
    rules,
    choice,
    unread,
    dry_run,
    source,
    notes,
    watched,
    spared,
    not_for_swap
});
choice!(Killer { 0 => SystemdOomd, 1 => Earlyoom, 2 => Nohang, 3 => Oomd, 4 => Kubelet, 5 => Talos, 6 => LowMemoryKiller });
record!(Rule { when, act });
choice!(Trigger { 0 => Low { memory, swap, needs_swap, base }, 1 => Pressure { group, measure, limit, lasting, memory, needs_swap }, 2 => Ruleset { name, group, pressure, swap_used, lasting }, 3 => Expression { trigger, ranking, by_class }, 4 => Eviction { limit, lasting }, 5 => Zram { limit, memory } });
choice!(Act { 0 => Terminate, 1 => Kill, 2 => AskKernel, 3 => KillGroup, 4 => KillAll, 5 => KillByReclaim, 6 => KillBySwap, 7 => Evict });
choice!(Amount { 0 => Share(a), 1 => Bytes(a), 2 => Lower(a, b) });
choice!(Base { 0 => Total, 1 => User, 2 => Unknown });
single!(Share);
choice!(Choice { 0 => HighestScore, 1 => LargestRss, 2 => ScoreAndPatterns, 3 => Group, 4 => Pod, 5 => Ranking, 6 => Kernel, 7 => Unknown });
choice!(Preference { 0 => Avoid, 1 => Omit });
