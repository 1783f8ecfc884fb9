//! [`Hand`]: writes changes through plans, and logs them.

use std::path::PathBuf;

use crate::app::msg::WriteId;
use crate::linux::SysRoot;
use crate::linux::host::actor::actor;
use crate::linux::write::executor::KernelWriter;
use crate::model::cgroup::CgroupVersion;
use crate::model::plan::execute::run_all;
use crate::model::plan::receipt::PlanReceipt;
use crate::model::plan::{Plan, build};
use crate::model::process::ProcessId;
use crate::model::rules::change::Change;
use crate::runtime::RunError;
use crate::runtime::effects::audit::{Audit, Which};

/// The executor and the audit log.
#[derive(Debug)]
pub(super) struct Hand {
    kernel: KernelWriter,
    audit: Option<Audit>,
    /// Writes so far.
    writes: u64,
}

impl Hand {
    /// # Errors
    /// If nothing can be appended to the audit log.
    pub(super) fn new(
        root: &SysRoot,
        version: CgroupVersion,
        audit: Option<PathBuf>,
    ) -> Result<Self, RunError> {
        let ssh = std::env::var("SSH_CONNECTION").ok();
        let log = |path: PathBuf| {
            let user = crate::linux::subjects::own_user(root);
            Audit::open(&path, actor(&user, ssh.as_deref()))
        };
        Ok(Self {
            kernel: KernelWriter::new(root.clone(), version),
            audit: audit.map(log).transpose().map_err(RunError::Audit)?,
            writes: 0,
        })
    }

    /// Holds these processes for the next write, and lets go of all others.
    pub(super) fn hold(&mut self, targets: &[ProcessId]) {
        self.kernel.hold(targets);
    }

    /// Writes each change, one plan for each process. The second value says what the audit log lacks.
    ///
    /// # Errors
    /// Why nothing was written: the beginning cannot be logged.
    pub(super) fn write(
        &mut self,
        changes: &[Change],
    ) -> Result<(Vec<PlanReceipt>, Option<String>), String> {
        let plan = |change: &Change| build::adj([change.id], change.to);
        let plans: Vec<Plan> = changes.iter().flat_map(plan).collect();
        let Some(audit) = &self.audit else {
            return Ok((run_all(&mut self.kernel, &plans), None));
        };
        self.writes += 1;
        let name = |id| {
            let change = changes.iter().find(|change| change.id == id)?;
            Some(change.comm.text().into_owned())
        };
        let which = Which {
            id: WriteId(self.writes),
            undo_of: None,
        };
        let mut logged = audit.begin(&mut self.kernel, which, &plans, name)?;
        let receipts = run_all(&mut logged, &plans);
        let lost = logged.end(&receipts).err();
        Ok((receipts, lost))
    }
}
