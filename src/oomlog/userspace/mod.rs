//! Kills by programs that act before the kernel does: systemd-oomd, earlyoom, nohang, oomd, kubelet, Talos, and
//! Android's low memory killer.
//!
//! Such a line is the word of a program: anybody may write one. It never becomes part of a kernel report.

mod earlyoom;
mod kills;
mod wording;

use crate::oomlog::{Monotonic, Pid, Provenance, ReportKey};

pub(crate) use kills::UserspaceKills;
pub(crate) use wording::evicted;

/// True if a line without the name of its program can only be that of a program that kills.
pub(crate) fn is_killers(text: &str) -> bool {
    earlyoom::is_own(text)
        || wording::systemd_oomd(text).is_some()
        || wording::unit(text).is_some()
        || wording::oomd(text).is_some()
        || wording::talos(text).is_some()
}

/// Which program killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Killer {
    /// systemd-oomd(8): kills whole control groups.
    SystemdOomd,
    /// earlyoom(1).
    Earlyoom,
    /// nohang(8).
    Nohang,
    /// Meta's oomd.
    Oomd,
    /// Kubernetes' kubelet: evicts pods. Also inside k3s.
    Kubelet,
    /// The OOM controller in pid 1 of Talos (1.12 and later): kills the group of a pod.
    Talos,
    /// Android's low memory killer: in the kernel before 4.12, then `lmkd`.
    LowMemoryKiller,
}

impl Killer {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::SystemdOomd,
        Self::Earlyoom,
        Self::Nohang,
        Self::Oomd,
        Self::Kubelet,
        Self::Talos,
        Self::LowMemoryKiller,
    ];

    /// What proves in the journal that a record tells of its kills: all `FIELD=value` terms of one of these. The
    /// fields are trusted ones, which journald sets and no client can (systemd.journal-fields(7)); a message id
    /// says only which record of a trusted writer is meant. Only root starts a process in a system unit.
    #[must_use]
    pub fn proofs(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::SystemdOomd => &[
                &["_SYSTEMD_UNIT=systemd-oomd.service"],
                &["_COMM=systemd-oomd", "_UID=0"],
                // SD_MESSAGE_UNIT_OOMD_KILL: pid 1 counts the dead of a unit.
                &[
                    "_PID=1",
                    "_UID=0",
                    "MESSAGE_ID=d989611b15e44c9dbf31e3c81256e4ed",
                ],
            ],
            Self::Earlyoom => &[
                &["_SYSTEMD_UNIT=earlyoom.service"],
                &["_COMM=earlyoom", "_UID=0"],
            ],
            Self::Nohang => &[
                &["_SYSTEMD_UNIT=nohang.service"],
                &["_SYSTEMD_UNIT=nohang-desktop.service"],
                &["_COMM=nohang", "_UID=0"],
            ],
            Self::Oomd => &[&["_SYSTEMD_UNIT=oomd.service"], &["_COMM=oomd", "_UID=0"]],
            Self::Kubelet => &[
                &["_SYSTEMD_UNIT=kubelet.service"],
                &["_SYSTEMD_UNIT=k3s.service"],
                &["_SYSTEMD_UNIT=k3s-agent.service"],
                &["_COMM=kubelet", "_UID=0"],
            ],
            // The kernel's own lines; Talos has no journal, its pid 1 writes into the kernel's log.
            Self::LowMemoryKiller | Self::Talos => &[],
        }
    }

    /// The one whose log lines have this name.
    pub(crate) fn from_program(program: &str) -> Option<Self> {
        match program {
            "systemd-oomd" => Some(Self::SystemdOomd),
            "earlyoom" => Some(Self::Earlyoom),
            "nohang" | "nohang-desktop" => Some(Self::Nohang),
            "oomd" => Some(Self::Oomd),
            "kubelet" | "k3s" | "k3s-server" | "k3s-agent" => Some(Self::Kubelet),
            "talos" => Some(Self::Talos),
            "lowmemorykiller" | "lmkd" => Some(Self::LowMemoryKiller),
            _ => None,
        }
    }

    /// The program's own spelling; Talos for the controller inside its pid 1.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SystemdOomd => "systemd-oomd",
            Self::Earlyoom => "earlyoom",
            Self::Nohang => "nohang",
            Self::Oomd => "oomd",
            Self::Kubelet => "kubelet",
            Self::Talos => "Talos",
            Self::LowMemoryKiller => "lowmemorykiller",
        }
    }

    /// True for a program that runs as a service, false for a part of the kernel.
    #[must_use]
    pub fn is_program(self) -> bool {
        match self {
            Self::SystemdOomd
            | Self::Earlyoom
            | Self::Nohang
            | Self::Oomd
            | Self::Kubelet
            | Self::Talos => true,
            Self::LowMemoryKiller => false,
        }
    }
}

/// One kill by such a program. What the program does not say is `None`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct UserspaceKill {
    /// Identity: the kill is emitted again when more becomes known.
    pub key: ReportKey,
    /// The program that killed.
    pub killer: Killer,
    /// Whether the journal proves that this program wrote the line.
    pub source: Provenance,
    /// Stamp of the first line.
    pub at: Option<Monotonic>,
    /// Wall-clock stamp as the log's transport printed it.
    pub stamp: Option<String>,
    /// The process, if one was killed.
    pub pid: Option<Pid>,
    /// The process's short name.
    pub comm: Option<String>,
    /// The control group, if a whole one was killed.
    pub cgroup: Option<String>,
    /// How many processes of the group died.
    pub processes: Option<u64>,
    /// Name of the signal.
    pub signal: Option<String>,
    /// Resident memory of the process in kB (rounded to MiB by the programs).
    pub rss_kb: Option<u64>,
    /// The process lives: it did not exit, the signal could not be sent, or the program only practised.
    pub survived: bool,
    /// The reason in the program's words, with its numbers.
    pub reason: Option<String>,
    /// The line of the log.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::Killer;

    #[test]
    fn the_list_has_every_killer_once() {
        // The compiler asks for a new killer here; it stands at the same place of the list.
        let place = |killer| match killer {
            Killer::SystemdOomd => 0,
            Killer::Earlyoom => 1,
            Killer::Nohang => 2,
            Killer::Oomd => 3,
            Killer::Kubelet => 4,
            Killer::Talos => 5,
            Killer::LowMemoryKiller => 6,
        };
        assert_eq!(Killer::ALL.map(place), [0, 1, 2, 3, 4, 5, 6]);
    }
}
