//! The sentences of the settings panel: what each value does on the host, in a cgroup, and without swap.

use std::sync::Arc;

use crate::common::changed::{says, scene_with, set};
use crate::common::scene::{Scene, vm_settings};
use oomtop::model::snapshot::Snapshot;
use oomtop::model::vm_settings::VmSettings;

/// The panel, high enough to be whole.
fn panel(change: impl Fn(&mut Snapshot)) -> Scene {
    let mut scene = scene_with((120, 120), change);
    scene.keys("S");
    scene
}

fn settings(change: impl Fn(&mut VmSettings)) -> Scene {
    panel(set(change))
}

fn without_swap(snapshot: &mut Snapshot) {
    (snapshot.memory.swap_total, snapshot.memory.swap_free) = (0, 0);
    snapshot.vm_settings = Arc::new(VmSettings {
        swaps: Some(Vec::new()),
        swappiness: Some(0),
        ..vm_settings()
    });
}

#[test]
fn swappiness_0_still_swaps_on_the_host() {
    says(
        &settings(|s| s.swappiness = Some(0)),
        "on the host private memory is still swapped once the page cache is all but gone, before an OOM; at a \
         cgroup's limit it is not",
    );
}

#[test]
fn a_host_without_swap_thrashes_before_somebody_dies() {
    let scene = panel(without_swap);
    says(
        &scene,
        "near the end the code of running programs is dropped and read again (thrashing), then somebody dies",
    );
    says(&scene, "without swap it has no effect");
}

#[test]
fn overcommit_2_does_not_keep_limits_and_the_kernel_from_killing() {
    let scene = settings(|s| s.overcommit_memory = Some(2));
    says(
        &scene,
        "a cgroup's limit and the kernel's own memory still end in a kill",
    );
    says(
        &scene,
        "the limit (overcommit_ratio: 50% of RAM, and swap) binds",
    );
    let kbytes = settings(|s| s.overcommit_kbytes = Some(2 << 20));
    says(&kbytes, "the limit (overcommit_kbytes: 2 GiB, and swap)");
}

#[test]
fn min_ttl_kills_with_swap_free() {
    says(
        &settings(|s| s.lru_min_ttl_ms = Some(1000)),
        "if what was used in the last 1000 ms does not fit into RAM, kswapd calls the OOM killer, with swap free or \
         not",
    );
}
