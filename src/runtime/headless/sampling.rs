//! [`SamplerThread`]: the sampler on a thread of its own.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel, sync_channel};
use std::thread::JoinHandle;

use crate::linux::host::allocator;
use crate::linux::sampler::Sampler;
use crate::linux::scan::backend::BackendChoice;
use crate::linux::urgent;
use crate::linux::{ReadError, SysRoot};
use crate::model::snapshot::{Host, Needs, Snapshot};
use crate::runtime::{RunError, clock};

/// Bytes in reserve for a sample with some hundred new processes.
const RESERVE: usize = 1 << 20;

/// One sample, or why it failed; the next one may succeed.
pub type Sample = Result<Arc<Snapshot>, ReadError>;

/// A sampler thread that answers requests until this value is dropped.
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
    /// or a signal. The thread calls `deliver` for each sample; `deliver` returns false when nobody listens any more.
    ///
    /// The thread also creates the sampler. The allocator reuses freed memory only in the thread that freed it;
    /// memory freed elsewhere after the first look at the host would stay resident, because oomtop locks its memory.
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
                let _in_time = urgent::OWN.join();
                allocator::reserve(RESERVE);
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
                    sampler.prepare();
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

    /// True when the thread has ended. While somebody listens, only a panic of the sampler ends it.
    pub(in crate::runtime) fn is_over(&self) -> bool {
        self.thread.is_finished()
    }
}
