//! A packed stream with bounds: what it unpacks to, and what is said when it ends too early.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// A stream may always unpack to so many bytes. A busy host's log of a day is smaller.
const ALWAYS: u64 = 1 << 30;
/// Beyond that, to so many times the bytes it was packed in. Logs are packed 10 to 200 times.
const TIMES: u64 = 2000;

/// The packed bytes, counted.
pub(super) struct Counted {
    inner: Box<dyn Read>,
    count: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.inner.read(buffer)?;
        self.count.set(self.count.get() + size as u64);
        Ok(size)
    }
}

/// The unpacked bytes.
pub(super) struct Bounded {
    inner: Box<dyn Read>,
    /// What it was packed with.
    name: &'static str,
    packed: Rc<Cell<u64>>,
    unpacked: u64,
}

impl Bounded {
    /// Unpacks `packed` with `unpack`.
    pub(super) fn new(
        packed: impl Read + 'static,
        name: &'static str,
        unpack: impl FnOnce(Counted) -> Box<dyn Read>,
    ) -> Self {
        let count = Rc::new(Cell::new(0));
        let counted = Counted {
            inner: Box::new(packed),
            count: Rc::clone(&count),
        };
        Self {
            inner: unpack(counted),
            name,
            packed: count,
            unpacked: 0,
        }
    }

    fn sentence(&self, error: &io::Error) -> io::Error {
        let name = self.name;
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("the {name} data are cut short; only what is there was read"),
            );
        }
        io::Error::new(
            error.kind(),
            format!("the {name} data are damaged ({error}); only what precedes was read"),
        )
    }
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = ALWAYS.saturating_add(self.packed.get().saturating_mul(TIMES));
        if self.unpacked > most {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!(
                    "the {} data unpack to more than {TIMES} times their size; the rest was not read",
                    self.name
                ),
            ));
        }
        // Decoders lose what they had of a read that fails: small reads lose little.
        let end = buffer.len().min(4096);
        let part = buffer.get_mut(..end).unwrap_or_default();
        match self.inner.read(part) {
            Ok(size) => {
                self.unpacked += size as u64;
                Ok(size)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => Err(self.sentence(&error)),
        }
    }
}
