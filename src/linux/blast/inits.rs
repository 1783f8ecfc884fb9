//! [`InitWatch`]: which of some processes are the first of a PID namespace, and who else is in it. `NSpid` of
//! `/proc/PID/status` and the link `/proc/PID/ns/pid` take no lock of the process; the link is read by those who may
//! trace the process.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use super::Look;
use crate::linux::kernel_file::{FileBuffer, lines};
use crate::model::process::init::Init;
use crate::model::process::{Pid, Process, ProcessId};
use crate::model::time::Monotonic;

/// Time between two looks at who is in a namespace.
const EVERY: Duration = Duration::from_secs(5);

/// First processes known at a time.
const MOST: usize = 256;

/// Processes looked at.
const MOST_LOOKED: usize = 65_536;

/// What is known of a process.
#[derive(Debug, Clone)]
struct Known {
    /// It is the first of its namespace.
    is_init: bool,
    others: Vec<ProcessId>,
}

/// What is known of the processes that were asked for.
#[derive(Debug, Default)]
pub(crate) struct InitWatch {
    known: HashMap<ProcessId, Known>,
    /// When others were last looked for, and in whose namespaces.
    looked: Option<Monotonic>,
    looked_for: Vec<ProcessId>,
}

impl InitWatch {
    /// The first processes of namespaces among `wanted`, which is ascending.
    pub(crate) fn at(
        &mut self,
        at: &Look<'_>,
        wanted: &[ProcessId],
        processes: &[Process],
        buffer: &mut FileBuffer,
    ) -> Arc<Vec<Init>> {
        self.known.retain(|id, _| wanted.binary_search(id).is_ok());
        for id in wanted {
            self.known.entry(*id).or_insert_with(|| Known {
                is_init: is_first(at.proc, *id, processes, buffer),
                others: Vec::new(),
            });
        }
        let first = |id: &&ProcessId| self.known.get(id).is_some_and(|known| known.is_init);
        let inits: Vec<ProcessId> = wanted.iter().filter(first).take(MOST).copied().collect();
        if inits.is_empty() {
            return Arc::default();
        }
        // While tasks wait for memory nobody is looked for again.
        let due = self
            .looked
            .is_none_or(|looked| !at.pressed && at.now.since(looked) >= EVERY);
        if due || !inits.iter().all(|id| self.looked_for.contains(id)) {
            self.looked = Some(at.now);
            let mut found = others(at.proc, &inits, processes);
            for id in &inits {
                if let Some(known) = self.known.get_mut(id) {
                    known.others = found.remove(id).unwrap_or_default();
                }
            }
            self.looked_for.clone_from(&inits);
        }
        let init = |id: ProcessId| Init {
            id,
            others: self
                .known
                .get(&id)
                .map(|known| known.others.clone())
                .unwrap_or_default(),
        };
        Arc::new(inits.into_iter().map(init).collect())
    }
}

/// True if its pid is 1 in its own namespace, and it is not the init of the host.
fn is_first(proc: &OwnedFd, id: ProcessId, processes: &[Process], buffer: &mut FileBuffer) -> bool {
    let is_global = |process: &Process| process.id == id && process.global_init;
    if processes.iter().any(is_global) {
        return false;
    }
    let status = buffer.read_single(proc, format!("{}/status", id.pid).as_str());
    status.is_ok_and(|text| innermost_pid(text) == Some(1))
}

/// The last number of `NSpid` (4.1 and later): the pid in the process's own namespace.
fn innermost_pid(status: &[u8]) -> Option<Pid> {
    let line = lines(status).find_map(|line| line.strip_prefix(b"NSpid:"))?;
    let last = line
        .split(u8::is_ascii_whitespace)
        .rfind(|word| !word.is_empty())?;
    std::str::from_utf8(last).ok()?.parse().ok()
}

/// All others in the namespaces of these processes: one link is read for each process.
fn others(
    proc: &OwnedFd,
    inits: &[ProcessId],
    processes: &[Process],
) -> HashMap<ProcessId, Vec<ProcessId>> {
    let namespace = |pid: Pid| {
        let path = format!("{pid}/ns/pid");
        rustix::fs::readlinkat(proc, path.as_str(), Vec::new()).ok()
    };
    let owners: HashMap<_, ProcessId> = inits
        .iter()
        .filter_map(|id| Some((namespace(id.pid)?, *id)))
        .collect();
    let mut found: HashMap<ProcessId, Vec<ProcessId>> = HashMap::new();
    if owners.is_empty() {
        return found;
    }
    let own = processes.iter().filter(|process| !process.kernel_thread);
    for process in own.take(MOST_LOOKED) {
        let owner = namespace(process.id.pid).and_then(|name| owners.get(&name));
        if let Some(owner) = owner.filter(|owner| **owner != process.id) {
            found.entry(*owner).or_default().push(process.id);
        }
    }
    for others in found.values_mut() {
        others.sort_unstable();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::innermost_pid;

    #[test]
    fn the_pid_in_the_innermost_namespace_is_the_last() {
        let pid =
            |line: &str| innermost_pid(format!("Name:\tNSpid: 7\n{line}\nNSpgid:\t1\n").as_bytes());
        assert_eq!(pid("NSpid:\t4711\t1"), Some(1));
        assert_eq!(pid("NSpid:\t4711"), Some(4711));
        assert_eq!(pid("NSpid:\t9\t12\t34"), Some(34));
        assert_eq!(pid("NSpid:"), None);
        assert_eq!(pid("Nothing"), None);
    }
}
