//! Opens the incident dialog for the row that has the keyboard, and the question before oomtop leaves something frozen.

use crate::app::State;
use crate::app::dialog::Pinned;
use crate::app::dialog::incident::IncidentDialog;
use crate::app::dialog::leave::LeaveDialog;
use crate::app::input::action::Aim;
use crate::app::input::scope::KeyScope;
use crate::app::msg::{Control, Effect};
use crate::app::view::gauge::trend::Rate;
use crate::model::cgroup::{CgroupKey, CgroupPath};
use crate::model::incident::plans;
use crate::model::oom_domain::leak::Leak;
use crate::model::oom_domain::victim::Scope;
use crate::model::process::{Process, ProcessId};
use crate::text::tone::Tone;

pub(in crate::app::input::actions) fn incident(state: &mut State, aim: Aim) -> Vec<Effect> {
    let process = state
        .target(aim)
        .map(|process| (process, Pinned::of(process)));
    let group = match aim {
        Aim::Victim => state.selected_group(),
        Aim::Event => state.event_group(),
        Aim::Nobody | Aim::Selected | Aim::Tagged => None,
    };
    let (process, reason) = match process {
        Ok((process, _)) if process.kernel_thread => {
            let text = format!(
                "{} is a kernel thread: nothing here can be done with it",
                Pinned::of(process)
            );
            (None, Some(text))
        }
        Ok(found) => (Some(found), None),
        Err(reason) => (None, Some(reason)),
    };
    // The host's row stands for no group, and neither does an event of the host.
    let around = process.as_ref().filter(|_| aim == Aim::Selected);
    let around = around.and_then(|(process, _)| domain_of(state, process));
    let group = group.or(around);
    if let (None, None, Some(reason)) = (&group, &process, reason) {
        state.say(Tone::Watch, reason);
        return Vec::new();
    }
    let leaker = match (aim, &process) {
        // The user has pointed at it.
        (Aim::Selected, Some((_, pinned))) => Some(pinned.clone()),
        _ => leaker(state, group.as_ref()),
    };
    let target = process.map(|(_, pinned)| pinned);
    let exposes = leaker
        .as_ref()
        .is_some_and(|leaker| is_leak_elsewhere(state, group.as_ref(), leaker.id));
    let mut dialog = IncidentDialog::new(group, target, leaker, state.host.cgroups);
    if exposes {
        dialog = dialog.proposing_to_expose();
    }
    let mut effects = dialog.request();
    effects.extend(state.open(dialog));
    // The next sample must read all files of the groups around it.
    effects.extend(state.request_sample());
    effects
}

/// The innermost group around a process that has a limit, else its own group, if that is not the root.
fn domain_of(state: &State, process: &Process) -> Option<CgroupPath> {
    let key = process.cgroup?;
    let mut around = state.snapshot.ancestry(key);
    let limited = around.find(|(_, group)| group.present && group.limits.nearest().is_some());
    let group = limited.map(|(_, group)| group);
    let group = group.or_else(|| state.snapshot.cgroup(key))?;
    (group.present && !group.path.is_root()).then(|| group.path.clone())
}

/// True if the group is about to be full, and by its leak another process than the one that leaks may die.
fn is_leak_elsewhere(state: &State, group: Option<&CgroupPath>, leaker: ProcessId) -> bool {
    let snapshot = &state.snapshot;
    let filling = state.domains.filling().into_iter();
    let mut domains = filling.filter(|scope| {
        let own = scope.memcg().and_then(|key| snapshot.cgroup(key));
        own.map(|own| &own.path) == group
    });
    let domain = domains.next().and_then(|scope| snapshot.domain(scope));
    let exposing = domain.zip(snapshot.process(leaker));
    exposing
        .and_then(|(domain, process)| plans::exposing(process, domain))
        .is_some_and(|(_, is_enough)| is_enough)
}

/// Whose growth fills the group, or the host: the same one as the line above the table names.
fn leaker(state: &State, group: Option<&CgroupPath>) -> Option<Pinned> {
    let snapshot = &state.snapshot;
    let scope = group.map_or(Some(Scope::Host), |path| {
        let at = snapshot.cgroups.iter().position(|one| one.path == *path)?;
        Some(Scope::Memcg(CgroupKey(u32::try_from(at).ok()?)))
    })?;
    let rate = match state
        .domains
        .watch(scope)
        .map(|watch| watch.forecast.rate())
    {
        Some(Rate::Steady(rate) | Rate::Lately(rate, _)) => rate,
        // Nothing says how fast it grows: then whoever grows does.
        Some(Rate::Unknown | Rate::Unsteady | Rate::Frozen) | None => f64::MIN_POSITIVE,
    };
    let leaker = Leak::new(scope, snapshot, rate)?.first()?;
    snapshot.process(leaker).map(Pinned::of)
}

/// Ends oomtop; asks first while something that it has frozen stands still. Whoever asks again means it.
pub(in crate::app::input::actions) fn quit(state: &mut State) -> Vec<Effect> {
    let is_asked = state.key_scope() == KeyScope::Leave;
    if state.frozen.is_empty() || is_asked {
        return state.ask(Control::Quit);
    }
    let thaw = state.frozen.thaw();
    state.open(LeaveDialog::new(thaw))
}
