//! [`UnitWatch`]: what becomes of the units whose processes are first to die (`OOMPolicy=`, main process). Unit files
//! may lie on a slow disk, or in a home directory that hangs: threads of their own read them, one those of the system, so
//! that it waits for no home, and a few those of the users.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use super::Look;
use crate::linux::helper::helper;
use crate::linux::killers::unit_files::ConfigRoot;
use crate::model::cgroup::{Cgroup, CgroupKey, CgroupPath, CgroupVersion, ancestry};
use crate::model::killers::oom_policy::{
    Manager, OomPolicy, Unit, UnitRule, default_policy, unit_rule, units_around,
};
use crate::model::process::{Pid, Process, ProcessId};
use crate::model::time::Monotonic;

/// Time between two readings of a unit's files.
const EVERY: Duration = Duration::from_mins(1);

/// Units known at a time; more are forgotten and read again.
const MOST_KNOWN: usize = 4096;

/// How long a sample waits that is to be complete.
const PATIENCE: Duration = Duration::from_secs(1);

type Asked = (CgroupPath, Manager);

type Answer = (CgroupPath, UnitRule);

/// Threads for the users' units.
const USER_THREADS: u32 = 4;

/// Reads what the files of a unit say.
type Read = fn(&Path, &str, Manager, &mut HashMap<Manager, Defaults>) -> UnitRule;

#[derive(Debug, Clone, Copy)]
struct Known {
    rule: Option<UnitRule>,
    asked: Monotonic,
    /// The thread has not answered yet.
    is_open: bool,
}

/// What is known of units, and the threads that read more.
#[derive(Debug, Default)]
pub(crate) struct UnitWatch {
    known: HashMap<CgroupPath, Known>,
    /// Questions to the threads: one for the system, and one for each user or a few of them.
    readers: HashMap<Manager, Sender<Asked>>,
    answers: Option<(Sender<Answer>, Receiver<Answer>)>,
    /// [`read`], but in tests.
    read: Option<Read>,
    /// No systemd runs there.
    is_absent: Option<bool>,
}

impl UnitWatch {
    /// The units around these processes, by the key of the unit's group.
    pub(crate) fn at(
        &mut self,
        at: &Look<'_>,
        wanted: &[ProcessId],
        processes: &[Process],
    ) -> Arc<Vec<Unit>> {
        // systemd reads `memory.events`, which only v2 has.
        if at.version != CgroupVersion::V2 {
            return Arc::default();
        }
        let absent = || !at.root.base.join("run/systemd/system").is_dir();
        if *self.is_absent.get_or_insert_with(absent) {
            return Arc::default();
        }
        let asked = units_of(wanted, processes, at.cgroups);
        if self.known.len() > MOST_KNOWN {
            let wanted: HashSet<&CgroupPath> = asked.iter().map(|(_, (path, _))| path).collect();
            self.known.retain(|path, _| wanted.contains(path));
        }
        for (_, (path, manager)) in &asked {
            self.ask(at, path, *manager);
        }
        self.take(at.whole);
        let mut units = Vec::new();
        let mut led = Vec::new();
        for (group, (path, manager)) in &asked {
            let Some(rule) = self.known.get(path).and_then(|known| known.rule) else {
                continue;
            };
            units.push(Unit {
                group: *group,
                policy: rule.policy,
                main: None,
                adj: rule.adj,
                has_old_limit: rule.has_old_limit,
            });
            if rule.ends_with_main {
                led.push((*group, *manager));
            }
        }
        units.sort_unstable_by_key(|unit| unit.group);
        units.dedup_by_key(|unit| unit.group);
        lead(&mut units, &led, processes, at.cgroups);
        Arc::new(units)
    }

    fn ask(&mut self, at: &Look<'_>, path: &CgroupPath, manager: Manager) {
        let known = self.known.get(path).copied();
        if known
            .is_some_and(|known| known.is_open || at.pressed || at.now.since(known.asked) < EVERY)
        {
            return;
        }
        let rule = known.and_then(|known| known.rule);
        self.known.insert(
            path.clone(),
            Known {
                rule,
                asked: at.now,
                is_open: true,
            },
        );
        let whose = match manager {
            Manager::System => Manager::System,
            Manager::User(uid) => Manager::User(uid % USER_THREADS),
        };
        let (tell, _) = self.answers.get_or_insert_with(channel);
        if !self.readers.contains_key(&whose) {
            let read = self.read.unwrap_or(read);
            let started = start(at.root.base.clone(), tell.clone(), read);
            self.readers.extend(started.map(|asks| (whose, asks)));
        }
        if let Some(asks) = self.readers.get(&whose) {
            // The thread ends only with this watch.
            let _ = asks.send((path.clone(), manager));
        }
    }

    fn take(&mut self, whole: bool) {
        let Some((_, answers)) = &self.answers else {
            return;
        };
        let until = Instant::now() + PATIENCE;
        loop {
            let is_complete = self.known.values().all(|known| known.rule.is_some());
            let left = if whole && !is_complete {
                until.saturating_duration_since(Instant::now())
            } else {
                Duration::ZERO
            };
            let Ok((path, rule)) = answers.recv_timeout(left) else {
                return;
            };
            if let Some(known) = self.known.get_mut(&path) {
                known.rule = Some(rule);
                known.is_open = false;
            }
        }
    }
}

