//! Programs that kill before the kernel has to: when each acts, and which acts first.
//!
//! What they are set to is read from their command lines and files; whether and when they act is
//! computed from the same numbers they look at.

pub mod earlyoom;
pub mod nohang;
pub mod systemd;
pub mod units;

use std::time::Duration;

use super::cgroup::CgroupPath;
use super::headroom::Room;
use super::memory::Memory;
pub use super::oom::userspace::Killer;
use super::process::ProcessId;

/// A share in hundredths of a percent (permyriad), 0 ..= 10000: the finest that these programs take.
/// Serialized in percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(pub u32);

impl serde::Serialize for Share {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.as_percent())
    }
}

impl Share {
    /// A whole number of percent, at most 100.
    #[must_use]
    pub const fn percent(percent: u32) -> Self {
        Self(if percent > 100 { 10_000 } else { percent * 100 })
    }

    /// This part of `whole`.
    #[must_use]
    pub fn of(self, whole: u64) -> u64 {
        let part = u128::from(whole) * u128::from(self.0) / 10_000;
        u64::try_from(part).unwrap_or(u64::MAX)
    }

    /// From a number of percent; `None` outside 0 ..= 100 or if it is none.
    #[must_use]
    pub fn from_percent(percent: f64) -> Option<Self> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be 0..=100"
        )]
        (0.0..=100.0)
            .contains(&percent)
            .then(|| Self((percent * 100.0).round() as u32))
    }

    /// In percent.
    #[must_use]
    pub fn as_percent(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

/// An amount of memory or swap, as these programs take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Amount {
    /// A share of the total.
    #[serde(rename = "percent")]
    Share(Share),
    /// Bytes.
    Bytes(u64),
    /// The lower of both.
    #[serde(rename = "lower_of_percent_and_bytes")]
    Lower(Share, u64),
}

impl Amount {
    /// In bytes, of this total.
    #[must_use]
    pub fn of(self, total: u64) -> u64 {
        match self {
            Self::Share(share) => share.of(total),
            Self::Bytes(bytes) => bytes,
            Self::Lower(share, bytes) => share.of(total).min(bytes),
        }
    }
}

/// What a rule does when it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// SIGTERM to one process.
    Terminate,
    /// SIGKILL to one process.
    Kill,
    /// SIGKILL to every process of a cgroup.
    KillGroup,
}

/// When a rule holds.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// Available memory and free swap of the host are both at most this much.
    Low {
        /// `MemAvailable` at most.
        memory: Amount,
        /// `SwapFree` at most.
        swap: Amount,
        /// Never holds without swap (systemd-oomd compares with "less than").
        needs_swap: bool,
    },
    /// Memory pressure above a limit for some time.
    Pressure {
        /// Of this group; `None`: of the host.
        group: Option<CgroupPath>,
        /// `full avg10`, `some avg10`, …
        measure: &'static str,
        /// The limit.
        limit: Share,
        /// For at least so long; serialized in microseconds.
        #[serde(rename = "lasting_micros", serialize_with = "micros")]
        lasting: Duration,
    },
    /// zram takes more than this of RAM.
    Zram {
        /// The limit.
        limit: Amount,
    },
}

fn micros<S: serde::Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(span.as_micros()).unwrap_or(u64::MAX))
}

/// One condition and what follows.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Rule {
    /// When.
    pub when: Trigger,
    /// What.
    pub act: Act,
}

/// How a program chooses whom to kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The largest `oom_score`, as the host's ranking shows it.
    HighestScore,
    /// The largest resident memory.
    LargestRss,
    /// The largest `oom_score`, changed by patterns of names that are not evaluated here.
    ScoreAndPatterns,
    /// Of the monitored groups' leaves the one with the most swap (for swap), or the one that reclaims
    /// most (for pressure).
    Group,
    /// Set in a file that is not read here.
    Unknown,
}

/// One such program, as it runs now.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RunningKiller {
    /// Which.
    pub killer: Killer,
    /// Its process.
    pub id: ProcessId,
    /// Any of these is enough.
    pub rules: Vec<Rule>,
    /// Whom it chooses.
    pub choice: Choice,
    /// It only says what it would do.
    pub dry_run: bool,
    /// Where its settings are from, in words.
    pub source: String,
    /// What is missing or surprising, a sentence each.
    pub notes: Vec<String>,
    /// systemd-oomd: the groups below which it kills for swap.
    pub watched: Vec<CgroupPath>,
}

impl RunningKiller {
    /// A program whose settings are not read, and why.
    #[must_use]
    pub fn unread(killer: Killer, id: ProcessId, note: &str) -> Self {
        Self {
            killer,
            id,
            rules: Vec::new(),
            choice: Choice::Unknown,
            dry_run: false,
            source: String::new(),
            notes: vec![note.to_owned()],
            watched: Vec::new(),
        }
    }
}

impl Trigger {
    /// About how many bytes must be used up, memory and swap together, before it holds; 0 if it holds.
    /// `None` if it never can, or does not go by memory.
    ///
    /// Counted as if RAM fills up before swap does, which is what happens when processes grow (a rule that
    /// waits for swap waits for nearly all of RAM first). Where the kernel swaps earlier it comes earlier.
    #[must_use]
    pub fn room(&self, host: &Memory) -> Option<u64> {
        let Self::Low {
            memory,
            swap,
            needs_swap,
        } = self
        else {
            return None;
        };
        if *needs_swap && host.swap_total == 0 {
            return None;
        }
        let available = host.obtainable();
        let swap_left = host.swap_free.saturating_sub(swap.of(host.swap_total));
        Some(if swap_left == 0 {
            available.saturating_sub(memory.of(host.total))
        } else {
            available.saturating_add(swap_left)
        })
    }
}

