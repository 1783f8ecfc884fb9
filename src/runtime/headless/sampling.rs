//! [`SamplerThread`]: the sampler at work on a thread of its own.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel, sync_channel};
use std::thread::JoinHandle;

use crate::linux::sampler::Sampler;
use crate::linux::scan::backend::BackendChoice;
use crate::linux::{ReadError, SysRoot};
use crate::model::snapshot::{Host, Needs, Snapshot};
use crate::runtime::{RunError, clock};

/// One sample, or why there is none; the next may succeed.
pub type Sample = Result<Arc<Snapshot>, ReadError>;

/// A sampler that answers requests until this value is dropped.
#[derive(Debug)]
pub(in crate::runtime) struct SamplerThread {
    /// Facts the sampler found at start.
    pub(in crate::runtime) host: Host,
    /// See [`Sampler::unshown_error`]; pages.
    pub(in crate::runtime) unshown_error: u64,
    /// Each request sent here is answered with one sample.
    pub(in crate::runtime) ask: Sender<Needs>,
    thread: JoinHandle<()>,
}

impl SamplerThread {
    /// Starts the sampler on its own thread: a stalled `/proc` stalls that thread, never the keyboard
    /// or a signal. `deliver` takes a sample, on that thread; false when nobody listens any more.
    ///
    /// The sampler is made on its thread too: the allocator reuses the memory of the first look at the
    /// host only for the thread that freed it, and all memory of oomtop is locked.
    pub(in crate::runtime) fn spawn(
        root: SysRoot,
        backend: BackendChoice,
        mut deliver: impl FnMut(Sample) -> bool + Send + 'static,
    ) -> Result<Self, RunError> {
        let (ask, asked) = channel::<Needs>();
        let (ready, made) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("sampler".to_owned())
            .spawn(move || {
                let mut sampler = match Sampler::with_backend(root, backend) {
                    Ok(sampler) => sampler,
                    Err(error) => {
                        let _ = ready.send(Err(error));
                        return;
                    }
                };
                let facts = (sampler.host().clone(), sampler.unshown_error());
                if ready.send(Ok(facts)).is_err() {
                    return;
                }
                while let Ok(needs) = asked.recv() {
                    if !deliver(sampler.sample(&needs, clock::now())) {
                        return;
                    }
                }
            })
            .map_err(RunError::Thread)?;
        let (host, unshown_error) = made
            .recv()
            .map_err(|error| RunError::Thread(io::Error::other(error)))??;
        Ok(Self {
            host,
            unshown_error,
            ask,
            thread,
        })
    }

    /// True when it has ended, which only a panic of the sampler makes it do while somebody listens.
    pub(in crate::runtime) fn is_over(&self) -> bool {
        self.thread.is_finished()
    }
}
