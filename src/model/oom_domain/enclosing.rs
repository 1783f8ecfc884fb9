//! The domains around a process or group, and which of them runs out first.

use crate::model::oom_domain::headroom::Room;
use crate::model::oom_domain::victim::{DomainState, Scope};
use crate::model::process::Process;
use crate::model::snapshot::Snapshot;

impl Room {
    /// The room of a domain; `None` where its usage could not be read.
    #[must_use]
    pub fn from_domain(domain: &DomainState, snapshot: &Snapshot) -> Option<Self> {
        match domain.scope {
            Scope::Host => Some(Self::from_host(&snapshot.memory)),
            Scope::Nodes(_) => Some(Self::from_ram(
                domain.limit,
                domain.usage?,
                &snapshot.memory,
            )),
            // What is left until its tasks are slowed down.
            Scope::Memcg(key) if domain.throttles_only => {
                let group = snapshot.cgroup(key)?;
                let usage = domain.usage?;
                Some(Self {
                    limit: domain.limit,
                    usage,
                    droppable: group.stat.map_or(0, |stat| stat.droppable()).min(usage),
                    swap_used: group.swap_usage,
                    ..Self::default()
                })
            }
            Scope::Memcg(key) => Self::from_group(key, &snapshot.cgroups, &snapshot.memory),
        }
    }
}

/// True if the process competes in the domain.
#[must_use]
pub fn is_member(process: &Process, scope: Scope, snapshot: &Snapshot) -> bool {
    match scope {
        Scope::Host => true,
        Scope::Memcg(key) => process
            .cgroup
            .is_some_and(|own| snapshot.ancestry(own).any(|(at, _)| at == key)),
        Scope::Nodes(set) => process.nodes.is_none_or(|own| own.common(set).is_some()),
    }
}

/// The domains around a process that kill, the nearest to an OOM first.
#[must_use]
pub fn around<'a>(process: &Process, snapshot: &'a Snapshot) -> Vec<&'a DomainState> {
    let mut all: Vec<_> = snapshot
        .domains
        .iter()
        .filter(|domain| !domain.throttles_only)
        .filter(|domain| is_member(process, domain.scope, snapshot))
        .collect();
    all.sort_by_key(|domain| nearness(domain, snapshot));
    all
}

/// How near a domain is to its OOM, the nearest the smallest: by the bytes left, unknown ones last.
#[must_use]
pub fn nearness(domain: &DomainState, snapshot: &Snapshot) -> (bool, u64) {
    let left = Room::from_domain(domain, snapshot).map(|room| room.left());
    (left.is_none(), left.unwrap_or(0))
}

/// The enclosing domain that runs out before this one does, if one does: of all limits up the path, and the
/// host, the one with the least room, if that is less than the domain's own. A limit is no promise that the
/// memory is there.
#[must_use]
pub fn runs_out_first(scope: Scope, snapshot: &Snapshot) -> Option<(Scope, Room)> {
    let Scope::Memcg(key) = scope else {
        return None;
    };
    let room = |scope| Some((scope, Room::from_domain(snapshot.domain(scope)?, snapshot)?));
    let own = room(scope)?.1.left();
    let outer = snapshot
        .ancestry(key)
        .skip(1)
        .filter_map(|(key, group)| group.limits.max.map(|_| Scope::Memcg(key)));
    outer
        .chain([Scope::Host])
        .filter_map(room)
        .filter(|(_, room)| room.left() < own)
        .min_by_key(|(_, room)| room.left())
}

/// The least room up the path of a domain, and whose it is: before its own is used up, somebody dies there.
#[must_use]
pub fn tightest(scope: Scope, snapshot: &Snapshot) -> Option<(Scope, Room)> {
    let own = Room::from_domain(snapshot.domain(scope)?, snapshot)?;
    Some(runs_out_first(scope, snapshot).unwrap_or((scope, own)))
}

/// The enclosing domain whose limit is not above this one's, so that this one's is never reached: the
/// outer is full before.
#[must_use]
pub fn never_reached(scope: Scope, snapshot: &Snapshot) -> Option<Scope> {
    let Scope::Memcg(key) = scope else {
        return None;
    };
    let own = snapshot.cgroup(key)?.limits.max?;
    let outer = snapshot
        .ancestry(key)
        .skip(1)
        .find(|(_, group)| group.present && group.limits.max.is_some_and(|max| max <= own));
    match outer {
        Some((key, _)) => Some(Scope::Memcg(key)),
        None if own >= snapshot.memory.total => Some(Scope::Host),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{never_reached, runs_out_first};
    use crate::model::cgroup::{Cgroup, CgroupKey};
    use crate::model::kernel::KernelRules;
    use crate::model::memory::Memory;
    use crate::model::on_paper::{self, MIB};
    use crate::model::oom_domain::victim::{Scope, assess};
    use crate::model::snapshot::Snapshot;

    fn group(path: &str, parent: Option<u32>, max: u64, usage: u64) -> Cgroup {
        on_paper::group(path, parent, Some(max * MIB), usage * MIB)
    }

    fn snapshot(cgroups: Vec<Cgroup>) -> Snapshot {
        let memory = Memory {
            total: 8000 * MIB,
            available: Some(3000 * MIB),
            swap_total: 1000 * MIB,
            swap_free: 800 * MIB,
            ..Memory::default()
        };
        Snapshot {
            domains: assess(&[], &cgroups, &memory, &KernelRules::default()),
            memory,
            cgroups: Arc::new(cgroups),
            ..Snapshot::default()
        }
    }

    #[test]
    fn the_smallest_room_up_the_path_binds() {
        let all = snapshot(vec![
            group("/pod", None, 1000, 950),
            group("/pod/a", Some(0), 600, 100),
            group("/pod/b", Some(0), 2000, 700),
            group("/huge", None, 9000, 5),
            group("/small", None, 10, 5),
        ]);
        let first = |key| runs_out_first(Scope::Memcg(CgroupKey(key)), &all).map(|(s, _)| s);
        let outer = |key| never_reached(Scope::Memcg(CgroupKey(key)), &all);
        let pod = Some(Scope::Memcg(CgroupKey(0)));
        assert_eq!([first(0), first(1), first(4)], [None, pod, None]);
        assert_eq!(first(3), Some(Scope::Host));
        assert_eq!([outer(0), outer(1), outer(2)], [None, None, pod]);
        assert_eq!(outer(3), Some(Scope::Host));
        assert_eq!(runs_out_first(Scope::Host, &all), None);
    }
}
