//! [`Advice`]: which limit would do for a command that was watched.

use super::course::Held;

/// Part of the need that is added, and the least that is: the kernel charges in batches, and the next run is never
/// quite like this one.
const PART: u64 = 20;
const LEAST: u64 = 1 << 20;

/// Limits are named in whole MiB.
const STEP: u64 = 1 << 20;

/// Fewer samples tell nothing of what a command needs: the next run may be at its peak in another moment.
pub const FEWEST: u64 = 10;

/// What limit would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Advice {
    /// A limit of `bytes` would do.
    Enough {
        /// The limit.
        bytes: u64,
        /// Most that was held at one time, with what was swapped out.
        need: u64,
        /// What the kernel counted at a moment between two readings; it is taken for memory that must stay.
        unseen: u64,
        /// What is added.
        margin: u64,
    },
    /// The command was out of memory: it needs more than `bytes`, and nobody knows how much.
    More {
        /// What it had.
        bytes: u64,
    },
    /// The kernel killed in the group because the host, or a group around it, ran out: `bytes` were held until then, and
    /// nobody knows what more it would have taken.
    CutShort {
        /// The most that was held, with what was swapped out.
        bytes: u64,
    },
    /// The command ended before enough was seen of it.
    TooShort {
        /// How often it was looked at.
        readings: u64,
    },
    /// The kernel killed in the group, and nobody knows whether the limit of the group ran out.
    Unknown {
        /// The most that was held until then, with what was swapped out.
        bytes: u64,
    },
}

/// What the advice follows from, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen {
    /// How often the group was looked at.
    pub readings: u64,
    /// The parts when most was held.
    pub held: Held,
    /// The highest usage that a reading has shown.
    pub usage: u64,
    /// The most of which a reading has told what it is: what is held, and caches.
    pub told: u64,
    /// The highest usage that the kernel has counted; `None` where it keeps none.
    pub counted: Option<u64>,
    /// The group ran out of memory.
    pub was_out: bool,
    /// Somebody in it was killed because others ran out.
    pub was_cut_short: bool,
    /// Somebody in it was killed, and who ran out is unknown.
    pub may_be_out: bool,
}

/// The limit that would do; `None` if nothing of the group could be read.
#[must_use]
pub fn advice(seen: &Seen) -> Option<Advice> {
    let need = seen.held.with_swap();
    let peak = seen.counted.unwrap_or(0).max(seen.usage);
    if seen.was_out {
        let bytes = need.max(peak);
        return Some(Advice::More { bytes });
    }
    if seen.was_cut_short {
        return Some(Advice::CutShort { bytes: need });
    }
    if seen.may_be_out {
        return Some(Advice::Unknown { bytes: need });
    }
    if seen.readings == 0 && peak == 0 {
        return None;
    }
    if seen.readings < FEWEST {
        return Some(Advice::TooShort {
            readings: seen.readings,
        });
    }
    if need == 0 {
        return None;
    }
    // With page cache the usage may be far higher: what no reading has shown counts, what was seen to be cache does not.
    let unseen = peak.saturating_sub(seen.told);
    let whole = need.saturating_add(unseen);
    let margin = (whole / PART).max(LEAST);
    let bytes = whole.saturating_add(margin).checked_next_multiple_of(STEP);
    Some(Advice::Enough {
        bytes: bytes.unwrap_or(u64::MAX),
        need,
        unseen,
        margin,
    })
}

#[cfg(test)]
mod tests {
    use super::{Advice, Seen, advice};
    use crate::model::on_paper::MIB;
    use crate::model::run::course::Held;

    fn seen(anon: u64, usage: u64, counted: Option<u64>) -> Seen {
        Seen {
            readings: 100,
            held: Held {
                anon: anon * MIB,
                ..Held::default()
            },
            usage: usage * MIB,
            told: usage * MIB,
            counted: counted.map(|mib| mib * MIB),
            was_out: false,
            was_cut_short: false,
            may_be_out: false,
        }
    }

    fn bytes(seen: &Seen) -> u64 {
        match advice(seen) {
            Some(Advice::Enough { bytes, .. }) => bytes / MIB,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn page_cache_needs_no_limit_and_what_no_reading_has_shown_does() {
        assert_eq!(bytes(&seen(200, 900, Some(900))), 210);
        assert_eq!(bytes(&seen(200, 200, Some(240))), 252);
        // No counter, or one that lags behind.
        assert_eq!(bytes(&seen(200, 200, None)), 210);
        assert_eq!(bytes(&seen(200, 200, Some(190))), 210);
    }

    /// The usage was read, the process ended, and then its parts were read.
    #[test]
    fn a_process_that_ends_within_a_reading_is_not_taken_for_page_cache() {
        let torn = Seen {
            told: 73 * MIB,
            ..seen(73, 82, Some(83))
        };
        assert_eq!(bytes(&torn), 88);
    }

    #[test]
    fn a_command_that_was_hardly_seen_gets_no_limit() {
        for readings in [0, 1, 9] {
            let short = Seen {
                readings,
                ..seen(90, 95, Some(100))
            };
            assert_eq!(advice(&short), Some(Advice::TooShort { readings }));
            // What the kernel has counted needs no samples.
            let out = Seen {
                was_out: true,
                ..short
            };
            assert_eq!(advice(&out), Some(Advice::More { bytes: 100 * MIB }));
        }
        assert_eq!(advice(&seen(0, 0, None)), None, "nothing could be read");
    }

    #[test]
    fn who_was_killed_needs_more_than_it_had() {
        let killed = Seen {
            was_out: true,
            ..seen(90, 95, Some(100))
        };
        assert_eq!(advice(&killed), Some(Advice::More { bytes: 100 * MIB }));
        let bystander = Seen {
            was_cut_short: true,
            ..seen(90, 95, Some(100))
        };
        let told = advice(&bystander);
        assert_eq!(told, Some(Advice::CutShort { bytes: 90 * MIB }));
        assert_eq!(advice(&Seen::default()), None);
    }

    proptest::proptest! {
        /// Nine tenths of the advice are less than the need, and the advice is more, unless the need is tiny.
        #[test]
        fn the_advice_is_tight(anon in 16_u64..100_000, cache in 0_u64..100_000) {
            let advised = bytes(&seen(anon, anon + cache, Some(anon + cache)));
            proptest::prop_assert!(advised > anon);
            proptest::prop_assert!(advised * 9 < anon * 10, "{} of {}", advised, anon);
        }

        #[test]
        fn no_number_is_too_large(a: u64, b: u64, c: Option<u64>) {
            let held = Held { anon: a, shmem: b, kernel: a, swap: b };
            let _ = advice(&Seen { readings: 100, held, usage: b, told: a, counted: c, was_out: false, was_cut_short: false, may_be_out: false });
        }
    }
}
