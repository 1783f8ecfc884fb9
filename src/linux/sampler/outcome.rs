//! What else than badness decides the next OOM.

use super::Sampler;
use crate::linux::blast::Look;
use crate::model::cgroup::Cgroup;
use crate::model::snapshot::{Needs, Snapshot};
use crate::model::time::Monotonic;

impl Sampler {
    /// Reads what else decides the next OOM: kernel settings and programs that kill.
    pub(super) fn outcome(
        &mut self,
        snapshot: &mut Snapshot,
        cgroups: &[Cgroup],
        now: Monotonic,
        needs: &Needs,
    ) {
        snapshot.vm_settings = self.settings.at(
            now,
            &self.root,
            &self.proc,
            &self.hierarchy,
            &mut self.buffer,
            needs.complete,
        );
        snapshot.memory.zram_cost = snapshot.vm_settings.zram_cost();
        let version = self.hierarchy.version;
        let pressed = snapshot.pressure.is_some_and(|p| p.some.avg10 > 0.0);
        snapshot.killers = self.killers.at(
            now,
            pressed,
            &self.root,
            version,
            &snapshot.processes,
            cgroups,
        );
        let at = Look {
            now,
            pressed,
            whole: needs.complete,
            root: &self.root,
            proc: &self.proc,
            version,
            cgroups,
        };
        self.blast
            .look(&at, needs.detail, &mut self.buffer, snapshot);
    }
}
