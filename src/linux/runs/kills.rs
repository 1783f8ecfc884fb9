//! [`KillSum`]: kills in a group of v1 and in all groups below it.
//!
//! v1 counts a victim only in the group that it lived in, and a group that is removed takes its counter along (mm/memcontrol.c
//! `memcg_memory_event` propagates only on the default hierarchy).

use std::collections::{HashMap, HashSet};
use std::os::fd::BorrowedFd;

use crate::linux::cgroup::members::each_group;
use crate::linux::kernel_file::{FileBuffer, is_gone, keyed};
use crate::model::cgroup::limits::LimitFile;

/// The counters of the groups that were there at the last look, by path, and the sum of those that have gone.
#[derive(Debug, Default)]
pub(super) struct KillSum {
    groups: HashMap<Vec<u8>, u64>,
    gone: u64,
    buffer: FileBuffer,
}

impl KillSum {
    /// Looks at all counters; `None` if the group itself has none.
    pub(super) fn look(&mut self, root: BorrowedFd<'_>, relative: &[u8]) -> Option<u64> {
        let mut now = HashMap::new();
        let mut unread = HashSet::new();
        let buffer = &mut self.buffer;
        let looked = each_group(root, relative, |path| {
            let mut file = path.to_vec();
            file.push(b'/');
            file.extend_from_slice(LimitFile::V1OomControl.name().as_bytes());
            match buffer.read_whole(root, file.as_slice()) {
                Ok(text) => {
                    if let Some(count) = keyed(text, "oom_kill") {
                        now.insert(path.to_vec(), count);
                    }
                    Ok(())
                }
                Err(errno) => {
                    if !is_gone(errno) {
                        unread.insert(path.to_vec());
                    }
                    Err(errno)
                }
            }
        });
        let has_own = now.contains_key(relative);
        if let Ok(is_whole) = looked {
            self.accept(now, |path| !is_whole || unread.contains(path));
        }
        has_own.then(|| self.sum())
    }

    /// `is_unread`: whether a group that is not in `now` may still be there.
    fn accept(&mut self, mut now: HashMap<Vec<u8>, u64>, is_unread: impl Fn(&[u8]) -> bool) {
        for (path, before) in std::mem::take(&mut self.groups) {
            if !now.contains_key(&path) && is_unread(&path) {
                now.insert(path, before);
                continue;
            }
            // A smaller one is that of a group that was made anew.
            if now.get(&path).is_none_or(|count| *count < before) {
                self.gone = self.gone.saturating_add(before);
            }
        }
        self.groups = now;
    }

    fn sum(&self) -> u64 {
        let here = self.groups.values().copied();
        here.fold(self.gone, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::KillSum;

    #[test]
    fn a_group_that_goes_leaves_its_kills_and_one_made_anew_counts_from_nought() {
        let mut sum = KillSum::default();
        let mut look = |groups: &[(&str, u64)]| {
            let groups = groups
                .iter()
                .map(|(path, count)| (path.as_bytes().to_vec(), *count));
            sum.accept(groups.collect(), |path| path == b"run/held");
            sum.sum()
        };
        assert_eq!(look(&[("run", 0), ("run/a", 2)]), 2);
        assert_eq!(look(&[("run", 1), ("run/a", 2), ("run/b", 1)]), 4);
        assert_eq!(look(&[("run", 1)]), 4);
        assert_eq!(look(&[("run", 1), ("run/a", 1)]), 5);
        assert_eq!(look(&[("run", 1), ("run/a", 0)]), 5);
        // One that cannot be read now is not counted as gone, and not twice when it can be read again.
        assert_eq!(look(&[("run", 1), ("run/held", 3)]), 8);
        assert_eq!(look(&[("run", 1)]), 8);
        assert_eq!(look(&[("run", 1), ("run/held", 3)]), 8);
        assert_eq!(look(&[("run", 1), ("run/held", 4)]), 9);
    }
}
