//! [`Keeper`]: who writes the notes, however long that takes.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use super::{Clerk, Job};
use crate::linux::SysRoot;
use crate::linux::runs::notes::{Left, Making, Notes};
use crate::model::cgroup::CgroupPath;

/// Who writes the notes.
pub(super) struct Keeper {
    root: SysRoot,
    runtime: Option<PathBuf>,
    notes: Option<Notes>,
    /// Notes of makers that have ended, as they were found at first.
    left: Option<Vec<Left>>,
    /// Notes so far.
    number: u64,
    open: Vec<Making>,
}

impl Keeper {
    pub(super) fn new(root: SysRoot, runtime: Option<PathBuf>) -> Self {
        Self {
            root,
            runtime,
            notes: None,
            left: None,
            number: 0,
            open: Vec::new(),
        }
    }

    fn next(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    pub(super) fn begin(&mut self, groups: &[CgroupPath]) -> Result<(), String> {
        if self.notes.is_none() {
            self.notes = Some(Notes::open(self.runtime.as_deref())?);
        }
        for group in groups {
            let number = self.next();
            let notes = self.notes.as_ref();
            let begun = notes.map(|notes| notes.begin(&self.root, number, group));
            self.open.extend(begun.transpose()?);
        }
        Ok(())
    }

    fn made(&mut self, group: &CgroupPath) -> Result<(), String> {
        let number = self.next();
        let mut open = self.open.iter_mut();
        let making = open.find(|making| making.group() == group);
        match (&self.notes, making) {
            (Some(notes), Some(making)) => notes.made(&self.root, number, making),
            _ => Ok(()),
        }
    }

    fn end(&mut self, whole: &BTreeSet<CgroupPath>) {
        self.open.drain(..).for_each(Making::end);
        if whole.is_empty() {
            return;
        }
        let (root, runtime) = (&self.root, self.runtime.as_deref());
        let left = self.left.get_or_insert_with(|| {
            Notes::find(runtime).map_or_else(Vec::new, |notes| notes.left(root))
        });
        left.retain(|left| {
            let is_whole = whole.contains(left.group());
            if is_whole {
                left.forget();
            }
            !is_whole
        });
    }
}

impl Clerk for Keeper {
    type Job = Job;

    fn take(&mut self, job: &Job) -> io::Result<()> {
        let done = match job {
            Job::Begin(groups) => self.begin(groups),
            Job::Made(group) => self.made(group),
            Job::End(whole) => {
                self.end(whole);
                Ok(())
            }
        };
        done.map_err(io::Error::other)
    }

    fn was_late(&mut self, _: &Job) {
        // The plans went on without a note, and their end may have come meanwhile.
        self.open.drain(..).for_each(Making::end);
    }
}
