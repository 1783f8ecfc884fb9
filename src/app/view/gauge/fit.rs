//! What a series of points says: [`fit`] of the last minute, [`brief`] of the last seconds.

use std::time::Duration;

/// Least time and points before anything is said of a minute.
const LEAST_TIME: Duration = Duration::from_secs(8);
const LEAST_POINTS: usize = 6;

/// Least time and points for the last seconds.
const BRIEF_TIME: f64 = 1.5;
const BRIEF_POINTS: usize = 3;
/// A rise of the last seconds is at least this part of what is used, and this many bytes.
const BRIEF_SHARE: f64 = 0.01;
const BRIEF_BYTES: f64 = 1_048_576.0;

/// From so many points on a series may have a step that is no part of the rise.
const LONGER_POINTS: usize = 6;
/// Such a series gives no more back than this part of the rise.
const GIVEN_BACK: f64 = 0.1;
/// And has no more of it in one step: two steps are no leak.
const AT_ONCE: f64 = 0.34;

/// What the points of a window say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fit {
    /// They are too few.
    TooFew,
    /// They lie on no line.
    Unsteady,
    /// Bytes per second.
    Steady(f64),
}

/// Judges points of (seconds, bytes), the oldest first.
pub(super) fn fit(points: &[(f64, f64)]) -> Fit {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return Fit::TooFew;
    };
    if points.len() < LEAST_POINTS || last.0 - first.0 < LEAST_TIME.as_secs_f64() {
        return Fit::TooFew;
    }
    let level = last.1.abs().max(1.0);
    let (low, high) = points
        .iter()
        .fold((f64::MAX, f64::MIN), |(low, high), (_, v)| {
            (low.min(*v), high.max(*v))
        });
    // Movement under a thousandth of what is used is rest, not growth. Most memory rests: then there
    // is nothing to fit.
    if high - low < level / 1000.0 {
        return Fit::Steady(0.0);
    }
    let slope = median_slope(points);
    let span = last.0 - first.0;
    let middle = median(points.iter().map(|(t, v)| v - slope * t).collect());
    let spread = median(
        points
            .iter()
            .map(|(t, v)| (v - slope * t - middle).abs())
            .collect(),
    );
    if (slope * span).abs() < level / 1000.0 && spread < level / 1000.0 {
        return Fit::Steady(0.0);
    }
    // The newest two have left the line together: a kill, or a burst. What was is no forecast then.
    let allowed = (spread * 8.0).max((slope * span).abs() / 4.0);
    let off = |(t, v): &(f64, f64)| v - slope * t - middle;
    let newest = points.iter().rev().take(2).map(off);
    let has_left = newest.clone().all(|by| by > allowed) || newest.clone().all(|by| by < -allowed);
    if has_left {
        return Fit::Unsteady;
    }
    let (old, new) = points.split_at(points.len() / 2);
    let agrees = |half: &[(f64, f64)]| {
        let own = median_slope(half);
        own.signum() == slope.signum() && (0.33..=3.0).contains(&(own / slope))
    };
    if agrees(old) && agrees(new) && spread * 4.0 < (slope * span).abs() {
        Fit::Steady(slope)
    } else {
        Fit::Unsteady
    }
}

/// The rise that the newest points agree on, in bytes per second, and for how long it has lasted: the longest series
/// in which each step is between a quarter and four times the usual one, or each third of a longer one. `None` if they do not rise, or by little.
pub(super) fn brief(points: &[(f64, f64)]) -> Option<(f64, Duration)> {
    let last = points.last()?;
    for from in 0..points.len() {
        let series = points.get(from..)?;
        let first = series.first()?;
        let span = last.0 - first.0;
        if series.len() < BRIEF_POINTS || span < BRIEF_TIME {
            return None;
        }
        // A series that begins at a peak says nothing of those that begin after it.
        if last.1 - first.1 < (last.1 * BRIEF_SHARE).max(BRIEF_BYTES) {
            continue;
        }
        let rate = (last.1 - first.1) / span;
        let is_steady = series.windows(2).all(|pair| match pair {
            [(t0, v0), (t1, v1)] if t1 > t0 => {
                (0.25..=4.0).contains(&((v1 - v0) / (t1 - t0) / rate))
            }
            _ => false,
        });
        if is_steady || (series.len() >= LONGER_POINTS && is_one_rise(series, rate)) {
            return Some((rate, Duration::try_from_secs_f64(span).ok()?));
        }
    }
    None
}

/// Says of a longer series what single steps do not: who allocates in portions, or waits for a second, still leaks. Each
/// third has its part of the rise, no step has most of it, and nothing is given back.
fn is_one_rise(series: &[(f64, f64)], rate: f64) -> bool {
    let (Some(first), Some(last)) = (series.first(), series.last()) else {
        return false;
    };
    let rise = last.1 - first.1;
    let steps = rise * -GIVEN_BACK..=rise * AT_ONCE;
    let is_step = |pair: &[(f64, f64)]| matches!(pair, [a, b] if steps.contains(&(b.1 - a.1)));
    if !series.windows(2).all(is_step) {
        return false;
    }
    let third = (last.0 - first.0) / 3.0;
    (0..3).all(|part| {
        let from = first.0 + third * f64::from(part);
        let rise = value_at(series, from + third) - value_at(series, from);
        (0.4..=2.5).contains(&(rise / third / rate))
    })
}

/// The value at a moment within the series, on the line between the points around it.
fn value_at(series: &[(f64, f64)], at: f64) -> f64 {
    let after = series.partition_point(|(t, _)| *t < at);
    let before = series.get(after.saturating_sub(1));
    match (before, series.get(after)) {
        (Some((t0, v0)), Some((t1, v1))) if t1 > t0 => {
            v0 + (v1 - v0) * ((at - t0) / (t1 - t0)).clamp(0.0, 1.0)
        }
        (Some((_, value)), _) | (None, Some((_, value))) => *value,
        (None, None) => 0.0,
    }
}

fn median_slope(points: &[(f64, f64)]) -> f64 {
    let mut slopes = Vec::with_capacity(points.len() * points.len() / 2);
    for (at, a) in points.iter().enumerate() {
        for b in &points[at + 1..] {
            if b.0 > a.0 {
                slopes.push((b.1 - a.1) / (b.0 - a.0));
            }
        }
    }
    median(slopes)
}

fn median(mut values: Vec<f64>) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}
