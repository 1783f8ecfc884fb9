//! [`ManagedUnit`]: what to say where systemd will undo a write, and the command that makes the write last.

use super::DialogContext;
use crate::model::cgroup::limits::{LimitFile, LimitPatch, LimitValue};
use crate::model::cgroup::{CgroupPath, CgroupVersion, container};
use crate::model::killers::oom_policy::Manager;
use crate::model::shell::quoted;
use crate::model::systemd::CommandUser;
use crate::text::tone::{Line, Tone};

/// The unit that manages a group.
pub(super) struct ManagedUnit {
    name: String,
    /// How the user of oomtop reaches its manager: `systemctl`, `systemctl --user`.
    systemctl: String,
}

impl ManagedUnit {
    /// The innermost unit around a group; `None` outside of units.
    pub(super) fn of(path: &CgroupPath, context: &DialogContext<'_>) -> Option<Self> {
        let snapshot = context.cells.snapshot;
        Self::new(path, context.host.command_user, |uid| snapshot.user(uid))
    }

    fn new<'u>(
        path: &CgroupPath,
        command_user: CommandUser,
        user: impl FnOnce(u32) -> Option<&'u str>,
    ) -> Option<Self> {
        let unit = container::unit_of(path.as_str())?;
        let owner = container::user_manager_of(path.as_str());
        let manager = owner.map_or(Manager::System, Manager::User);
        let systemctl = command_user.reach_by_name("systemctl", manager, owner.and_then(user));
        Some(Self {
            name: unit.to_owned(),
            systemctl,
        })
    }

    /// The command that gives the unit these limits for good; the hard limit stands for none.
    pub(super) fn set_property(&self, limits: &LimitPatch, version: CgroupVersion) -> String {
        let mut properties: Vec<String> = limits
            .iter()
            .filter_map(|(file, value)| {
                let value = match value {
                    LimitValue::Unlimited => "infinity".to_owned(),
                    value => value.amount()?.to_string(),
                };
                Some(format!("{}={value}", file.row().systemd?))
            })
            .collect();
        if properties.is_empty() {
            properties.push(format!("{}=…", systemd_limit(version)));
        }
        let unit = quoted(&self.name);
        format!(
            "{} set-property {unit} {}",
            self.systemctl,
            properties.join(" ")
        )
    }

    /// Beside the limits of the unit's group.
    pub(super) fn limits_line(&self, limits: &LimitPatch, version: CgroupVersion) -> Line {
        let text = format!(
            "systemd owns this group: a daemon-reload or a restart of the unit writes its own limits again. To keep \
             them: {}",
            self.set_property(limits, version)
        );
        Line::of(Tone::Watch, text)
    }

    /// Beside a freeze of the unit's group.
    pub(super) fn freeze_line(&self) -> Line {
        let text = format!(
            "systemd does not know of this: to stop {} it waits TimeoutStopSec, then kills. It can freeze the unit itself: \
             {} freeze {}",
            self.name,
            self.systemctl,
            quoted(&self.name)
        );
        Line::of(Tone::Watch, text)
    }

    /// Beside a kill in the unit.
    pub(super) fn kill_line(&self) -> Line {
        let text = format!(
            "systemd sees it end: Restart= of {} decides whether it starts again.",
            self.name
        );
        Line::of(Tone::Watch, text)
    }

    /// Beside a move out of the unit.
    pub(super) fn move_line(&self, version: CgroupVersion) -> Line {
        let text = format!(
            "The process leaves its unit {}: systemd loses sight of it, a restart starts it in the unit again, and \
             a new group stays behind empty. To limit the whole unit instead: {}",
            self.name,
            self.set_property(&LimitPatch::default(), version)
        );
        Line::of(Tone::Watch, text)
    }

    /// The same unit of the same manager.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (&self.name, &self.systemctl) == (&other.name, &other.systemctl)
    }

    /// Beside a move of several.
    pub(super) fn many_leave_line(&self, count: usize) -> Line {
        let text = match count {
            1 => format!("One process leaves its unit {}.", self.name),
            count => format!("{count} processes leave their unit {}.", self.name),
        };
        Line::of(Tone::Watch, text)
    }

    /// Beside a move out of the unit into a scope.
    pub(super) fn scope_line(&self) -> Line {
        // A scope ends with its last process, and nobody starts it again.
        let kind = self.name.rsplit_once('.').map(|(_, kind)| kind);
        let then = if kind == Some("scope") {
            "a stop of that no longer ends it, and if nobody else is in it, it ends: an undo has no way back then"
        } else {
            "a stop of that ends it only if it is the main process, and a restart starts it there again"
        };
        let text = format!(
            "The process leaves its unit {}: {then}. The new scope ends with its last \
             process. To limit the whole unit instead: {}",
            self.name,
            self.set_property(&LimitPatch::default(), CgroupVersion::V2)
        );
        Line::of(Tone::Watch, text)
    }

    /// Beside a new adj for one of the unit's processes; `None` for units without an adj of their own.
    pub(super) fn adjust_line(&self, value: impl std::fmt::Display) -> Option<Line> {
        if !self.name.ends_with(".service") {
            return None;
        }
        let text = format!(
            "A restart of {} drops it. To keep it: {} edit {}, and there [Service] OOMScoreAdjust={value}",
            self.name,
            self.systemctl,
            quoted(&self.name),
        );
        Some(Line::of(Tone::Watch, text))
    }
}

