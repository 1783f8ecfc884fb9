//! What memory cgroups add to a sample: two thousand and ten thousand of them, by each back end.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use oomtop::linux::SysRoot;
use oomtop::linux::sampler::Sampler;
use oomtop::linux::scan::backend::BackendChoice;
use oomtop::model::snapshot::Needs;
use oomtop::model::time::{Monotonic, Now};

use crate::timer::Timer;

/// Samples before the measurement: by then every group was read once.
const WARM: u64 = 30;

pub(crate) fn run(timer: &mut Timer) {
    for many in [2_000, 10_000] {
        let name = format!("groups: {many}");
        if !timer.wants(&name) {
            continue;
        }
        let groups = match Groups::make(if timer.measures() { many } else { 20 }) {
            Ok(groups) => groups,
            Err(error) => {
                Timer::skip(&name, &format!("they cannot be made: {error}"));
                continue;
            }
        };
        for (by, choice) in [
            ("files", BackendChoice::Proc),
            ("cgroup iterator", BackendChoice::Bpf),
        ] {
            match Sampler::with_backend(SysRoot::default(), choice) {
                Ok(sampler) => of(timer, &format!("{name} by {by}"), sampler),
                Err(error) => Timer::skip(&name, &error.to_string()),
            }
        }
        drop(groups);
    }
    let nothing = SysRoot {
        cgroup: PathBuf::from("/nonexistent"),
        ..SysRoot::default()
    };
    for (by, choice) in [
        ("files", BackendChoice::Proc),
        ("cgroup iterator", BackendChoice::Bpf),
    ] {
        let name = format!("groups: none, by {by}");
        if timer.wants(&name)
            && let Ok(sampler) = Sampler::with_backend(nothing.clone(), choice)
        {
            of(timer, &name, sampler);
        }
    }
}

fn of(timer: &mut Timer, name: &str, mut sampler: Sampler) {
    let needs = Needs::default();
    let mut second = 0;
    let mut wall = Vec::new();
    let mut sample = || {
        second += 1;
        let now = Now {
            monotonic: Monotonic(second * 1_000_000),
            ..Now::default()
        };
        let begun = Instant::now();
        let snapshot = sampler.sample(&needs, now).expect("a sample");
        wall.push(begun.elapsed());
        snapshot.processes.len().max(snapshot.cgroups.len()).max(1)
    };
    for _ in 0..if timer.measures() { WARM } else { 1 } {
        sample();
        // What is loaded beside the samples gets its time.
        std::thread::sleep(Duration::from_millis(5));
    }
    timer.time(name, &mut sample);
    wall.drain(..wall.len().min(2));
    wall.sort_unstable();
    let of = |share: usize| {
        wall.get(wall.len() * share / 100)
            .copied()
            .unwrap_or_default()
    };
    println!(
        "    wall clock: half of the samples within {:?}, 99 of 100 within {:?}",
        of(50),
        of(99)
    );
}

/// Groups with a limit, inside one of their own; removed when dropped.
struct Groups(Vec<PathBuf>);

impl Groups {
    fn make(many: usize) -> std::io::Result<Self> {
        let (mount, limit) = [
            ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
            ("/sys/fs/cgroup", "memory.max"),
        ]
        .into_iter()
        .map(|(mount, limit)| (PathBuf::from(mount), limit))
        .find(|(mount, _)| mount.join("cgroup.procs").exists())
        .ok_or_else(|| std::io::Error::other("no memory controller"))?;
        let own = mount.join(format!("oomtop-test-bench-{}", std::process::id()));
        std::fs::create_dir(&own)?;
        let mut groups = Self(vec![own.clone()]);
        if limit == "memory.max" {
            std::fs::write(mount.join("cgroup.subtree_control"), "+memory")?;
            std::fs::write(own.join("cgroup.subtree_control"), "+memory")?;
        }
        for n in 0..many {
            let dir = own.join(format!("g{n:05}"));
            std::fs::create_dir(&dir)?;
            std::fs::write(dir.join(limit), "67108864")?;
            groups.0.push(dir);
        }
        Ok(groups)
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        for dir in self.0.iter().rev() {
            std::fs::remove_dir(dir).ok();
        }
    }
}
