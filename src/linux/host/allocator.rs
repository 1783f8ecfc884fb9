//! Keeps freed memory with oomtop.
//!
//! The allocator gives freed memory back to the kernel, and oomtop asks for as much again with its next sample. In an
//! OOM each page of that costs a search for pages to reclaim, a hundred milliseconds and more, in the threads that must
//! not wait then.

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
    [
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
    .fold(true, |all, taken| all & taken)
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
