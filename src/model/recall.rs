//! [`Remembered`]: what the last samples knew about a victim. The kernel's log has only 15 letters of its name.

use std::sync::Arc;
use std::time::Duration;

use crate::model::cgroup::CgroupPath;
use crate::model::process::badness::badness;
use crate::model::process::{Process, ProcessId};
use crate::model::snapshot::Snapshot;
use crate::model::time::Monotonic;
use crate::oomlog::Kill;

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
    /// Its place in the host's ranking, 1 = next victim; `None` if the kernel could not choose it.
    pub rank: Option<u32>,
    /// Growth of rss + swap in bytes per second before it died.
    pub growth: Option<i64>,
}

impl Remembered {
    /// How many bytes of memory it holds outside of itself.
    pub fn weight(&self) -> usize {
        let command = self.command.as_ref().map_or(0, |command| command.len());
        let cgroup = self.cgroup.as_ref().map_or(0, |path| path.as_str().len());
        let user = self.user.as_ref().map_or(0, String::capacity);
        // The allocator's part of each.
        command + cgroup + user + 3 * 32
    }
}

/// A sample this much younger than the kill may still show the victim, because exiting takes time.
const SLACK: Duration = Duration::from_secs(5);

/// Looks a victim up in the samples, newest first. A pid can be reused, so the name must be equal and the sample
/// not younger than the kill.
pub fn recall(kill: &Kill, samples: &[&Snapshot]) -> Option<Remembered> {
    let is_it = |process: &Process| process.id.pid == kill.pid && process.comm.text() == kill.comm;
    look_up(is_it, kill.at?, samples)
}

/// Looks the process up that died at `died`, newest sample first, by its identity.
pub fn recall_process(
    is_it: impl Fn(ProcessId) -> bool,
    died: Monotonic,
    samples: &[&Snapshot],
) -> Option<Remembered> {
    look_up(|process| is_it(process.id), died, samples)
}

fn look_up(
    is_it: impl Fn(&Process) -> bool,
    died: Monotonic,
    samples: &[&Snapshot],
) -> Option<Remembered> {
    let saw_it =
        |snapshot: &&&Snapshot| snapshot.seq > 0 && snapshot.taken.monotonic.since(died) <= SLACK;
    samples.iter().filter(saw_it).find_map(|snapshot| {
        let process = snapshot.processes.iter().find(|process| is_it(process))?;
        Some(remember(process, snapshot))
    })
}

fn remember(process: &Process, snapshot: &Snapshot) -> Remembered {
    let total = snapshot.domains.first().map_or(0, |host| host.total_pages);
    // It was killed: that it is passed over since then says nothing of its place before.
    let before = Process {
        skipped_by_kernel: false,
        ..process.clone()
    };
    let rank = badness(&before, total).points().map(|own| {
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
