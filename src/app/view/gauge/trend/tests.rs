//! Leaks, saws, steps and kills, and what a trend says of them.

use std::time::Duration;

use super::{Rate, Trend};
use crate::model::time::Monotonic;

const MIB: u64 = 1 << 20;

fn trend(used: impl Fn(u64) -> u64, seconds: u64) -> Trend {
    let mut trend = Trend::default();
    for t in 0..seconds {
        trend.push(Monotonic(t * 1_000_000), used(t));
    }
    trend
}

#[test]
fn a_steady_leak_has_a_time() {
    let leak = trend(|t| 1000 * MIB + t * 10 * MIB + (t % 3) * MIB, 40);
    let Rate::Steady(rate) = leak.rate() else {
        panic!("{:?}", leak.rate())
    };
    assert!((rate / MIB as f64 - 10.0).abs() < 0.5);
    let time = leak.time_to(600 * MIB).expect("a time");
    assert!((55..=65).contains(&time.as_secs()));
}

#[test]
fn a_saw_a_step_and_a_spike_have_none() {
    assert_eq!(
        trend(|t| 1000 * MIB + (t % 10) * 50 * MIB, 60).rate(),
        Rate::Unsteady
    );
    let step = trend(|t| if t < 30 { 1000 * MIB } else { 1500 * MIB }, 60);
    assert_eq!(step.time_to(MIB), None);
    let spike = trend(|t| if t == 30 { 3000 * MIB } else { 1000 * MIB }, 60);
    assert_eq!(spike.rate(), Rate::Steady(0.0));
    assert_eq!(trend(|_| 1000 * MIB, 3).rate(), Rate::Unknown);
    assert_eq!(trend(|t| 1000 * MIB - t * MIB, 60).time_to(MIB), None);
}

#[test]
fn a_leak_that_was_killed_has_none() {
    let kill = |t| if t < 50 { 1000 + t * 10 } else { 300 };
    // One odd sample is a spike; a second one confirms the change.
    assert!(matches!(
        trend(|t| kill(t) * MIB, 51).rate(),
        Rate::Steady(_)
    ));
    for seconds in 52..60 {
        let killed = trend(|t| kill(t) * MIB, seconds);
        assert_eq!(killed.rate(), Rate::Unsteady, "after {seconds} s");
    }
}

#[test]
fn a_coarse_one_says_the_same_of_a_leak_and_keeps_little() {
    let mut trend = Trend::coarse();
    for t in 0..600 {
        trend.push(Monotonic(t * 200_000), 100 * MIB + t * MIB / 5);
    }
    assert_eq!(trend.values().len(), 30);
    let Rate::Steady(rate) = trend.rate() else {
        panic!("{:?}", trend.rate())
    };
    assert!((rate / MIB as f64 - 1.0).abs() < 0.05);
}

#[test]
fn a_fast_leak_is_seen_in_three_seconds_and_only_as_far_as_that_can_tell() {
    let rests_then_leaks = |t: u64| 40 * MIB + t.saturating_sub(20) * 20 * MIB;
    for mut trend in [Trend::default(), Trend::coarse()] {
        for t in 0..=20 {
            trend.push(Monotonic(t * 1_000_000), rests_then_leaks(t));
        }
        assert_eq!(trend.time_to(260 * MIB), None, "it rests");
        for t in 21..=23 {
            trend.push(Monotonic(t * 1_000_000), rests_then_leaks(t));
        }
        let Rate::Lately(rate, over) = trend.rate() else {
            panic!("{:?}", trend.rate())
        };
        assert!((rate / MIB as f64 - 20.0).abs() < 1.0, "{rate}");
        assert!((2..=4).contains(&over.as_secs()), "{over:?}");
        let time = trend.time_to(200 * MIB).expect("a time");
        assert!((8..=12).contains(&time.as_secs()), "{time:?}");
        // Three seconds say nothing about the next ten minutes.
        assert_eq!(trend.time_to(12_000 * MIB), None);
    }
}

/// The rise of the last seconds after each of so many half seconds.
fn lately(used: impl Fn(u64) -> u64, halves: u64) -> Vec<Option<f64>> {
    let mut trend = Trend::coarse();
    let after = |half: u64| {
        trend.push(Monotonic(half * 500_000), used(half) * MIB);
        let (rate, _) = trend.lately()?;
        Some(rate / MIB as f64)
    };
    (0..halves).map(after).collect()
}

