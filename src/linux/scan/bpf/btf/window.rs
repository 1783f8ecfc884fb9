//! [`Window`]: a movable window over a large blob.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::error::BtfError;

/// Size of the window in bytes. One `read` of a sysfs file returns at most a page.
pub(super) const WINDOW: usize = 64 * 1024;

/// The source of the bytes.
pub(crate) trait Blob {
    /// Reads some bytes at the offset `at`; 0 at the end.
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize>;
}

impl Blob for File {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        FileExt::read_at(self, buffer, at)
    }
}

impl Blob for &[u8] {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let rest = usize::try_from(at)
            .ok()
            .and_then(|at| self.get(at..))
            .unwrap_or_default();
        let (from, to) = (rest.iter(), buffer.iter_mut());
        Ok(to.zip(from).map(|(to, from)| *to = *from).count())
    }
}

/// A movable window over a blob.
#[derive(Debug)]
pub(super) struct Window<B> {
    blob: B,
    bytes: Vec<u8>,
    start: u64,
}

impl<B: Blob> Window<B> {
    pub(super) fn new(blob: B) -> Self {
        Self {
            blob,
            bytes: Vec::with_capacity(WINDOW),
            start: 0,
        }
    }

    /// Returns `len` bytes at the offset `at`; at most [`WINDOW`] bytes.
    pub(super) fn get(&mut self, at: u64, len: usize) -> Result<&[u8], BtfError> {
        let place = |start: u64| usize::try_from(at.checked_sub(start)?).ok();
        let inside = |p: &usize| {
            p.checked_add(len)
                .is_some_and(|end| end <= self.bytes.len())
        };
        if !place(self.start).as_ref().is_some_and(inside) {
            self.fill(at, len)?;
        }
        place(self.start)
            .and_then(|p| self.bytes.get(p..)?.get(..len))
            .ok_or(BtfError::Damaged("it ends too early"))
    }

    fn fill(&mut self, at: u64, least: usize) -> Result<(), BtfError> {
        self.start = at;
        self.bytes.resize(WINDOW, 0);
        let mut filled = 0;
        while filled < least {
            let room = self.bytes.get_mut(filled..).unwrap_or_default();
            match self.blob.read_at(room, at + filled as u64) {
                Ok(0) => break,
                Ok(more) => filled += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.bytes.clear();
                    return Err(error.into());
                }
            }
        }
        self.bytes.truncate(filled);
        Ok(())
    }
}

/// The four bytes at `at` as a number in native byte order; 0 beyond the end.
pub(super) fn word(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|b| b.try_into().ok());
    u32::from_ne_bytes(four.unwrap_or_default())
}

/// The two bytes at `at` as a number in native byte order; 0 beyond the end.
pub(super) fn half(bytes: &[u8], at: usize) -> u16 {
    let two = bytes.get(at..at + 2).and_then(|b| b.try_into().ok());
    u16::from_ne_bytes(two.unwrap_or_default())
}
