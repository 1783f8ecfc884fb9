//! Words for what came of a kill or of reclaim.

use crate::model::plan::receipt::Reaped;
use crate::text::format::{long_size, part_of};

/// What became of a process that was killed and reaped.
pub fn reaped(how: Reaped) -> &'static str {
    match how {
        Reaped::Ended => "was killed and has ended, its memory is free",
        Reaped::Released => "was killed: its memory is free, although it has not ended yet",
        Reaped::Shared => {
            "was killed and has not ended yet; its memory could not be taken before that, because another process \
             shares it (EINVAL)"
        }
        Reaped::Busy => {
            "was killed and has not ended yet; its memory was busy (EAGAIN), the kernel frees it at its end"
        }
        Reaped::NoReaper => {
            "was killed and has not ended yet; this kernel has no process_mrelease (Linux 5.15), so its memory is \
             free at its end"
        }
    }
}

/// What came back of what was asked.
pub fn reclaimed(asked: u64, back: u64) -> String {
    match back {
        0 => format!(
            "nothing of {} could be reclaimed: no page cache to drop, no swap to use",
            long_size(asked)
        ),
        back if back < asked => format!("only {} could be reclaimed", part_of(back, asked)),
        back => format!("{} reclaimed", long_size(back)),
    }
}