/// The units around these processes.
fn units_of(
    wanted: &[ProcessId],
    processes: &[Process],
    cgroups: &[Cgroup],
) -> Vec<(CgroupKey, Asked)> {
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

/// Names the main process of each unit in `led`: the oldest in it whose parent is the unit's manager. A process that
/// lost its parent has the manager as parent too, and is younger than the main process.
fn lead(
    units: &mut [Unit],
    led: &[(CgroupKey, Manager)],
    processes: &[Process],
    cgroups: &[Cgroup],
) {
    if led.is_empty() {
        return;
    }
    let home = |process: &Process| process.cgroup.and_then(|key| cgroups.get(key.index()));
    let runs =
        |process: &&Process| home(process).is_some_and(|group| group.path.name() == "init.scope");
    let of_users: Vec<(Pid, Option<CgroupKey>)> = processes
        .iter()
        .filter(|process| !process.global_init)
        .filter(runs)
        .map(|process| {
            let unit = home(process).and_then(|group| group.parent);
            (process.id.pid, unit)
        })
        .collect();
    for process in processes {
        let manager = of_users.iter().find(|(pid, _)| *pid == process.ppid);
        if process.ppid != 1 && manager.is_none() || process.state.is_dead() {
            continue;
        }
        let around = process.cgroup.into_iter();
        let around = around.flat_map(|home| ancestry(home, cgroups));
        let around: Vec<CgroupKey> = around.map(|(key, _)| key).collect();
        for (group, by) in led.iter().filter(|(group, _)| around.contains(group)) {
            let is_child = match (by, manager) {
                (Manager::System, None) => true,
                // The manager of a user runs in a unit of its own, around all of the user's.
                (Manager::User(_), Some((_, Some(unit)))) => around.contains(unit) && group != unit,
                _ => false,
            };
            let Ok(at) = units.binary_search_by_key(group, |unit| unit.group) else {
                continue;
            };
            if let Some(unit) = units.get_mut(at).filter(|_| is_child) {
                let is_older = |main: ProcessId| {
                    (process.id.start_ticks, process.id.pid) < (main.start_ticks, main.pid)
                };
                if unit.main.is_none_or(is_older) {
                    unit.main = Some(process.id);
                }
            }
        }
    }
}

fn start(base: PathBuf, tell: Sender<Answer>, read: Read) -> Option<Sender<Asked>> {
    let (asks, asked) = channel::<Asked>();
    let run = move || {
        let mut managers = HashMap::new();
        while let Ok((path, manager)) = asked.recv() {
            let rule = read(&base, path.name(), manager, &mut managers);
            if tell.send((path, rule)).is_err() {
                return;
            }
        }
    };
    // Without a thread the policies stay unknown.
    helper("units", run).ok()?;
    Some(asks)
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
) -> UnitRule {
    let Some(root) = ConfigRoot::open(base) else {
        return UnitRule::default();
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
        return UnitRule::default();
    };
    let files = root.files_of(unit, &defaults.dirs, defaults.owner);
    unit_rule(unit, &files, defaults.policy, defaults.release)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::os::fd::OwnedFd;
    use std::path::Path;
    use std::time::{Duration, Instant};

    use super::{Defaults, Look, UnitWatch};
    use crate::linux::SysRoot;
    use crate::model::cgroup::{CgroupPath, CgroupVersion};
    use crate::model::killers::oom_policy::{Manager, UnitRule};
    use crate::model::time::Monotonic;

    /// The home of the user with an even uid never answers.
    fn hangs(_: &Path, _: &str, manager: Manager, _: &mut HashMap<Manager, Defaults>) -> UnitRule {
        while matches!(manager, Manager::User(uid) if uid % 2 == 0) {
            std::thread::park();
        }
        UnitRule::default()
    }

    #[test]
    fn a_home_that_hangs_holds_up_neither_the_system_nor_another_user() {
        let dir = tempfile::tempdir().expect("a directory");
        let root = SysRoot::under(dir.path());
        let proc = OwnedFd::from(std::fs::File::open(dir.path()).expect("opened"));
        let at = Look {
            now: Monotonic(0),
            pressed: false,
            whole: false,
            root: &root,
            proc: &proc,
            version: CgroupVersion::V2,
            cgroups: &[],
        };
        let mut watch = UnitWatch {
            read: Some(hangs),
            ..UnitWatch::default()
        };
        let path = |name: &str| CgroupPath::new(&format!("/{name}.service"));
        for (name, manager) in [
            ("slow", Manager::User(1000)),
            ("web", Manager::System),
            ("other", Manager::User(1001)),
        ] {
            watch.ask(&at, &path(name), manager);
        }
        let is_known = |watch: &UnitWatch, name: &str| {
            let known = watch.known.get(&path(name));
            known.is_some_and(|known| known.rule.is_some())
        };
        let begun = Instant::now();
        while !is_known(&watch, "web") || !is_known(&watch, "other") {
            assert!(begun.elapsed() < Duration::from_mins(1), "they wait for it");
            watch.take(false);
            std::thread::yield_now();
        }
        assert!(!is_known(&watch, "slow"));
    }
}
