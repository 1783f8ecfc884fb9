//! What a step would find, without writing anything.

use super::CgroupWriter;
use crate::linux::write::pins::Pins;
use crate::linux::write::signal::own_pids;
use crate::model::plan::receipt::{Failure, Reading};
use crate::model::plan::step::CgroupStep;

impl CgroupWriter {
    /// The present value of what the step writes.
    pub(crate) fn look(&self, pins: &Pins, step: &CgroupStep) -> Result<Reading, Failure> {
        self.fits()?;
        match step {
            CgroupStep::Move(target, _) => {
                own_pids(&self.root, "a move")?;
                let process = pins.process(*target)?;
                Ok(self.home(step, &process))
            }
            CgroupStep::Limit(group, write) => {
                let dir = self.open(step, group)?;
                let (_, value) = self.shown(step, group, &dir, write.file)?;
                Ok(Reading::Limit(value))
            }
            CgroupStep::EnableMemory(group) | CgroupStep::DisableMemory(group) => {
                let dir = self.open(step, group)?;
                self.controllers(step, group, &dir)
            }
            CgroupStep::Freeze(group, _) => self.look_at_freezer(step, group),
            CgroupStep::Kill(group) => self.look_at_members(step, group),
            CgroupStep::Create(_) | CgroupStep::Remove(_) | CgroupStep::Reclaim(..) => {
                Ok(Reading::Nothing)
            }
        }
    }
}
