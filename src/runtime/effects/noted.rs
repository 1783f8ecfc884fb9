//! [`Noted`]: a note of each group while a plan makes it, so that a `kill -9` meanwhile leaves none that nobody knows of.
//!
//! Notes are in a directory of the user's, which may be on a file system that does not answer: a thread of their own writes them,
//! and a write waits for it for a moment only.

mod keeper;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::desk::{Clerk, Desk};
use crate::linux::SysRoot;
use crate::model::cgroup::CgroupPath;
use crate::model::plan::Plan;
use crate::model::plan::receipt::PlanReceipt;
use crate::model::plan::step::{CgroupStep, Step};
use keeper::Keeper;

/// How long a write waits for a note.
const WITHIN: Duration = Duration::from_secs(1);

/// Leaves notes of this process.
#[derive(Debug, Clone, Default)]
pub(in crate::runtime) struct Noted(Option<Arc<Desk<Job>>>);

/// What is noted.
#[derive(Debug)]
enum Job {
    /// These groups are about to be made.
    Begin(Vec<CgroupPath>),
    /// This one is there.
    Made(CgroupPath),
    /// The plans are through. These groups are whole, whoever has begun them.
    End(BTreeSet<CgroupPath>),
}

impl Noted {
    /// Starts the thread, which ends with this and its clones. Without a thread there are no notes.
    pub(in crate::runtime) fn start(root: &SysRoot) -> Self {
        // Groups of another root are not those of the next start.
        if *root != SysRoot::default() {
            return Self::default();
        }
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        Self::with(Keeper::new(root.clone(), runtime), WITHIN)
    }

    fn with(clerk: impl Clerk<Job = Job>, within: Duration) -> Self {
        Self(Desk::start("notes", clerk, within).ok().map(Arc::new))
    }

    /// What a writer tells each group that it has made.
    pub(in crate::runtime) fn teller(&self) -> impl Fn(&CgroupPath) + Send + use<> {
        let own = self.clone();
        move |group| own.ask(Job::Made(group.clone()))
    }

    /// Does the work, with a note of each group that the plans make; `receipts` has what came of it. Where no note can be left
    /// it is done all the same: a note is for who is killed.
    pub(in crate::runtime) fn during<T>(
        &self,
        plans: &[Plan],
        work: impl FnOnce() -> T,
        receipts: impl FnOnce(&T) -> &[PlanReceipt],
    ) -> T {
        let makes = |step: &Step| match step {
            Step::Cgroup(CgroupStep::Create(group)) => Some(group.clone()),
            _ => None,
        };
        let steps = plans.iter().flat_map(|plan| &plan.steps);
        let made: Vec<CgroupPath> = steps.filter_map(makes).collect();
        let is_any = !made.is_empty();
        if is_any {
            self.ask(Job::Begin(made));
        }
        let done = work();
        let whole: BTreeSet<_> = receipts(&done).iter().flat_map(whole).collect();
        if is_any || !whole.is_empty() {
            self.ask(Job::End(whole));
        }
        done
    }

    /// This group is whole, as somebody has found.
    pub(in crate::runtime) fn is_whole(&self, group: &CgroupPath) {
        self.ask(Job::End(BTreeSet::from([group.clone()])));
    }

    fn ask(&self, job: Job) {
        if let Some(desk) = &self.0 {
            // A note that cannot be left is none.
            let _ = desk.ask(job);
        }
    }
}

