//! [`Offers`]: which remedies there are for a group and a process, and why others are not.

use super::IncidentDialog;
use super::remedy::Remedy;
use crate::app::dialog::{DialogContext, own};
use crate::model::cgroup::{Cgroup, CgroupKey, CgroupPath};
use crate::model::freezer::FreezerState;
use crate::model::incident::spared::spared;
use crate::model::incident::{Survey, plans};
use crate::model::oom_domain::victim::{DomainState, Scope};
use crate::model::process::score::OomScoreAdj;
use crate::model::process::{Process, ProcessId};
use crate::model::snapshot::Snapshot;

/// What is offered, in the order of [`Remedy::ALL`], and sentences about what is not.
#[derive(Debug, Default)]
pub(super) struct Offers {
    list: Vec<Remedy>,
    pub(super) missing: Vec<String>,
}

impl Offers {
    pub(super) fn of(dialog: &IncidentDialog, context: &DialogContext<'_>) -> Self {
        let mut offers = Self::default();
        if dialog.survey.is_none() {
            // What stands first must not change under the hand.
            return offers;
        }
        if let Some(Ok(survey)) = &dialog.survey {
            offers.add_group(dialog, survey, context);
        }
        offers.add_process(dialog, context);
        let rank = |remedy: &Remedy| Remedy::ALL.iter().position(|one| one == remedy);
        offers.list.sort_by_key(rank);
        offers
    }

    pub(super) fn first(&self) -> Option<Remedy> {
        self.list.first().copied()
    }

    pub(super) fn has(&self, remedy: Remedy) -> bool {
        self.list.contains(&remedy)
    }

    pub(super) fn list(&self) -> &[Remedy] {
        &self.list
    }

    pub(super) fn named(&self, letter: char) -> Option<Remedy> {
        let mut list = self.list.iter().copied();
        list.find(|remedy| remedy.letter() == letter)
    }

    /// The next one up or down; the first where none is chosen.
    pub(super) fn beside(&self, now: Option<Remedy>, by: isize) -> Option<Remedy> {
        let at = now.and_then(|now| self.list.iter().position(|one| *one == now));
        let Some(at) = at else { return self.first() };
        let last = self.list.len().saturating_sub(1);
        let to = at.saturating_add_signed(by).min(last);
        self.list.get(to).copied()
    }

    fn add_group(&mut self, dialog: &IncidentDialog, survey: &Survey, context: &DialogContext<'_>) {
        let snapshot = context.cells.snapshot;
        let Some(path) = &dialog.group else { return };
        let limits = group_at(path, snapshot).map(|group| group.limits);
        if limits.is_some_and(|limits| limits.nearest().is_some()) {
            self.list.push(Remedy::Raise);
        }
        if survey.reclaims {
            self.list.push(Remedy::Reclaim);
        } else if dialog.version.is_v1() {
            self.missing.push(
                "reclaim: cgroup v1 has only memory.force_empty, which takes all that can go and cannot be bounded"
                    .to_owned(),
            );
        } else {
            self.missing
                .push("reclaim: this kernel has no memory.reclaim (Linux 5.19)".to_owned());
        }
        let freezer = survey.freezer.as_ref();
        let stopped = match freezer {
            Some(freezer) => freezer.state.is_stopped(),
            None => members(path, snapshot).any(|process| process.state.0 == 'T'),
        };
        if stopped {
            self.list.push(Remedy::Thaw);
        }
        if let Some(reason) = why_not(path, context) {
            self.missing.push(format!("freeze, kill all: {reason}"));
            return;
        }
        if freezer.is_some_and(|freezer| freezer.held_from_above) {
            self.missing
                .push("freeze, thaw: a group around it is frozen, and that decides".to_owned());
        } else if !stopped && survey.members > 0 {
            self.list.push(Remedy::Freeze);
        }
        if survey.members > 0 {
            self.list.push(Remedy::KillGroup);
        }
    }

