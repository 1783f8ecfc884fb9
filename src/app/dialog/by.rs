//! [`By`]: who gives the group of a unit a limit, systemd or oomtop itself, and for how long.

use super::DialogContext;
use crate::app::input::id::ActionId;
use crate::app::input::scope::KeyScope;
use crate::model::cgroup::{CgroupPath, CgroupVersion};
use crate::model::killers::oom_policy::Manager;
use crate::model::plan::{Plan, build};
use crate::model::systemd::{Lasting, UnitName};
use crate::text::tone::{Line, Tone};

/// Who writes a limit of a unit's group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum By {
    /// systemd, which forgets it at the next boot, or at the last logout.
    #[default]
    Runtime,
    /// systemd, for good.
    Persistent,
    /// oomtop, into the file of the group: systemd does not know of it.
    File,
}

impl By {
    pub(super) const ALL: [Self; 3] = [Self::Runtime, Self::Persistent, Self::File];

    /// The next choice. A scope has nothing that lasts longer than its processes.
    pub(super) fn next(self, unit: Option<&UnitName>) -> Self {
        match self {
            Self::Runtime if unit.is_some_and(UnitName::is_scope) => Self::File,
            Self::Runtime => Self::Persistent,
            Self::Persistent => Self::File,
            Self::File => Self::Runtime,
        }
    }

    /// A few words.
    fn name(self, unit: &UnitName) -> String {
        match self.lasting() {
            Some(lasting) => format!("systemd, {}", lasting.until(unit)),
            None => "past systemd".to_owned(),
        }
    }

    pub(super) fn lasting(self) -> Option<Lasting> {
        match self {
            Self::Runtime => Some(Lasting::Runtime),
            Self::Persistent => Some(Lasting::Persistent),
            Self::File => None,
        }
    }

    /// The plan with the limits given by whom this says.
    pub(super) fn plan(self, plan: Plan, unit: Option<&UnitName>) -> Plan {
        match (unit, self.lasting()) {
            (Some(unit), Some(lasting)) => build::by_systemd(plan, unit, lasting),
            _ => plan,
        }
    }

    /// The choice, with its key.
    pub(super) fn line(
        self,
        unit: &UnitName,
        scope: KeyScope,
        context: &DialogContext<'_>,
    ) -> Line {
        self.line_among(&Self::ALL, unit, scope, context)
    }

    /// The same where only systemd can do it.
    pub(super) fn line_of_systemd(
        self,
        unit: &UnitName,
        scope: KeyScope,
        context: &DialogContext<'_>,
    ) -> Line {
        let all = [Self::Runtime, Self::Persistent];
        self.line_among(&all, unit, scope, context)
    }

    fn line_among(
        self,
        all: &[Self],
        unit: &UnitName,
        scope: KeyScope,
        context: &DialogContext<'_>,
    ) -> Line {
        let mut line = Line::of(Tone::Dim, "by ");
        let is_offered = |by: &Self| *by != Self::Persistent || !unit.is_scope();
        for by in all.iter().copied().filter(is_offered) {
            let name = by.name(unit);
            if by == self {
                line.push(Tone::Accent, format!("[{name}]"));
            } else {
                line.push(Tone::Dim, format!(" {name} "));
            }
        }
        let key = context.keymap.name_in(scope, ActionId::Lasting);
        line.add(Tone::Dim, format!("  ({key})"))
    }

    /// What systemd keeps of the limit; `None` if it does not know of it.
    pub(super) fn note(self, unit: &UnitName) -> Option<Line> {
        let text = match self {
            Self::File => return None,
            _ if unit.is_scope() => format!(
                "systemd sets it on the running {unit}: it lasts as long as the scope. Undo gives back the old value."
            ),
            Self::Runtime => format!(
                "systemd sets it on the running {unit} and keeps it over a restart and a daemon-reload, {}. Undo gives back \
                 the old value and removes what systemd keeps.",
                Lasting::Runtime.until(unit)
            ),
            Self::Persistent => format!(
                "systemd sets it on the running {unit} and keeps it over the next boot, too. Undo gives back the old value \
                 and removes what systemd keeps."
            ),
        };
        Some(Line::of(Tone::Dim, text))
    }
}

/// The unit that systemd can give the limits of this group, if it is one's own group.
pub(super) fn unit_of(group: Option<&CgroupPath>, context: &DialogContext<'_>) -> Option<UnitName> {
    let asks = context.host.systemd && context.host.cgroups == CgroupVersion::V2;
    let unit = group.filter(|_| asks).and_then(UnitName::of_group);
    unit.filter(|unit| is_asked(unit, context))
}

/// Why nobody can choose here how long systemd keeps something of this group, in a sentence. `limits`: it is about limits,
/// which systemd has on cgroup v2 alone.
pub(super) fn why_no_unit(
    group: Option<&CgroupPath>,
    limits: bool,
    context: &DialogContext<'_>,
) -> String {
    let host = context.host;
    let unit = group.and_then(UnitName::around);
    match unit {
        _ if !host.systemd => {
            "nothing to choose here: systemd does not run this machine, so nothing is kept for later starts"
                .to_owned()
        }
        _ if limits && host.cgroups != CgroupVersion::V2 => {
            "nothing to choose here: with cgroup v1 systemd is not asked; the value is in the group's file alone and goes with it"
                .to_owned()
        }
        Some(unit) if !is_asked(&unit, context) => {
            format!("nothing to choose here: the systemd of another user runs {unit}")
        }
        _ => match group {
            Some(group) => format!("nothing to choose here: systemd keeps nothing for {group}, which is no unit of its own"),
            None => "nothing to choose here: the processes do not belong to one service of systemd".to_owned(),
        },
    }
}

/// oomtop asks the manager of this unit: that of another user is that user's alone.
pub(super) fn is_asked(unit: &UnitName, context: &DialogContext<'_>) -> bool {
    match unit.manager {
        Manager::System => true,
        Manager::User(uid) => uid == context.host.uid,
    }
}
