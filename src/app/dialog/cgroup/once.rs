//! [`Once`]: what a sample says of many processes, found once for each sample and not for each frame.

use std::cell::RefCell;

use crate::model::process::Process;
use crate::model::snapshot::Snapshot;
use crate::model::time::Now;

/// Which sample, and which set of processes.
type Key = (u64, Now, usize, usize);

/// Places in the newest sample. What it holds follows from the sample and the set: a frame may fill it.
#[derive(Debug, Default)]
pub(super) struct Once(RefCell<Option<(Key, Vec<usize>)>>);

impl Once {
    /// The processes of this set at these places of the sample. `find` runs if the sample or the set is another one than before.
    pub(super) fn processes<'a>(
        &self,
        snapshot: &'a Snapshot,
        set: usize,
        find: impl FnOnce() -> Vec<usize>,
    ) -> Vec<&'a Process> {
        let key = (snapshot.seq, snapshot.taken, snapshot.processes.len(), set);
        let mut held = self.0.borrow_mut();
        let known = held.take().filter(|(known, _)| *known == key);
        let (_, places) = held.insert(known.unwrap_or_else(|| (key, find())));
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
        let once = Once::default();
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