    fn add_process(&mut self, dialog: &IncidentDialog, context: &DialogContext<'_>) {
        if exposed(dialog, context).is_some() {
            self.list.push(Remedy::Expose);
        }
        let Some(process) = living(dialog, context) else {
            return;
        };
        if context.host.own_pid.is_none() {
            self.missing.push(format!("stop, kill one: {FOREIGN}"));
            return;
        }
        let spared = spared(context.cells.snapshot, context.host.own_pid);
        if let Some(one) = spared.into_iter().find(|one| one.id == process.id) {
            let who = own::named(one, context);
            self.missing.push(format!("stop, kill one: {who}"));
            return;
        }
        self.list.push(if process.state.0 == 'T' {
            Remedy::Continue
        } else {
            Remedy::Stop
        });
        self.list.push(Remedy::Reap);
    }
}

const FOREIGN: &str =
    "this /proc is that of another pid namespace, where oomtop cannot tell itself from others";

/// Why the group may not be frozen or killed.
fn why_not(path: &CgroupPath, context: &DialogContext<'_>) -> Option<String> {
    if path.is_root() {
        return Some("the root group is the whole machine".to_owned());
    }
    if context.host.own_pid.is_none() {
        return Some(FOREIGN.to_owned());
    }
    own::within(path, context)
}

/// The process that the dialog is pinned to, while it lives.
pub(super) fn living<'a>(
    dialog: &IncidentDialog,
    context: &DialogContext<'a>,
) -> Option<&'a Process> {
    let target = dialog.target.as_ref()?;
    let process = context.cells.snapshot.process(target.id)?;
    (!process.kernel_thread && !process.state.is_dead()).then_some(process)
}

/// Whom to expose with which adj, and whether that makes it the first.
pub(super) fn exposed(
    dialog: &IncidentDialog,
    context: &DialogContext<'_>,
) -> Option<(ProcessId, OomScoreAdj, bool)> {
    let snapshot = context.cells.snapshot;
    let process = snapshot.process(dialog.leaker.as_ref()?.id)?;
    let domain = domain(dialog.group.as_ref(), snapshot)?;
    let (value, is_enough) = plans::exposing(process, domain)?;
    Some((process.id, value, is_enough))
}

/// The OOM domain of the group; the host's without one.
pub(super) fn domain<'a>(
    group: Option<&CgroupPath>,
    snapshot: &'a Snapshot,
) -> Option<&'a DomainState> {
    let key = group.and_then(|path| key_of(path, snapshot));
    let own = key.and_then(|key| snapshot.domain(Scope::Memcg(key)));
    own.or_else(|| snapshot.domain(Scope::Host))
}

pub(super) fn key_of(path: &CgroupPath, snapshot: &Snapshot) -> Option<CgroupKey> {
    let mut groups = snapshot.cgroups.iter();
    let at = groups.position(|group| group.present && group.path == *path)?;
    u32::try_from(at).ok().map(CgroupKey)
}

pub(super) fn group_at<'a>(path: &CgroupPath, snapshot: &'a Snapshot) -> Option<&'a Cgroup> {
    snapshot.cgroup(key_of(path, snapshot)?)
}

/// Living processes of the group and below.
pub(super) fn members<'a>(
    path: &'a CgroupPath,
    snapshot: &'a Snapshot,
) -> impl Iterator<Item = &'a Process> {
    let is_in = move |process: &&Process| {
        let home = process.cgroup.and_then(|key| snapshot.cgroup(key));
        let lives = !process.kernel_thread && !process.state.is_dead();
        lives && home.is_some_and(|home| home.path.is_within(path))
    };
    snapshot.processes.iter().filter(is_in)
}

/// How the group's own switch stands.
pub(super) fn freezer_of(dialog: &IncidentDialog) -> Option<FreezerState> {
    let survey = dialog.survey.as_ref()?.as_ref().ok()?;
    survey.freezer.as_ref().map(|freezer| freezer.state)
}
