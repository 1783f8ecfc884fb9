//! What a domain used in the last samples, for its sparkline.

use super::watch::Watch;

/// Samples kept: as many as the column has cells. There may be thousands of domains.
pub(super) const KEPT: usize = 8;

impl Watch {
    /// Takes the used share of a sample in percent.
    pub(super) fn note_past(&mut self, percent: f64) {
        if self.past.len() >= KEPT {
            self.past.pop_front();
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to 0..=200"
        )]
        let percent = percent.clamp(0.0, 200.0) as u8;
        self.past.push_back(percent);
    }

    /// Used share of the last samples in percent, the newest last.
    pub fn past(&self) -> impl Iterator<Item = u8> {
        self.past.iter().copied()
    }
}
