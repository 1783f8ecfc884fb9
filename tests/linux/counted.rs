//! Memory cgroups counted inside the kernel: every number is that of the files, in every sample and for every group.
//! Needs root; skips loudly where the kernel has no walk over cgroups.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::PathBuf;

use crate::common::hog::Hog;
use crate::common::memcg::{Memcg, Version};
use crate::common::patience::until;
use oomtop::linux::SysRoot;
use oomtop::linux::cgroup::list::list_groups;
use oomtop::linux::sampler::Sampler;
use oomtop::linux::scan::backend::BackendChoice;
use oomtop::model::cgroup::{Cgroup, CgroupVersion};
use oomtop::model::snapshot::{Needs, Snapshot};
use oomtop::model::time::{Monotonic, Now};

/// More than the files of one sample reach: idle groups would wait for their turn.
const MANY: usize = 400;

struct Watch {
    sampler: Sampler,
    second: u64,
}

impl Watch {
    fn sample(&mut self) -> std::sync::Arc<Snapshot> {
        self.second += 1;
        let now = Now {
            monotonic: Monotonic(self.second * 1_000_000),
            ..Now::default()
        };
        self.sampler
            .sample(&Needs::default(), now)
            .expect("a sample")
    }
}

/// Groups inside one of the test, by path, as all their files show them and as a sample does.
fn inside<'a>(groups: &'a [Cgroup], parent: &str) -> Vec<&'a Cgroup> {
    let mut inside: Vec<_> = groups
        .iter()
        .filter(|group| group.present && group.path.as_str().starts_with(parent))
        .collect();
    inside.sort_by(|a, b| a.path.as_str().cmp(b.path.as_str()));
    inside
}

/// What differs between the files and a sample.
fn differences(snapshot: &Snapshot, version: CgroupVersion, parent: &str) -> Vec<String> {
    let files = list_groups(&SysRoot::default()).expect("the files").groups;
    let (files, counted) = (inside(&files, parent), inside(&snapshot.cgroups, parent));
    let facts = |group: &Cgroup| {
        let mut events = group.events;
        if version.is_v1() {
            // The sum over all that is inside, which no file of v1 has.
            events.oom_kill = None;
        }
        let (usage, swap) = (group.usage, group.swap_usage);
        format!(
            "{} {usage:?} {swap:?} {:?} {events:?} {}",
            group.path, group.limits, group.under_oom
        )
    };
    let mut wrong = Vec::new();
    if files.len() != counted.len() {
        wrong.push(format!("{} groups, {} seen", files.len(), counted.len()));
    }
    for (file, counted) in files.iter().zip(&counted) {
        let (file, counted) = (facts(file), facts(counted));
        if file != counted {
            wrong.push(format!("files {file}\nwalk  {counted}"));
        }
    }
    wrong
}

fn set(dir: &std::path::Path, file: &str, value: &str) {
    fs::write(dir.join(file), value).unwrap_or_else(|error| panic!("{file} {value}: {error}"));
}

/// Limits of every kind, other ones for each group.
fn set_limits(n: usize, dir: &std::path::Path, is_v1: bool) {
    let bytes = |times: usize| ((n + 1) * times * 65_536 + (64 << 20)).to_string();
    if is_v1 {
        set(dir, "memory.limit_in_bytes", &bytes(1));
        set(dir, "memory.soft_limit_in_bytes", &bytes(2));
        if n.is_multiple_of(3) && dir.join("memory.memsw.limit_in_bytes").exists() {
            set(dir, "memory.memsw.limit_in_bytes", &bytes(4));
        }
        if n.is_multiple_of(4) {
            set(dir, "memory.oom_control", "1");
        }
        if n.is_multiple_of(5) {
            set(dir, "memory.swappiness", &(n % 100).to_string());
        }
    } else {
        set(dir, "memory.max", &bytes(4));
        set(
            dir,
            "memory.high",
            if n.is_multiple_of(2) { "max" } else { "1G" },
        );
        set(dir, "memory.low", &bytes(1));
        set(
            dir,
            "memory.min",
            if n.is_multiple_of(3) { "max" } else { "0" },
        );
        set(
            dir,
            "memory.oom.group",
            if n.is_multiple_of(4) { "1" } else { "0" },
        );
        if dir.join("memory.swap.max").exists() {
            set(dir, "memory.swap.max", &bytes(2));
        }
    }
}

