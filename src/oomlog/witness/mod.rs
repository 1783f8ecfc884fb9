//! What logs say about the end of processes and units besides the kernel's reports: systemd's records, core dumps,
//! the kernel's lines about faults, kubelet's evictions. Each becomes a [`Fact`].

mod events;
mod journal;
mod kernel;
mod kubelet;
mod systemd;
mod units;

use crate::oomlog::{Killer, Pid};

pub use events::facts_of;
pub use journal::from_journal;
pub use kernel::from_kernel;
pub use units::{HostUnit, host_units, is_kind, is_within_unit, service_of, unit_of};

/// Longest text kept of a line, in characters.
const TEXT_MOST: usize = 400;

/// Who says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The kernel's log.
    KernelLog,
    /// systemd's system manager, pid 1, in the journal.
    Systemd,
    /// A user's own manager, in the journal.
    UserManager,
    /// systemd-coredump(8), in the journal.
    Coredump,
    /// The kernel's audit records.
    Audit,
    /// kubelet, in the journal.
    Kubelet,
    /// A program that kills before the kernel does.
    Program,
    /// The process itself: journald knows pid and unit of who writes.
    Itself,
    /// `/proc`.
    Proc,
    /// A tracepoint, while oomtop ran.
    Tracepoint,
    /// A counter in a cgroup's `memory.events`, or the host's in `/proc/vmstat`.
    Counter,
}

/// How a process ended, as wait(2) tells systemd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExitCode {
    /// It called exit(3).
    Exited,
    /// A signal ended it.
    Killed,
    /// A signal ended it, and its memory was dumped.
    Dumped,
}

/// What ran out before the kernel killed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Shortage {
    /// The host's memory.
    Host,
    /// The limit of a memory cgroup.
    Memcg {
        /// Its path; `None` if the log has lost it.
        cgroup: Option<String>,
    },
    /// The memory nodes of a cpuset or of a memory policy.
    Nodes,
    /// Nothing: a person or a program asked for the kill.
    Request,
    /// The log does not tell.
    Unknown,
}

/// Who sent a signal.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Sender {
    /// Its pid; 0 is the kernel.
    pub pid: Pid,
    /// Its user.
    pub uid: u32,
    /// Its name.
    pub comm: String,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    /// The kernel's OOM killer killed the process.
    KernelKill {
        /// What ran out.
        shortage: Shortage,
        /// It died with its whole group, or with the process whose memory it shares.
        along: bool,
    },
    /// A program killed the process or the group.
    ProgramKill {
        /// Which.
        killer: Killer,
        /// The signal's name, if it is known.
        signal: Option<String>,
    },
    /// Somebody sent SIGKILL, and not the OOM killer: a tracepoint told it.
    Sigkill {
        /// Who.
        by: Sender,
    },
    /// A fault or an abort ended the process.
    Crash {
        /// Number of the signal.
        signal: u32,
    },
    /// The main process of the unit has ended.
    MainExit {
        /// How.
        code: ExitCode,
        /// Exit status, or number of the signal.
        status: u32,
    },
    /// The unit has ended with this `Result=` (systemd.exec(5)).
    UnitResult(String),
    /// systemd saw the unit's counter `oom_kill` rise.
    UnitOomKill,
    /// systemd sends SIGKILL to this process of the unit: the unit shall end.
    UnitKills,
    /// Somebody asked systemd to send a signal (`systemctl kill`).
    OnRequest,
    /// The unit is stopped by a job: `systemctl stop`, a shutdown, a dependency.
    Stopping,
    /// The unit is started.
    Started,
    /// kubelet evicts the pod.
    Evicted,
    /// The process lived, in this unit.
    Lived,
    /// Its parent has not asked yet how it ended (a zombie); the time is that of its start.
    Waits {
        /// How.
        code: ExitCode,
        /// Exit status, or number of the signal.
        status: u32,
    },
    /// A counter.
    Count,
}

/// One thing that a log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Microseconds since 1970.
    pub at: i64,
    /// Who says it.
    pub source: Source,
    /// The line.
    pub text: String,
    /// Process that it is about.
    pub pid: Option<Pid>,
    /// Name of the process.
    pub comm: Option<String>,
    /// Unit of systemd, or name of the pod.
    pub unit: Option<String>,
    /// Control group.
    pub cgroup: Option<String>,
    /// The user whose own manager speaks of its unit; `None` for the system's, or if only the group tells.
    pub user: Option<u32>,
    /// What it says.
    pub says: Says,
}

impl Fact {
    /// A fact about nobody yet.
    #[must_use]
    pub fn new(at: i64, source: Source, text: &str, says: Says) -> Self {
        Self {
            at,
            source,
            text: text.chars().take(TEXT_MOST).collect(),
            pid: None,
            comm: None,
            unit: None,
            cgroup: None,
            user: None,
            says,
        }
    }

    /// The unit it is about: named, or by the path of the group.
    #[must_use]
    pub fn of_unit(&self) -> Option<&str> {
        let by_group = || unit_of(self.cgroup.as_deref()?);
        self.unit.as_deref().or_else(by_group)
    }

    /// The user whose manager runs [`Self::of_unit`], `Some(None)` for a unit of the system's manager. `None` if the fact
    /// does not tell: then it may be about either's.
    #[must_use]
    pub fn manager(&self) -> Option<Option<u32>> {
        match self.source {
            Source::Systemd => return Some(None),
            Source::UserManager => return self.user.map(Some),
            _ => {}
        }
        let unit = service_of(self.cgroup.as_deref()?);
        unit.map(|unit| unit.user)
    }
}

/// True for signals whose default is to dump memory (signal(7)): the process did something wrong, or somebody wanted
/// it to look so.
#[must_use]
pub fn is_crash(signal: u32) -> bool {
    // QUIT, ILL, TRAP, ABRT, BUS, FPE, SEGV, XCPU, XFSZ, SYS on most architectures.
    matches!(signal, 3..=8 | 11 | 24 | 25 | 31)
}

#[cfg(test)]
mod tests {
    use super::is_crash;

    #[test]
    fn signals_of_a_fault() {
        assert!(is_crash(11) && is_crash(6) && !is_crash(9) && !is_crash(15));
    }
}
