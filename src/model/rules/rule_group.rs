//! [`RuleGroup`]: the memory cgroup that a rule keeps processes in, and what speaks against a move into it.

use std::fmt;

use super::census::{Census, Holding};
use crate::model::cgroup::limits::{LimitFile, LimitPatch, LimitValue};
use crate::model::cgroup::{CgroupPath, CgroupVersion};
use crate::model::process::comm::Comm;
use crate::model::process::{Pid, ProcessId};
use crate::model::shell::quoted;
use crate::model::systemd::{CommandUser, UnitName};

/// Programs that start services and watch them: their limit would be that of all.
const MANAGERS: &[&str] = &[
    "systemd",
    "init",
    "openrc-init",
    "supervise-daemo",
    "runit",
    "runsvdir",
    "runsv",
    "s6-svscan",
    "s6-supervise",
    "dinit",
    "shepherd",
    "supervisord",
    "dockerd",
    "containerd",
    "containerd-shim",
    "conmon",
    "kubelet",
    "crio",
];

/// A group with limits. All processes of the rule share them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleGroup {
    /// Its path in the memory hierarchy.
    pub group: CgroupPath,
    /// The hard limit in bytes.
    pub max: Option<u64>,
    /// The limit from which on it is slowed down, in bytes; v2 only.
    pub high: Option<u64>,
}

impl RuleGroup {
    /// The limits of the group.
    ///
    /// # Errors
    /// A sentence, if this version has no such limit.
    pub fn limits(&self, version: CgroupVersion) -> Result<LimitPatch, String> {
        if self.high.is_some() && version.is_v1() {
            return Err(format!(
                "memory_high of {} is for cgroup v2, and memory is in v1 here",
                self.group
            ));
        }
        let max = self.max.map(|max| (LimitFile::hard_limit(version), max));
        let high = self.high.map(|high| (LimitFile::High, high));
        let both = max.into_iter().chain(high);
        Ok(both
            .map(|(file, bytes)| (file, LimitValue::Amount(bytes)))
            .collect())
    }
}

impl fmt::Display for RuleGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.group)?;
        let limits = [("memory_max", self.max), ("memory_high", self.high)];
        let limits = limits
            .into_iter()
            .filter_map(|(key, bytes)| Some((key, bytes?)));
        let limits: Vec<_> = limits
            .map(|(key, bytes)| format!("{key} {}", Bytes(bytes)))
            .collect();
        if limits.is_empty() {
            return Ok(());
        }
        write!(f, " ({})", limits.join(", "))
    }
}

/// As a rule has it: `2G`.
pub(super) struct Bytes(pub(super) u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(40, "T"), (30, "G"), (20, "M"), (10, "K")];
        let whole = units
            .iter()
            .find(|(shift, _)| self.0 >= 1 << shift && self.0.is_multiple_of(1 << shift));
        match whole {
            Some((shift, unit)) => write!(f, "{}{unit}", self.0 >> shift),
            None => write!(f, "{}", self.0),
        }
    }
}

/// One process that is not in the group of its rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Which process.
    pub id: ProcessId,
    /// Its short name.
    pub comm: Comm,
    /// The group that it is in.
    pub from: CgroupPath,
    /// The group of the rule.
    pub rule_group: RuleGroup,
    /// The rule.
    pub holding: Holding,
}

/// The move that the rule of this process asks for; `None` if it asks for none, the process is there already, or its group
/// cannot be read.
#[must_use]
pub fn transfer_of(census: &Census, pid: Pid) -> Option<Transfer> {
    let holding = census.holding(pid)?;
    let rule_group = census.rules().get(holding.rule)?.rule_group.clone()?;
    let subject = census.subject(pid)?;
    let from = subject.cgroup.clone()?;
    (!from.is_within(&rule_group.group)).then_some(Transfer {
        id: subject.id,
        comm: subject.comm,
        from,
        rule_group,
        holding,
    })
}

/// All moves that rules ask for, by pid.
#[must_use]
pub fn transfers(census: &Census) -> Vec<Transfer> {
    let pids = census.subjects().map(|subject| subject.id.pid);
    let mut found: Vec<_> = pids.filter_map(|pid| transfer_of(census, pid)).collect();
    found.sort_by_key(|transfer| transfer.id);
    found
}

/// What is around a process.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// systemd runs this machine.
    pub systemd: bool,
    /// oomtop itself.
    pub own: Pid,
    /// Who runs it.
    pub user: CommandUser,
    /// The groups around the process, each with its hard limit in bytes, or why that cannot be read.
    pub limits: &'a [(CgroupPath, Result<Option<u64>, String>)],
}