#[test]
fn a_walk_counts_every_group_as_its_files_do() {
    let test = "a_walk_counts_every_group_as_its_files_do";
    compare(test, BackendChoice::Auto, "counted");
}

#[test]
fn the_cgroup_iterator_counts_every_group_as_its_files_do() {
    let test = "the_cgroup_iterator_counts_every_group_as_its_files_do";
    compare(test, BackendChoice::BpfIterator, "called");
}

fn compare(test: &str, choice: BackendChoice, name: &str) {
    let Some(parent) = Memcg::create(name) else {
        return;
    };
    let is_v1 = parent.version() == Version::V1;
    if !is_v1 {
        set(parent.dir(), "cgroup.subtree_control", "+memory");
    }
    let dirs: Vec<PathBuf> = (0..MANY)
        .map(|n| parent.dir().join(format!("g{n:03}")))
        .collect();
    for dir in &dirs {
        fs::create_dir(dir).expect("a group");
    }
    let sampler = match Sampler::with_backend(SysRoot::default(), choice) {
        Ok(sampler) => sampler,
        Err(error) => return crate::common::skipped(test, &error.to_string()),
    };
    let mut watch = Watch { sampler, second: 0 };
    let version = watch.sampler.host().cgroups;
    let mut last = watch.sample();
    let walks = until(|| {
        last = watch.sample();
        last.groups_backend != "files" || last.groups_note.is_some()
    });
    if let Some(note) = &last.groups_note {
        return crate::common::skipped(test, note);
    }
    assert!(walks, "neither a walk nor a reason");
    assert!(
        choice != BackendChoice::BpfIterator || last.groups_backend == "bpf cgroup iterator",
        "{}",
        last.groups_backend
    );
    crate::common::measured(&format!("groups are read by {}", last.groups_backend));
    assert!(
        until(|| inside(&watch.sample().cgroups, parent.path()).len() == MANY + 1),
        "all groups are found"
    );

    // Every kind of number moves in some group; the next sample has all of it.
    let mut hogs = Vec::new();
    for (n, dir) in dirs.iter().enumerate() {
        set_limits(n, dir, is_v1);
        if n % 50 == 7 {
            let hog = Hog::start(&format!("counted-{n}"));
            fs::write(dir.join("cgroup.procs"), hog.pid().to_string()).expect("the hog moves");
            hogs.push(hog.grow(5));
        }
    }
    // One group runs out: its counters rise.
    let small = parent.child("small");
    small.limit(16 << 20);
    let mut hog = Hog::start("counted-small").in_group(&small);
    hog.leak(64, std::time::Duration::ZERO);
    assert!(
        until(|| hog.is_killed() && small.oom_kills().is_some_and(|kills| kills > 0)),
        "a kill"
    );
    assert!(until(|| inside(&watch.sample().cgroups, parent.path())
        .len()
        == MANY + 2));
    // A group that is made again under its name is another group.
    fs::remove_dir(&dirs[0]).expect("an empty group goes");
    watch.sample();
    fs::create_dir(&dirs[0]).expect("the same name again");
    // What waits in per-CPU charges moves by itself: once both readings agree they agree.
    let mut wrong = Vec::new();
    let equal = until(|| {
        wrong = differences(&watch.sample(), version, parent.path());
        wrong.is_empty()
    });
    assert!(equal, "{} differ:\n{}", wrong.len(), wrong.join("\n"));

    // One sample, not one turn of all groups, has what changed.
    for dir in &dirs {
        let file = if is_v1 {
            "memory.limit_in_bytes"
        } else {
            "memory.max"
        };
        set(dir, file, "50331648");
    }
    let snapshot = watch.sample();
    let old: Vec<_> = inside(&snapshot.cgroups, &format!("{}/g", parent.path()))
        .into_iter()
        .filter(|group| group.limits.max != Some(50_331_648) || group.read_seq != snapshot.seq)
        .map(|group| group.path.to_string())
        .collect();
    assert!(old.is_empty(), "{} are old: {old:?}", old.len());
    drop(hogs);
}
