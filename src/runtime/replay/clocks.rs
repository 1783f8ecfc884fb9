//! Clocks that were set while a machine was recorded.

use std::time::Duration;

use super::holes::stamp;
use crate::app::replay::timeline::Moment;
use crate::model::time::Wall;
use crate::text::format::duration;

/// A clock that is kept right moves by less between two samples, in microseconds.
const STEP: i64 = 2_000_000;

/// Most sentences about the clock.
const STEPS: usize = 8;

/// Where wall clock and monotonic clock disagree: a sentence each, so that nobody takes two samples of 14:03 for the same
/// minute.
pub(super) fn clock_steps(samples: &[Moment], zone: Wall) -> Vec<String> {
    let pairs = samples.iter().zip(samples.iter().skip(1));
    let steps = pairs.filter_map(|(before, after)| {
        // The monotonic clock begins anew at a boot.
        let passed = i64::try_from(after.monotonic.checked_sub(before.monotonic)?).ok()?;
        let by = after
            .unix_micros
            .saturating_sub(before.unix_micros)
            .saturating_sub(passed);
        (by.abs() > STEP).then_some((before, after, by))
    });
    let words = |(before, after, by): (&Moment, &Moment, i64)| {
        let at = |moment: &Moment| {
            stamp(Wall {
                unix_micros: moment.unix_micros,
                ..zone
            })
        };
        let seconds = by.unsigned_abs().saturating_add(500_000) / 1_000_000;
        let span = duration(Duration::from_secs(seconds));
        let (from, to) = (at(before), at(after));
        if by < 0 {
            format!("the clock was set back by {span}: {to} comes after {from}")
        } else {
            format!(
                "the clock was set forward by {span} or the machine slept: {to} comes after {from}"
            )
        }
    };
    steps.take(STEPS).map(words).collect()
}

#[cfg(test)]
mod tests {
    use super::clock_steps;
    use crate::app::replay::timeline::Moment;
    use crate::model::time::Wall;

    #[test]
    fn a_clock_that_was_set_is_said_and_one_that_is_kept_right_is_not() {
        let moment = |unix: i64, second: u64| Moment {
            unix_micros: unix * 1_000_000,
            monotonic: second * 1_000_000,
            percent: 1.0,
        };
        let zone = Wall::default();
        let kept = [
            moment(100, 1),
            moment(102, 2),
            moment(102, 3),
            moment(400, 300),
        ];
        assert!(
            clock_steps(&kept, zone).is_empty(),
            "{:?}",
            clock_steps(&kept, zone)
        );
        let set = [moment(7200, 1), moment(3601, 2), moment(10_802, 3)];
        let said = clock_steps(&set, zone);
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(
            said[0].starts_with("the clock was set back by 1h"),
            "{said:?}"
        );
        assert!(
            said[0].ends_with("01:00:01 comes after 1970-01-01 02:00:00"),
            "{said:?}"
        );
        assert!(said[1].contains("forward by 2h"), "{said:?}");
        // Another boot.
        assert!(clock_steps(&[moment(100, 900), moment(4000, 5)], zone).is_empty());
        let many: Vec<Moment> = (0_u32..200)
            .map(|n| moment(i64::from(n % 2) * 9000, u64::from(n)))
            .collect();
        assert_eq!(clock_steps(&many, zone).len(), super::STEPS);
    }
}
