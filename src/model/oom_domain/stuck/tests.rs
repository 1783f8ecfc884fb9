//! Series of readings as real groups gave them, and what is said of each.

use std::time::Duration;

use super::{Detector, Reading, Stuck};
use crate::model::time::Monotonic;

const MIB: u64 = 1 << 20;

/// The second from which on a series is called stuck, and what it is called then.
fn flagged(reading: impl Fn(u64) -> Reading) -> Option<(u64, Stuck)> {
    let mut detector = Detector::default();
    (0..30).find_map(|second| {
        detector.accept(Monotonic(second * 1_000_000), reading(second));
        Some((second, detector.stuck()?.0))
    })
}

/// 100 MiB of programs in a group with high at 60 MiB on a host without swap: a real one stalled 98 % of the time.
fn throttled(second: u64) -> Reading {
    Reading {
        usage: 64 * MIB + second * 4096,
        kept: 64 * MIB,
        high: Some(60 * MIB),
        high_events: Some(40 * second),
        stalled: Some(second * 980_000),
        scanned: Some(0),
        stolen: Some(0),
        reread: Some(0),
        kills: Some(0),
        ..Reading::default()
    }
}

#[test]
fn over_high_without_anything_to_reclaim_is_stuck_within_ten_seconds() {
    let (second, kind) = flagged(throttled).expect("flagged");
    assert_eq!(kind, Stuck::Throttled);
    assert!(second <= 9, "{second}");
    // A little cache that goes round does not hide it.
    let scanning = |second| Reading {
        scanned: Some(second * 5_000),
        stolen: Some(second * 200),
        reread: Some(second * 190),
        ..throttled(second)
    };
    assert!(flagged(scanning).is_some());
    let without_psi = |second| Reading {
        stalled: None,
        ..throttled(second)
    };
    assert!(flagged(without_psi).is_some());
}

#[test]
fn no_sign_alone_is_enough() {
    type Change = fn(Reading, u64) -> Reading;
    let changes: [Change; 5] = [
        // A cache load: reclaim gets what it looks at.
        |r, s| Reading {
            scanned: Some(s * 50_000),
            stolen: Some(s * 49_000),
            ..r
        },
        // Back below high now and then.
        |r, s| Reading {
            usage: if s % 2 == 0 { 59 * MIB } else { r.usage },
            ..r
        },
        // Nobody waits.
        |r, s| Reading {
            stalled: Some(s * 10_000),
            ..r
        },
        // It sits above a high that was written later, and rests.
        |r, _| Reading {
            high_events: Some(7),
            ..r
        },
        // Somebody is killed.
        |r, s| Reading {
            kills: Some(s),
            ..r
        },
    ];
    for (at, change) in changes.iter().enumerate() {
        assert_eq!(flagged(|s| change(throttled(s), s)), None, "{at}");
    }
}

#[test]
fn a_group_of_v1_with_its_killer_off_is_stuck_at_once() {
    let off = |second| Reading {
        killer_off: second >= 2,
        limit: Some(MIB),
        ..Reading::default()
    };
    assert_eq!(flagged(off), Some((2, Stuck::KillerOff)));
}

#[test]
fn immune_processes_at_a_limit_are_stuck_and_a_kill_is_none() {
    let immune = |second| Reading {
        usage: 40 * MIB,
        kept: 40 * MIB,
        limit: Some(40 * MIB),
        ooms: Some(second * 100),
        kills: Some(3),
        nobody: true,
        ..Reading::default()
    };
    let (second, kind) = flagged(immune).expect("flagged");
    assert_eq!(kind, Stuck::Immune);
    assert!(second <= 9);
    let at_rest = |second| Reading {
        ooms: Some(5),
        ..immune(second)
    };
    assert_eq!(flagged(at_rest), None);
    let mortal = |second| Reading {
        nobody: false,
        ..immune(second)
    };
    assert_eq!(flagged(mortal), None);
    let cache = |second| Reading {
        kept: 20 * MIB,
        ..immune(second)
    };
    assert_eq!(flagged(cache), None);
}

#[test]
fn a_host_that_thrashes_stalls_and_reads_again() {
    let host = |stalled: u64, reread: u64| {
        flagged(|second| Reading {
            host: true,
            kept: 90 * MIB,
            limit: Some(100 * MIB),
            stalled: Some(second * stalled * 10_000),
            reread: Some(second * reread),
            kills: Some(1),
            ..Reading::default()
        })
    };
    let (second, kind) = host(60, 400).expect("flagged");
    assert_eq!(kind, Stuck::Thrashing);
    assert!(second <= 9);
    assert_eq!(host(5, 50_000), None, "a copy of a large file");
    assert_eq!(host(90, 10), None, "waits for something else");
    let cache = flagged(|second| Reading {
        host: true,
        kept: 30 * MIB,
        limit: Some(100 * MIB),
        stalled: Some(second * 700_000),
        reread: Some(second * 9_000),
        ..Reading::default()
    });
    assert_eq!(cache, None, "files read again and again");
    let killed = flagged(|second| Reading {
        host: true,
        kept: 90 * MIB,
        limit: Some(100 * MIB),
        stalled: Some(second * 800_000),
        reread: Some(second * 5_000),
        kills: Some(second / 2),
        ..Reading::default()
    });
    assert_eq!(killed, None, "kills end it");
}

#[test]
fn what_was_stuck_stays_so_for_a_moment_and_has_a_beginning() {
    let mut detector = Detector::default();
    let mut at = |second: u64, reading: Reading| {
        detector.accept(Monotonic(second * 1_000_000), reading);
        detector.stuck()
    };
    for second in 0..10 {
        at(second, throttled(second));
    }
    let since = at(10, throttled(10)).expect("stuck").1;
    assert_eq!(since, Monotonic(0));
    let free = Reading::default();
    assert!(at(11, free).is_some());
    assert!(at(12, throttled(12)).is_some());
    assert!(at(16, free).is_none());
    // A fast refresh judges the same span.
    let mut fast = Detector::default();
    for tick in 0..100_u64 {
        let reading = Reading {
            stalled: Some(tick * 98_000),
            high_events: Some(tick * 4),
            ..throttled(1)
        };
        fast.accept(Monotonic(tick * 100_000), reading);
    }
    assert_eq!(fast.stuck().map(|(kind, _)| kind), Some(Stuck::Throttled));
    assert!(fast.past.len() < 20);
    let stuck_since = fast.stuck().expect("stuck").1;
    assert!(Monotonic(9_900_000).since(stuck_since) > Duration::from_secs(5));
}
