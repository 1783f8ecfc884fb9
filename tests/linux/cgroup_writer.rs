//! Cgroup plans: forbidden effects on fake trees; as root, real writes to groups that the test made.
#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::fake_root::{FakeRoot, Layout};
use crate::common::own_child::OwnChild;
use crate::common::patience::until;
use crate::common::skipped;
use oomtop::linux::SysRoot;
use oomtop::linux::cgroup::list::list_groups;
use oomtop::linux::sampler::Sampler;
use oomtop::linux::write::executor::KernelWriter;
use oomtop::model::cgroup::limits::{LimitFile, LimitValue};
use oomtop::model::cgroup::{CgroupPath, CgroupVersion};
use oomtop::model::plan::receipt::{FailureKind, PlanReceipt, Reading};
use oomtop::model::plan::step::{CgroupStep, LimitWrite};
use oomtop::model::plan::{execute, inverse};
use oomtop::model::snapshot::Needs;
use oomtop::model::time::{Monotonic, Now};

const V2: CgroupVersion = CgroupVersion::V2;

fn group(path: &str) -> CgroupPath {
    CgroupPath::new(path)
}

fn limit(path: &str, file: LimitFile, bytes: u64) -> CgroupStep {
    let value = LimitValue::Amount(bytes);
    CgroupStep::Limit(group(path), LimitWrite { file, value })
}

fn run_plan(root: &SysRoot, version: CgroupVersion, steps: &[CgroupStep]) -> PlanReceipt {
    let plan = steps.iter().cloned().collect();
    execute::run(&mut KernelWriter::new(root.clone(), version), &plan)
}

fn outcomes(receipt: &PlanReceipt) -> Vec<Result<Reading, FailureKind>> {
    let steps = receipt.steps.iter();
    steps
        .map(|step| step.outcome.clone().map_err(|failure| failure.kind))
        .collect()
}

fn is_in(path: &CgroupPath) -> Reading {
    Reading::Group(path.clone())
}

fn says(bytes: u64) -> Reading {
    Reading::Limit(LimitValue::Amount(bytes))
}

#[test]
fn the_first_failure_ends_the_plan() {
    let root = FakeRoot::new().v2_group("web", |g| g);
    let steps = [
        CgroupStep::Create(group("/web/new")),
        limit("/web", LimitFile::Max, 1 << 20),
        limit("/web/new", LimitFile::Max, 1 << 20),
        CgroupStep::Create(group("/web/never")),
    ];
    let receipt = run_plan(&root.sys_root(), V2, &steps);
    assert_eq!(
        outcomes(&receipt),
        [
            Ok(is_in(&group("/web/new"))),
            Ok(says(1 << 20)),
            Err(FailureKind::NoFile)
        ]
    );
    // What was done is taken back. A plain file keeps the end of a longer text, and the receipt says so.
    assert_eq!(receipt.way_back(0), Some(&Ok(())));
    assert!(matches!(receipt.way_back(1), Some(Err(_))));
    assert!(!root.path("sys/fs/cgroup/web/new").exists());
    let failure = receipt.failure().expect("no such file");
    assert!(
        failure.sentence.contains("has no file memory.max"),
        "{failure}"
    );
    assert!(!root.path("sys/fs/cgroup/web/never").exists());
    assert_eq!(run_plan(&root.sys_root(), V2, &steps[..1]).failure(), None);
    let again = run_plan(&root.sys_root(), V2, &steps[..1]);
    let failure = again.failure().expect("exists");
    assert!(failure.sentence.contains("exists already"), "{failure}");
}

