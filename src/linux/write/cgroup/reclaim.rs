//! Takes memory out of a group through `memory.reclaim` (mm/memcontrol.c `memory_reclaim`, 5.19).

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::{CgroupWriter, write_file};
use crate::linux::cgroup::files::usage_file;
use crate::linux::kernel_file::{FileBuffer, number};
use crate::model::cgroup::CgroupPath;
use crate::model::plan::receipt::{Failure, Reading};
use crate::model::plan::step::CgroupStep;

/// The kernel returns when it has reclaimed as much as was asked, or can get no more. On a slow swap device that takes
/// minutes, in which no other write would get its turn: so it is asked for a piece at a time, for so long.
const TIME: Duration = Duration::from_secs(3);
const LEAST_PIECE: u64 = 4 << 20;
const MOST_PIECE: u64 = 32 << 20;

impl CgroupWriter {
    pub(super) fn reclaim(
        &self,
        step: &CgroupStep,
        group: &CgroupPath,
        bytes: u64,
        before: &mut Reading,
    ) -> Result<Reading, Failure> {
        let dir = self.open(step, group)?;
        *before = Reading::Reclaimed(0);
        let piece = (bytes / 8).clamp(LEAST_PIECE, MOST_PIECE);
        let begun = Instant::now();
        let mut back = 0;
        while back < bytes {
            let asked = piece.min(bytes - back);
            let used = self.usage(&dir);
            match write_file(&dir, "memory.reclaim", &asked.to_string()) {
                Ok(()) => back += asked,
                // Only a part came back; the usage tells how much.
                Err(Errno::AGAIN) => {
                    let now = self.usage(&dir);
                    let part = used.zip(now).map(|(used, now)| used.saturating_sub(now));
                    back += part.unwrap_or(0).min(asked);
                    break;
                }
                Err(errno) => return Err(self.explain(step, group, errno)),
            }
            if begun.elapsed() >= TIME {
                break;
            }
        }
        Ok(Reading::Reclaimed(back))
    }

    pub(super) fn usage(&self, dir: impl AsFd) -> Option<u64> {
        let mut buffer = FileBuffer::default();
        number(buffer.read_whole(dir, usage_file(self.made_for)).ok()?)
    }
}
