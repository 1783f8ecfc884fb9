//! Pids that are reused while systemd is asked to take them into a scope: by number (252) and by descriptor (254).

use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::time::Duration;

use super::Ends;
use super::siege::{Siege, Tally, Writer, waiting, with_pid};
use crate::common::memcg::{self, Memcg};
use crate::common::moving_systemd::MovingSystemd;
use crate::common::own_child::id_of;
use crate::common::{measured, skipped};
use crate::whole::version;
use oomtop::linux::SysRoot;
use oomtop::linux::write::executor::KernelWriter;
use oomtop::model::cgroup::{CgroupPath, CgroupVersion};
use oomtop::model::killers::oom_policy::Manager;
use oomtop::model::plan::execute::Executor as _;
use oomtop::model::plan::receipt::{FailureKind, Reading};
use oomtop::model::plan::step::{ScopeStart, Step, UnitStep};
use oomtop::model::process::ProcessId;
use oomtop::model::systemd::UnitName;

pub(super) const NAME: &str = "oomtop-reused.scope";

pub(super) fn scope(targets: Vec<ProcessId>, slice: &str, group: &str) -> Step {
    UnitStep::Scope(ScopeStart {
        targets,
        unit: UnitName {
            name: NAME.to_owned(),
            manager: Manager::System,
        },
        slice: slice.to_owned(),
        group: CgroupPath::new(group),
        limits: Vec::new(),
    })
    .into()
}

/// A manager below a root of its own, for scopes in a group of the test.
pub(super) fn manager(
    group: &Memcg,
    by_number: bool,
) -> (tempfile::TempDir, MovingSystemd, SysRoot) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = format!("{}/{NAME}", group.path());
    let systemd = MovingSystemd::start(dir.path(), group.dir().join(NAME), path, by_number);
    let root = SysRoot {
        base: dir.path().to_owned(),
        ..SysRoot::default()
    };
    (dir, systemd, root)
}

/// Orders to a manager of the test while the pid of their process is reused.
pub(super) fn on_paper(group: &Memcg, count: usize, by_number: bool, seed: u64) -> Tally {
    let (_dir, systemd, root) = manager(group, by_number);
    let path = format!("{}/{NAME}", group.path());
    let siege = Siege {
        root,
        version: version(group),
        writer: Writer::Oomtop,
        group: Some((path.clone(), group.dir().join(NAME))),
        pause: 0,
        life: 4000,
        seed,
    };
    siege.tries(count, |_, dice, id| {
        systemd.forget();
        let pause = Duration::from_micros(dice.roll(3000) as u64);
        systemd.waits(pause, None);
        scope(vec![id], "oomtop.slice", &path)
    })
}

fn against_the_paper_manager(count: usize, by_number: bool) {
    let name = if by_number { "numbers" } else { "descriptors" };
    let Some(group) = Memcg::create(name) else {
        return;
    };
    let tally = on_paper(&group, count, by_number, 0x5c09_e5ed);
    if tally.reused == 0 {
        return skipped(name, "a pid cannot be chosen here");
    }
    measured(&format!("scopes, by {name}: {tally}"));
    assert_eq!(tally.hit, 0);
}

#[test]
fn no_stranger_stays_in_a_scope_of_a_systemd_that_is_told_numbers() {
    against_the_paper_manager(60, true);
}

#[test]
fn no_stranger_comes_into_a_scope_of_a_systemd_that_is_given_descriptors() {
    against_the_paper_manager(60, false);
}

