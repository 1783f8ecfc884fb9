//! [`Preferred`]: the back end that is better than `/proc`, opened on a thread of its own and tried again after it has
//! failed.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::ProcessScan;
use super::bpf::Refusal;
use crate::linux::helper::helper;

/// The first pause before another try; each further one is twice as long.
const PAUSE: Duration = Duration::from_secs(2);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

type Opened = Result<Box<dyn ProcessScan>, Refusal>;

/// Opens a back end. Knows whether it is in use.
pub(super) struct Preferred {
    open: Arc<dyn Fn() -> Opened + Send + Sync>,
    /// The answer of the thread that is opening it.
    opening: Option<Receiver<Opened>>,
    /// When it is tried again; `None` while it is in use.
    next: Option<Instant>,
    first_pause: Duration,
    pause: Duration,
}

impl Preferred {
    /// `open` may take long.
    pub(super) fn new(open: impl Fn() -> Opened + Send + Sync + 'static) -> Self {
        Self {
            open: Arc::new(open),
            opening: None,
            next: Some(Instant::now()),
            first_pause: PAUSE,
            pause: PAUSE,
        }
    }

    #[cfg(test)]
    pub(super) fn set_pauses(&mut self, pause: Duration) {
        (self.first_pause, self.pause) = (pause, pause);
    }

    /// Opens it and waits for so long. If that is not long enough, [`Self::again`] gives the answer.
    pub(super) fn first(&mut self, patience: Duration) -> Opened {
        self.start()?;
        self.answer(patience).unwrap_or(Err(Refusal::TooSlow))
    }

    /// True if it was handed out and has not failed since.
    pub(super) fn is_in_use(&self) -> bool {
        self.next.is_none()
    }

    /// Notes a failure: it will be opened again.
    pub(super) fn has_failed(&mut self) {
        self.next = Some(Instant::now() + self.pause);
    }

    /// What came of the last try, if that is new; starts the next try when it is due. Never waits.
    pub(super) fn again(&mut self) -> Option<Opened> {
        if self.opening.is_some() {
            return self.answer(Duration::ZERO);
        }
        if self.next.is_some_and(|next| Instant::now() >= next)
            && let Err(refusal) = self.start()
        {
            self.put_off();
            return Some(Err(refusal));
        }
        None
    }

    fn start(&mut self) -> Result<(), Refusal> {
        let (done, opened) = channel();
        let open = Arc::clone(&self.open);
        helper("bpf-open", move || {
            let _ = done.send(open());
        })
        .map_err(Refusal::Thread)?;
        self.opening = Some(opened);
        Ok(())
    }

    fn answer(&mut self, patience: Duration) -> Option<Opened> {
        let answer = match self.opening.as_ref()?.recv_timeout(patience) {
            Err(RecvTimeoutError::Timeout) => return None,
            Err(RecvTimeoutError::Disconnected) => {
                Err(Refusal::NotHere("the thread that opens it has ended"))
            }
            Ok(answer) => answer,
        };
        self.opening = None;
        if answer.is_ok() {
            self.next = None;
            self.pause = self.first_pause;
        } else {
            self.put_off();
        }
        Some(answer)
    }

    fn put_off(&mut self) {
        self.next = Some(Instant::now() + self.pause);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }
}
