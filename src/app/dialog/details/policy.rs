//! [`Policy`]: `OOMPolicy=continue` for the service that would end with the process of the details. It cannot be
//! set over D-Bus, so it goes into a drop-in.

use super::DetailsDialog;
use crate::app::dialog::cgroup::steps::result_lines;
use crate::app::dialog::drop_in;
use crate::app::dialog::scroll::Scroll;
use crate::app::dialog::{DialogContext, Outcome};
use crate::app::input::id::ActionId as Id;
use crate::app::input::scope::KeyScope;
use crate::app::msg::{Effect, WriteId};
use crate::model::cgroup::CgroupPath;
use crate::model::killers::oom_policy::OomPolicy;
use crate::model::plan::Plan;
use crate::model::plan::receipt::PlanReceipt;
use crate::model::plan::step::UnitStep;
use crate::model::process::ProcessId;
use crate::model::systemd::drop_in::{DropInWrite, Found, Setting};
use crate::model::systemd::{Lasting, UnitName};
use crate::text::tone::{Line, Tone};

/// A drop-in that is offered, on its way, or written.
#[derive(Debug)]
pub(super) struct Policy {
    unit: UnitName,
    group: CgroupPath,
    lasting: Lasting,
    found: Option<Result<Found, String>>,
    pub(super) waiting: Option<WriteId>,
    result: Vec<PlanReceipt>,
}

impl DetailsDialog {
    /// Runs an action on the drop-in; `None` if it is about the details.
    pub(super) fn on_policy(&mut self, action: Id, context: &DialogContext<'_>) -> Option<Outcome> {
        let is_waiting = |policy: &Policy| policy.waiting.is_some();
        if action == Id::Policy && self.policy.as_ref().is_some_and(is_waiting) {
            return Some(Outcome::Stay);
        }
        if action == Id::Policy {
            let unit = Policy::unit(self.target.id, context)?;
            let policy = Policy::new(unit);
            let asks = policy.request();
            self.policy = Some(policy);
            self.scroll = Scroll::default();
            return Some(asks);
        }
        let policy = self.policy.as_mut()?;
        match action {
            Id::Back if policy.waiting.is_none() => {
                self.policy = None;
                Some(Outcome::Stay)
            }
            Id::Commit if !policy.is_done() => Some(policy.commit()),
            Id::Lasting if policy.waiting.is_none() => Some(policy.turn()),
            _ => None,
        }
    }
}

impl Policy {
    /// The service that systemd would stop with this process, if the user of oomtop may have a drop-in for it. With its
    /// main process a service ends whatever its policy is.
    pub(super) fn unit(
        target: ProcessId,
        context: &DialogContext<'_>,
    ) -> Option<(UnitName, CgroupPath)> {
        let snapshot = context.cells.snapshot;
        let (group, _) = snapshot.stopped_with(target)?;
        if snapshot
            .led_by(target)
            .is_some_and(|unit| unit.group == group)
        {
            return None;
        }
        let group = &snapshot.cgroup(group)?.path;
        let unit = UnitName::of_group(group)?;
        drop_in::is_own(&unit, context).then(|| (unit, group.clone()))
    }

    /// Offers the drop-in; the caller asks for what there is of it.
    pub(super) fn new((unit, group): (UnitName, CgroupPath)) -> Self {
        Self {
            unit,
            group,
            lasting: Lasting::Persistent,
            found: None,
            waiting: None,
            result: Vec::new(),
        }
    }

    pub(super) fn request(&self) -> Outcome {
        Outcome::Perform(vec![Effect::ReadDropIn(self.unit.clone(), self.lasting)])
    }

    /// The other of the two places.
    pub(super) fn turn(&mut self) -> Outcome {
        self.lasting = match self.lasting {
            Lasting::Persistent => Lasting::Runtime,
            Lasting::Runtime => Lasting::Persistent,
        };
        self.found = None;
        self.request()
    }

    pub(super) fn arrived(
        &mut self,
        unit: &UnitName,
        lasting: Lasting,
        found: &Result<Found, String>,
    ) {
        if *unit == self.unit && lasting == self.lasting {
            self.found = Some(found.clone());
        }
    }

    pub(super) fn done(&mut self, plans: &[PlanReceipt]) {
        self.waiting = None;
        self.result = plans.to_vec();
    }

    /// Nothing of it is left to do.
    pub(super) fn is_done(&self) -> bool {
        !self.result.is_empty()
    }

    fn write(&self) -> Option<DropInWrite> {
        let found = self.found.as_ref()?.as_ref().ok()?;
        let setting = Setting::Policy(OomPolicy::Continue);
        let write = DropInWrite::setting(self.unit.clone(), self.lasting, found, setting);
        Some(write.seen_in(Some(self.group.clone())))
    }

    pub(super) fn commit(&self) -> Outcome {
        match self.write() {
            Some(write) if self.waiting.is_none() => {
                Outcome::Write(vec![Plan::from_iter([UnitStep::DropIn(write)])])
            }
            _ => Outcome::Stay,
        }
    }

    /// Which question the confirming key answers now.
    pub(super) fn question(&self) -> usize {
        1 + self.lasting as usize * 2 + usize::from(self.found.is_some())
    }

    pub(super) fn lines(&self, context: &DialogContext<'_>) -> Vec<Line> {
        if self.is_done() {
            return self.result.iter().flat_map(result_lines).collect();
        }
        let mut lines = vec![Line::of(
            Tone::Accent,
            format!("Keep the others of {} after an OOM kill", self.unit),
        )];
        match (&self.found, self.write()) {
            (_, Some(write)) => lines.extend(drop_in::lines(&write)),
            (Some(Err(why)), _) => lines.push(Line::of(Tone::Watch, why.clone())),
            _ => lines.push(Line::of(Tone::Dim, "reading the drop-in …")),
        }
        lines.push(if self.waiting.is_some() {
            Line::of(Tone::Dim, "writing …")
        } else if context.settings.read_only {
            Line::of(Tone::Watch, "oomtop is read-only: nothing can be written.")
        } else {
            let key = |id| context.keymap.name_in(KeyScope::Process, id);
            let (enter, other) = (key(Id::Commit), key(Id::Lasting));
            Line::of(
                Tone::Critical,
                format!("Press {enter} to write it, {other} for the other place."),
            )
        });
        lines
    }
}
