//! Takes samples of a fake tree and finds rows and groups in them.
#![allow(
    dead_code,
    reason = "every test crate compiles all of this and uses a part of it"
)]
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::sync::Arc;

use oomtop::linux::sampler::Sampler;
use oomtop::model::cgroup::Cgroup;
use oomtop::model::process::Process;
use oomtop::model::snapshot::{Needs, Snapshot};
use oomtop::model::time::{Monotonic, Now};

use super::fake_root::FakeRoot;

pub(crate) const MIB: u64 = 1 << 20;

pub(crate) fn at(seconds: u64) -> Now {
    Now {
        monotonic: Monotonic(seconds * 1_000_000),
        ..Now::default()
    }
}

pub(crate) fn sampler(root: &FakeRoot) -> Sampler {
    Sampler::new(root.sys_root()).expect("a sampler")
}

pub(crate) fn sample(root: &FakeRoot) -> Arc<Snapshot> {
    sampler(root)
        .sample(&Needs::default(), at(1))
        .expect("a sample")
}

pub(crate) fn row(snapshot: &Snapshot, pid: u32) -> &Process {
    snapshot
        .processes
        .iter()
        .find(|p| p.id.pid == pid)
        .unwrap_or_else(|| panic!("no row of {pid}"))
}

pub(crate) fn group<'s>(snapshot: &'s Snapshot, path: &str) -> &'s Cgroup {
    snapshot
        .cgroups
        .iter()
        .find(|g| g.path.as_str() == path)
        .unwrap_or_else(|| panic!("no group {path}"))
}

pub(crate) fn group_of(snapshot: &Snapshot, pid: u32) -> Option<&str> {
    let key = row(snapshot, pid).cgroup?;
    snapshot.cgroup(key).map(|g| g.path.as_str())
}
