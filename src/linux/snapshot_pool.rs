//! [`SnapshotPool`]: reuses the memory of snapshots that the receiver has dropped.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::model::snapshot::Snapshot;

/// Snapshots remembered: the app keeps one or two.
const REMEMBERED: usize = 3;

/// The snapshots handed out last.
#[derive(Debug, Default)]
pub(super) struct SnapshotPool(VecDeque<Arc<Snapshot>>);

impl SnapshotPool {
    /// A snapshot that nobody else holds: a dropped one, with its buffers and old contents, or a new one.
    pub(super) fn take(&mut self) -> Arc<Snapshot> {
        let free = self
            .0
            .iter_mut()
            .position(|snapshot| Arc::get_mut(snapshot).is_some());
        free.and_then(|at| self.0.remove(at)).unwrap_or_default()
    }

    /// Remembers a snapshot that is handed out; forgets the oldest.
    pub(super) fn remember(&mut self, snapshot: &Arc<Snapshot>) {
        self.0.push_back(Arc::clone(snapshot));
        if self.0.len() > REMEMBERED {
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SnapshotPool;
    use std::sync::Arc;

    #[test]
    fn only_dropped_snapshots_are_reused() {
        let mut pool = SnapshotPool::default();
        let held = pool.take();
        pool.remember(&held);
        let other = pool.take();
        assert!(!Arc::ptr_eq(&held, &other));
        let place = Arc::as_ptr(&held);
        drop(held);
        assert_eq!(Arc::as_ptr(&pool.take()), place);
    }
}
