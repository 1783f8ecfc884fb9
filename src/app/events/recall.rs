//! [`Remembered`]: what the last samples knew of a victim before it died. The kernel's log has only 15
//! letters.

use std::sync::Arc;

use crate::domain::badness::badness;
use crate::domain::cgroup::CgroupPath;
use crate::domain::oom::Kill;
use crate::domain::process::{Process, ProcessId};
use crate::domain::snapshot::Snapshot;
use crate::domain::time::Monotonic;

/// A victim as a sample had it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// Identity.
    pub id: ProcessId,
    /// Full command line, where it had been read.
    pub command: Option<Arc<str>>,
    /// Its memory cgroup.
    pub cgroup: Option<CgroupPath>,
    /// Its user.
    pub user: Option<String>,
    /// Its place in the host's ranking, 1 = next victim; `None` if it was never to be chosen.
    pub rank: Option<u32>,
    /// Growth of rss + swap in bytes per second before it died.
    pub growth: Option<i64>,
}

/// Looks a victim up in the samples, newest first. The pid alone proves nothing: the name must fit and
/// the process must have been started before the kill.
pub(super) fn recall(kill: &Kill, samples: &[&Snapshot]) -> Option<Remembered> {
    let died = kill.at?;
    samples
        .iter()
        .filter(|snapshot| snapshot.seq > 0)
        .find_map(|snapshot| {
            let process = snapshot.processes.iter().find(|p| p.id.pid == kill.pid)?;
            // USER_HZ is 100 on every Linux: a tick is 10 ms.
            let started = Monotonic(process.id.start_ticks.saturating_mul(10_000));
            let is_it = process.comm.text() == kill.comm && started <= died;
            is_it.then(|| remember(process, snapshot))
        })
}

fn remember(process: &Process, snapshot: &Snapshot) -> Remembered {
    let total = snapshot.domains.first().map_or(0, |host| host.total_pages);
    let rank = badness(process, total).points().map(|own| {
        let is_worse = |p: &&Process| badness(p, total).points() > Some(own);
        let worse = snapshot.processes.iter().filter(is_worse).count();
        u32::try_from(worse + 1).unwrap_or(u32::MAX)
    });
    let group = process.cgroup.and_then(|key| snapshot.cgroup(key));
    Remembered {
        id: process.id,
        command: process.command.clone(),
        cgroup: group.map(|group| group.path.clone()),
        user: snapshot.user(process.uid).map(str::to_owned),
        rank,
        #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
        growth: process.growth.map(|growth| growth as i64),
    }
}