/// What must be used up before the kernel itself has to kill: all that can be had, and all swap.
#[must_use]
pub fn kernel_room(host: &Memory) -> u64 {
    Room::of_host(host).left()
}

/// The rule that memory in use will meet first, with the bytes until then, if it comes before the
/// kernel. A program on a dry run does nothing.
#[must_use]
pub fn first_to_act<'a>(
    killers: &'a [RunningKiller],
    host: &Memory,
) -> Option<(&'a RunningKiller, &'a Rule, u64)> {
    let kernel = kernel_room(host);
    killers
        .iter()
        .filter(|killer| !killer.dry_run)
        .flat_map(|killer| killer.rules.iter().map(move |rule| (killer, rule)))
        .filter_map(|(killer, rule)| Some((killer, rule, rule.when.room(host)?)))
        .filter(|(.., room)| *room < kernel || kernel == 0)
        .min_by_key(|(.., room)| *room)
}

#[cfg(test)]
mod tests {
    use super::{
        Act, Amount, Choice, Killer, Rule, RunningKiller, Share, Trigger, first_to_act, kernel_room,
    };
    use crate::domain::memory::Memory;
    use crate::domain::process::ProcessId;

    const GIB: u64 = 1 << 30;

    fn low(memory: u32, swap: u32, needs_swap: bool) -> Trigger {
        Trigger::Low {
            memory: Amount::Share(Share::percent(memory)),
            swap: Amount::Share(Share::percent(swap)),
            needs_swap,
        }
    }

    fn killer(killer: Killer, when: Trigger) -> RunningKiller {
        RunningKiller {
            killer,
            id: ProcessId::default(),
            rules: vec![Rule {
                when,
                act: Act::Kill,
            }],
            choice: Choice::HighestScore,
            dry_run: false,
            source: String::new(),
            notes: Vec::new(),
            watched: Vec::new(),
        }
    }

    fn host(available: u64, swap_total: u64, swap_free: u64) -> Memory {
        Memory {
            total: 100 * GIB,
            available: Some(available * GIB),
            swap_total: swap_total * GIB,
            swap_free: swap_free * GIB,
            ..Memory::default()
        }
    }

    #[test]
    fn both_memory_and_swap_must_be_low() {
        let rule = low(10, 10, false);
        // RAM first, then all swap but 10 %.
        assert_eq!(rule.room(&host(40, 20, 12)), Some(50 * GIB));
        assert_eq!(rule.room(&host(5, 20, 12)), Some(15 * GIB));
        assert_eq!(rule.room(&host(5, 20, 1)), Some(0));
        assert_eq!(rule.room(&host(40, 0, 0)), Some(30 * GIB));
        assert_eq!(low(10, 10, true).room(&host(5, 0, 0)), None);
        // Swap counts for nothing at 100 %.
        assert_eq!(low(10, 100, false).room(&host(40, 20, 20)), Some(30 * GIB));
    }

    #[test]
    fn the_first_to_act_is_the_nearest_rule_before_the_kernel() {
        let killers = [
            killer(Killer::SystemdOomd, low(10, 10, true)),
            killer(Killer::Earlyoom, low(20, 5, false)),
        ];
        let memory = host(40, 20, 20);
        let (first, _, room) = first_to_act(&killers, &memory).expect("one");
        assert_eq!((first.killer, room), (Killer::SystemdOomd, 58 * GIB));
        // One that does not wait for swap comes before one that waits for a little of it.
        let early = killer(Killer::Earlyoom, low(10, 100, false));
        let late = killer(Killer::SystemdOomd, low(50, 50, true));
        let both = [late, early];
        let (first, _, room) = first_to_act(&both, &memory).expect("one");
        assert_eq!((first.killer, room), (Killer::Earlyoom, 30 * GIB));
        assert_eq!(kernel_room(&memory), 60 * GIB);
        // Thresholds of nothing are the kernel's own.
        let late = [killer(Killer::Earlyoom, low(0, 0, false))];
        assert!(first_to_act(&late, &memory).is_none());
        let mut dry = killers;
        dry[0].dry_run = true;
        dry[1].dry_run = true;
        assert!(first_to_act(&dry, &memory).is_none());
    }

    proptest::proptest! {
        #[test]
        fn no_numbers_overflow_and_less_memory_is_never_further(
            total: u64, available: u64, less: u64, swap: u64, free: u64, share in 0..10_000_u32
        ) {
            let mut memory = Memory {
                total, available: Some(available), swap_total: swap, swap_free: free,
                ..Memory::default()
            };
            let rule = Trigger::Low {
                memory: Amount::Share(Share(share)),
                swap: Amount::Share(Share(share)),
                needs_swap: false,
            };
            let before = rule.room(&memory);
            memory.available = Some(available.saturating_sub(less));
            proptest::prop_assert!(rule.room(&memory) <= before);
            proptest::prop_assert!(rule.room(&memory) <= Some(kernel_room(&memory)));
        }
    }
}
