//! [`RuleWriter`]: writes changes through plans, and logs them.

use std::path::PathBuf;

use crate::app::msg::WriteId;
use crate::linux::SysRoot;
use crate::linux::host::actor::actor;
use crate::linux::host::own_user;
use crate::linux::systemd::runs_below;
use crate::linux::write::executor::KernelWriter;
use crate::model::cgroup::limits::{LimitFile, LimitPatch, LimitValue, Limits};
use crate::model::cgroup::{CgroupPath, CgroupVersion};
use crate::model::plan::execute::{Executor as _, run_all};
use crate::model::plan::receipt::{FailureKind, PlanReceipt};
use crate::model::plan::step::{CgroupStep, LimitWrite, Step};
use crate::model::plan::{Plan, build};
use crate::model::process::ProcessId;
use crate::model::rules::change::Change;
use crate::model::rules::rule_group::{Around, RuleGroup, Transfer, refusal};
use crate::runtime::RunError;
use crate::runtime::effects::audit::{Audit, Which};
use crate::runtime::effects::noted::Noted;

/// The executor and the audit log.
#[derive(Debug)]
pub(super) struct RuleWriter {
    root: SysRoot,
    kernel: KernelWriter,
    audit: Option<Audit>,
    version: CgroupVersion,
    systemd: bool,
    /// From the first group on.
    noted: Option<Noted>,
    /// Writes so far.
    writes: u64,
}

impl RuleWriter {
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
            root: root.clone(),
            kernel: KernelWriter::new(root.clone(), version),
            audit: audit.map(log).transpose().map_err(RunError::Audit)?,
            version,
            systemd: runs_below(&root.base),
            noted: None,
            writes: 0,
        })
    }

    /// Holds these processes for the next write, and lets go of all others.
    pub(super) fn hold(&mut self, targets: &[ProcessId]) {
        self.kernel.hold(targets);
    }

    /// What is around a process in this group, for [`refusal`].
    pub(super) fn refusal(&mut self, transfer: &Transfer) -> Option<String> {
        let hard = LimitFile::hard_limit(self.version);
        let groups = std::iter::successors(Some(transfer.from.clone()), CgroupPath::parent);
        let groups: Vec<_> = groups.filter(|group| !group.is_root()).collect();
        let limits: Vec<_> = groups
            .into_iter()
            .map(|group| {
                let limit = match self.kernel.look(&limit_of(&group, hard)) {
                    Ok(reading) => Ok(reading.limit().and_then(|limit| bounds(hard, limit))),
                    // No memory is controlled there.
                    Err(failure) if is_absent(failure.kind) => Ok(None),
                    // What cannot be read may be a limit.
                    Err(failure) => Err(failure.sentence),
                };
                (group, limit)
            })
            .collect();
        let around = Around {
            systemd: self.systemd,
            own: std::process::id(),
            user: own_user(),
            limits: &limits,
        };
        refusal(transfer, &around)
    }

    /// Makes the group of a rule where it is not there. Sentences, if it is there and has other limits: one that is lower than
    /// what the processes there use would kill or slow down, so limits are only raised.
    ///
    /// # Errors
    /// Why there is no such group.
    pub(super) fn prepare(&mut self, rule_group: &RuleGroup) -> Result<Vec<String>, String> {
        let limits = rule_group.limits(self.version)?;
        let hard = LimitFile::hard_limit(self.version);
        let wanted = [(hard, rule_group.max), (LimitFile::High, rule_group.high)];
        // Where the rule has no limit, the look says whether there is a group.
        let first = wanted
            .iter()
            .filter(|(file, max)| max.is_some() || *file == hard);
        let (mut known, mut raised) = (Limits::default(), Vec::new());
        let mut notes = Vec::new();
        for (file, bytes) in first.copied() {
            let now = match self.kernel.look(&limit_of(&rule_group.group, file)) {
                Ok(reading) => reading.limit().and_then(|limit| bounds(file, limit)),
                Err(failure) if failure.kind == FailureKind::NoGroup => {
                    return self.make(rule_group, &limits).map(|()| Vec::new());
                }
                Err(failure) => return Err(failure.sentence),
            };
            let Some(bytes) = bytes else { continue };
            match settle(now, bytes) {
                Settled::Kept => {}
                Settled::Raised(present) => {
                    file.set(&mut known, Some(LimitValue::Amount(present)));
                    raised.push((file, LimitValue::Amount(bytes)));
                }
                Settled::Left => notes.push(left_higher(&rule_group.group, file, bytes)),
            }
        }
        if !raised.is_empty() {
            let plan = build::change_limits(
                &rule_group.group,
                Some(known),
                &raised.into_iter().collect(),
            );
            let plan = plan.map_err(|error| format!("{error:?}"))?;
            self.do_it(&rule_group.group, plan)?;
        } else if notes.is_empty() {
            // Whoever was killed while it was made: nothing is missing any more.
            self.noted().is_whole(&rule_group.group);
        }
        Ok(notes)
    }

    fn make(&mut self, rule_group: &RuleGroup, limits: &LimitPatch) -> Result<(), String> {
        let hard = LimitFile::hard_limit(self.version);
        let around = std::iter::successors(rule_group.group.parent(), CgroupPath::parent);
        let around: Vec<_> = around
            .map(|group| {
                let found = self.kernel.look(&limit_of(&group, hard));
                let is_there = !found
                    .as_ref()
                    .is_err_and(|why| why.kind == FailureKind::NoGroup);
                (group, is_there, found.is_ok())
            })
            .collect();
        let find = |path: &CgroupPath| around.iter().find(|(group, ..)| group == path);
        let plan = build::create(
            &[],
            &rule_group.group,
            limits,
            self.version,
            |path| find(path).is_some_and(|(_, is_there, _)| *is_there),
            |path| find(path).is_some_and(|(.., has_memory)| *has_memory),
        );
        let plan = plan.map_err(|error| format!("{error:?}"))?;
        self.do_it(&rule_group.group, plan)
    }

    fn noted(&mut self) -> &Noted {
        self.noted.get_or_insert_with(|| {
            let noted = Noted::start(&self.root);
            self.kernel.tell_of_groups(noted.teller());
            noted
        })
    }

    fn do_it(&mut self, group: &CgroupPath, plan: Plan) -> Result<(), String> {
        let plans = [plan];
        let noted = self.noted().clone();
        let carried = noted.during(
            &plans,
            || self.carry_out(&plans, |_| None),
            |done| {
                done.as_ref()
                    .map_or(&[][..], |(receipts, _)| receipts.as_slice())
            },
        );
        let (receipts, lost) = carried?;
        let failure = receipts.iter().find_map(PlanReceipt::failure);
        match failure.map(|failure| failure.sentence.clone()).or(lost) {
            None => Ok(()),
            Some(why) => Err(format!("{group} could not be made ready: {why}")),
        }
    }

    /// Moves a process into the group of its rule, and reads it back. The second value says what the audit log lacks.
    ///
    /// # Errors
    /// Why nothing was written: the beginning cannot be logged.
    pub(super) fn transfer(
        &mut self,
        transfer: &Transfer,
    ) -> Result<(Vec<PlanReceipt>, Option<String>), String> {
        let plan = build::enter(&[transfer.id], &transfer.rule_group.group);
        self.carry_out(&[plan], |_| Some(transfer.comm.text().into_owned()))
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
        self.carry_out(&plans, |id| {
            let change = changes.iter().find(|change| change.id == id)?;
            Some(change.comm.text().into_owned())
        })
    }

    fn carry_out(
        &mut self,
        plans: &[Plan],
        name: impl Fn(ProcessId) -> Option<String>,
    ) -> Result<(Vec<PlanReceipt>, Option<String>), String> {
        let Some(audit) = &self.audit else {
            return Ok((run_all(&mut self.kernel, plans), None));
        };
        self.writes += 1;
        let which = Which {
            id: WriteId(self.writes),
            undo_of: None,
        };
        let mut logged = audit.begin(&mut self.kernel, which, plans, name)?;
        let receipts = run_all(&mut logged, plans);
        let lost = logged.end(&receipts).err();
        Ok((receipts, lost))
    }
}

