//! The gauge, memory, pressure and kills.

use super::Facts;
use super::exposition::{Kind, Page};
use crate::app::lookout::By;
use crate::model::oom_domain::victim::Scope;

/// Seconds in a microsecond.
const MICRO: f64 = 1e-6;

pub(super) fn write(page: &mut Page, facts: &Facts<'_>) {
    let snapshot = &facts.lookout.snapshot;
    if snapshot.seq == 0 {
        kills(page, facts);
        return;
    }
    gauge(page, facts);
    memory(page, facts);
    pressure(page, facts);
    kills(page, facts);
}

fn gauge(page: &mut Page, facts: &Facts<'_>) {
    let gauge = &facts.lookout.gauge;
    let room = gauge.room;
    let name = facts.lookout.name(gauge.scope.unwrap_or(Scope::Host));
    let labels = [("domain", &*name)];
    let mut plain = |name, help, value: Option<u64>| {
        page.family(name, Kind::Gauge, help).sample(&labels, value);
    };
    plain(
        "oomtop_memory_limit_bytes",
        "The limit that concerns the whole machine, or the container that oomtop is in.",
        room.map(|_| gauge.limit),
    );
    plain(
        "oomtop_memory_used_bytes",
        "Used of that limit, without what the kernel drops before it kills.",
        room.map(|_| gauge.used),
    );
    plain(
        "oomtop_memory_left_bytes",
        "What can still be used before somebody is killed, swap included.",
        room.map(|_| gauge.left),
    );
    plain(
        "oomtop_memory_band",
        "Band of the gauge: 0 normal, 1 warning, 2 danger, 3 critical.",
        room.map(|_| gauge.band as u64),
    );
    page.family(
        "oomtop_memory_used_ratio",
        Kind::Gauge,
        "Used share of that limit.",
    )
    .sample(&labels, room.map(|_| gauge.percent() / 100.0));
    let watch = gauge
        .scope
        .and_then(|scope| facts.lookout.domains.watch(scope));
    let left = watch.and_then(|watch| watch.first_full);
    page.family(
        "oomtop_memory_time_left_seconds",
        Kind::Gauge,
        "Time until nothing is left; absent unless memory grows steadily.",
    )
    .sample(&labels, left.map(|(_, left)| left.as_secs_f64()));
}

fn memory(page: &mut Page, facts: &Facts<'_>) {
    let memory = &facts.lookout.snapshot.memory;
    let mut plain = |name, help, value: Option<u64>| {
        page.family(name, Kind::Gauge, help).sample(&[], value);
    };
    plain(
        "oomtop_host_memory_bytes",
        "RAM of the host (MemTotal).",
        Some(memory.total),
    );
    plain(
        "oomtop_host_available_bytes",
        "RAM of the host that can be had without swapping (MemAvailable).",
        memory.available,
    );
    plain(
        "oomtop_host_swap_bytes",
        "Swap of the host (SwapTotal).",
        Some(memory.swap_total),
    );
    plain(
        "oomtop_host_swap_used_bytes",
        "Used swap of the host.",
        Some(memory.swap_used()),
    );
    plain(
        "oomtop_host_committed_bytes",
        "Memory that processes were promised (Committed_AS).",
        memory.committed,
    );
    plain(
        "oomtop_host_commit_limit_bytes",
        "Most that they can be promised; it binds only with vm.overcommit_memory=2 (CommitLimit).",
        memory.commit_limit,
    );
}

fn pressure(page: &mut Page, facts: &Facts<'_>) {
    let Some(pressure) = facts.lookout.snapshot.pressure else {
        return;
    };
    let mut counter = |name, help, total: u64| {
        page.family(name, Kind::Counter, help)
            .sample(&[], Some(total as f64 * MICRO));
    };
    counter(
        "oomtop_pressure_waiting_seconds",
        "Time in which some task of the host waited for memory (PSI some).",
        pressure.some.total,
    );
    counter(
        "oomtop_pressure_stalled_seconds",
        "Time in which all tasks of the host waited for memory (PSI full).",
        pressure.full.total,
    );
    let mut family = page.family(
        "oomtop_pressure_ratio",
        Kind::Gauge,
        "Share of the last seconds in which some or all tasks of the host waited for memory (PSI).",
    );
    for (kind, stall) in [("some", pressure.some), ("full", pressure.full)] {
        let windows = [
            ("10s", stall.avg10),
            ("60s", stall.avg60),
            ("300s", stall.avg300),
        ];
        for (window, percent) in windows {
            let labels = [("kind", kind), ("window", window)];
            family.sample(&labels, Some(f64::from(percent) / 100.0));
        }
    }
}

fn kills(page: &mut Page, facts: &Facts<'_>) {
    let lookout = facts.lookout;
    page.family(
        "oomtop_kernel_kills",
        Kind::Counter,
        "Processes that the kernel's OOM killer has killed since boot, by the kernel's own counter (oom_kill of /proc/vmstat).",
    )
    .sample(&[], lookout.snapshot.kills.host);
    let mut family = page.family(
        "oomtop_kills",
        Kind::Counter,
        "Processes killed for want of memory since oomtop started, by whom, and what had run out.",
    );
    for by in By::all() {
        let labels = [("by", by.word()), ("scope", by.scope())];
        family.sample(&labels, Some(lookout.toll.of(by)));
    }
    let last = lookout.toll.last.map(|last| {
        let at = lookout.snapshot.taken.wall_of(last);
        at.unix_micros as f64 * MICRO
    });
    page.family(
        "oomtop_last_kill_timestamp_seconds",
        Kind::Gauge,
        "When somebody was killed last since oomtop started, since 1970; absent if nobody was.",
    )
    .sample(&[], last);
    let source = &lookout.events.source;
    let mut family = page.family(
        "oomtop_kill_source_up",
        Kind::Gauge,
        "1 if kills by the kernel, or by programs, are told of by a log; 0 if only counters show those of the kernel and nothing those of programs.",
    );
    if source.caught_up {
        family.sample(
            &[("of", "kernel")],
            Some(source.missing.is_empty() && source.has_log()),
        );
        // No such program runs: no kill is missed.
        let hears = source.unheard.is_empty() || lookout.snapshot.killers.is_empty();
        family.sample(&[("of", "programs")], Some(hears));
    }
}
