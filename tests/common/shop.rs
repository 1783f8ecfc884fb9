//! OOM domains for tests: a shop in containers, and a crowd of 2 000 containers.

use std::sync::Arc;

use oomtop::app::msg::Msg;
use oomtop::model::cgroup::{Cgroup, GroupPressure, GroupStat};
use oomtop::model::freezer::{Freezable, FreezerState};
use oomtop::model::kernel::KernelRules;
use oomtop::model::oom_domain::victim::{assess, throttled_groups};
use oomtop::model::process::Process;

use super::paper;
use super::scene::{MIB, Scene, moment, process, snapshot};

/// A group with a limit; sizes in MiB.
pub(crate) fn group(path: &str, parent: Option<u32>, max: u64, usage: u64) -> Cgroup {
    let mut group = paper::group(path, parent, Some(max * MIB).filter(|max| *max > 0));
    group.usage = Some(usage * MIB);
    group.swap_usage = Some(0);
    group.events.high = Some(0);
    group.events.max = Some(0);
    group.events.oom = Some(0);
    group.events.oom_kill = Some(0);
    group.pressure = Some(GroupPressure::default());
    group
}

pub(crate) const POD: &str = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1a2b3c4d_0001_4002_8003_0123456789ab.slice";

/// A shop in containers: one leaks, a pod stalls and is killed as a group, one only looks full because of page
/// cache, one has its OOM killer disabled, one is empty, one has a higher limit than its parent.
pub(crate) fn shop(second: u64) -> (Vec<Cgroup>, Vec<Process>) {
    let id = "4f5e6d7c8b9a0123".repeat(4);
    let mut leak = group(&format!("/docker/{id}"), Some(0), 3584, 2_000 + second * 4);
    leak.limits.swap_max = Some(0);
    leak.events.max = Some(second / 2);
    let mut pod = group(POD, Some(0), 1024, 980);
    pod.limits.oom_group = true;
    pod.limits.swap_max = Some(0);
    pod.pressure = Some(GroupPressure {
        some: 4_210,
        full: 1_730,
        full_total: 0,
    });
    pod.events.high = Some(second * 3);
    let app = group(
        &format!("{POD}/cri-containerd-{id}.scope"),
        Some(2),
        2048,
        700,
    );
    let mut cache = group("/system.slice/backup.service", Some(0), 512, 512);
    cache.stat = Some(GroupStat {
        inactive_file: 400 * MIB,
        active_file: 60 * MIB,
        unwritten: 0,
        refaults: Some(12),
        ..GroupStat::default()
    });
    cache.events.max = Some(90_000);
    let mut frozen = group("/frozen", Some(0), 100, 50);
    frozen.limits.kill_disabled = true;
    let empty = group("/empty", Some(0), 64, 0);
    let groups = vec![group("/", None, 0, 0), leak, pod, app, cache, frozen, empty];
    let processes = vec![
        process(10, "java", 2_000 + second * 4, 0, 1),
        process(20, "envoy", 60, 0, 2),
        process(21, "app", 690, 0, 3),
        process(22, "app-helper", 4, -1000, 3),
        process(30, "restic", 40, 0, 4),
        process(40, "stuck", 50, 0, 5),
        process(50, "mysqld", 9_000, 0, 0),
    ];
    (groups, processes)
}

/// Takes samples of a scene of groups, one a second.
pub(crate) fn run(
    scene: &mut Scene,
    from: u64,
    seconds: u64,
    of: impl Fn(u64) -> (Vec<Cgroup>, Vec<Process>),
) {
    run_frozen(scene, from, seconds, of, &[]);
}

/// The same with what stands still.
pub(crate) fn run_frozen(
    scene: &mut Scene,
    from: u64,
    seconds: u64,
    of: impl Fn(u64) -> (Vec<Cgroup>, Vec<Process>),
    frozen: &[(Freezable, Option<FreezerState>)],
) {
    for second in from..from + seconds {
        let (mut groups, processes) = of(second);
        let mut sample = snapshot(10, processes);
        for group in &mut groups {
            group.read_seq = second;
        }
        let rules = KernelRules::default();
        sample.domains = assess(&sample.processes, &groups, &sample.memory, &rules);
        let total = sample.domains[0].total_pages;
        let slowed = throttled_groups(&sample.processes, &groups, total);
        sample.domains.extend(slowed);
        sample.frozen = frozen.to_vec();
        sample.cgroups = Arc::new(groups);
        (sample.seq, sample.taken) = (second, moment(second));
        scene.tell(Msg::Tick(moment(second)));
        scene.tell(Msg::Sampled(Arc::new(sample)));
    }
}

pub(crate) fn scene(width: u16, height: u16) -> Scene {
    let mut scene = Scene::new(width, height);
    run(&mut scene, 100, 60, shop);
    scene.keys("d");
    scene
}

/// 2 000 idle containers, and three busy ones.
pub(crate) fn crowd(second: u64) -> (Vec<Cgroup>, Vec<Process>) {
    let mut groups = vec![
        group("/", None, 0, 0),
        group("/docker", Some(0), 20_000, 9_000),
    ];
    let mut processes = vec![process(50, "mysqld", 9_000, 0, 0)];
    for n in 0..2_000_u64 {
        let id = format!("{n:04x}").repeat(16);
        let usage = match n {
            77 => 120,
            1_500 => 90 + second % 2,
            _ => 10 + n % 7,
        };
        let key = u32::try_from(groups.len()).expect("small");
        groups.push(group(&format!("/docker/{id}"), Some(1), 128, usage));
        let pid = 10_000 + key;
        processes.push(process(pid, "worker", usage, 0, key));
    }
    (groups, processes)
}
