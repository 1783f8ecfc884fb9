//! What is asked of a [`Snapshot`]: a process, group or domain by its key, and who belongs to whom.

use super::Snapshot;
use crate::model::cgroup::{Cgroup, CgroupKey, ancestry};
use crate::model::killers::oom_policy::{OomPolicy, Unit};
use crate::model::oom_domain::headroom::Room;
use crate::model::oom_domain::victim::{DomainState, Scope};
use crate::model::process::init::Init;
use crate::model::process::{Process, ProcessId};

impl Snapshot {
    /// The group behind a key.
    #[must_use]
    pub fn cgroup(&self, key: CgroupKey) -> Option<&Cgroup> {
        self.cgroups.get(key.index())
    }

    /// The process with exactly this identity.
    #[must_use]
    pub fn process(&self, id: ProcessId) -> Option<&Process> {
        self.processes.iter().find(|p| p.id == id)
    }

    /// Other processes with the same address space: they die with this one
    /// (mm/oom_kill.c `__oom_kill_process`, 3.16 and later). Known where the back end sees it, see
    /// [`Process::address_space`].
    pub fn sharers<'a>(&'a self, process: &Process) -> impl Iterator<Item = &'a Process> + use<'a> {
        let (id, space) = (process.id, process.address_space);
        let alike = move |other: &&Process| other.address_space == space && other.id != id;
        self.processes
            .iter()
            .filter(move |_| space.is_some())
            .filter(alike)
    }

    /// The name of a user, if known.
    #[must_use]
    pub fn user(&self, uid: u32) -> Option<&str> {
        self.users.get(&uid).map(|name| &**name)
    }

    /// The state of one OOM domain.
    #[must_use]
    pub fn domain(&self, scope: Scope) -> Option<&DomainState> {
        self.domains.iter().find(|d| d.scope == scope)
    }

    /// The domain that concerns oomtop most: its own limit in a container, otherwise the host. A limit
    /// whose usage cannot be read says nothing: then the host, rather than a gauge that shows 0.
    #[must_use]
    pub fn main_domain(&self) -> Option<&DomainState> {
        self.own_limit
            .and_then(|scope| self.domain(scope))
            .filter(|domain| domain.usage.is_some())
            .or_else(|| self.domain(Scope::Host))
    }

    /// The domain that stands for the whole machine: the host, or the outermost limit of the container that oomtop sees
    /// as its machine. The limit of oomtop's own service says nothing about the machine.
    #[must_use]
    pub fn machine_domain(&self) -> Option<&DomainState> {
        // Only a cgroup namespace shows a limit on the outermost group: the kernel's root has none.
        let is_outermost = |domain: &&DomainState| {
            let group = domain.scope.memcg().and_then(|key| self.cgroup(key));
            group.is_some_and(|group| group.path.as_str() == "/")
        };
        let binds = |domain: &&DomainState| {
            domain.usage.is_some() && !domain.throttles_only && domain.limit < self.memory.total
        };
        let mut domains = self.domains.iter();
        domains
            .find(|domain| is_outermost(domain) && binds(domain))
            .or_else(|| self.domain(Scope::Host))
    }

    /// What the gauge shows of [`Self::main_domain`]: the used share in percent, without what the kernel drops before it
    /// kills, the limit in bytes, and the group whose limit it is, if it is not the host's.
    #[must_use]
    pub fn gauge(&self) -> (f64, u64, Option<CgroupKey>) {
        match self
            .main_domain()
            .and_then(|domain| Some((domain, Room::from_domain(domain, self)?)))
        {
            Some((domain, room)) => (room.percent(), room.limit, domain.scope.memcg()),
            None => (self.memory.used_percent(), self.memory.total, None),
        }
    }

    /// The group of the unit that systemd stops once the kernel has killed this process: the outermost around it
    /// with a policy other than to continue.
    #[must_use]
    pub fn stopped_with(&self, id: ProcessId) -> Option<(CgroupKey, OomPolicy)> {
        if self.units.is_empty() {
            return None;
        }
        let around = self.units_around(self.process(id)?);
        around
            .filter(|unit| unit.policy != OomPolicy::Continue)
            .last()
            .map(|unit| (unit.group, unit.policy))
    }

    /// The known units around a process, innermost first.
    pub fn units_around<'a>(&'a self, process: &Process) -> impl Iterator<Item = Unit> + use<'a> {
        let unit_of = |key: CgroupKey| {
            let at = self.units.binary_search_by_key(&key, |unit| unit.group);
            self.units.get(at.ok()?).copied()
        };
        let around = process.cgroup.into_iter();
        let around = around.flat_map(|home| self.ancestry(home));
        around.filter_map(move |(key, _)| unit_of(key))
    }

    /// The unit that ends with its main process, if this is one.
    #[must_use]
    pub fn led_by(&self, id: ProcessId) -> Option<&Unit> {
        self.units.iter().find(|unit| unit.main == Some(id))
    }

    /// The PID namespace that ends with its first process, if this is one.
    #[must_use]
    pub fn init(&self, id: ProcessId) -> Option<&Init> {
        let at = self.inits.binary_search_by_key(&id, |init| init.id);
        self.inits.get(at.ok()?)
    }

    /// Processes in a group and the groups below it that the kernel or systemd can end.
    #[must_use]
    pub fn mortals_in(&self, group: CgroupKey) -> usize {
        let is_in = |process: &&Process| {
            let around = process
                .cgroup
                .into_iter()
                .flat_map(|key| self.ancestry(key));
            around.into_iter().any(|(key, _)| key == group)
        };
        let mortal = |p: &&Process| !p.kernel_thread && !p.global_init && !p.state.is_dead();
        self.processes.iter().filter(mortal).filter(is_in).count()
    }

    /// `key` and its ancestors, innermost first.
    pub fn ancestry(&self, key: CgroupKey) -> impl Iterator<Item = (CgroupKey, &Cgroup)> {
        ancestry(key, &self.cgroups)
    }

    /// The groups with a limit among this one and its ancestors: each is an OOM domain of what is in it.
    #[must_use]
    pub fn limited_around(&self, key: Option<CgroupKey>) -> Vec<CgroupKey> {
        let around = key.into_iter().flat_map(|key| self.ancestry(key));
        around
            .filter(|(_, group)| group.present && group.limits.max.is_some())
            .map(|(key, _)| key)
            .collect()
    }
}
