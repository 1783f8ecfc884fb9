//! [`Urgency`]: which OOM domain to look at first. The order is pure and total: equal signs give equal
//! answers, and any two domains compare.
//!
//! The most urgent domain comes first: by [`urgency`], then by the time left in wide steps, then what grows before what
//! rests, then by stalls in steps, then by the kept share in steps of five points, then by path. Steps instead of exact numbers keep
//! the rows from jumping; the caller also holds each urgency for a while before lowering it.

use std::cmp::Reverse;
use std::time::Duration;

use crate::model::memory::band::Band;

/// How urgent a domain is, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// Nothing points to an OOM.
    #[default]
    Calm,
    /// In the first warning band, full within the hour, or a few stalls (PSI full from 1 %).
    Watch,
    /// In the second band, full within ten minutes, or many stalls (PSI full from 10 %).
    Close,
    /// In the third band, or full within two minutes.
    Imminent,
    /// The kernel killed in it a moment ago, or it was out of memory ([`Acute`] says which, for a minute); or its tasks
    /// hang or are stuck.
    Killing,
}

/// The input of [`urgency`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Signs {
    /// Band of the kept share.
    pub band: Band,
    /// Time until nothing is left; `None` without steady growth.
    pub time_left: Option<Duration>,
    /// `full avg10` of its pressure in hundredths of a percent.
    pub stalled: u32,
    /// Time since a process was killed because this domain ran out, from the log or from its counters; `None`
    /// if none was. A kill because another domain ran out does not count.
    pub since_kill: Option<Duration>,
    /// Time since its own `oom` counter rose; `None` if it did not rise, and on v1, which has no such
    /// counter. The counter also rises when nobody is killed (Documentation/admin-guide/cgroup-v2.rst,
    /// `memory.events`).
    pub since_oom: Option<Duration>,
    /// True if its tasks wait for memory and nobody is killed (v1 `oom_kill_disable`).
    pub hangs: bool,
    /// True if nothing goes on in it and nobody is killed ([`super::stuck`]).
    pub stuck: bool,
    /// What goes on in it.
    pub life: Life,
}

/// What goes on in a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Life {
    /// Nobody is in it: nobody can die there, whatever is charged to it.
    Empty,
    /// It is not known to grow.
    #[default]
    Rests,
    /// It is known to grow, however late that fills it.
    Grows,
}

/// What makes a domain [`Urgency::Killing`], and for a minute what did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acute {
    /// Its tasks wait for memory now, and nobody is killed.
    Hangs,
    /// Somebody in it was killed within the last minute.
    Killed,
    /// It was out of memory within the last minute, but no kill was counted.
    Oom,
}

impl Acute {
    /// The state as one word of at most six letters.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Hangs => "HANGS",
            Self::Killed => "KILLED",
            Self::Oom => "OOM",
        }
    }

    /// The state of the domain in a few words.
    #[must_use]
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Hangs => "hangs now",
            Self::Killed => "its last kill under a minute ago",
            Self::Oom => "OOM in the last minute, no kill counted",
        }
    }
}

impl Signs {
    /// The current acute state, if there is one.
    #[must_use]
    pub fn acute(&self) -> Option<Acute> {
        self.acute_within(LATELY)
    }

    fn acute_within(&self, most: Duration) -> Option<Acute> {
        let lately = |since: Option<Duration>| since.is_some_and(|since| since <= most);
        if self.hangs {
            Some(Acute::Hangs)
        } else if lately(self.since_kill) {
            Some(Acute::Killed)
        } else {
            lately(self.since_oom).then_some(Acute::Oom)
        }
    }
}

/// How long a kill is worth a mark.
pub const LATELY: Duration = Duration::from_mins(1);

/// How long a kill is a danger: whoever is killed again and again is so within this time. After it the other signs say
/// whether there is one.
const DANGER: Duration = Duration::from_secs(10);

