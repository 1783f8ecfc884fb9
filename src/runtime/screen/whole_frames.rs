//! [`WholeFrames`]: the terminal gets each frame in one piece, marked as one.

use std::io::{self, Write};

use crossterm::Command as _;
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};

/// Keeps what is written until the flush, then writes it between the codes of a synchronized update (mode 2026): a terminal
/// that knows them shows no half of a frame, others ignore them. The most that is kept is a frame that changes every cell.
#[derive(Debug)]
pub struct WholeFrames<W> {
    out: W,
    frame: Vec<u8>,
    begin: String,
    end: String,
}

impl<W: Write> WholeFrames<W> {
    /// Writes frames to `out`.
    pub(super) fn new(out: W) -> Self {
        let (mut begin, mut end) = (String::new(), String::new());
        // Writing to a String cannot fail.
        let _ = BeginSynchronizedUpdate.write_ansi(&mut begin);
        let _ = EndSynchronizedUpdate.write_ansi(&mut end);
        Self {
            out,
            frame: begin.clone().into_bytes(),
            begin,
            end,
        }
    }
}

impl<W: Write> Write for WholeFrames<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.frame.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut written = Ok(());
        if self.frame.len() > self.begin.len() {
            self.frame.extend_from_slice(self.end.as_bytes());
            written = self.out.write_all(&self.frame);
            // What a terminal did not take is not written again behind other codes.
            self.frame.truncate(self.begin.len());
        }
        written?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::WholeFrames;

    #[test]
    fn a_flush_writes_one_marked_frame_and_none_without_content() {
        let mut out = WholeFrames::new(Vec::new());
        out.flush().expect("a Vec");
        assert!(out.out.is_empty());
        out.write_all(b"one ").expect("a Vec");
        out.write_all(b"frame").expect("a Vec");
        assert!(out.out.is_empty(), "before the flush");
        out.flush().expect("a Vec");
        out.flush().expect("a Vec");
        out.write_all(b"next").expect("a Vec");
        out.flush().expect("a Vec");
        let wanted = "\x1b[?2026hone frame\x1b[?2026l\x1b[?2026hnext\x1b[?2026l";
        assert_eq!(String::from_utf8_lossy(&out.out), wanted);
    }
}
