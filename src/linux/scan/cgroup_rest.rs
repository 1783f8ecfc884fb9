//! [`CgroupRest`]: for how long the file with the cgroup of a process is left alone.
//!
//! The kernel takes a time that grows with the square of the depth to print the path of a group
//! (fs/kernfs/dir.c `kernfs_path_from_node_locked`): some 10 ms for a group 3 000 levels deep, and any user with a
//! tree of his own can make one.

use rustix::io::Errno;

/// Up to this depth a path costs no more than opening the file.
const SHALLOW: u64 = 64;

/// Most samples between two readings.
const MOST: u64 = 512;

/// When the file of one process was read, and when its next reading is due.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CgroupRest {
    /// The cgroup id of the process at that time, if the back end reports one.
    id: Option<u64>,
    /// The next sample in which it may be read.
    due: u64,
}

impl CgroupRest {
    /// True if the file may be read in the sample `seq`: the rest is over, or the process has moved.
    pub(crate) fn is_over(&self, id: Option<u64>, seq: u64) -> bool {
        seq >= self.due || self.id != id
    }

    /// Notes what the file held, or why it could not be read.
    pub(crate) fn note(&mut self, id: Option<u64>, seq: u64, text: Result<&[u8], Errno>) {
        let rest = match text {
            Ok(text) => {
                // The path of every hierarchy is printed, and the deepest decides.
                let lines = text.split(|b| *b == b'\n');
                let depth = |line: &[u8]| line.split(|b| *b == b'/').count() as u64;
                let shares = lines.map(depth).max().unwrap_or(0) / SHALLOW;
                shares.saturating_mul(shares).min(MOST)
            }
            // Too deep for a path at all: the kernel found out on its way.
            Err(Errno::NAMETOOLONG) => MOST,
            Err(_) => 0,
        };
        self.id = id;
        self.due = seq.saturating_add(rest);
    }
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::{CgroupRest, MOST};

    /// In how many of 100 samples the file is read.
    fn readings(text: Result<&[u8], Errno>, id: impl Fn(u64) -> Option<u64>) -> usize {
        let mut rest = CgroupRest::default();
        let read = |seq: &u64| {
            let over = rest.is_over(id(*seq), *seq);
            if over {
                rest.note(id(*seq), *seq, text);
            }
            over
        };
        (1..=100).filter(read).count()
    }

    #[test]
    fn the_deeper_the_group_the_less_often_its_path_is_asked_for() {
        let of = |depth: usize| {
            let text = format!("4:memory:{}\n0::/\n", "/n".repeat(depth));
            readings(Ok(text.as_bytes()), |_| None)
        };
        assert_eq!(of(5), 100);
        assert_eq!(of(60), 100, "service managers nest less");
        assert_eq!(of(320), 4);
        assert_eq!(of(2000), 1);
        assert_eq!(readings(Err(Errno::NAMETOOLONG), |_| None), 1);
        assert_eq!(readings(Err(Errno::NAMETOOLONG), |_| Some(7)), 1);
        assert_eq!(readings(Err(Errno::SRCH), |_| None), 100);
    }

    #[test]
    fn a_process_that_moved_is_asked_at_once() {
        let deep = "/n".repeat(1000);
        let text = format!("0::{deep}\n");
        assert_eq!(readings(Ok(text.as_bytes()), |seq| Some(seq / 50)), 3);
        let mut rest = CgroupRest::default();
        rest.note(Some(1), 10, Err(Errno::NAMETOOLONG));
        assert!(!rest.is_over(Some(1), 9 + MOST) && rest.is_over(Some(1), 10 + MOST));
    }
}
