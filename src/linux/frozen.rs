//! How far processes and groups are stopped now.

use crate::linux::SysRoot;
use crate::linux::cgroup::freezer::GroupFreezer;
use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::kernel_file::{FileBuffer, lines};
use crate::linux::write::pinned::PinnedProcess;
use crate::model::freezer::{Freezable, FreezerState};
use crate::model::plan::receipt::Failure;
use crate::model::snapshot::Needs;

/// What is asked of each sample: the state of each that oomtop has stopped, `None` for what is gone; and the groups that
/// grow, where a freezer holds exactly their processes.
pub(crate) fn states(
    root: &SysRoot,
    hierarchy: &Hierarchy,
    needs: &Needs,
) -> Vec<(Freezable, Option<FreezerState>)> {
    let state = |what: &Freezable| match what {
        Freezable::Group(group) => {
            GroupFreezer::holding(root, hierarchy, group).and_then(|freezer| freezer.state().ok())
        }
        Freezable::Process(id) => {
            let process = PinnedProcess::open(root, *id);
            process.and_then(|process| of_process(&process)).ok()
        }
    };
    let look = |what: &Freezable| (what.clone(), state(what));
    let growing = needs.growing.iter().filter_map(|group| {
        let what = Freezable::Group(group.clone());
        let is_asked = needs.frozen.contains(&what);
        let freezer = GroupFreezer::find(root, hierarchy, group).filter(|_| !is_asked)?;
        let state = if freezer.is_held_from_above() {
            Some(FreezerState::Frozen)
        } else {
            freezer.state().ok()
        };
        Some((what, state))
    });
    needs.frozen.iter().map(look).chain(growing).collect()
}

/// How far a process is stopped by signals.
///
/// # Errors
/// As [`PinnedProcess::check`].
pub(crate) fn of_process(process: &PinnedProcess) -> Result<FreezerState, Failure> {
    let stat = process.check()?;
    Ok(match stat.state.0 {
        'T' => FreezerState::Frozen,
        // It waits in the kernel, where no signal reaches it.
        _ if has_stop_pending(process) => FreezerState::Freezing,
        _ => FreezerState::Thawed,
    })
}

fn has_stop_pending(process: &PinnedProcess) -> bool {
    let mut buffer = FileBuffer::default();
    let status = buffer.read_whole(process.dir(), "status");
    status.is_ok_and(is_stop_pending)
}

/// SIGSTOP is among the pending signals of `/proc/PID/status` (masks in hexadecimal digits).
fn is_stop_pending(status: &[u8]) -> bool {
    let mask = |key: &[u8]| {
        let line = lines(status).find_map(|line| line.strip_prefix(key))?;
        let digits = std::str::from_utf8(line.trim_ascii()).ok()?;
        u64::from_str_radix(digits, 16).ok()
    };
    let pending = mask(b"SigPnd:").unwrap_or(0) | mask(b"ShdPnd:").unwrap_or(0);
    pending & (1 << (libc::SIGSTOP - 1)) != 0
}

#[cfg(test)]
mod tests {
    use super::is_stop_pending;

    #[test]
    fn a_pending_stop_is_seen_in_either_mask() {
        let status = |own: &str, shared: &str| {
            format!("Name:\tx\nSigPnd:\t{own}\nShdPnd:\t{shared}\nSigBlk:\tffffffffffffffff\n")
        };
        let none = "0000000000000000";
        assert!(!is_stop_pending(status(none, none).as_bytes()));
        assert!(is_stop_pending(status(none, "0000000000040000").as_bytes()));
        assert!(is_stop_pending(status("0000000000040000", none).as_bytes()));
        // SIGCONT is another.
        assert!(!is_stop_pending(
            status(none, "0000000000020000").as_bytes()
        ));
        assert!(!is_stop_pending(b"ShdPnd: junk\n"));
    }
}
