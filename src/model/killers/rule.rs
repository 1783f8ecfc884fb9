//! [`Rule`]: when a program acts, and how many bytes are left until then.

use std::time::Duration;

use crate::model::cgroup::CgroupPath;
use crate::model::memory::Memory;

/// A share in hundredths of a percent (permyriad), 0 ..= 10000: the finest unit that these programs accept.
/// Serialized in percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(pub u32);

impl serde::Serialize for Share {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.as_percent())
    }
}

impl Share {
    /// From a whole number of percent, at most 100.
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

    /// From a number of percent; `None` outside 0 ..= 100 and for NaN.
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

    /// The share in percent.
    #[must_use]
    pub fn as_percent(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

/// An amount of memory or swap, as these programs accept it.
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
    /// The amount in bytes, relative to this total.
    #[must_use]
    pub fn of(self, total: u64) -> u64 {
        match self {
            Self::Share(share) => share.of(total),
            Self::Bytes(bytes) => bytes,
            Self::Lower(share, bytes) => share.of(total).min(bytes),
        }
    }

    /// The amount in bytes where shares are of `whole`, and bytes count as a share of `total`.
    fn scaled(self, total: u64, whole: u64) -> u64 {
        if whole == total || total == 0 {
            return self.of(whole);
        }
        let shrunk = |bytes: u64| {
            let part = u128::from(bytes) * u128::from(whole) / u128::from(total);
            u64::try_from(part).unwrap_or(u64::MAX)
        };
        match self {
            Self::Share(share) => share.of(whole),
            Self::Bytes(bytes) => shrunk(bytes),
            Self::Lower(share, bytes) => share.of(whole).min(shrunk(bytes)),
        }
    }
}

/// What a program takes percentages of memory of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Base {
    /// `MemTotal`.
    #[default]
    Total,
    /// `MemAvailable` + `AnonPages`: what processes can have (earlyoom 1.8 and later, meminfo.c). An amount in bytes is
    /// made a share of `MemTotal` first (main.c), so that it shrinks with the base.
    User,
    /// One of the two: the version of the program is not known.
    Unknown,
}

impl Base {
    /// `MemAvailable` + `AnonPages`; `None` on a kernel that does not print the latter. It stays the same while processes
    /// grow: what they take is available before and anonymous then.
    #[must_use]
    pub fn user_memory(host: &Memory) -> Option<u64> {
        Some(host.obtainable().saturating_add(host.anon?).min(host.total))
    }

    /// What shares are taken of, in bytes. The total where that is not known: no program acts earlier than by that.
    #[must_use]
    pub fn whole(self, host: &Memory) -> u64 {
        match self {
            Self::Total | Self::Unknown => host.total,
            Self::User => Self::user_memory(host).unwrap_or(host.total),
        }
    }

