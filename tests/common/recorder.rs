//! Every screen of a session, in order.

use std::time::Instant;

use super::pty::Session;
use super::screen::Screen;

impl Session {
    /// Keeps every screen from now on, beginning with the one that stands.
    pub(crate) fn start_recording(&self) {
        let mut output = self.lock();
        output.recorded = Some(Vec::new());
        output.record();
    }

    /// The screens since the last call, if they are kept.
    pub(crate) fn recorded(&self) -> Vec<(Instant, Screen)> {
        let kept = &mut self.lock().recorded;
        kept.as_mut().map(std::mem::take).unwrap_or_default()
    }
}
