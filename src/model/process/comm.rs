//! [`Comm`]: the kernel's short process name, as raw bytes and without an allocation.

use std::borrow::Cow;
use std::fmt;

/// Longest name kept, in bytes. The kernel's `TASK_COMM_LEN` is 16 with its final NUL
/// (`include/linux/sched.h`); longer kernel-thread names in `/proc/PID/stat` are cut here.
pub const COMM_LEN: usize = 15;

/// A process name: up to 15 bytes, which may not be UTF-8 and may contain control characters.
///
/// Never print the raw bytes: [`Comm::text`] is lossy UTF-8, and the screen replaces control characters when
/// it draws.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Comm {
    bytes: [u8; COMM_LEN],
    len: u8,
}

impl Comm {
    /// Keeps the first 15 bytes of `name`.
    #[must_use]
    pub fn new(name: &[u8]) -> Self {
        let len = name.len().min(COMM_LEN);
        let mut bytes = [0; COMM_LEN];
        bytes[..len].copy_from_slice(&name[..len]);
        // `len` is at most 15.
        #[expect(clippy::cast_possible_truncation, reason = "bounded by COMM_LEN")]
        let len = len as u8;
        Self { bytes, len }
    }

    /// The bytes as the kernel has them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// The name as text; bytes that are not UTF-8 become U+FFFD.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.as_bytes())
    }
}

impl From<&str> for Comm {
    fn from(name: &str) -> Self {
        Self::new(name.as_bytes())
    }
}

impl fmt::Debug for Comm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text())
    }
}

impl fmt::Display for Comm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::Comm;

    #[test]
    fn keeps_fifteen_bytes_and_survives_bad_utf8() {
        assert_eq!(
            Comm::from("a-very-long-process-name").text(),
            "a-very-long-pro"
        );
        assert_eq!(Comm::new(b"\xff\x1b[2J").text(), "\u{fffd}\u{1b}[2J");
        assert_eq!(Comm::new(b"").as_bytes(), b"");
    }
}
