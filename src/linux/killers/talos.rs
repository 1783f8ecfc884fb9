//! Finds Talos, whose pid 1 has an OOM controller inside, and reads its release and its settings.

use crate::linux::killers::unit_files::ConfigRoot;
use crate::model::cgroup::Cgroup;
use crate::model::killers::talos::{Release, talos};
use crate::model::killers::{Killer, RunningKiller};
use crate::model::process::{Process, ProcessId};

/// The machine's configuration (pkg/machinery/constants `StateMountPoint`, `ConfigFilename`). It holds secrets: nothing
/// of it is kept but the document that is looked for.
const CONFIG: &str = "system/state/config.yaml";

/// True for pid 1 of Talos. Its program has no name of its own: the groups that it makes tell. pid 1 is in `/init`, and
/// `/podruntime` is there, on no other system (pkg/machinery/constants `CgroupInit`, `CgroupPodRuntimeRoot`).
pub(super) fn is_it(process: &Process, cgroups: &[Cgroup]) -> bool {
    if process.id.pid != 1 || !process.global_init {
        return false;
    }
    let own = process.cgroup.and_then(|key| cgroups.get(key.index()));
    let is_there = |path: &str| {
        let mut groups = cgroups.iter().filter(|group| group.present);
        groups.any(|group| group.path.as_str() == path)
    };
    own.is_some_and(|group| group.path.as_str() == "/init") && is_there("/podruntime")
}

/// Its trigger and its ranking.
pub(super) fn read(id: ProcessId, base: Option<&ConfigRoot<'_>>) -> RunningKiller {
    let Some(base) = base else {
        let note = "its files could not be read: when it acts is unknown";
        return RunningKiller::unread(Killer::Talos, id, note);
    };
    let release = ["etc/os-release", "usr/lib/os-release"]
        .iter()
        .find_map(|file| Release::of_os(&base.text(file)?));
    talos(id, release.as_ref(), base.text(CONFIG).as_deref())
}