/// The systemd of this machine, where it is pid 1 and manages cgroup v2 (`tests/vm/test_binaries.py` with this test and `OOMTOP_TEST_ORDERS`).
#[test]
fn no_stranger_stays_in_a_scope_of_the_real_systemd() {
    let test = "no_stranger_stays_in_a_scope_of_the_real_systemd";
    let is_v2 = memcg::mount().is_some_and(|(_, version)| version == memcg::Version::V2);
    if !is_v2
        || !PathBuf::from("/run/systemd/system").exists()
        || !rustix::process::geteuid().is_root()
    {
        return skipped(test, "no systemd with cgroup v2 runs here");
    }
    let group = format!("/system.slice/{NAME}");
    let dir = format!("/sys/fs/cgroup{group}");
    let count = std::env::var("OOMTOP_TEST_ORDERS");
    let count = count
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(20);
    let siege = Siege {
        root: SysRoot::default(),
        version: CgroupVersion::V2,
        writer: Writer::Oomtop,
        group: Some((group.clone(), dir.clone().into())),
        pause: 0,
        life: 4000,
        seed: 0x5c09_e5ed,
    };
    let tally = siege.tries(count, |_, _, id| {
        let ended = crate::common::patience::until(|| !PathBuf::from(&dir).exists());
        assert!(ended, "the last scope has ended");
        scope(vec![id], "system.slice", &group)
    });
    if tally.reused == 0 {
        return skipped(test, "a pid cannot be chosen here");
    }
    measured(&format!("scopes of the real systemd: {tally}"));
    assert_eq!(tally.hit, 0);
}

/// systemd fails a scope as a whole if one of its processes ends before it has its turn.
#[test]
fn who_ends_before_systemd_has_its_turn_does_not_keep_the_others_from_their_scope() {
    for by_number in [true, false] {
        let Some(group) = Memcg::create("turn") else {
            return;
        };
        let (_dir, systemd, root) = manager(&group, by_number);
        let path = format!("{}/{NAME}", group.path());
        let mut all = [(); 3].map(|()| Ends(waiting()));
        let ids = all
            .each_ref()
            .map(|one| id_of(one.0.id()).expect("its start"));
        let [first, second, third] = &mut all;
        let mut dies = std::mem::replace(second, Ends(waiting()));
        let hook = move || {
            dies.0.kill().expect("killed");
            dies.0.wait().expect("reaped");
        };
        systemd.waits(Duration::from_millis(5), Some(Box::new(hook)));
        let mut kernel = KernelWriter::new(root, version(&group));
        let receipt = kernel.step(&scope(ids.to_vec(), "oomtop.slice", &path));
        let Ok(Reading::Came(came)) = &receipt.outcome else {
            panic!("{receipt:?}");
        };
        let moved: Vec<bool> = came.iter().map(|(_, came)| came.is_ok()).collect();
        assert_eq!(moved, [true, false, true], "{came:?}");
        assert_eq!(systemd.orders(), [3, 2]);
        for survivor in [first, third] {
            assert_eq!(memcg::of(survivor.0.id()).as_deref(), Some(&*path));
        }
    }
}

/// The number is a stranger's by the time that systemd moves it.
#[test]
fn a_stranger_that_systemd_was_told_to_move_is_moved_back() {
    let test = "a_stranger_that_systemd_was_told_to_move_is_moved_back";
    let Some(group) = Memcg::create("told") else {
        return;
    };
    let (_dir, systemd, root) = manager(&group, true);
    let path = format!("{}/{NAME}", group.path());
    let mut target = Ends(waiting());
    let id = id_of(target.0.id()).expect("its start time");
    let (tell, found) = channel();
    let hook = move || {
        target.0.kill().expect("killed");
        target.0.wait().expect("reaped");
        tell.send(with_pid(id.pid).map(Ends))
            .expect("the test waits");
    };
    systemd.waits(Duration::from_millis(5), Some(Box::new(hook)));
    let mut kernel = KernelWriter::new(root, version(&group));
    kernel.hold(&[id]);
    let receipt = kernel.step(&scope(vec![id], "oomtop.slice", &path));
    let Some(stranger) = found.recv().expect("the hook ran") else {
        return skipped(test, "a pid cannot be chosen here");
    };
    let failure = receipt.failure().expect("its process has ended");
    assert_eq!(failure.kind, FailureKind::Reused, "{failure}");
    assert!(failure.sentence.contains("was moved back to"), "{failure}");
    let own = memcg::of(std::process::id());
    assert_eq!(memcg::of(stranger.0.id()), own, "{failure}");
}
