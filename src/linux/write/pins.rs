//! [`Pins`]: the targets of open dialogs, held from the moment the dialog opened.
//!
//! A start time counts in ticks of 10 ms, so a pid that is reused within one tick looks like the old process. The
//! descriptor of a held process cannot be fooled: the kernel answers ESRCH once its process is reaped.

use std::collections::HashMap;
use std::sync::Arc;

use crate::linux::SysRoot;
use crate::linux::write::pinned::PinnedProcess;
use crate::model::plan::receipt::Failure;
use crate::model::process::ProcessId;

/// Most processes that are held: each takes a descriptor, and a shell allows 1024 of them. Others are pinned right
/// before their write.
const MOST: usize = 64;

/// Processes that writes may be about.
#[derive(Debug)]
pub(crate) struct Pins {
    root: SysRoot,
    /// A process that had ended when its dialog opened stays ended, whoever has the pid later.
    held: HashMap<ProcessId, Result<Arc<PinnedProcess>, Failure>>,
}

impl Pins {
    pub(crate) fn new(root: SysRoot) -> Self {
        Self {
            root,
            held: HashMap::new(),
        }
    }

    /// Holds these processes and lets go of all others.
    pub(crate) fn hold(&mut self, targets: &[ProcessId]) {
        self.held.retain(|id, _| targets.contains(id));
        for id in targets.iter().take(MOST) {
            if self.held.len() >= MOST || self.held.contains_key(id) {
                continue;
            }
            match PinnedProcess::open(&self.root, *id) {
                // Nothing can be said of a process that cannot be looked at now.
                Err(failure) if !failure.kind.is_final() => {}
                pinned => {
                    self.held.insert(*id, pinned.map(Arc::new));
                }
            }
        }
    }

    /// The process, after a look that it still is the one that is meant.
    ///
    /// # Errors
    /// As [`PinnedProcess::open`].
    pub(crate) fn process(&self, id: ProcessId) -> Result<Arc<PinnedProcess>, Failure> {
        match self.held.get(&id) {
            Some(held) => {
                let process = Arc::clone(held.as_ref().map_err(Clone::clone)?);
                process.check()?;
                Ok(process)
            }
            None => PinnedProcess::open(&self.root, id).map(Arc::new),
        }
    }
}
