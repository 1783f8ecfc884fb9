//! [`choose`]: where the group of a command is made.
//!
//! It is made near oomtop's own group and never outside a limit that oomtop lives in. On v1 that is below the own group.
//! On v2 a group with processes has no groups with limits below it (Documentation/admin-guide/cgroup-v2.rst, "No Internal
//! Process Constraint"): it is made beside the own group, or below it once oomtop itself has moved into a leaf. Where
//! systemd runs the tree is systemd's, but for what it has delegated (its CGROUP_DELEGATION.md).

use crate::model::cgroup::limits::{LimitFile, LimitPatch};
use crate::model::cgroup::{CgroupPath, CgroupVersion};
use crate::model::plan::Plan;
use crate::model::plan::step::{CgroupStep, LimitWrite};
use crate::model::process::ProcessId;
use crate::model::run::SELF;
use crate::model::systemd::CommandUser;
use crate::model::systemd::scope::ScopeHome;

/// oomtop's own group, or one around it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Level {
    /// It is the root of the whole hierarchy, which may hold processes and groups.
    pub is_root: bool,
    /// The groups below it have limits.
    pub shares_memory: bool,
    /// Processes other than oomtop are in it.
    pub has_others: bool,
    /// It has a limit, on its memory or on its swap, or is slowed down above an amount (`memory.high`).
    pub is_limited: bool,
    /// oomtop may make groups in it and move processes there.
    pub is_writable: bool,
}

/// What decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// Which hierarchy has the memory controller.
    pub version: CgroupVersion,
    /// oomtop's own group and those around it, innermost first.
    pub levels: Vec<(CgroupPath, Level)>,
    /// systemd manages the groups.
    pub systemd: bool,
    /// The unit around oomtop whose groups systemd has left to it.
    pub delegated: Option<CgroupPath>,
    /// Who runs oomtop.
    pub user: CommandUser,
}

/// Where the group goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Below this group.
    Below(CgroupPath),
    /// Below oomtop's own group, which oomtop leaves for a leaf of it.
    BesideSelf(CgroupPath),
}

impl Place {
    /// The group that the new one is made in.
    #[must_use]
    pub fn parent(&self) -> &CgroupPath {
        match self {
            Self::Below(parent) | Self::BesideSelf(parent) => parent,
        }
    }

    /// The steps that make the group `name` there, with these limits. `own` is oomtop.
    #[must_use]
    pub fn plan(
        &self,
        name: &str,
        limits: &LimitPatch,
        version: CgroupVersion,
        own: ProcessId,
        shares_memory: bool,
    ) -> Plan {
        let parent = self.parent();
        let group = parent.join(name);
        let mut steps = Vec::new();
        if let Self::BesideSelf(_) = self {
            let leaf = parent.join(format!("{name}{SELF}"));
            steps.push(CgroupStep::Create(leaf.clone()));
            steps.push(CgroupStep::Move(own, leaf));
        }
        if version == CgroupVersion::V2 && !shares_memory {
            steps.push(CgroupStep::EnableMemory(parent.clone()));
        }
        steps.push(CgroupStep::Create(group.clone()));
        // v1: the table has the hard limit before that on memory and swap, which may not be lower.
        let writes = limits.iter().filter(|(file, _)| !is_last(*file));
        let last = limits.iter().filter(|(file, _)| is_last(*file));
        for (file, value) in writes.chain(last) {
            let write = LimitWrite { file, value };
            steps.push(CgroupStep::Limit(group.clone(), write));
        }
        steps.into_iter().collect()
    }
}

fn is_last(file: LimitFile) -> bool {
    file.row().order == crate::model::cgroup::limits::WriteOrder::Last
}

/// The unit that oomtop has left for a scope of its own.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LeftUnit {
    /// The unit or group that oomtop was started in, as its path in the memory hierarchy.
    pub from: CgroupPath,
    /// The scope.
    pub to: CgroupPath,
}

impl LeftUnit {
    /// `None` if oomtop was in no known group, or is in none now.
    #[must_use]
    pub fn between(before: Option<CgroupPath>, around: &Surroundings) -> Option<Self> {
        let from = before.map(|before| unit_around(&before).unwrap_or(before))?;
        let (to, _) = around.levels.first()?;
        let to = to.clone();
        Some(Self { from, to })
    }

