//! [`Later`]: what the processes of a service start with, once the present ones have ended. A running service takes no
//! `OOMScoreAdjust=`, so the value goes into a drop-in.

use crate::app::dialog::{DialogContext, drop_in};
use crate::app::input::id::ActionId;
use crate::app::input::scope::KeyScope;
use crate::app::msg::Effect;
use crate::model::cgroup::CgroupPath;
use crate::model::killers::oom_policy::Manager;
use crate::model::process::Process;
use crate::model::process::score::OomScoreAdj;
use crate::model::systemd::drop_in::{DropInWrite, Found, Setting};
use crate::model::systemd::{Lasting, UnitName};
use crate::text::tone::{Line, Tone};

/// The choice, and what was found of the drop-in.
#[derive(Debug, Default)]
pub(super) struct Later {
    /// `None`: for the running processes alone.
    lasting: Option<Lasting>,
    found: Option<(UnitName, Lasting, Result<Found, String>)>,
}

impl Later {
    /// How many questions it asks.
    pub(super) const QUESTIONS: usize = 6;

    /// Which of them it asks now: what is written changes once the drop-in was read.
    pub(super) fn question(&self) -> usize {
        let lasting = self.lasting.map_or(0, |lasting| lasting as usize + 1);
        lasting * 2 + usize::from(self.found.is_some())
    }

    /// Nothing is left for later.
    pub(super) fn is_off(&self) -> bool {
        self.lasting.is_none()
    }

    /// The next choice; asks for the drop-in that it is about.
    pub(super) fn turn(&mut self, unit: Option<&UnitName>) -> Vec<Effect> {
        self.lasting = match self.lasting {
            None => Some(Lasting::Persistent),
            Some(Lasting::Persistent) => Some(Lasting::Runtime),
            Some(Lasting::Runtime) => None,
        };
        self.ask(unit)
    }

    /// Asks for the drop-in of the processes that are chosen now: they may be of another service than a moment ago. Of no
    /// service, nothing is left for later.
    pub(super) fn ask(&mut self, unit: Option<&UnitName>) -> Vec<Effect> {
        self.found = None;
        let Some((unit, lasting)) = unit.zip(self.lasting) else {
            self.lasting = None;
            return Vec::new();
        };
        vec![Effect::ReadDropIn(unit.clone(), lasting)]
    }

    pub(super) fn arrived(
        &mut self,
        unit: &UnitName,
        lasting: Lasting,
        found: &Result<Found, String>,
    ) {
        if self.lasting == Some(lasting) {
            self.found = Some((unit.clone(), lasting, found.clone()));
        }
    }

    /// What would be written for later, or what is missing; `None` if nothing is wanted.
    pub(super) fn write(
        &self,
        unit: Option<&UnitName>,
        value: OomScoreAdj,
        context: &DialogContext<'_>,
    ) -> Option<Result<DropInWrite, String>> {
        let lasting = self.lasting?;
        let Some(unit) = unit else {
            return Some(Err(
                "for later: these processes are not of one service".to_owned()
            ));
        };
        if let Some((uid, least)) = least(unit, context).filter(|(_, least)| value < *least) {
            return Some(Err(format!(
                "for later: systemd of user {uid} has {least} itself and may start nobody with less; it would leave this \
                 value out without a word. Root can lower that of user@{uid}.service"
            )));
        }
        match &self.found {
            Some((of, kept, found)) if of == unit && *kept == lasting => {
                let setting = Setting::ScoreAdjust(value);
                let write =
                    |found: &Found| DropInWrite::setting(unit.clone(), lasting, found, setting);
                Some(found.as_ref().map(write).map_err(Clone::clone))
            }
            Some((of, ..)) if of != unit => {
                let key = context.keymap.name_in(KeyScope::Adjust, ActionId::Lasting);
                Some(Err(format!(
                    "for later: these processes are of {unit} now, no longer of {of}; {key} asks anew"
                )))
            }
            _ => Some(Err("reading the drop-in …".to_owned())),
        }
    }

    /// The choice, with its key.
    pub(super) fn line(&self, unit: &UnitName, context: &DialogContext<'_>) -> Line {
        let mut line = Line::of(Tone::Dim, "for ");
        for (lasting, words) in [
            (None, "what runs now".to_owned()),
            (
                Some(Lasting::Persistent),
                format!("every start of {unit}, too"),
            ),
            (
                Some(Lasting::Runtime),
                Lasting::Runtime.until(unit).to_owned(),
            ),
        ] {
            if lasting == self.lasting {
                line.push(Tone::Accent, format!("[{words}]"));
            } else {
                line.push(Tone::Dim, format!(" {words} "));
            }
        }
        let key = context.keymap.name_in(KeyScope::Adjust, ActionId::Lasting);
        line.add(Tone::Dim, format!("  ({key})"))
    }
}

/// The user whose manager runs this unit, and the least value that manager may start a process with: its own, which root
/// has given it (exec_invoke in systemd src/core/exec-invoke.c passes over EPERM; fs/proc/base.c `__set_oom_adj`).
fn least(unit: &UnitName, context: &DialogContext<'_>) -> Option<(u32, OomScoreAdj)> {
    let Manager::User(uid) = unit.manager else {
        return None;
    };
    let snapshot = context.cells.snapshot;
    let home = format!("/user@{uid}.service/init.scope");
    let is_manager = |process: &&Process| {
        let group = process.cgroup.and_then(|key| snapshot.cgroup(key));
        process.ppid == 1 && group.is_some_and(|group| group.path.as_str().ends_with(&home))
    };
    let manager = snapshot.processes.iter().find(is_manager)?;
    Some((uid, manager.adj?))
}

/// The service that all of these are of, if the user of oomtop may have a drop-in for it.
pub(super) fn service_of(processes: &[&Process], context: &DialogContext<'_>) -> Option<UnitName> {
    let snapshot = context.cells.snapshot;
    let unit = |process: &&Process| UnitName::around(&snapshot.cgroup(process.cgroup?)?.path);
    let mut units = processes.iter().map(unit);
    let first = units.next()??;
    let is_one = units.all(|unit| unit.as_ref() == Some(&first));
    (is_one && drop_in::is_own(&first, context)).then_some(first)
}

/// The group of that service, as far as these processes show it.
pub(super) fn unit_group_of<'a>(
    mut processes: impl Iterator<Item = &'a Process>,
    context: &DialogContext<'_>,
) -> Option<CgroupPath> {
    let group = context.cells.snapshot.cgroup(processes.next()?.cgroup?)?;
    UnitName::group_around(&group.path)
}