    /// The bytes at which `amount` is reached.
    #[must_use]
    pub fn reached_at(self, amount: Amount, host: &Memory) -> u64 {
        amount.scaled(host.total, self.whole(host))
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
    /// The kernel's own OOM killer is asked to choose (earlyoom `--kernel-oom`, later than 1.9).
    AskKernel,
    /// SIGKILL to every process of a cgroup.
    KillGroup,
    /// SIGKILL to every process of the group that the rule is about.
    KillAll,
    /// SIGKILL to every process of the group below it that reclaims most.
    KillByReclaim,
    /// SIGKILL to every process of the group with the most swap.
    KillBySwap,
    /// The containers of a pod are stopped.
    Evict,
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
        /// The rule never holds without swap (systemd-oomd compares with "less than").
        needs_swap: bool,
        /// What shares of memory are taken of.
        #[serde(rename = "memory_base")]
        base: Base,
    },
    /// Memory pressure above a limit for some time.
    Pressure {
        /// Pressure of this group, or of the host if `None`.
        group: Option<CgroupPath>,
        /// `full avg10`, `some avg10`, …
        measure: &'static str,
        /// The limit.
        limit: Share,
        /// The pressure must last at least this long; serialized in microseconds.
        #[serde(rename = "lasting_micros", serialize_with = "micros")]
        lasting: Duration,
        /// `MemAvailable` must be at most this much too; `None` if that does not matter.
        memory: Option<Amount>,
        /// The rule never holds without swap (nohang: `check_psi_ex`).
        needs_swap: bool,
    },
    /// A `.oomrule` of systemd-oomd (oomd.conf(5), since 261): all its conditions, for some time.
    Ruleset {
        /// Its name, as `OOMRules=` of a unit spells it.
        name: String,
        /// The group of the unit.
        group: CgroupPath,
        /// `MemoryPressureAbove=`: `full avg10` of the group is above this.
        pressure: Option<Share>,
        /// `SwapUsageMax=`: more than this part of all swap is used.
        swap_used: Option<Share>,
        /// `LastingSec=`; serialized in microseconds.
        #[serde(rename = "lasting_micros", serialize_with = "micros")]
        lasting: Duration,
    },
    /// An expression of the Talos OOM controller holds.
    Expression {
        /// `triggerExpression`, in CEL.
        trigger: String,
        /// `cgroupRankingExpression`, in CEL: the group with the highest value is killed.
        ranking: String,
        /// `strictCgroupClassOrdering`: the least important class that has a group with a value comes first (1.14 and later).
        by_class: bool,
    },
    /// What kubelet calls available is below this amount: free memory and file pages that were not used lately.
    Eviction {
        /// The limit.
        limit: Amount,
        /// It must be below for at least this long; serialized in microseconds.
        #[serde(rename = "lasting_micros", serialize_with = "micros")]
        lasting: Duration,
    },
    /// zram uses at least this amount of RAM.
    Zram {
        /// The limit.
        limit: Amount,
        /// `MemAvailable` must be at most this much too; `None` if that is not known.
        memory: Option<Amount>,
    },
}

fn micros<S: serde::Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(span.as_micros()).unwrap_or(u64::MAX))
}

/// A condition and an action.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Rule {
    /// The condition.
    pub when: Trigger,
    /// The action.
    pub act: Act,
}

impl Trigger {
    /// Approximate number of bytes, memory and swap together, that must be used up before the rule holds; 0
    /// if it holds now. `None` if it can never hold, or does not depend on the amount of memory.
    ///
    /// Assumes that RAM fills up before swap does, as it does when processes grow: a rule that waits for swap
    /// first waits for nearly all RAM. If the kernel swaps earlier, the rule holds earlier.
    #[must_use]
    pub fn room(&self, host: &Memory) -> Option<u64> {
        let (memory, swap, needs_swap) = match self {
            Self::Low {
                memory,
                swap,
                needs_swap,
                base,
            } => (base.reached_at(*memory, host), *swap, *needs_swap),
            Self::Eviction { limit, .. } => {
                let available = host.evictable()?;
                return Some(available.saturating_sub(limit.of(host.total)));
            }
            // systemd-oomd wants less than the rest to be free: without swap nothing is less than nothing.
            Self::Ruleset {
                pressure: None,
                swap_used: Some(used),
                ..
            } => (
                host.total,
                Amount::Share(Share(10_000_u32.saturating_sub(used.0))),
                true,
            ),
            Self::Pressure { .. }
            | Self::Ruleset { .. }
            | Self::Expression { .. }
            | Self::Zram { .. } => return None,
        };
        if needs_swap && host.swap_total == 0 {
            return None;
        }
        let available = host.obtainable();
        let swap_left = host.swap_free.saturating_sub(swap.of(host.swap_total));
        Some(if swap_left == 0 {
            available.saturating_sub(memory)
        } else {
            available.saturating_add(swap_left)
        })
    }

    /// True for a rule that goes by pressure, zram or an expression, so that no amount of memory says when it holds.
    #[must_use]
    pub fn is_by_pressure(&self) -> bool {
        match self {
            Self::Low { .. } | Self::Eviction { .. } => false,
            Self::Ruleset { pressure, .. } => pressure.is_some(),
            Self::Pressure { .. } | Self::Expression { .. } | Self::Zram { .. } => true,
        }
    }
}