/// For a look at a limit; the value is not written.
fn limit_of(group: &CgroupPath, file: LimitFile) -> Step {
    let value = LimitValue::Unlimited;
    CgroupStep::Limit(group.clone(), LimitWrite { file, value }).into()
}

/// The limit in bytes, if it is one: v1 has a huge number for none (`PAGE_COUNTER_MAX`).
fn bounds(file: LimitFile, limit: LimitValue) -> Option<u64> {
    let bytes = limit.amount()?;
    (!file.row().version.is_v1() || bytes < 1 << 62).then_some(bytes)
}

/// True if there is nothing that could limit.
fn is_absent(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::NoGroup | FailureKind::NoFile)
}

/// What becomes of a limit that is there.
#[derive(Debug, PartialEq, Eq)]
enum Settled {
    /// It is that of the rule; the kernel rounds to pages.
    Kept,
    /// It is lower, this many bytes, and is raised.
    Raised(u64),
    /// It is higher, or there is none, and it stays.
    Left,
}

fn settle(now: Option<u64>, wanted: u64) -> Settled {
    match now {
        Some(now) if now.abs_diff(wanted) < 4096 => Settled::Kept,
        Some(now) if now < wanted => Settled::Raised(now),
        _ => Settled::Left,
    }
}

fn left_higher(group: &CgroupPath, file: LimitFile, bytes: u64) -> String {
    let (key, danger) = if file == LimitFile::High {
        ("memory_high", "slow it down without end")
    } else {
        ("memory_max", "kill")
    };
    format!(
        "{group} is there already with a higher limit than {key} {bytes}, which may {danger} if it is written: set it with c in \
         the dashboard, or remove the group when it is empty"
    )
}

#[cfg(test)]
mod tests;
