//! What an ordinary user may do where a write was refused for want of rights: always something of their own.

use super::{DialogContext, DialogView};
use crate::app::input::id::ActionId as Id;
use crate::model::incident::spared::spared;
use crate::model::killers::oom_policy::Manager;
use crate::model::plan::receipt::{FailureKind, PlanReceipt};
use crate::model::process::score::OomScoreAdj;
use crate::model::process::{Process, ProcessId};
use crate::model::shell::quoted;
use crate::model::systemd::UnitName;
use crate::text::tone::{Line, Tone};

/// A write that was refused for want of rights, while its dialog is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::app) struct Denied {
    /// Whom it was about.
    targets: Vec<ProcessId>,
    /// How many dialogs were open.
    depth: usize,
}

impl Denied {
    /// `None` if nothing was refused so.
    pub(in crate::app) fn of(plans: &[PlanReceipt], depth: usize) -> Option<Self> {
        let targets = denied(plans)?;
        Some(Self { targets, depth })
    }

    /// The view of the front dialog, with what is allowed below it.
    pub(in crate::app) fn below(
        &self,
        view: &DialogView,
        depth: usize,
        context: &DialogContext<'_>,
    ) -> DialogView {
        // The last section of a view with a window is one part of something longer.
        if depth != self.depth || view.window.is_some() {
            return view.clone();
        }
        let line = line(&self.targets, context);
        view.clone().text(line.into_iter().collect())
    }
}

/// Whom a write was about that was refused for want of rights.
fn denied(plans: &[PlanReceipt]) -> Option<Vec<ProcessId>> {
    let mut failures = plans.iter().filter_map(PlanReceipt::failure);
    let is_denied = failures.any(|failure| failure.kind == FailureKind::Denied);
    let steps = plans.iter().flat_map(|plan| &plan.steps);
    let targets = steps.flat_map(|receipt| receipt.step.processes()).copied();
    is_denied.then(|| targets.collect())
}

/// What may be done instead of a write of the past.
pub(super) fn after(plans: &[PlanReceipt], context: &DialogContext<'_>) -> Option<Line> {
    line(&denied(plans)?, context)
}

/// What may be done instead; `None` for root, and where nothing may be written at all.
fn line(targets: &[ProcessId], context: &DialogContext<'_>) -> Option<Line> {
    let host = context.host;
    if host.uid == 0 || context.settings.read_only {
        return None;
    }
    let snapshot = context.cells.snapshot;
    // Neither what oomtop hangs from, nor what it has started.
    let spared = spared(snapshot, host.own_pid);
    let is_oomtops = |process: &Process| {
        Some(process.ppid) == host.own_pid || spared.iter().any(|one| one.id == process.id)
    };
    let managed = format!("/user@{}.service/", host.uid);
    // The manager and its helper: the file of the one is root's, and with the other the session would end.
    let init = format!("{managed}init.scope");
    let is_managers = |process: &Process| {
        let group = process.cgroup.and_then(|key| snapshot.cgroup(key));
        group.is_some_and(|group| group.path.as_str().ends_with(&init))
    };
    let may_die = |process: &&Process| {
        process.uid == host.uid
            && !is_managers(process)
            && !is_oomtops(process)
            && !process.kernel_thread
            && process.adj.is_none_or(|adj| adj < OomScoreAdj::MAX)
            && !process.state.is_dead()
            && !targets.contains(&process.id)
    };
    let processes = snapshot.processes.iter();
    // The largest one: it frees the most.
    let own = processes
        .filter(may_die)
        .max_by_key(|process| process.charged_pages());
    // Without a session of the user no manager answers there.
    let mut groups = snapshot.cgroups.iter();
    let has_manager =
        host.systemd && groups.any(|group| group.present && group.path.as_str().contains(&managed));
    let reach = |program| host.command_user.reach(program, Manager::User(host.uid));
    let limit = |unit: Option<UnitName>| match unit {
        Some(unit) => format!(
            "{} set-property {} MemoryMax=1G",
            reach("systemctl"),
            quoted(&unit.name)
        ),
        None if has_manager => {
            format!("{} --scope -p MemoryMax=1G COMMAND", reach("systemd-run"))
        }
        None => "ulimit -v 1048576, before the command is started".to_owned(),
    };
    let Some(own) = own else {
        let text = format!(
            "Without root you can set a limit for what you start yourself: {}",
            limit(None)
        );
        return Some(Line::of(Tone::Normal, text));
    };
    let group = own
        .cgroup
        .and_then(|key| context.cells.snapshot.cgroup(key));
    let unit = group.and_then(|group| UnitName::around(&group.path));
    let unit = unit.filter(|unit| unit.manager == Manager::User(host.uid));
    let key = |id| context.keymap.key(id);
    let pid = own.id.pid;
    let text = format!(
        "Without root you can let {pid} {}, which is yours, die first: echo 1000 > /proc/{pid}/oom_score_adj; on its row {} \
         does the same and {} stops it; or limit what is yours: {}",
        own.comm,
        key(Id::Adjust),
        key(Id::Incident),
        limit(unit)
    );
    Some(Line::of(Tone::Normal, text))
}
