//! Pids that are reused while systemd is asked to take them into a scope: by number (252) and by descriptor (254).

use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::time::Duration;

use super::Ends;
use super::tries::{waiting, with_pid};
use crate::common::hands::Dice;
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
use oomtop::model::plan::receipt::{FailureKind, Reading, StepReceipt};
use oomtop::model::plan::step::{ScopeStart, Step, UnitStep};
use oomtop::model::process::ProcessId;
use oomtop::model::systemd::UnitName;

const NAME: &str = "oomtop-reused.scope";

fn scope(targets: Vec<ProcessId>, slice: &str, group: &str) -> Step {
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
fn manager(group: &Memcg, by_number: bool) -> (tempfile::TempDir, MovingSystemd, SysRoot) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = format!("{}/{NAME}", group.path());
    let systemd = MovingSystemd::start(dir.path(), group.dir().join(NAME), path, by_number);
    let root = SysRoot {
        base: dir.path().to_owned(),
        ..SysRoot::default()
    };
    (dir, systemd, root)
}

/// Ends each target at a random moment of the order and gives its pid to a stranger, until the systemd of `root` has moved
/// whom it has moved. Returns how many strangers were left where no one may have put them.
fn tries(what: &str, count: usize, root: &SysRoot, step: (&str, &str), forget: impl Fn(&mut Dice)) {
    let (slice, group) = step;
    let version = if memcg::mount().is_some_and(|(_, found)| found == memcg::Version::V2) {
        CgroupVersion::V2
    } else if std::fs::exists("/sys/fs/cgroup/unified").unwrap_or(false) {
        CgroupVersion::Hybrid
    } else {
        CgroupVersion::V1
    };
    let mut dice = Dice(0x5c09_e5ed);
    let (mut reused, mut came, mut back, mut hit) = (0, 0, 0, 0);
    let (orders, inbox) = channel::<Step>();
    let (answer, outcomes) = channel::<StepReceipt>();
    let (ready, is_held) = channel();
    let root = root.clone();
    let writer = std::thread::spawn(move || {
        for step in inbox {
            let mut kernel = KernelWriter::new(root.clone(), version);
            // As a dialog does while it is open: a start time counts in ticks of 10 ms.
            kernel.hold(step.processes());
            ready.send(()).expect("the test waits");
            answer.send(kernel.step(&step)).expect("the test waits");
        }
    });
    for _ in 0..count {
        forget(&mut dice);
        let mut target = Ends(waiting());
        let id = id_of(target.0.id()).expect("its start time");
        orders
            .send(scope(vec![id], slice, group))
            .expect("the writer waits");
        is_held.recv().expect("held");
        std::thread::sleep(Duration::from_micros(dice.roll(4000) as u64));
        target.0.kill().ok();
        target.0.wait().ok();
        let stranger: Option<Ends> = with_pid(id.pid).map(Ends);
        let receipt = outcomes.recv().expect("an answer");
        came += usize::from(receipt.failure().is_none());
        let is_back = receipt
            .failure()
            .is_some_and(|why| why.kind == FailureKind::Reused);
        back += usize::from(is_back);
        let Some(mut stranger) = stranger else {
            continue;
        };
        reused += 1;
        if memcg::of(stranger.0.id()).as_deref() == Some(group) {
            hit += 1;
            println!("{receipt:?}");
        }
        stranger.0.kill().expect("it is our own");
        assert_eq!(stranger.0.wait().expect("reaped").signal(), Some(9));
    }
    drop(orders);
    writer.join().expect("it ends");
    if reused == 0 {
        return skipped(what, "a pid cannot be chosen here");
    }
    measured(&format!(
        "{what}: {count} orders while their pid was reused ({reused} reused, {came} came first, {back} strangers were moved \
         back): {hit} were left"
    ));
    assert_eq!(hit, 0);
}

fn against_the_paper_manager(count: usize, by_number: bool) {
    let name = if by_number { "numbers" } else { "descriptors" };
    let Some(group) = Memcg::create(name) else {
        return;
    };
    let (_dir, systemd, root) = manager(&group, by_number);
    let path = format!("{}/{NAME}", group.path());
    tries(name, count, &root, ("oomtop.slice", &path), |dice| {
        systemd.forget();
        let pause = Duration::from_micros(dice.roll(3000) as u64);
        systemd.waits(pause, None);
    });
}

#[test]
fn no_stranger_stays_in_a_scope_of_a_systemd_that_is_told_numbers() {
    against_the_paper_manager(60, true);
}

#[test]
fn no_stranger_comes_into_a_scope_of_a_systemd_that_is_given_descriptors() {
    against_the_paper_manager(60, false);
}

/// `cargo test --test kernel -- --ignored ten_thousand_orders`
#[test]
#[ignore = "takes some minutes: cargo test --test kernel -- --ignored ten_thousand_orders"]
fn no_stranger_is_left_after_ten_thousand_orders() {
    against_the_paper_manager(10_000, true);
    against_the_paper_manager(10_000, false);
}

/// The systemd of this machine, where it is pid 1 and manages cgroup v2 (`tests/vm/reused.py`).
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
    tries(
        test,
        count,
        &SysRoot::default(),
        ("system.slice", &group),
        |_| {
            let ended = crate::common::patience::until(|| !PathBuf::from(&dir).exists());
            assert!(ended, "the last scope has ended");
        },
    );
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
