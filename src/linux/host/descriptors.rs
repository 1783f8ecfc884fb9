//! File descriptors: what oomtop needs is checked before it starts. Later a missing one would silently leave
//! something out of a sample, or end a thread.

use std::fmt;
use std::path::Path;

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::linux::kernel_file::open_dir;

/// Too few files can be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub struct Shortage {
    /// How many oomtop needs.
    needed: usize,
    /// How many more it can open.
    available: usize,
    /// Why it cannot open more.
    errno: Errno,
    /// The limit of this process (`RLIMIT_NOFILE`); `None` if there is no limit.
    limit: Option<u64>,
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            needed, available, ..
        } = self;
        write!(
            f,
            "{needed} files have to be open at the same time, and only {available} more can be opened"
        )?;
        match (self.errno, self.limit) {
            (Errno::MFILE, Some(limit)) => write!(
                f,
                ": raise the limit on open files, which is {limit} (ulimit -n {})",
                // Descriptors above the limit may be open, too.
                limit
                    .saturating_add(*needed as u64)
                    .next_power_of_two()
                    .max(64)
            ),
            (errno, _) => write!(
                f,
                ": {}",
                shortage(errno).unwrap_or("no descriptor is left")
            ),
        }
    }
}

/// Makes sure that so many files can be open besides those that are open now. Raises the soft limit for that, as far
/// as the hard limit allows.
///
/// # Errors
/// If fewer can be opened.
pub fn require(needed: usize) -> Result<(), Shortage> {
    let root = Path::new("/");
    let mut held = Vec::with_capacity(needed);
    while held.len() < needed {
        match open_dir(root) {
            Ok(file) => held.push(file),
            Err(Errno::MFILE) if raise((needed - held.len()) as u64) => {}
            Err(errno) => {
                return Err(Shortage {
                    needed,
                    available: held.len(),
                    errno,
                    limit: getrlimit(Resource::Nofile).current,
                });
            }
        }
    }
    Ok(())
}

/// Raises the soft limit by `more`; false if the hard limit is lower.
fn raise(more: u64) -> bool {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let Some(wanted) = current.map(|current| current.saturating_add(more)) else {
        return false;
    };
    let raised = Rlimit {
        current: Some(wanted),
        maximum,
    };
    maximum.is_none_or(|maximum| wanted <= maximum) && setrlimit(Resource::Nofile, raised).is_ok()
}

/// What to do about an error that says that the process or the system has run out of something; `None` for other
/// errors.
pub(crate) fn shortage(errno: Errno) -> Option<&'static str> {
    match errno {
        Errno::MFILE => Some("raise the limit on open files (ulimit -n)"),
        Errno::NFILE => Some("the whole system has too many files open (sysctl fs.file-max)"),
        Errno::NOMEM => Some(
            "the kernel has no memory for it: free some, or raise the limit of oomtop's cgroup",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Shortage, require, shortage};
    use rustix::io::Errno;

    #[test]
    fn more_than_can_be_had_is_a_sentence_with_the_limit() {
        assert_eq!(require(8), Ok(()));
        let few = Shortage {
            needed: 32,
            available: 5,
            errno: Errno::MFILE,
            limit: Some(8),
        };
        assert_eq!(
            few.to_string(),
            "32 files have to be open at the same time, and only 5 more can be opened: raise the limit on open files, which is 8 (ulimit -n 64)"
        );
        let full = Shortage {
            errno: Errno::NFILE,
            ..few
        };
        assert!(full.to_string().contains("fs.file-max"), "{full}");
        assert_eq!(shortage(Errno::NOENT), None);
    }
}
