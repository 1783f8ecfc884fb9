//! Keeps freed memory with oomtop, and some in reserve.
//!
//! The allocator gives freed memory back to the kernel, and oomtop asks for as much again with its next sample. In an
//! OOM each page of that costs a search for pages to reclaim, a hundred milliseconds and more, in the threads that must
//! not wait then. The reports of the kills themselves need pages, too: in a storm of kills among 500 processes the
//! threads of the log were measured to search for 34 seconds of 50, which made rows 18 s late.

use std::sync::atomic::{AtomicBool, Ordering};

/// The allocator keeps what is freed.
static KEEPS: AtomicBool = AtomicBool::new(false);

/// Threads may have a reserve.
static RESERVES: AtomicBool = AtomicBool::new(false);

/// Bytes of a piece of the reserve: less than a mapping of its own.
const PIECE: usize = 256 << 10;

/// From now on [`reserve`] has an effect, if the allocator keeps what is freed. The caller knows that there is room.
pub(crate) fn allow_reserves() {
    RESERVES.store(KEEPS.load(Ordering::SeqCst), Ordering::SeqCst);
}

/// Puts so many bytes in reserve for the calling thread, where [`allow_reserves`] was called: allocates, touches and
/// frees them. Their pages stay in the arena of the thread.
pub(crate) fn reserve(bytes: usize) {
    if !RESERVES.load(Ordering::SeqCst) {
        return;
    }
    let page = rustix::param::page_size();
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    for _ in 0..bytes.div_ceil(PIECE) {
        let mut piece = Vec::new();
        if piece.try_reserve_exact(PIECE).is_err() {
            // Less in reserve is no failure.
            return;
        }
        for first in piece.spare_capacity_mut().iter_mut().step_by(page) {
            first.write(0);
        }
        pieces.push(std::hint::black_box(piece));
    }
}

/// Freed bytes at the end of an arena that stay there, locked: 32 MiB in all at most. A refresh with thousands of
/// processes takes less.
#[cfg(target_env = "gnu")]
const KEPT: libc::c_int = 8 << 20;

/// An allocation of at least so many bytes is a mapping of its own, which goes back to the kernel when it is freed.
#[cfg(target_env = "gnu")]
const OWN_MAPPING: libc::c_int = 4 << 20;

/// Most arenas: each keeps what its threads have freed.
#[cfg(target_env = "gnu")]
const ARENAS: libc::c_int = 4;

/// Changes how the allocator of glibc treats freed memory (mallopt(3)); true if it does. Other allocators stay as they
/// are. To be called before the first thread: it would have an arena of its own.
#[cfg(target_env = "gnu")]
pub(super) fn keep_freed() -> bool {
    let keeps = [
        (libc::M_TRIM_THRESHOLD, KEPT),
        (libc::M_MMAP_THRESHOLD, OWN_MAPPING),
        (libc::M_ARENA_MAX, ARENAS),
    ]
    .into_iter()
    .map(|(option, value)| {
        #[expect(unsafe_code, reason = "no crate in use sets options of the allocator")]
        // SAFETY: mallopt takes two numbers, and locks the allocator itself.
        let taken = unsafe { libc::mallopt(option, value) };
        taken == 1
    })
    // Each for itself: the glibc of 32-bit machines refuses so large a threshold.
    .fold(true, |all, taken| all & taken);
    KEEPS.store(keeps, Ordering::SeqCst);
    keeps
}

/// Nothing to change.
#[cfg(not(target_env = "gnu"))]
pub(super) fn keep_freed() -> bool {
    false
}

#[cfg(all(test, target_env = "gnu", target_pointer_width = "64"))]
mod tests {
    use super::*;

    #[test]
    fn glibc_takes_the_values() {
        assert!(keep_freed());
    }
}