#[test]
fn nothing_outside_the_hierarchy_is_touched() {
    let root = FakeRoot::new().v2_group("web", |g| g);
    fs::create_dir_all(root.path("sys/fs/outside")).expect("a directory");
    std::os::unix::fs::symlink(root.path("sys/fs/outside"), root.path("sys/fs/cgroup/link"))
        .expect("a link");
    let wild = [
        CgroupStep::Create(group("/../evil")),
        CgroupStep::Create(group("/web/../../evil")),
        CgroupStep::Create(group("/web/./x")),
        CgroupStep::Create(group("/web//x")),
        CgroupStep::Create(group("/web/\0x")),
        CgroupStep::Remove(group("/../outside")),
        CgroupStep::Remove(group("/link")),
        limit("/link", LimitFile::Max, 1),
        limit("/none", LimitFile::Max, 1),
        CgroupStep::Remove(group("/")),
        CgroupStep::Remove(group("/web")),
    ];
    for step in wild {
        let receipt = run_plan(&root.sys_root(), V2, std::slice::from_ref(&step));
        assert!(receipt.failure().is_some(), "{step:?}");
    }
    assert!(root.path("sys/fs/outside").is_dir());
    assert!(root.path("sys/fs/cgroup/web").is_dir());
    assert!(!root.path("sys/fs/evil").exists() && !root.path("sys/evil").exists());
}

#[test]
fn a_plan_for_another_hierarchy_is_not_done() {
    let root = FakeRoot::with_layout(Layout::V1);
    let steps = [CgroupStep::Create(group("/x"))];
    for version in [V2, CgroupVersion::None, CgroupVersion::Hybrid] {
        let receipt = run_plan(&root.sys_root(), version, &steps);
        assert!(receipt.failure().is_some());
    }
    assert!(!root.path("sys/fs/cgroup/memory/x").exists());
    let receipt = run_plan(&root.sys_root(), CgroupVersion::V1, &steps);
    assert_eq!(receipt.failure(), None);
    let undo = [CgroupStep::Remove(group("/x"))];
    let receipt = run_plan(&root.sys_root(), CgroupVersion::V1, &undo);
    assert_eq!(receipt.failure(), None);
    assert!(!root.path("sys/fs/cgroup/memory/x").exists());
}

#[test]
fn a_move_checks_who_it_is_before_and_where_it_went_after() {
    let tree = FakeRoot::new().v2_group("web", |g| g);
    let root = SysRoot {
        proc: PathBuf::from("/proc"),
        ..tree.sys_root()
    };
    let child = OwnChild::waiting();
    let procs = tree.path("sys/fs/cgroup/web/cgroup.procs");
    let reused = [CgroupStep::Move(child.other_id(), group("/web"))];
    let receipt = run_plan(&root, V2, &reused);
    assert_eq!(outcomes(&receipt), [Err(FailureKind::Reused)]);
    assert_eq!(fs::read_to_string(&procs).expect("there").trim(), "");
    // The fake group accepts the pid, but the real process does not move: the writer must notice.
    let step = [CgroupStep::Move(child.id(), group("/web"))];
    let receipt = run_plan(&root, V2, &step);
    assert!(receipt.failure().is_some());
    let written = fs::read_to_string(&procs).expect("there");
    assert_eq!(written.trim(), child.id().pid.to_string());
    // Pids in a foreign tree belong to other processes than pids here: no group is made for such a move either.
    let fence = [CgroupStep::Create(group("/fence")), step[0].clone()];
    let receipt = run_plan(&tree.sys_root(), V2, &fence);
    assert_eq!(receipt.steps.len(), 1);
    assert!(!tree.path("sys/fs/cgroup/fence").exists());
    let receipt = run_plan(&tree.sys_root(), V2, &step);
    let failure = receipt.failure().expect("refused");
    assert!(failure.sentence.contains("namespace"), "{failure}");
}

#[test]
fn groups_are_listed_from_the_outside_in() {
    let root = FakeRoot::new()
        .v2_group("b", |g| g)
        .v2_group("a/inner", |g| g.max("4096").current(7))
        .v2_group("a", |g| g);
    let list = list_groups(&root.sys_root()).expect("a list");
    let paths: Vec<&str> = list.groups.iter().map(|g| g.path.as_str()).collect();
    assert_eq!(paths, ["/", "/a", "/b", "/a/inner"]);
    assert_eq!(list.groups[3].limits.max, Some(4096));
    assert_eq!(list.groups[3].usage, Some(7));
    assert_eq!(list.mount, root.path("sys/fs/cgroup"));
    assert!(!list.truncated && list.skipped == 0);
    let none = FakeRoot::with_layout(Layout::None);
    let error = list_groups(&none.sys_root()).expect_err("no groups");
    assert!(error.to_string().contains("--cgroup"));
}

