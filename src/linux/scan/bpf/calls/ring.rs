//! [`Ring`]: a ring buffer that programs fill and oomtop empties (Documentation/bpf/ringbuf.rst).

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags};

use super::{MAP_CREATE, MapCreate, bpf, owned};

const MAP_TYPE_RINGBUF: u32 = 27;
/// A record that is being written, and one that was given up (`BPF_RINGBUF_BUSY_BIT`, `BPF_RINGBUF_DISCARD_BIT`).
const BUSY: u32 = 1 << 31;
const DISCARDED: u32 = 1 << 30;
/// Bytes in front of each record: its length, and what only the kernel uses.
const HEAD: u64 = 8;

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::linux::scan::bpf) enum Woken {
    /// There may be a record, or the time is over.
    Look,
    /// The other descriptor is ready, or waiting is not possible any more.
    Other,
}

/// A ring of records, all of one size. The kernel maps its data twice in a row, so that no record is torn.
#[derive(Debug)]
pub(in crate::linux::scan::bpf) struct Ring {
    map: OwnedFd,
    /// A page that oomtop writes: how far it has read.
    read: *mut AtomicU64,
    /// A page that the kernel writes, how far it has written, and twice the data behind it.
    written: *mut AtomicU64,
    page: usize,
    size: u32,
}

#[expect(unsafe_code, reason = "it holds addresses")]
// SAFETY: the mappings belong to the process, not to a thread; `Ring` is their only owner.
unsafe impl Send for Ring {}

impl Ring {
    /// A ring of so many bytes, a power of two and a multiple of the page size.
    ///
    /// # Errors
    /// `EINVAL` on a kernel before 5.8 or for another size, `EPERM` without `CAP_BPF`, `ENOMEM`.
    #[expect(unsafe_code, reason = "mappings of a descriptor")]
    pub(in crate::linux::scan::bpf) fn create(size: u32) -> Result<Self, Errno> {
        let mut attributes = MapCreate {
            map_type: MAP_TYPE_RINGBUF,
            max_entries: size,
            ..MapCreate::default()
        };
        let map = owned(bpf(MAP_CREATE, &mut attributes)?);
        let page = rustix::param::page_size();
        let place = |length, protection, offset| {
            // SAFETY: a new mapping at an address of the kernel's choice touches no memory in use. The kernel
            // refuses more than the ring has (kernel/bpf/ringbuf.c). It lasts until `drop`.
            unsafe {
                rustix::mm::mmap(
                    std::ptr::null_mut(),
                    length,
                    protection,
                    MapFlags::SHARED,
                    &map,
                    offset,
                )
            }
        };
        let read = place(page, ProtFlags::READ | ProtFlags::WRITE, 0)?;
        let written = match place(behind(page, size), ProtFlags::READ, page as u64) {
            Ok(written) => written,
            Err(errno) => {
                // SAFETY: the mapping made above, to which nothing refers yet.
                let _ = unsafe { rustix::mm::munmap(read, page) };
                return Err(errno);
            }
        };
        Ok(Self {
            map,
            read: read.cast(),
            written: written.cast(),
            page,
            size,
        })
    }

    /// The file descriptor of the map.
    pub(in crate::linux::scan::bpf) fn descriptor(&self) -> i32 {
        self.map.as_raw_fd()
    }

    /// Waits until there is a record, `other` is ready, or the time is over.
    pub(in crate::linux::scan::bpf) fn wait(
        &self,
        other: BorrowedFd<'_>,
        timeout: Option<&Timespec>,
    ) -> Woken {
        let mut fds = [
            PollFd::new(&self.map, PollFlags::IN),
            PollFd::from_borrowed_fd(other, PollFlags::IN),
        ];
        let polled = poll(&mut fds, timeout);
        let [_, other] = &fds;
        match polled {
            Err(Errno::INTR) => Woken::Look,
            Ok(_) if other.revents().is_empty() => Woken::Look,
            // Another error would repeat at once, without end.
            Ok(_) | Err(_) => Woken::Other,
        }
    }

    /// Takes the oldest record if it is complete. Records of another size are skipped. Every bit pattern must be a
    /// valid `T`: use this with structures of numbers only.
    #[expect(unsafe_code, reason = "reads memory shared with the kernel")]
    pub(in crate::linux::scan::bpf) fn take<T: Copy>(&mut self) -> Option<T> {
        // SAFETY: the pages live as long as `self` and begin with the two positions, aligned to a page. Both sides
        // access the positions atomically.
        let (read, written) = unsafe { (&*self.read, &*self.written) };
        loop {
            let at = read.load(Ordering::Relaxed);
            if at >= written.load(Ordering::Acquire) {
                return None;
            }
            let inside = usize::try_from(at & u64::from(self.size - 1)).ok()?;
            // SAFETY: `inside` is below the size and a multiple of 8, because all lengths are rounded up to that.
            // The data begins one page behind the position and is mapped twice.
            let head = unsafe { self.written.byte_add(self.page + inside) };
            // SAFETY: in bounds and aligned, as above. The kernel stores the length atomically.
            let length = unsafe { &*head.cast::<AtomicU32>() }.load(Ordering::Acquire);
            if length & BUSY != 0 {
                return None;
            }
            let bytes = length & !DISCARDED;
            let is_record = bytes == length && bytes as usize == size_of::<T>();
            // SAFETY: the record lies behind its head, within the two copies of the data, aligned to 8 bytes. The
            // kernel does not write there before the position says that the record was read.
            let record = is_record.then(|| unsafe { head.byte_add(8).cast::<T>().read_volatile() });
            let next = at + (u64::from(bytes) + HEAD).next_multiple_of(8);
            read.store(next, Ordering::Release);
            if record.is_some() {
                return record;
            }
        }
    }
}

/// Bytes of the second mapping.
fn behind(page: usize, size: u32) -> usize {
    page + 2 * size as usize
}

impl Drop for Ring {
    #[expect(unsafe_code, reason = "ends the mappings")]
    fn drop(&mut self) {
        // SAFETY: addresses and lengths are those of the mappings made in `create`; no reference into them exists
        // outside of `take`.
        unsafe {
            let _ = rustix::mm::munmap(self.read.cast(), self.page);
            let _ = rustix::mm::munmap(self.written.cast(), behind(self.page, self.size));
        }
    }
}
