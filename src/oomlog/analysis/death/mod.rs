//! [`Death`]: how a process or a unit ended, judged by all that the logs say.
//!
//! Where the facts allow two answers the cause is unknown, with what would have told: never the likelier one.

mod process;
mod search;
mod unit;
mod units;

use crate::oomlog::witness::{Fact, Sender, Shortage};
use crate::oomlog::{Killer, Pid};

pub use search::{Question, deaths};

/// Facts about one death are so close to each other in time: a large core dump takes a minute.
const DYING: i64 = 120 * SECOND;
/// A kill and what it ends are so close.
const AT_ONCE: i64 = 2 * SECOND;
/// A program's kill may be behind an end that comes so much later: earlyoom waits 10 s for its SIGTERM.
const SOON: i64 = 20 * SECOND;
/// In microseconds.
const SECOND: i64 = 1_000_000;

/// Why it ended.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Cause {
    /// The kernel's OOM killer.
    KernelOom {
        /// What ran out.
        shortage: Shortage,
        /// It was not chosen itself: it died with its group, or shared the memory of the victim.
        along: bool,
    },
    /// A program that kills before the kernel does.
    Program {
        /// Which.
        killer: Killer,
    },
    /// kubelet evicted the pod.
    Eviction,
    /// systemd stopped the unit because the kernel had killed in it (`OOMPolicy=`).
    OomPolicy {
        /// Pid of the process that the kernel killed, if the log has it.
        victim: Option<Pid>,
        /// Its name.
        comm: Option<String>,
    },
    /// Somebody had systemd send a signal (`systemctl kill`).
    Requested,
    /// systemd stopped the unit for a job.
    Stopped {
        /// It did not end in time, so that systemd sent SIGKILL.
        forced: bool,
    },
    /// systemd's watchdog or a timeout of the unit, by its `Result=`.
    Systemd {
        /// `Result=`.
        result: String,
    },
    /// A signal from a person or a program that is no OOM killer.
    Signal {
        /// Its number.
        signal: u32,
        /// Who sent it, if somebody saw that.
        by: Option<Sender>,
    },
    /// A fault or an abort.
    Crash {
        /// Number of the signal.
        signal: u32,
    },
    /// It ended by itself.
    Exit {
        /// Its status; `None`: with success as systemd sees it.
        status: Option<u32>,
    },
    /// The facts do not tell.
    Unknown,
}

impl Cause {
    /// False if the facts do not tell.
    #[must_use]
    pub fn is_known(&self) -> bool {
        *self != Self::Unknown
    }
}

/// In the order of time, each once: two logs have the same line.
fn in_order(mut facts: Vec<Fact>) -> Vec<Fact> {
    facts.sort_by_key(|fact| fact.at);
    let mut kept: Vec<Fact> = Vec::with_capacity(facts.len());
    for fact in facts {
        let is_known = kept
            .iter()
            .rev()
            .take_while(|known| fact.at - known.at < AT_ONCE)
            .any(|known| {
                known.text == fact.text && known.says == fact.says && known.pid == fact.pid
            });
        if !is_known {
            kept.push(fact);
        }
    }
    kept
}

/// A name as the kernel keeps it: 15 bytes.
fn cut(name: &str) -> &[u8] {
    let bytes = name.as_bytes();
    bytes.get(..15).unwrap_or(bytes)
}

/// Why the facts do not tell, and so what would have told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// The kernel's log could not be read.
    NoKernelLog,
    /// The kernel's log does not reach back so far, or has a gap.
    LogCut,
    /// The journal could not be read.
    NoJournal,
    /// A program killed a process shortly before, and nothing says of which unit.
    KillNearby,
    /// The kernel killed a process shortly before, and those that share its memory die silently.
    OomNearby,
    /// systemd does not see how the processes of a scope end.
    Scope,
    /// Nothing says whether it was the unit's main process.
    NotMain,
    /// Nothing tells of the process at all.
    Nothing,
    /// oomtop ran, and no OOM kill and no SIGKILL came: an exit, a crash, or another signal.
    NotKilled,
    /// oomtop ran, but not with the tracepoints that tell of signals.
    NotTraced,
}

/// One death.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Death {
    /// Microseconds since 1970.
    pub at: i64,
    /// The process; `None` for a unit's.
    pub pid: Option<Pid>,
    /// Its name.
    pub comm: Option<String>,
    /// Its unit, or the pod.
    pub unit: Option<String>,
    /// Its control group.
    pub cgroup: Option<String>,
    /// `Result=` of the unit, if it has ended too.
    pub result: Option<String>,
    /// Why.
    pub cause: Cause,
    /// What proves it, and what else is known, oldest first.
    pub evidence: Vec<Fact>,
    /// Why the cause is unknown, or the sender of a signal.
    pub doubts: Vec<Doubt>,
}

/// How much of the past could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen {
    /// Stamp of the oldest record of the kernel in microseconds since 1970; `None` if its log could not be read.
    pub kernel_from: Option<i64>,
    /// The journal could be read.
    pub journal: bool,
    /// Records of the kernel are missing.
    pub gap: bool,
    /// When this kernel has started.
    pub boot_at: i64,
    /// How many processes the OOM killer has killed since (`oom_kill` of `/proc/vmstat`, 4.13 and later).
    pub kernel_kills: Option<u64>,
}

impl Seen {
    /// Why a kill by the kernel at this time would not be known; `None`: it would be.
    fn blind_at(&self, at: i64) -> Option<Doubt> {
        if self.kernel_kills == Some(0) && at > self.boot_at {
            return None;
        }
        match self.kernel_from {
            None => Some(Doubt::NoKernelLog),
            Some(from) if from > at || self.gap => Some(Doubt::LogCut),
            Some(_) => None,
        }
    }
}