/// Why a process stays where it is, as a sentence. Nobody is asked when a rule is applied, so it takes no process out of a
/// limit, and none out of a unit, which would no longer be stopped with it.
#[must_use]
pub fn refusal(transfer: &Transfer, around: &Around<'_>) -> Option<String> {
    let Transfer {
        id,
        comm,
        from,
        rule_group,
        ..
    } = transfer;
    if id.pid == around.own {
        return Some("oomtop does not move itself.".to_owned());
    }
    if MANAGERS.contains(&comm.text().as_ref()) {
        return Some(format!(
            "{comm} starts and watches services: a limit on it would be one on all of them."
        ));
    }
    if around.systemd
        && let Some(unit) = UnitName::around(from)
    {
        let systemctl = around.user.reach("systemctl", unit.manager);
        let (name, word) = (&unit.name, quoted(&unit.name));
        return Some(format!(
            "it is in {name}, and a rule takes nothing out of a unit: systemd would no longer stop or watch it. Limit the \
             unit ({systemctl} set-property {word} MemoryMax=…, or Slice= in its file), or move it in the dashboard (c)."
        ));
    }
    let left = around
        .limits
        .iter()
        .filter(|(path, _)| !rule_group.group.is_within(path));
    left.into_iter().find_map(|(path, limit)| match limit {
        Ok(None) => None,
        Ok(Some(limit)) => Some(format!(
            "it would leave the limit of {path} ({}); name a group below that.",
            Bytes(*limit)
        )),
        Err(why) => Some(format!("whether {path} limits it cannot be read: {why}")),
    })
}

#[cfg(test)]
mod tests {
    use super::{Around, RuleGroup, Transfer, refusal};
    use crate::model::cgroup::{CgroupPath, CgroupVersion};
    use crate::model::process::ProcessId;
    use crate::model::rules::RuleId;
    use crate::model::rules::census::Holding;
    use crate::model::systemd::CommandUser;

    fn transfer(comm: &str, from: &str) -> Transfer {
        Transfer {
            id: ProcessId {
                pid: 7,
                start_ticks: 1,
            },
            comm: comm.into(),
            from: CgroupPath::new(from),
            rule_group: RuleGroup {
                group: CgroupPath::new("/jobs/batch"),
                max: Some(2 << 30),
                high: None,
            },
            holding: Holding {
                rule: RuleId(0),
                descends: None,
                value: None,
            },
        }
    }

    fn around(systemd: bool, limits: &[(CgroupPath, Result<Option<u64>, String>)]) -> Around<'_> {
        Around {
            systemd,
            own: 99,
            user: CommandUser::Anybody,
            limits,
        }
    }

    #[test]
    fn nobody_leaves_a_limit_or_a_unit() {
        let limited = |path: &str| [(CgroupPath::new(path), Ok(Some(3 << 20)))];
        let job = transfer("job", "/a/b");
        assert_eq!(refusal(&job, &around(true, &[])), None);
        assert_eq!(refusal(&job, &around(true, &limited("/jobs"))), None);
        let said = refusal(&job, &around(false, &limited("/a"))).expect("refused");
        assert!(said.contains("the limit of /a (3M)"), "{said}");
        let unknown = [(CgroupPath::new("/a"), Err("no permission".to_owned()))];
        assert!(refusal(&job, &around(false, &unknown)).is_some());
        let unit = transfer("job", "/system.slice/web.service");
        assert!(
            refusal(&unit, &around(true, &[])).is_some_and(|said| said.contains("web.service"))
        );
        assert_eq!(refusal(&unit, &around(false, &[])), None);
        let users = "/user.slice/user-1000.slice/user@1000.service/app.slice/web.service";
        let root = Around {
            user: CommandUser::User {
                uid: 0,
                without_session: true,
            },
            ..around(true, &[])
        };
        let said = refusal(&transfer("job", users), &root).expect("refused");
        assert!(
            said.contains("(systemctl --user -M 1000@ set-property web.service"),
            "{said}"
        );
        let manager = transfer("runsvdir", "/");
        assert!(refusal(&manager, &around(false, &[])).is_some());
        let own = Around {
            own: 7,
            ..around(false, &[])
        };
        assert!(refusal(&job, &own).is_some());
    }

    #[test]
    fn the_limits_of_each_version() {
        let rule_group = RuleGroup {
            group: CgroupPath::new("/batch"),
            max: Some(2 << 30),
            high: Some(3000),
        };
        assert_eq!(
            rule_group.to_string(),
            "/batch (memory_max 2G, memory_high 3000)"
        );
        assert!(rule_group.limits(CgroupVersion::V1).is_err());
        assert_eq!(
            rule_group
                .limits(CgroupVersion::V2)
                .map(|limits| limits.iter().count()),
            Ok(2)
        );
    }
}
