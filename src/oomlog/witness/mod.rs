//! What logs say about the end of processes and units besides the kernel's reports: systemd's records, core dumps,
//! the kernel's lines about faults, kubelet's evictions. Each becomes a [`Fact`].

mod events;
mod journal;
mod kernel;
mod kubelet;
mod systemd;

use crate::oomlog::{Killer, Pid};

pub use events::facts_of;
pub use journal::from_journal;
pub use kernel::from_kernel;

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
            says,
        }
    }

    /// The unit it is about: named, or by the path of the group.
    #[must_use]
    pub fn of_unit(&self) -> Option<&str> {
        let by_group = || unit_of(self.cgroup.as_deref()?);
        self.unit.as_deref().or_else(by_group)
    }
}

/// The service or scope of the host that a group is part of, the one that systemd keeps the result for: the outermost, or
/// below `user@UID.service` that of the user's manager. What a unit makes inside itself is no unit of the host, whatever it
/// is called: a container has its own `/system.slice`.
#[must_use]
pub fn unit_of(cgroup: &str) -> Option<&str> {
    host_units(cgroup).last().map(|(_, name)| name)
}

/// True if the group is this unit of the host, or lies below it; slices too.
#[must_use]
pub fn is_within_unit(cgroup: &str, unit: &str) -> bool {
    let end = host_units(cgroup)
        .last()
        .map_or(cgroup.len(), |(end, _)| end);
    let of_host = cgroup.get(..end).unwrap_or(cgroup);
    of_host.split('/').any(|part| part == unit)
}

/// The services and scopes around a group, outermost first, each with where its name ends in the path.
fn host_units(cgroup: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut end = 0;
    let mut is_inside = false;
    let parts = cgroup.split('/').map(move |part| {
        let begin = end;
        end += part.len() + 1;
        (begin + part.len(), part)
    });
    // `..` leads out of a cgroup namespace.
    let parts = parts.filter(|(_, part)| !matches!(*part, "" | ".."));
    let of_host = parts.map_while(move |(end, part)| {
        if is_inside {
            return None;
        }
        if is_kind(part, "slice") {
            return Some(None);
        }
        let is_unit = is_kind(part, "service") || is_kind(part, "scope");
        // The manager of a user has units of its own below.
        is_inside = !(part.starts_with("user@") && is_unit);
        is_unit.then_some(Some((end, part)))
    });
    of_host.flatten()
}

/// True if the unit's name has this suffix.
#[must_use]
pub fn is_kind(unit: &str, kind: &str) -> bool {
    unit.rsplit_once('.')
        .is_some_and(|(_, suffix)| suffix == kind)
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
    use super::{is_crash, is_within_unit, unit_of};

    #[test]
    fn the_unit_of_the_host_keeps_the_result() {
        for (path, unit) in [
            ("/system.slice/shop.service", Some("shop.service")),
            ("/system.slice/shop.service/worker/3", Some("shop.service")),
            (
                "/user.slice/user-1.slice/user@1.service/app.slice/a.scope",
                Some("a.scope"),
            ),
            (
                "/system.slice/docker-4f5e.scope/system.slice/nginx.service",
                Some("docker-4f5e.scope"),
            ),
            ("/docker/4f5e/system.slice/nginx.service", None),
            ("/shop/web", None),
            ("/", None),
        ] {
            assert_eq!(unit_of(path), unit, "{path}");
        }
        let inner = "/system.slice/docker-4f5e.scope/system.slice/nginx.service";
        assert!(
            is_within_unit(inner, "system.slice") && is_within_unit(inner, "docker-4f5e.scope")
        );
        assert!(!is_within_unit(inner, "nginx.service"));
        assert!(is_crash(11) && is_crash(6) && !is_crash(9) && !is_crash(15));
    }
}
