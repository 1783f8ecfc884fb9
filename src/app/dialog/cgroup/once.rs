//! [`Once`]: what follows from a sample and the dialog, found once for each of them and not for each frame.

use std::cell::RefCell;

use crate::model::process::Process;
use crate::model::snapshot::Snapshot;
use crate::model::time::Now;

/// Which sample, and which state of the dialog.
type Key = (u64, Now, usize, usize, usize);

/// A value of the newest sample. It follows from the sample and what the dialog holds: a frame may fill it.
#[derive(Debug)]
pub(super) struct Once<T>(RefCell<Option<(Key, T)>>);

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self(RefCell::new(None))
    }
}

impl<T: Clone> Once<T> {
    /// The value. `find` runs if the sample or the state of the dialog is another one than before.
    pub(super) fn value(&self, snapshot: &Snapshot, state: usize, find: impl FnOnce() -> T) -> T {
        // A kill takes its victim out of a sample that is shown already.
        let passed = snapshot.processes.iter();
        let passed = passed.filter(|process| process.skipped_by_kernel).count();
        let key = (
            snapshot.seq,
            snapshot.taken,
            snapshot.processes.len(),
            passed,
            state,
        );
        let mut held = self.0.borrow_mut();
        let known = held.take().filter(|(known, _)| *known == key);
        let (_, value) = held.insert(known.unwrap_or_else(|| (key, find())));
        value.clone()
    }
}

impl Once<Vec<usize>> {
    /// The processes at these places of the sample.
    pub(super) fn processes<'a>(
        &self,
        snapshot: &'a Snapshot,
        set: usize,
        find: impl FnOnce() -> Vec<usize>,
    ) -> Vec<&'a Process> {
        let places = self.value(snapshot, set, find);
        let processes = &snapshot.processes;
        places.iter().filter_map(|at| processes.get(*at)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Once;
    use crate::model::process::Process;
    use crate::model::snapshot::Snapshot;

    #[test]
    fn a_sample_is_searched_once_for_each_set() {
        let mut sample = Snapshot {
            seq: 1,
            processes: vec![Process::default(), Process::default()],
            ..Snapshot::default()
        };
        let once = Once::<Vec<usize>>::default();
        let found = |sample: &Snapshot, set: usize, places: &[usize]| {
            let mut ran = false;
            let count = once.processes(sample, set, || {
                ran = true;
                places.to_vec()
            });
            (count.len(), ran)
        };
        assert_eq!(found(&sample, 0, &[0, 1]), (2, true));
        assert_eq!(found(&sample, 0, &[]), (2, false));
        assert_eq!(found(&sample, 1, &[1]), (1, true));
        sample.seq = 2;
        assert_eq!(found(&sample, 1, &[]), (0, true));
    }
}