/// Takes the directory away even if the test fails half way.
struct Cleanup(PathBuf);

impl Drop for Cleanup {
    fn drop(&mut self) {
        fs::remove_dir(&self.0).ok();
    }
}

/// The version and the mount of this host's memory hierarchy, if a test may use it.
fn usable(test: &str) -> Option<(CgroupVersion, &'static str)> {
    if !rustix::process::geteuid().is_root() {
        skipped(test, "it needs root");
        return None;
    }
    if Path::new("/sys/fs/cgroup/memory/memory.limit_in_bytes").exists() {
        let hybrid = Path::new("/sys/fs/cgroup/unified").is_dir();
        let version = if hybrid {
            CgroupVersion::Hybrid
        } else {
            CgroupVersion::V1
        };
        return Some((version, "/sys/fs/cgroup/memory"));
    }
    let control = fs::read_to_string("/sys/fs/cgroup/cgroup.subtree_control").unwrap_or_default();
    if control.split_ascii_whitespace().any(|c| c == "memory") {
        return Some((V2, "/sys/fs/cgroup"));
    }
    skipped(test, "no memory controller is usable here");
    None
}

#[test]
fn a_real_group_is_made_limited_entered_left_and_removed() {
    let Some((version, mount)) = usable("a_real_group") else {
        return;
    };
    let root = SysRoot::default();
    let mut child = OwnChild::hog(20);
    let name = format!("oomtop-test-{}", std::process::id());
    let path = group(&name);
    let directory = Path::new(mount).join(&name);
    if fs::create_dir(&directory).is_err() {
        skipped("a_real_group", "groups cannot be made here");
        return;
    }
    fs::remove_dir(&directory).expect("removed");
    let _cleanup = Cleanup(directory.clone());
    let (file, size) = (LimitFile::hard_limit(version), 512 << 20);
    let plan = [
        CgroupStep::Create(path.clone()),
        limit(&name, file, size + 1),
        CgroupStep::Move(child.id(), path.clone()),
    ];
    let receipt = run_plan(&root, version, &plan);
    let before = receipt.steps[2].before.clone();
    let undo = inverse::of_write(std::slice::from_ref(&receipt));
    assert_eq!(
        outcomes(&receipt),
        [Ok(is_in(&path)), Ok(says(size)), Ok(is_in(&path))]
    );
    let text = fs::read_to_string(format!("/proc/{}/cgroup", child.id().pid)).expect("its groups");
    assert!(text.lines().any(|l| l.ends_with(path.as_str())), "{text}");
    // From now on its memory is charged to this group: the sampler sees the domain and its victim.
    child.fill();
    // Among many groups of others it may not be read in the first sample.
    let mut sampler = Sampler::new(root.clone()).expect("a sampler");
    let (mut domain, mut micros) = (None, 0);
    until(|| {
        micros += 1_000_000;
        let now = Now {
            monotonic: Monotonic(micros),
            ..Now::default()
        };
        let snapshot = sampler.sample(&Needs::default(), now).expect("a sample");
        domain = snapshot.domains.iter().find(|d| d.limit == size).cloned();
        domain
            .as_ref()
            .is_some_and(|domain| domain.verdict.is_some())
    });
    let domain = domain.expect("the group's domain");
    assert_eq!(domain.verdict.map(|v| v.victim.id), Some(child.id()));
    assert!(domain.usage.is_some_and(|u| u > 20 << 20), "{domain:?}");
    if version.is_v1() {
        lower_than_usage(&root, version, &name, file);
    }
    let busy = [CgroupStep::Remove(path.clone())];
    let receipt = run_plan(&root, version, &busy);
    let failure = receipt.failure().expect("not empty");
    assert!(failure.sentence.contains("not empty"), "{failure}");
    // The inverse of the receipts: back to where it was, then the group goes.
    let receipt = execute::run(&mut KernelWriter::new(root.clone(), version), &undo[0]);
    assert_eq!(undo.len(), 1);
    assert_eq!(receipt.steps[0].before.group(), Some(&path));
    assert_eq!(
        receipt.steps[0]
            .outcome
            .as_ref()
            .ok()
            .and_then(Reading::group),
        before.group()
    );
    assert_eq!(receipt.failure(), None);
    assert!(!directory.exists());
    child.kill();
    let before = before.group().cloned().expect("its group before");
    let late = [CgroupStep::Move(child.id(), before)];
    let receipt = run_plan(&root, version, &late);
    assert_eq!(outcomes(&receipt), [Err(FailureKind::Gone)]);
}