const IMMINENT: Duration = Duration::from_mins(2);
const CLOSE: Duration = Duration::from_mins(10);
const WATCH: Duration = Duration::from_hours(1);

/// Steps of stalls, in hundredths of a percent.
const STALLS: [u32; 2] = [100, 1000];

/// The urgency of these signs, without hysteresis.
#[must_use]
pub fn urgency(signs: &Signs) -> Urgency {
    let within = |most| signs.time_left.is_some_and(|left| left <= most);
    if signs.acute_within(DANGER).is_some() || signs.stuck {
        Urgency::Killing
    } else if signs.band == Band::Critical || within(IMMINENT) {
        Urgency::Imminent
    } else if signs.band == Band::Danger || within(CLOSE) || signs.stalled >= STALLS[1] {
        Urgency::Close
    } else if signs.band == Band::Warning || within(WATCH) || signs.stalled >= STALLS[0] {
        Urgency::Watch
    } else {
        Urgency::Calm
    }
}

/// The position of a domain in the order: the smallest is the most urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place<'a> {
    urgency: Reverse<Urgency>,
    is_empty: bool,
    time: usize,
    grows: Reverse<bool>,
    stalls: Reverse<usize>,
    step: Reverse<u8>,
    path: &'a str,
}

impl<'a> Place<'a> {
    /// The position of a domain with this urgency and these signs. `step` is the kept share in steps of five
    /// points; `path` is the path of its group, empty for the host, so that the host comes before equal
    /// domains. An empty group is never far above the calm ones, and after those of equal urgency.
    #[must_use]
    pub fn new(urgency: Urgency, signs: &Signs, step: u8, path: &'a str) -> Self {
        let steps = [Duration::from_mins(1), IMMINENT, CLOSE, WATCH];
        // A kill that left nobody is news for the events; what fills up now comes before it.
        let is_empty = signs.life == Life::Empty;
        let urgency = if is_empty {
            urgency.min(Urgency::Watch)
        } else {
            urgency
        };
        Self {
            urgency: Reverse(urgency),
            is_empty,
            time: signs.time_left.map_or(steps.len() + 1, |left| {
                steps.iter().filter(|step| left > **step).count()
            }),
            grows: Reverse(signs.life == Life::Grows),
            stalls: Reverse(STALLS.iter().filter(|s| signs.stalled >= **s).count()),
            step: Reverse(step),
            path,
        }
    }

    /// The urgency of the domain.
    #[must_use]
    pub fn urgency(&self) -> Urgency {
        self.urgency.0
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Acute, Life, Place, Signs, Urgency, urgency};
    use crate::model::memory::band::Band;

    fn signs(band: Band, seconds: Option<u64>, stalled: u32) -> Signs {
        Signs {
            band,
            time_left: seconds.map(Duration::from_secs),
            stalled,
            ..Signs::default()
        }
    }

    #[test]
    fn each_sign_raises_it() {
        let of = |band, seconds, stalled| urgency(&signs(band, seconds, stalled));
        assert_eq!(of(Band::Normal, None, 99), Urgency::Calm);
        assert_eq!(of(Band::Normal, Some(90_000), 0), Urgency::Calm);
        assert_eq!(of(Band::Warning, None, 0), Urgency::Watch);
        assert_eq!(of(Band::Normal, Some(3_600), 0), Urgency::Watch);
        assert_eq!(of(Band::Normal, None, 1_000), Urgency::Close);
        assert_eq!(of(Band::Danger, Some(3_600), 0), Urgency::Close);
        assert_eq!(of(Band::Normal, Some(60), 0), Urgency::Imminent);
        assert_eq!(of(Band::Critical, None, 0), Urgency::Imminent);
        let killed = |seconds| Signs {
            since_kill: Some(Duration::from_secs(seconds)),
            ..Signs::default()
        };
        assert_eq!(urgency(&killed(10)), Urgency::Killing);
        // Nobody is in danger any more; that somebody was killed is still marked.
        assert_eq!(urgency(&killed(11)), Urgency::Calm);
        assert_eq!(killed(60).acute(), Some(Acute::Killed));
        assert_eq!(killed(61).acute(), None);
        let stuck = Signs {
            stuck: true,
            ..Signs::default()
        };
        assert_eq!(urgency(&stuck), Urgency::Killing);
    }

