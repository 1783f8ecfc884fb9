//! The last look before a group is frozen or killed: none of oomtop's ancestors may be in it, and not pid 1. The dialog
//! has looked already, at a sample; since then somebody may have moved oomtop.

use crate::linux::SysRoot;
use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::write::errors::failure;
use crate::linux::write::pinned::PinnedProcess;
use crate::linux::write::signal::own_pids;
use crate::model::cgroup::CgroupPath;
use crate::model::plan::receipt::{Failure, FailureKind};
use crate::model::process::Pid;

/// Most ancestors followed.
const DEEPEST: usize = 128;

/// Refuses a group that holds oomtop, one of its ancestors or pid 1.
///
/// # Errors
/// A sentence that names who is in it.
pub(super) fn refuse_group(
    root: &SysRoot,
    hierarchy: &Hierarchy,
    group: &CgroupPath,
    what: &str,
) -> Result<(), Failure> {
    if group.is_root() {
        return Err(refused(format!(
            "The root group holds the whole machine: {what} it would end everything."
        )));
    }
    own_pids(root, "what is done to a group")?;
    for (pid, process) in line(root) {
        if process
            .cgroup(hierarchy)
            .is_some_and(|home| home.is_within(group))
        {
            return Err(refused(format!(
                "{group} holds process {pid}, which oomtop or its terminal hangs from: {what} it would leave nobody \
                 to undo it. Nothing was done."
            )));
        }
    }
    Ok(())
}

/// Refuses oomtop itself, its ancestors and pid 1.
///
/// # Errors
/// A sentence that says so.
pub(super) fn refuse_process(root: &SysRoot, target: Pid, what: &str) -> Result<(), Failure> {
    own_pids(root, "signals")?;
    if line(root).any(|(pid, _)| pid == target) {
        return Err(refused(format!(
            "oomtop or its terminal hangs from process {target}: {what} it would leave nobody to undo it. Nothing was \
             done."
        )));
    }
    Ok(())
}

/// oomtop, its ancestors, and pid 1.
fn line(root: &SysRoot) -> impl Iterator<Item = (Pid, PinnedProcess)> + use<'_> {
    let mut next = Some(std::process::id());
    let above = std::iter::from_fn(move || {
        let pid = next.take().filter(|pid| *pid > 0)?;
        let (process, stat) = PinnedProcess::whoever(root, pid).ok()?;
        next = Some(stat.ppid);
        Some((pid, process))
    });
    let init = PinnedProcess::whoever(root, 1).ok();
    above
        .take(DEEPEST)
        .chain(init.map(|(process, _)| (1, process)))
}

fn refused(sentence: String) -> Failure {
    failure(FailureKind::Other, sentence)
}
