//! One sample of the running machine, by each back end.

use std::time::Instant;

use oomtop::linux::SysRoot;
use oomtop::linux::sampler::Sampler;
use oomtop::linux::scan::backend::BackendChoice;
use oomtop::model::snapshot::Needs;
use oomtop::model::time::{Monotonic, Now};

use crate::timer::Timer;

pub(crate) fn run(timer: &mut Timer) {
    for (name, choice) in [
        ("scan: bpf task walk", BackendChoice::Bpf),
        ("scan: bpf task iterator", BackendChoice::BpfIterator),
        ("scan: /proc, rested rows less often", BackendChoice::Proc),
        ("scan: /proc, all rows", BackendChoice::ProcAll),
    ] {
        if !timer.wants(name) {
            continue;
        }
        match Sampler::with_backend(SysRoot::default(), choice) {
            Ok(sampler) => of(timer, name, sampler),
            Err(error) => Timer::skip(name, &error.to_string()),
        }
    }
}

fn of(timer: &mut Timer, name: &str, mut sampler: Sampler) {
    let begun = Instant::now();
    let needs = Needs::default();
    let mut sample = || {
        let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        let now = Now {
            monotonic: Monotonic(micros + 1),
            ..Now::default()
        };
        let snapshot = sampler.sample(&needs, now).expect("a sample");
        snapshot.processes.len()
    };
    // The first one learns names, groups and users.
    let count = sample();
    timer.time(&format!("{name}, {count} processes"), sample);
}