    #[test]
    fn an_oom_is_no_kill_until_one_is_counted() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let oom = Signs {
            since_oom: seconds(5),
            ..Signs::default()
        };
        assert_eq!(urgency(&oom), Urgency::Killing);
        assert_eq!(oom.acute(), Some(Acute::Oom));
        let killed = Signs {
            since_kill: seconds(50),
            ..oom
        };
        assert_eq!(killed.acute(), Some(Acute::Killed));
        let hangs = Signs {
            hangs: true,
            ..killed
        };
        assert_eq!(hangs.acute(), Some(Acute::Hangs));
        let past = Signs {
            since_oom: seconds(61),
            since_kill: seconds(61),
            ..Signs::default()
        };
        assert_eq!(past.acute(), None);
    }

    #[test]
    fn equals_are_ordered_by_time_then_stalls_then_share_then_path() {
        let place = |seconds, stalled, step, path| {
            let signs = signs(Band::Danger, seconds, stalled);
            Place::new(Urgency::Close, &signs, step, path)
        };
        let ordered = [
            place(Some(30), 0, 1, "/z"),
            place(Some(400), 0, 1, "/z"),
            place(None, 1_000, 1, "/z"),
            place(None, 0, 9, "/z"),
            place(None, 0, 8, ""),
            place(None, 0, 8, "/a"),
        ];
        assert!(ordered.is_sorted());
        let calm = Place::new(Urgency::Calm, &Signs::default(), 20, "");
        assert!(ordered.iter().all(|place| *place < calm));
    }

    #[test]
    fn an_empty_group_stands_behind_what_leaks() {
        let empty = |urgency, step| {
            let signs = Signs {
                life: Life::Empty,
                ..Signs::default()
            };
            Place::new(urgency, &signs, step, "/a")
        };
        let leak = |seconds, grows| Signs {
            life: if grows { Life::Grows } else { Life::Rests },
            ..signs(Band::Normal, seconds, 0)
        };
        let nearly_full = Place::new(Urgency::Imminent, &leak(Some(90), true), 8, "/z");
        assert!(
            nearly_full < empty(Urgency::Killing, 0),
            "all of it was killed"
        );
        assert!(
            nearly_full < empty(Urgency::Imminent, 20),
            "only a file in a tmpfs is left"
        );
        let slow = Place::new(Urgency::Calm, &leak(None, true), 0, "/z");
        let rests = Place::new(Urgency::Calm, &leak(None, false), 9, "/b");
        assert!(slow < rests, "it grows, however late that fills it");
        assert!(rests < empty(Urgency::Calm, 20));
        assert!(
            empty(Urgency::Killing, 0) < rests,
            "it is news all the same"
        );
    }

    proptest::proptest! {
        #[test]
        fn the_order_is_total(all in proptest::collection::vec((0_u8..5, proptest::option::of(0_u64..9_000), 0_u32..2_000, 0_u8..20, "[a-c]{0,2}"), 0..12)) {
            let levels = [Urgency::Calm, Urgency::Watch, Urgency::Close, Urgency::Imminent, Urgency::Killing];
            let mut places: Vec<_> = all.iter().map(|(level, left, stalled, step, path)| {
                Place::new(levels[usize::from(*level)], &signs(Band::Normal, *left, *stalled), *step, path)
            }).collect();
            places.sort();
            for pair in places.windows(2) {
                proptest::prop_assert!(pair[0] <= pair[1]);
                proptest::prop_assert!(pair[0].urgency() >= pair[1].urgency());
            }
        }
    }
}