/// The groups that have the limits of a plan that was done.
fn whole(plan: &PlanReceipt) -> Vec<CgroupPath> {
    if plan.failure().is_some() || !plan.taken_back.is_empty() {
        return Vec::new();
    }
    let limited = plan.steps.iter().filter_map(|receipt| match &receipt.step {
        Step::Cgroup(CgroupStep::Limit(group, _)) => Some(group.clone()),
        _ => None,
    });
    limited.collect()
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;

    use super::{Clerk, Job, Keeper, Noted};
    use crate::linux::SysRoot;
    use crate::model::cgroup::CgroupPath;
    use crate::model::plan::Plan;
    use crate::model::plan::receipt::{PlanReceipt, Reading, StepReceipt};
    use crate::model::plan::step::{CgroupStep, Step};

    fn plan(group: &str) -> Plan {
        Plan {
            steps: vec![CgroupStep::Create(CgroupPath::new(group)).into()],
            groups: Vec::new(),
        }
    }

    fn names(dir: &std::path::Path) -> Vec<String> {
        let entries = std::fs::read_dir(dir.join("oomtop")).into_iter().flatten();
        let mut names: Vec<_> = entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// A file system that answers when it is let.
    struct Slow(Receiver<()>, Keeper);

    impl Clerk for Slow {
        type Job = Job;

        fn take(&mut self, job: &Job) -> io::Result<()> {
            self.0.recv().map_err(io::Error::other)?;
            self.1.take(job)
        }

        fn was_late(&mut self, job: &Job) {
            self.1.was_late(job);
        }
    }

    #[test]
    fn a_file_system_that_does_not_answer_holds_up_no_write_and_gets_no_note_that_stays() {
        let dir = tempfile::tempdir().expect("a directory");
        let (let_go, wait) = channel();
        let keeper = Keeper::new(SysRoot::default(), Some(dir.path().to_owned()));
        let noted = Noted::with(Slow(wait, keeper), Duration::from_millis(10));
        let mut done = 0;
        for _ in 0..50 {
            noted.during(&[plan("/oomtop-slow")], || done += 1, |()| &[]);
        }
        assert_eq!(done, 50);
        assert_eq!(names(dir.path()), Vec::<String>::new());
        // It answers in the end: the note that is written then is taken away again.
        for _ in 0..10_000 {
            let_go.send(()).expect("the thread lives");
        }
        let desk = noted.0.as_ref().expect("a thread");
        // A question that takes no note away.
        while desk.ask(Job::Made(CgroupPath::new("/nobody"))).is_err() {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(dir.path().join("oomtop").exists(), "it was written");
        assert_eq!(names(dir.path()), Vec::<String>::new());
    }

    /// A note of a maker that was killed goes when somebody has given the group its limits.
    #[test]
    fn a_note_of_a_group_that_is_whole_by_now_goes() {
        let dir = tempfile::tempdir().expect("a directory");
        let runtime = Some(dir.path().to_owned());
        let mut keeper = Keeper::new(SysRoot::default(), runtime.clone());
        let groups = [CgroupPath::new("/mine"), CgroupPath::new("/other")];
        keeper.begin(&groups).expect("noted");
        for name in names(dir.path()) {
            // Nobody has this pid.
            let (number, was) = (name.rsplit('-').next().expect("a number"), &name);
            let from = dir.path().join("oomtop").join(was);
            let to = format!("oomtop/oomtop-run-4194305-1-making-{number}");
            std::fs::rename(from, dir.path().join(to)).expect("renamed");
        }
        assert_eq!(names(dir.path()).len(), 2);
        let limit = crate::model::plan::step::LimitWrite {
            file: crate::model::cgroup::limits::LimitFile::Max,
            value: crate::model::cgroup::limits::LimitValue::Amount(1 << 20),
        };
        let receipt = PlanReceipt {
            steps: vec![StepReceipt {
                step: Step::Cgroup(CgroupStep::Limit(groups[0].clone(), limit)),
                before: Reading::Nothing,
                outcome: Ok(Reading::Nothing),
            }],
            ..PlanReceipt::default()
        };
        let noted = Noted::with(
            Keeper::new(SysRoot::default(), runtime),
            Duration::from_mins(1),
        );
        noted.during(&[], || [receipt], |receipts| receipts.as_slice());
        assert_eq!(names(dir.path()), ["oomtop-run-4194305-1-making-2"]);
    }
}
