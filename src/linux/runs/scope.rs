//! [`enter`]: oomtop goes into a scope of its own, where systemd leaves it the groups.

use std::time::Duration;

use super::place::surroundings;
use crate::linux::SysRoot;
use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::patience::Patience;
use crate::linux::systemd::manager::Connected;
use crate::linux::systemd::manager::scope::NewScope;
use crate::model::process::ProcessId;
use crate::model::run::group_name;
use crate::model::run::place::Surroundings;
use crate::model::systemd::scope::ScopeHome;

/// How long systemd may take for each answer: nothing has begun yet, and nobody else waits.
const WITHIN: Duration = Duration::from_secs(10);

/// Moves oomtop into a transient scope, which ends with its last process. Returns what is around oomtop then.
///
/// # Errors
/// A sentence.
pub(super) fn enter(
    root: &SysRoot,
    hierarchy: &Hierarchy,
    home: &ScopeHome,
    own: ProcessId,
) -> Result<Surroundings, String> {
    let pid = rustix::process::getpid();
    // oomtop itself: a number would name nobody else, either.
    let pidfd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty());
    let pidfd = pidfd.map_err(|errno| format!("no pidfd of oomtop itself: {errno}"))?;
    let patience = Patience::within(WITHIN);
    let manager = Connected::open_for_scopes(&root.base, home.manager, &patience);
    let started = manager.and_then(|mut manager| {
        let (started, _) = manager.start_scope(&NewScope {
            name: &format!("{}.scope", group_name(own)),
            description: "A command under watch of oomtop",
            slice: &home.slice,
            who: &[(own.pid, std::os::fd::AsFd::as_fd(&pidfd))],
            delegate: true,
            limits: &[],
        });
        started
    });
    let group = started.map_err(|refusal| refusal.failure.sentence)?;
    let around = surroundings(root, hierarchy);
    let now = around.levels.first().map(|(path, _)| path.as_str());
    // A scope can be active and without the process: another program may have moved it meanwhile.
    if now != Some(group.as_str()) {
        return Err(format!(
            "systemd has started the scope {group}, but oomtop is in {}",
            now.unwrap_or("none that is known")
        ));
    }
    Ok(around)
}