    /// In words, after the name of oomtop.
    #[must_use]
    pub fn words(&self) -> String {
        format!("leaves {} for {}", self.from.name(), self.to.name())
    }
}

/// The innermost systemd unit in a path.
#[must_use]
pub fn unit_around(path: &CgroupPath) -> Option<CgroupPath> {
    let is_unit = |path: &CgroupPath| {
        let name = path.name();
        let ends = [".service", ".scope", ".slice"];
        ends.iter().any(|end| name.ends_with(end))
    };
    std::iter::successors(Some(path.clone()), CgroupPath::parent).find(is_unit)
}

/// Where the group goes.
///
/// # Errors
/// Why it cannot be made anywhere, and what to type instead, as a sentence.
pub fn choose(around: &Surroundings) -> Result<Place, String> {
    let Some((own, home)) = around.levels.first() else {
        return Err(if around.version == CgroupVersion::None {
            "no cgroup hierarchy here has the memory controller (boot option cgroup_disable=memory? \
             a container without /sys/fs/cgroup?): a command cannot be run in a group of its own"
                .to_owned()
        } else {
            "the cgroup of oomtop itself is not below the mounted tree: mount all of /sys/fs/cgroup, or run this on the host"
                .to_owned()
        });
    };
    if around.version.is_v1() {
        return if home.is_writable {
            Ok(Place::Below(own.clone()))
        } else {
            Err(refusal(around, own))
        };
    }
    if home.is_root && home.is_writable {
        return Ok(Place::Below(own.clone()));
    }
    // Whoever manages the tree may take its limits away again where it was not asked.
    let may_use = |path: &CgroupPath| match &around.delegated {
        Some(unit) => path.is_within(unit),
        None => !around.systemd,
    };
    for pair in around.levels.windows(2) {
        let [(_, inner), (path, level)] = pair else {
            break;
        };
        if inner.is_limited || !may_use(path) {
            break;
        }
        let has_room = level.is_root || level.shares_memory || !level.has_others;
        if level.is_writable && has_room {
            return Ok(Place::Below(path.clone()));
        }
    }
    // Nobody but oomtop is in it: it is a scope or a container made for this.
    if home.is_writable && !home.has_others {
        return Ok(Place::BesideSelf(own.clone()));
    }
    Err(refusal(around, own))
}

/// The place for a scope where [`choose`] finds none. `None` where systemd does not manage the groups, or where oomtop would
/// leave a limit. `uid` is oomtop's user.
#[must_use]
pub fn scope_home(around: &Surroundings, uid: u32) -> Option<ScopeHome> {
    let (own, _) = around.levels.first()?;
    if !around.systemd || around.version != CgroupVersion::V2 {
        return None;
    }
    let home = ScopeHome::of(own, uid);
    let leaves = |path: &CgroupPath| *path != home.common && !home.common.is_within(path);
    let mut levels = around.levels.iter();
    (!levels.any(|(path, level)| level.is_limited && leaves(path))).then_some(home)
}

fn refusal(around: &Surroundings, own: &CgroupPath) -> String {
    if around.systemd && !around.version.is_v1() {
        return format!(
            "systemd manages the cgroups around oomtop ({own}) and has delegated none: \
             {} --scope -p Delegate=yes oomtop run -- COMMAND{}",
            around.user.reach("systemd-run", around.user.manager()),
            instead(around)
        );
    }
    let own_group = around.levels.first().map(|(_, level)| level);
    if own_group.is_some_and(|level| level.is_writable) {
        return format!(
            "{own}, the cgroup of oomtop, holds other processes or may not be left because of its limit, and cgroup v2 has \
             no limits below such a group: start oomtop in a group of its own{}",
            instead(around)
        );
    }
    if around.user.is_root() {
        return format!(
            "no cgroup can be made in {own}: /sys/fs/cgroup is read-only here (a container?): run oomtop on the host, or \
             mount it writable"
        );
    }
    format!(
        "you may not make a cgroup in {own}: run oomtop as root: sudo oomtop run -- COMMAND, or let root make a group that is yours \
         (chown it and its cgroup.procs) and start oomtop in it{}",
        instead(around)
    )
}

/// What an ordinary user has without any group.
fn instead(around: &Surroundings) -> &'static str {
    if around.user.is_root() {
        return "";
    }
    ". Without root you can bound each process of the command, without a group: ulimit -v 1048576, before it starts"
}

#[cfg(test)]
mod tests;