/// v1 refuses a limit below what cannot be reclaimed, and nobody dies.
fn lower_than_usage(root: &SysRoot, version: CgroupVersion, name: &str, file: LimitFile) {
    let swaps = fs::read_to_string("/proc/swaps").unwrap_or_default();
    if swaps.lines().count() > 1 {
        skipped("lower_than_usage", "swap could make room");
        return;
    }
    let receipt = run_plan(root, version, &[limit(name, file, 1 << 20)]);
    let failure = receipt.failure().expect("refused");
    assert!(failure.sentence.contains("bytes now"), "{failure}");
}

#[test]
fn v2_hands_memory_control_down_and_explains_its_rules() {
    let test = "v2_hands_memory_control_down";
    let Some((version, mount)) = usable(test) else {
        return;
    };
    if version != V2 {
        skipped(test, "memory is not controlled by cgroup v2 here");
        return;
    }
    let root = SysRoot::default();
    let mut child = OwnChild::waiting();
    let outer = format!("/oomtop-test-v2-{}", std::process::id());
    let inner = format!("{outer}/inner");
    let _cleanup = Cleanup(Path::new(mount).join(outer.trim_start_matches('/')));
    let _inner_first = Cleanup(Path::new(mount).join(inner.trim_start_matches('/')));
    let plan = [
        CgroupStep::Create(group(&outer)),
        CgroupStep::EnableMemory(group(&outer)),
        CgroupStep::Create(group(&inner)),
        limit(&inner, LimitFile::High, 100 << 20),
        CgroupStep::Limit(
            group(&inner),
            LimitWrite {
                file: LimitFile::Max,
                value: LimitValue::Unlimited,
            },
        ),
        CgroupStep::Move(child.id(), group(&inner)),
    ];
    let receipt = run_plan(&root, version, &plan);
    assert_eq!(receipt.failure(), None);
    let before = receipt.steps[5].before.group().cloned();
    let before = before.expect("its group before");
    let none = Reading::Limit(LimitValue::Unlimited);
    assert_eq!(outcomes(&receipt)[4], Ok(none));
    let cases = [
        (
            CgroupStep::Move(child.id(), group(&outer)),
            "may hold no processes itself",
        ),
        (
            CgroupStep::EnableMemory(group(&inner)),
            "holds processes itself",
        ),
        (limit("/", LimitFile::Max, 1), "cannot be limited"),
        (CgroupStep::Remove(group(&outer)), "not empty"),
        (
            CgroupStep::Move(child.id(), group("/no-such-group")),
            "not there",
        ),
    ];
    for (step, part) in cases {
        let receipt = run_plan(&root, version, std::slice::from_ref(&step));
        let failure = receipt.failure().expect("refused");
        assert!(failure.sentence.contains(part), "{step:?}: {failure}");
    }
    let undo = [
        CgroupStep::Move(child.id(), before),
        CgroupStep::Remove(group(&inner)),
        CgroupStep::Remove(group(&outer)),
    ];
    assert_eq!(run_plan(&root, version, &undo).failure(), None);
    child.kill();
}
