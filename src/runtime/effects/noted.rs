//! [`Noted`]: a note of each group while a plan makes it, so that a `kill -9` meanwhile leaves none that nobody knows of.

use std::path::PathBuf;

use crate::linux::SysRoot;
use crate::linux::runs::notes::{Making, Notes};
use crate::model::cgroup::CgroupPath;
use crate::model::plan::Plan;
use crate::model::plan::step::{CgroupStep, Step};

/// Leaves notes of this process.
#[derive(Debug)]
pub(in crate::runtime) struct Noted {
    root: SysRoot,
    notes: Option<Notes>,
    /// Notes so far.
    number: u64,
}

impl Noted {
    pub(in crate::runtime) fn new(root: &SysRoot) -> Self {
        Self {
            root: root.clone(),
            notes: None,
            number: 0,
        }
    }

    /// Does the work, with a note of each group that the plans make. Where none can be left it is done all the same: a
    /// note is for who is killed.
    pub(in crate::runtime) fn during<T>(&mut self, plans: &[Plan], work: impl FnOnce() -> T) -> T {
        let steps = plans.iter().flat_map(|plan| &plan.steps);
        let made: Vec<&CgroupPath> = steps
            .filter_map(|step| match step {
                Step::Cgroup(CgroupStep::Create(group)) => Some(group),
                _ => None,
            })
            .collect();
        let notes: Vec<_> = made
            .into_iter()
            .filter_map(|group| self.begin(group))
            .collect();
        let done = work();
        notes.into_iter().for_each(Making::end);
        done
    }

    fn begin(&mut self, group: &CgroupPath) -> Option<Making> {
        // Groups of another root are not those of the next start.
        if self.root != SysRoot::default() {
            return None;
        }
        if self.notes.is_none() {
            let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
            self.notes = Notes::open(runtime.as_deref()).ok();
        }
        let notes = self.notes.as_ref()?;
        self.number += 1;
        notes.begin(&self.root, self.number, group).ok()
    }
}
