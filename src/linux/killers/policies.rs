//! [`PolicyWatch`]: the `OOMPolicy=` of the units whose processes are first to die, read on a thread of its own:
//! unit files may lie on a slow disk, or in a home directory that hangs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use crate::linux::SysRoot;
use crate::linux::helper::helper;
use crate::linux::killers::unit_files::ConfigRoot;
use crate::model::cgroup::{Cgroup, CgroupKey, CgroupPath, CgroupVersion, ancestry};
use crate::model::killers::oom_policy::{
    Manager, OomPolicy, default_policy, oom_policy, units_around,
};
use crate::model::oom_domain::victim::DomainState;
use crate::model::process::{Process, ProcessId};
use crate::model::time::Monotonic;

/// Time between two readings of a unit's files.
const EVERY: Duration = Duration::from_mins(1);

/// Units known at a time; more are forgotten and read again.
const MOST_KNOWN: usize = 4096;

/// How long a sample waits that is to be complete.
const PATIENCE: Duration = Duration::from_secs(1);

type Unit = (CgroupPath, Manager);

/// Questions to the thread, and its answers.
type Reader = (Sender<Unit>, Receiver<(CgroupPath, OomPolicy)>);

#[derive(Debug, Clone, Copy)]
struct Known {
    policy: Option<OomPolicy>,
    asked: Monotonic,
}

/// What is known of units, and the thread that reads more.
#[derive(Debug, Default)]
pub(crate) struct PolicyWatch {
    known: HashMap<CgroupPath, Known>,
    reader: Option<Reader>,
    /// No systemd runs there.
    is_absent: Option<bool>,
}

impl PolicyWatch {
    /// The policies of the units around those who would die first, by the key of the unit's group. `pressed`: tasks
    /// wait for memory, so nothing is read again. `whole`: waits a moment for what is not known yet.
    pub(crate) fn at(
        &mut self,
        now: Monotonic,
        (pressed, whole): (bool, bool),
        root: &SysRoot,
        version: CgroupVersion,
        (domains, processes, cgroups): (&[DomainState], &[Process], &[Cgroup]),
    ) -> Arc<Vec<(CgroupKey, OomPolicy)>> {
        // systemd reads `memory.events`, which only v2 has.
        if version != CgroupVersion::V2 {
            return Arc::default();
        }
        let absent = || !root.base.join("run/systemd/system").is_dir();
        if *self.is_absent.get_or_insert_with(absent) {
            return Arc::default();
        }
        if self.known.len() > MOST_KNOWN {
            self.known.clear();
        }
        let units = units_of(domains, processes, cgroups);
        for (_, (path, manager)) in &units {
            self.ask(now, pressed, root, path, *manager);
        }
        self.take(whole);
        let mut policies: Vec<_> = units
            .iter()
            .filter_map(|(key, (path, _))| Some((*key, self.known.get(path)?.policy?)))
            .collect();
        policies.sort_unstable_by_key(|(key, _)| *key);
        policies.dedup_by_key(|(key, _)| *key);
        Arc::new(policies)
    }

    fn ask(
        &mut self,
        now: Monotonic,
        pressed: bool,
        root: &SysRoot,
        path: &CgroupPath,
        manager: Manager,
    ) {
        let known = self.known.get(path).copied();
        if known.is_some_and(|known| pressed || now.since(known.asked) < EVERY) {
            return;
        }
        let policy = known.and_then(|known| known.policy);
        self.known
            .insert(path.clone(), Known { policy, asked: now });
        if self.reader.is_none() {
            self.reader = start(root.base.clone());
        }
        if let Some((asks, _)) = &self.reader {
            // The thread ends only with this watch.
            let _ = asks.send((path.clone(), manager));
        }
    }

    fn take(&mut self, whole: bool) {
        let Some((_, answers)) = &self.reader else {
            return;
        };
        let until = Instant::now() + PATIENCE;
        loop {
            let is_complete = self.known.values().all(|known| known.policy.is_some());
            let left = if whole && !is_complete {
                until.saturating_duration_since(Instant::now())
            } else {
                Duration::ZERO
            };
            let Ok((path, policy)) = answers.recv_timeout(left) else {
                return;
            };
            if let Some(known) = self.known.get_mut(&path) {
                known.policy = Some(policy);
            }
        }
    }
}

/// The units around the first two candidates of each domain.
fn units_of(
    domains: &[DomainState],
    processes: &[Process],
    cgroups: &[Cgroup],
) -> Vec<(CgroupKey, Unit)> {
    let candidates = domains.iter().filter_map(|domain| domain.verdict);
    let candidates = candidates.flat_map(|verdict| {
        let runner_up = verdict.runner_up.map(|second| second.id);
        [Some(verdict.victim.id), runner_up].into_iter().flatten()
    });
    let mut wanted: Vec<ProcessId> = candidates.collect();
    wanted.sort_unstable();
    wanted.dedup();
    let is_wanted = |process: &&Process| wanted.binary_search(&process.id).is_ok();
    let mut homes: Vec<CgroupKey> = processes
        .iter()
        .filter(is_wanted)
        .filter_map(|process| process.cgroup)
        .collect();
    homes.sort_unstable();
    homes.dedup();
    let mut units = Vec::new();
    for home in homes {
        let Some(group) = cgroups.get(home.index()) else {
            continue;
        };
        for unit in units_around(&group.path) {
            let of_unit = |(_, group): &(CgroupKey, &Cgroup)| group.path == unit.0;
            // Without the memory controller in the unit's group systemd hears of no kill.
            let group = ancestry(home, cgroups).find(of_unit);
            if let Some((key, _)) = group.filter(|(_, group)| group.usage.is_some()) {
                units.push((key, unit));
            }
        }
    }
    units
}

fn start(base: PathBuf) -> Option<Reader> {
    let (asks, asked) = channel::<Unit>();
    let (tell, told) = channel();
    let run = move || {
        let mut managers = HashMap::new();
        while let Ok((path, manager)) = asked.recv() {
            let policy = read(&base, path.name(), manager, &mut managers);
            if tell.send((path, policy)).is_err() {
                return;
            }
        }
    };
    // Without a thread the policies stay unknown.
    helper("units", run).ok()?;
    Some((asks, told))
}

/// What holds for all units of a manager.
#[derive(Debug, Clone)]
struct Defaults {
    policy: OomPolicy,
    release: Option<u32>,
    dirs: Vec<String>,
    owner: u32,
    read: Instant,
}

fn read(
    base: &Path,
    unit: &str,
    manager: Manager,
    managers: &mut HashMap<Manager, Defaults>,
) -> OomPolicy {
    let Some(root) = ConfigRoot::open(base) else {
        return OomPolicy::default();
    };
    let old = managers.get(&manager);
    if old.is_none_or(|old| old.read.elapsed() >= EVERY) {
        let (dirs, owner) = root.unit_dirs(manager);
        let defaults = Defaults {
            policy: default_policy(root.manager_conf(manager).iter().map(String::as_str)),
            release: root.systemd_release(),
            dirs,
            owner,
            read: Instant::now(),
        };
        managers.insert(manager, defaults);
    }
    let Some(defaults) = managers.get(&manager) else {
        return OomPolicy::default();
    };
    let files = root.files_of(unit, &defaults.dirs, defaults.owner);
    oom_policy(unit, &files, defaults.policy, defaults.release)
}
