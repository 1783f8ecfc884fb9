//! Who dies next, and the table in order, of many processes.

use std::hint::black_box;
use std::sync::Arc;

use oomtop::app::State;
use oomtop::app::msg::Msg;
use oomtop::app::settings::Settings;
use oomtop::app::update::update;
use oomtop::model::kernel::KernelRules;
use oomtop::model::oom_domain::victim::assess;
use oomtop::model::process::Process;
use oomtop::model::snapshot::Snapshot;

use crate::scene;
use crate::timer::Timer;

/// So many processes of many sizes, spread over the groups of the scene.
pub(crate) fn crowd(count: u32, second: u32) -> Vec<Process> {
    let one = |n: u32| {
        // Some grow from second to second.
        let growth = if n.is_multiple_of(20) { second * 3 } else { 0 };
        let mib = u64::from(n.wrapping_mul(2_654_435_761) % 400 + growth);
        let adj = i64::from(n % 7) * 100 - 300;
        scene::process(n + 100, "worker", mib, adj, n % 5)
    };
    (0..count).map(one).collect()
}

/// Some samples of them, one second after the other.
pub(crate) fn samples(count: u32) -> Vec<Arc<Snapshot>> {
    (1..5)
        .map(|second| Arc::new(scene::snapshot(u64::from(second), crowd(count, second))))
        .collect()
}

pub(crate) fn run(timer: &mut Timer) {
    for count in [10_000, 30_000] {
        let samples = samples(count);
        let rules = KernelRules::default();
        let mut at = 0;
        let mut next = || {
            at += 1;
            &samples[at % samples.len()]
        };
        timer.time(
            &format!("rank: assess the domains, {count} processes"),
            || {
                let sample = next();
                let domains = assess(&sample.processes, &sample.cgroups, &sample.memory, &rules);
                black_box(domains);
                sample.processes.len()
            },
        );
        let now = scene::moment(0);
        let mut state = State::new(Settings::default(), scene::host(), (200, 50), now);
        timer.time(&format!("rank: take a sample, {count} processes"), || {
            let sample = next();
            black_box(update(&mut state, Msg::Sampled(Arc::clone(sample))));
            state.table.rows().len()
        });
    }
}
