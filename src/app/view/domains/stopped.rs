//! [`Stopped`]: what stands still in the OOM domains. Who is frozen does not allocate: what a trend has learnt of its
//! domain before says nothing of what comes, neither when it freezes nor when it runs again.

use std::collections::{HashMap, HashSet};

use super::Domains;
use crate::model::cgroup::{CgroupKey, CgroupPath};
use crate::model::freezer::{Freezable, FreezerState};
use crate::model::oom_domain::victim::{DomainState, Scope};
use crate::model::snapshot::Snapshot;

/// Most groups that grow, and most frozen ones, that are asked whether they are frozen. Each costs some small files in a
/// sample, with cgroup v1 the lists of processes below it.
const MOST: usize = 8;

/// What stands still in one domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Stillness {
    /// Frozen groups and stopped processes in it and around it.
    things: u32,
    /// Nobody in it runs.
    pub(super) is_whole: bool,
}

/// All that a sample shows to be frozen.
#[derive(Debug, Default)]
pub(super) struct Stopped<'a> {
    groups: HashSet<&'a CgroupPath>,
    /// Frozen groups and stopped processes in each domain.
    inside: HashMap<Scope, (u32, u32)>,
}

impl<'a> Stopped<'a> {
    /// Looks at the newest sample.
    pub(super) fn new(snapshot: &'a Snapshot) -> Self {
        let mut found = Self::default();
        let frozen = snapshot.frozen.iter();
        let frozen = frozen.filter(|(_, state)| *state == Some(FreezerState::Frozen));
        for (what, _) in frozen {
            match what {
                Freezable::Group(path) => {
                    found.groups.insert(path);
                    let mut cgroups = snapshot.cgroups.iter();
                    let at = cgroups.position(|group| group.path == *path);
                    let key = at.and_then(|at| u32::try_from(at).ok()).map(CgroupKey);
                    found.count(key, (1, 0), snapshot);
                }
                Freezable::Process(id) => {
                    let key = snapshot.process(*id).and_then(|process| process.cgroup);
                    found.count(key, (0, 1), snapshot);
                }
            }
        }
        found
    }

    /// Counts a group or a process in this group in all domains around it.
    fn count(&mut self, key: Option<CgroupKey>, by: (u32, u32), snapshot: &Snapshot) {
        let around = key.into_iter().flat_map(|key| snapshot.ancestry(key));
        let around = around.map(|(key, _)| Scope::Memcg(key));
        for scope in around.chain([Scope::Host]) {
            let (groups, processes) = self.inside.entry(scope).or_default();
            *groups += by.0;
            *processes += by.1;
        }
    }

    /// What stands still in this domain.
    pub(super) fn of(&self, domain: &DomainState, snapshot: &Snapshot) -> Stillness {
        if self.inside.is_empty() {
            return Stillness::default();
        }
        let key = domain.scope.memcg().into_iter();
        let around = key.flat_map(|key| snapshot.ancestry(key));
        let above = around.filter(|(_, group)| self.groups.contains(&group.path));
        let above = u32::try_from(above.count()).unwrap_or(u32::MAX);
        let (groups, processes) = self.inside.get(&domain.scope).copied().unwrap_or_default();
        Stillness {
            things: above.saturating_add(groups).saturating_add(processes),
            is_whole: above > 0 || processes > 0 && processes >= domain.members,
        }
    }
}

impl Domains {
    /// The groups that grow towards their limit or are known to be frozen, the nearest to its limit first: whether somebody
    /// has frozen one is worth a look.
    pub(in crate::app) fn growing(&self) -> Vec<CgroupPath> {
        let watches = self.watches.values();
        let grows =
            watches.filter(|watch| watch.signs.time_left.is_some() || watch.forecast.is_frozen());
        let found = grows.filter_map(|watch| Some((watch.signs.time_left, watch.path.clone()?)));
        let (mut growing, mut frozen): (Vec<_>, Vec<_>) =
            found.partition(|(left, _)| left.is_some());
        growing.sort();
        frozen.sort();
        // Each kind has places of its own: many frozen groups must not hide that one more is frozen.
        let nearest = |all: Vec<(_, CgroupPath)>| all.into_iter().take(MOST).map(|(_, path)| path);
        nearest(growing).chain(nearest(frozen)).collect()
    }
}
