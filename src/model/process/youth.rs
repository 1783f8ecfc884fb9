//! [`Youth`]: how fast new processes of a name have grown and shrunk lately. A process that is seen for the first time has no past
//! of its own: what others of its name did is the best guess (workers that are killed and started again).

use std::collections::HashMap;

use crate::model::process::comm::Comm;
use crate::model::process::pace::Pace;
use crate::model::time::Monotonic;

/// A process is new in so many samples.
const NEW: u32 = 8;

/// What is slower is not remembered, in bytes per second.
const LEAST: f32 = 1_048_576.0;

/// Seconds after which a third is left of what was seen.
const FADES: f32 = 15.0;

/// Most names remembered.
const MOST: usize = 256;

/// The fastest rise and the fastest fall by name, in bytes per second.
#[derive(Debug, Default)]
pub struct Youth {
    by_name: HashMap<Comm, (f32, f32)>,
}

impl Youth {
    /// Learns from a process that was seen in so many samples, and completes its pace if it is new.
    pub fn take(&mut self, name: Comm, seen: u32, pace: &mut Pace) {
        if pace.high >= LEAST || pace.low <= -LEAST {
            let room = self.by_name.len() < MOST;
            match self.by_name.get_mut(&name) {
                Some((high, low)) => (*high, *low) = (high.max(pace.high), low.min(pace.low)),
                None if room => {
                    self.by_name.insert(name, (pace.high, pace.low));
                }
                None => {}
            }
        }
        if seen <= NEW
            && let Some((high, low)) = self.by_name.get(&name)
        {
            (pace.high, pace.low) = (pace.high.max(*high), pace.low.min(*low));
        }
    }

    /// Lets what was seen fade.
    pub fn end_round(&mut self, now: Monotonic, before: Option<Monotonic>) {
        let Some(before) = before else { return };
        let kept = (-now.since(before).as_secs_f32() / FADES).exp();
        self.by_name.retain(|_, (high, low)| {
            (*high, *low) = (*high * kept, *low * kept);
            *high >= LEAST || *low <= -LEAST
        });
    }
}

#[cfg(test)]
mod tests {
    use super::Youth;
    use crate::model::process::pace::Pace;
    use crate::model::time::Monotonic;

    #[test]
    fn a_new_worker_may_do_what_the_one_before_it_did_for_a_while() {
        let mut youth = Youth::default();
        let mut grown = Pace {
            high: 5e8,
            low: -3e8,
            ..Pace::default()
        };
        youth.take("worker".into(), 3, &mut grown);
        let high = |youth: &mut Youth, name: &str, seen| {
            let mut pace = Pace::default();
            youth.take(name.into(), seen, &mut pace);
            pace.high
        };
        assert!(high(&mut youth, "worker", 1) > 4e8);
        let mut young = Pace::default();
        youth.take("worker".into(), 2, &mut young);
        assert!(young.low < -2e8, "{young:?}");
        assert!(
            high(&mut youth, "worker", 50) == 0.0,
            "it has shown what it does"
        );
        assert!(high(&mut youth, "other", 1) == 0.0);
        let at = |second: u64| Monotonic(second * 1_000_000);
        for second in 1..200 {
            youth.end_round(at(second), Some(at(second - 1)));
        }
        assert!(high(&mut youth, "worker", 1) == 0.0 && youth.by_name.is_empty());
    }
}
