//! [`Timer`]: repeats a piece of work and prints what one round costs.
//!
//! Measures processor time of the whole process, not wall-clock time, so other load does not count. The
//! fastest round is the cost; the median shows how much other processes disturb the caches.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// How long each piece of work is repeated.
const LONG: Duration = Duration::from_millis(1500);

/// Rounds after which it is enough.
const MOST: usize = 2000;

/// Chooses, times and prints.
pub(crate) struct Timer {
    /// True under `cargo bench`; otherwise each piece of work runs once, untimed.
    measures: bool,
    wanted: Vec<String>,
}

impl Timer {
    pub(crate) fn from_arguments(arguments: impl Iterator<Item = String>) -> Self {
        let mut timer = Self {
            measures: false,
            wanted: Vec::new(),
        };
        for argument in arguments {
            if argument == "--bench" {
                timer.measures = true;
            } else if !argument.starts_with('-') {
                timer.wanted.push(argument);
            }
        }
        if timer.measures {
            println!(
                "{:<52} {:>12} {:>12} {:>12} {:>7}",
                "CPU time per round", "least", "median", "per item", "rounds"
            );
        }
        timer
    }

    /// False if each piece of work runs once, as a test.
    pub(crate) fn measures(&self) -> bool {
        self.measures
    }

    /// True if the user wants it.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.wanted.is_empty() || self.wanted.iter().any(|word| name.contains(word.as_str()))
    }

    /// Says why a piece of work is left out.
    pub(crate) fn skip(name: &str, because: &str) {
        println!("SKIPPED: {name} because {because}");
    }

    /// Repeats `work`, which returns how many items it has dealt with.
    pub(crate) fn time(&mut self, name: &str, mut work: impl FnMut() -> usize) {
        if !self.wants(name) {
            return;
        }
        let items = std::hint::black_box(work());
        assert!(items > 0, "{name} has nothing to do");
        if !self.measures {
            println!("{name}: ok");
            return;
        }
        let begun = Instant::now();
        let mut rounds = Vec::new();
        while rounds.len() < MOST && (begun.elapsed() < LONG || rounds.len() < 5) {
            let before = spent();
            std::hint::black_box(work());
            rounds.push(spent().saturating_sub(before));
        }
        rounds.sort_unstable();
        let least = rounds[0];
        let per_item = least.as_nanos() / items as u128;
        println!(
            "{name:<52} {:>12} {:>12} {:>12} {:>7}",
            micros(least),
            micros(rounds[rounds.len() / 2]),
            format!("{per_item} ns"),
            rounds.len()
        );
    }
}

fn micros(time: Duration) -> String {
    format!("{:.1} us", time.as_secs_f64() * 1e6)
}

fn spent() -> Duration {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(spent.tv_sec).unwrap_or(0);
    let nanos = u32::try_from(spent.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanos)
}
