//! [`WakerThread`]: waits for events of the kernel on a thread of its own, so that neither the keyboard nor the sampler
//! waits with it.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::event::{EventfdFlags, eventfd};

use crate::linux::SysRoot;
use crate::linux::helper::helper;
use crate::linux::urgent;
use crate::linux::wake::{Waker, Woken};
use crate::model::cgroup::CgroupPath;
use crate::model::wake::{Wake, WakeSources};

/// What the thread tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::runtime) enum WakeItem {
    /// The kernel told of this.
    Woken(Wake),
    /// What it tells of has changed.
    Sources(WakeSources),
}

/// What the others ask of the thread.
#[derive(Debug)]
struct Shared {
    orders: Mutex<Orders>,
    /// Ready to be read when there are orders.
    called: OwnedFd,
}

#[derive(Debug, Default)]
struct Orders {
    stop: bool,
    follow: Option<Vec<CgroupPath>>,
}

impl Shared {
    fn order(&self, order: impl FnOnce(&mut Orders)) {
        order(&mut self.orders.lock().unwrap_or_else(PoisonError::into_inner));
        // It fails only if the counter is full: then it is ready already.
        let _ = rustix::io::write(&self.called, &1_u64.to_ne_bytes());
    }

    fn take(&self) -> Orders {
        let mut count = [0; 8];
        let _ = rustix::io::read(&self.called, &mut count);
        std::mem::take(&mut *self.orders.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Tells the thread which groups matter.
#[derive(Debug, Clone)]
pub(in crate::runtime) struct Attention(Arc<Shared>);

impl Attention {
    /// Follows these groups from now on.
    pub(in crate::runtime) fn turn_to(&self, groups: Vec<CgroupPath>) {
        self.0.order(|orders| orders.follow = Some(groups));
    }
}

/// The thread. It ends with this value.
#[derive(Debug)]
pub(in crate::runtime) struct WakerThread(Arc<Shared>);

impl WakerThread {
    /// Starts the thread. It calls `deliver` for each item; `deliver` returns false when nobody listens any more.
    ///
    /// # Errors
    /// If there is no thread or descriptor for it.
    pub(in crate::runtime) fn spawn(
        root: SysRoot,
        mut deliver: impl FnMut(WakeItem) -> bool + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            orders: Mutex::default(),
            called: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
        });
        let own = Arc::clone(&shared);
        helper("waker", move || {
            let _in_time = urgent::OWN.join();
            let mut waker = Waker::open(&root);
            let mut told = WakeSources::default();
            loop {
                let sources = waker.sources();
                if sources != told {
                    told.clone_from(&sources);
                    if !deliver(WakeItem::Sources(sources)) {
                        return;
                    }
                }
                match waker.wait(own.called.as_fd()) {
                    Woken::By(wake) if !deliver(WakeItem::Woken(wake)) => return,
                    Woken::By(_) => {}
                    Woken::Called => {
                        let orders = own.take();
                        if orders.stop {
                            return;
                        }
                        if let Some(groups) = orders.follow {
                            waker.follow(&groups);
                        }
                    }
                }
            }
        })?;
        Ok(Self(shared))
    }

    /// For whoever knows which groups matter.
    pub(in crate::runtime) fn attention(&self) -> Attention {
        Attention(Arc::clone(&self.0))
    }
}

impl Drop for WakerThread {
    fn drop(&mut self) {
        self.0.order(|orders| orders.stop = true);
    }
}
