//! Kernel texts: logs with OOM reports, and the files of processes.

use std::hint::black_box;
use std::path::Path;

use oomtop::linux::sampler::Sampler;
use oomtop::linux::scan::backend::BackendChoice;
use oomtop::model::snapshot::Needs;
use oomtop::model::time::Now;
use oomtop::oomlog::TextLog;

use crate::fake_root::FakeRoot;
use crate::timer::Timer;

/// Processes of the fake tree.
const PROCESSES: u32 = 1000;

pub(crate) fn run(timer: &mut Timer) {
    for name in ["071-v61-ratelimited", "063-v510-220-tasks"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/oom");
        let log = std::fs::read(path.join(format!("{name}.log"))).expect("the fixture");
        let lines = log.split(|byte| *byte == b'\n').count();
        timer.time(&format!("parse: {name}.log, {lines} lines"), || {
            let mut events = Vec::new();
            let mut text = TextLog::new();
            for line in log.split(|byte| *byte == b'\n') {
                text.line(line, &mut events);
            }
            text.finish(&mut events);
            assert!(!events.is_empty());
            black_box(events);
            lines
        });
    }
    files(timer);
}

/// `stat`, `status` and `oom_score_adj` from an ordinary file system: what the kernel takes to print
/// them is left out.
fn files(timer: &mut Timer) {
    let name = format!("parse: files of {PROCESSES} processes, opened and read");
    if !timer.wants(&name) {
        return;
    }
    let mut root = FakeRoot::new();
    for pid in 1..=PROCESSES {
        root = root.process(pid, |p| p.comm("some (odd) name").rss_mib(u64::from(pid)));
    }
    let mut sampler =
        Sampler::with_backend(root.sys_root(), BackendChoice::ProcAll).expect("a sampler");
    let needs = Needs {
        visible: (1..=PROCESSES)
            .map(crate::fake_root::FakeProcess::id)
            .collect(),
        ..Needs::default()
    };
    timer.time(&name, || {
        let snapshot = sampler.sample(&needs, Now::default()).expect("a sample");
        snapshot.processes.len()
    });
}