#[test]
fn a_leak_that_waits_for_a_second_or_comes_in_portions_is_told_without_a_gap() {
    // 20 MiB a second, nothing in the seconds 8 and 14.
    let waited = |half: u64| half.clamp(16, 18) - 16 + half.clamp(28, 30) - 28;
    let waits = |half: u64| 100 + (half - waited(half)) * 10;
    let told = lately(waits, 44);
    assert!(told[4..].iter().all(Option::is_some), "{told:?}");
    // 40 MiB every two seconds.
    let told = lately(|half| 100 + half / 4 * 40, 60);
    assert!(told[24..].iter().all(Option::is_some), "{told:?}");
    // It rests in the end, and is not told much longer.
    let told = lately(|half| 100 + half.min(30) * 10, 60);
    assert!(told[42..].iter().all(Option::is_none), "{told:?}");
    // A step is no leak.
    let told = lately(|half| if half < 20 { 100 } else { 400 }, 60);
    assert!(told.iter().all(Option::is_none), "{told:?}");
}

#[test]
fn one_peak_of_the_last_minute_hides_no_leak_and_a_saw_is_none() {
    // It starts again after 10 s, in the same group.
    let told = lately(
        |half| if half < 20 { 250 } else { 10 + (half - 20) * 5 },
        60,
    );
    assert!(told[24..].iter().all(Option::is_some), "{told:?}");
    // The start needs much for a moment.
    let young = |half: u64| {
        if (2..6).contains(&half) {
            200
        } else {
            60 + half * 2
        }
    };
    let told = lately(young, 60);
    assert!(told[14..].iter().all(Option::is_some), "{told:?}");
    // A saw is known by its second tooth.
    let told = lately(|half| 100 + half % 14 * 10, 120);
    assert!(told[42..].iter().all(Option::is_none), "{told:?}");
}

#[test]
fn samples_that_come_early_do_not_hide_a_leak() {
    let mut trend = Trend::coarse();
    let used = |millis: u64| 40 * MIB + millis / 100 * 2 * MIB;
    for second in 0..10 {
        for millis in [0, 40, 290, 610] {
            let at = second * 1000 + millis;
            trend.push(Monotonic(at * 1000), used(at));
            if at > 3000 {
                let rate = trend.lately();
                assert!(rate.is_some_and(|(rate, _)| rate > 15e6), "{at} {rate:?}");
            }
        }
    }
}

#[test]
fn a_burst_of_a_minute_is_no_forecast_of_half_an_hour() {
    // A build on a machine with much room: 16.5 % of 24 GiB, 12 MiB a second.
    let build = |t: u64| 4000 * MIB + t.saturating_sub(60) * 12 * MIB;
    let left = 20_000 * MIB;
    for seconds in 62..150 {
        assert_eq!(
            trend(build, seconds).time_to(left),
            None,
            "after {seconds} s"
        );
    }
    // One that goes on is told.
    let time = trend(build, 420).time_to(left).expect("a time");
    assert!((25..=30).contains(&(time.as_secs() / 60)), "{time:?}");
    // What is near is told at once.
    assert!(trend(build, 90).time_to(200 * MIB).is_some());
}

#[test]
fn after_a_kill_only_what_follows_counts() {
    let mut trend = Trend::default();
    for t in 0..50 {
        trend.push(Monotonic(t * 1_000_000), (100 + t * 20) * MIB);
    }
    trend.restart(Monotonic(50 * 1_000_000));
    assert_eq!(trend.rate(), Rate::Unknown);
    for t in 50..53 {
        trend.push(Monotonic(t * 1_000_000), (100 + (t - 50) * 30) * MIB);
    }
    assert!(matches!(trend.rate(), Rate::Lately(rate, _) if rate > 25e6));
}

#[test]
fn keeps_five_minutes() {
    assert_eq!(trend(|t| t, 1000).values().len(), 300);
    assert_eq!(Trend::default().time_to(1), None);
    assert_eq!(
        trend(|t| 1 + t * 1_000_000_000, 40).time_to(0),
        Some(Duration::ZERO)
    );
}
