//! The machine that random keys meet.

use std::collections::BTreeMap;

use crate::common::hands::Dice;
use crate::common::paper_kernel::PaperKernel;
use crate::common::scene::{host, id, processes, snapshot};
use oomtop::model::cgroup::{CgroupPath, CgroupVersion};
use oomtop::model::freezer::FreezerState;
use oomtop::model::incident::{Freezer, Survey};
use oomtop::model::process::{Process, ProcessId};
use oomtop::model::snapshot::Host;

/// The machine: processes that come, go and get pids again, and a kernel that writes.
pub(super) struct Machine {
    pub(super) kernel: PaperKernel,
    pub(super) living: Vec<Process>,
    births: u64,
}

impl Machine {
    pub(super) fn new() -> Self {
        let living = processes();
        let sample = snapshot(0, living.clone());
        let group = |process: &Process| {
            let group = process.cgroup.and_then(|key| sample.cgroup(key));
            group.map_or_else(|| CgroupPath::new("/"), |group| group.path.clone())
        };
        let known = living
            .iter()
            .map(|p| (p.id, (p.adj.unwrap_or_default(), group(p))));
        let groups = sample.cgroups.iter().map(|g| (g.path.clone(), g.limits));
        let kernel = PaperKernel {
            version: CgroupVersion::V2,
            processes: known.collect::<BTreeMap<_, _>>(),
            groups: groups.collect(),
            enabled: [].into(),
            frozen: [].into(),
            stopped: [].into(),
            drop_ins: [].into(),
            oomd: [].into(),
            rules: [].into(),
            until_denied: None,
            deaths: Vec::new(),
        };
        Self {
            kernel,
            living,
            births: 0,
        }
    }

    /// Somebody ends; at times another process gets the pid.
    pub(super) fn change(&mut self, dice: &mut Dice) {
        let at = dice.roll(self.living.len());
        if self.living[at].id.pid < 100 {
            return;
        }
        let gone = self.living.remove(at);
        let before = self.kernel.processes.remove(&gone.id);
        self.births += 1;
        let new = ProcessId {
            start_ticks: id(gone.id.pid).start_ticks + self.births,
            ..gone.id
        };
        self.kernel
            .processes
            .extend(before.map(|before| (new, before)));
        self.living.push(Process { id: new, ..gone });
    }

    pub(super) fn survey(&self, group: &CgroupPath) -> Survey {
        let members = self.kernel.processes.values();
        let frozen = self.kernel.frozen.contains(group);
        Survey {
            freezer: Some(Freezer {
                state: if frozen {
                    FreezerState::Frozen
                } else {
                    FreezerState::Thawed
                },
                held_from_above: false,
                thaw: "echo".to_owned(),
            }),
            kills_at_once: true,
            reclaims: true,
            members: members.filter(|(_, home)| home.is_within(group)).count(),
            group: group.clone(),
        }
    }

    pub(super) fn sampled(&mut self) -> Vec<Process> {
        for process in &mut self.living {
            if let Some((adj, _)) = self.kernel.processes.get(&process.id) {
                process.adj = Some(*adj);
            }
        }
        self.living.clone()
    }
}

/// One of the processes is oomtop: it may freeze others.
pub(super) fn own_host() -> Host {
    Host {
        own_pid: Some(4000),
        systemd: true,
        ..host()
    }
}