/// The property of a unit that sets the hard limit. On v1 `MemoryLimit`: every systemd that drives v1 knows it,
/// `MemoryMax` came with 231. Where a unit has `MemoryMax`, that one counts (systemd.resource-control(5)).
fn systemd_limit(version: CgroupVersion) -> &'static str {
    let row = LimitFile::hard_limit(version).row();
    row.systemd.unwrap_or(row.name)
}

#[cfg(test)]
mod tests {
    use super::ManagedUnit;
    use crate::model::cgroup::limits::LimitPatch;
    use crate::model::cgroup::{CgroupPath, CgroupVersion};
    use crate::model::shell::quoted;
    use crate::model::systemd::CommandUser;

    #[test]
    fn the_command_for_a_unit_goes_to_the_manager_that_owns_it() {
        let command = |path: &str, uid: u32, without_session: bool| {
            let user = CommandUser::User {
                uid,
                without_session,
            };
            let unit = ManagedUnit::new(&CgroupPath::new(path), user, |_| Some("anna"));
            unit.map(|unit| unit.set_property(&LimitPatch::default(), CgroupVersion::V2))
        };
        let user = "/user.slice/user-1000.slice/user@1000.service";
        let tool = format!("{user}/app.slice/tool.service/inner");
        for (path, own, without_session, wanted) in [
            (
                "/system.slice/web.service",
                0,
                false,
                "systemctl set-property web.service MemoryMax=…",
            ),
            (
                &tool,
                1000,
                true,
                "env XDG_RUNTIME_DIR=/run/user/1000 systemctl --user set-property tool.service MemoryMax=…",
            ),
            (
                &tool,
                1000,
                false,
                "systemctl --user set-property tool.service MemoryMax=…",
            ),
            (
                &tool,
                0,
                true,
                "systemctl --user -M anna@ set-property tool.service MemoryMax=…",
            ),
            (
                user,
                0,
                false,
                "systemctl set-property user@1000.service MemoryMax=…",
            ),
        ] {
            assert_eq!(command(path, own, without_session).as_deref(), Some(wanted));
        }
        assert_eq!(command("/docker/4f5e", 0, false), None);
    }

    #[test]
    fn names_are_safe_to_paste() {
        assert_eq!(quoted("web@1.service"), "web@1.service");
        assert_eq!(quoted("a\\x2db.service"), "'a\\x2db.service'");
        assert_eq!(quoted("x'; rm"), "'x'\\''; rm'");
    }
}
