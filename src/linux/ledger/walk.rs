//! [`Walk`]: finds the largest files of a tmpfs, within bounds.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Instant;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};

use super::dir;
use crate::model::ledger::StoredFile;

/// Entries looked at in all mounts together.
const ENTRIES: usize = 50_000;

/// Directories that are open at a time: a deeper one is left out.
const DEPTH: usize = 24;

/// Files named of one mount.
const NAMED: usize = 3;

/// What bounds the listing of several mounts.
#[derive(Debug)]
pub(super) struct Walk {
    left: usize,
    until: Instant,
}

/// The largest files of one file system.
#[derive(Debug, Default)]
pub(super) struct Largest {
    /// The largest first.
    pub(super) files: Vec<StoredFile>,
    /// Allocated bytes of all files looked at.
    pub(super) sum: u64,
    /// Nothing was left out.
    pub(super) whole: bool,
}

impl Walk {
    pub(super) fn new(until: Instant) -> Self {
        Self {
            left: ENTRIES,
            until,
        }
    }

    /// Lists a directory and what is below it in the same file system.
    pub(super) fn of(&mut self, path: &Path, device: u64) -> Largest {
        let mut largest = Largest {
            whole: true,
            ..Largest::default()
        };
        match dir::open(path) {
            Some(opened) => self.list(&opened, "", device, 0, &mut largest),
            None => largest.whole = false,
        }
        largest
    }

    fn list(
        &mut self,
        opened: &OwnedFd,
        above: &str,
        device: u64,
        depth: usize,
        largest: &mut Largest,
    ) {
        let Ok(entries) = Dir::read_from(opened) else {
            largest.whole = false;
            return;
        };
        for entry in entries {
            let Ok(entry) = entry else { break };
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            if self.left == 0 || Instant::now() >= self.until {
                largest.whole = false;
                return;
            }
            self.left -= 1;
            let Ok(stat) = rustix::fs::statat(opened, name, AtFlags::SYMLINK_NOFOLLOW) else {
                continue;
            };
            if stat.st_dev != device {
                continue;
            }
            let own = || format!("{above}/{}", name.to_string_lossy());
            if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
                match rustix::fs::openat(opened, name, flags, Mode::empty()) {
                    Ok(below) if depth < DEPTH => {
                        self.list(&below, &own(), device, depth + 1, largest);
                    }
                    _ => largest.whole = false,
                }
                continue;
            }
            let blocks = u64::try_from(stat.st_blocks).unwrap_or(0);
            let bytes = blocks.saturating_mul(512);
            largest.sum = largest.sum.saturating_add(bytes);
            let enters = largest.files.len() < NAMED
                || largest.files.last().is_some_and(|last| bytes > last.bytes);
            if enters && bytes > 0 {
                largest.files.push(StoredFile { name: own(), bytes });
                largest
                    .files
                    .sort_by_key(|file| std::cmp::Reverse(file.bytes));
                largest.files.truncate(NAMED);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Walk;

    #[test]
    fn the_largest_files_are_named_and_links_are_not_followed() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = |name: &str, kib: usize| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            std::fs::write(path, vec![1; kib << 10]).expect("written");
        };
        for (name, kib) in [("a", 8), ("deep/er/b", 64), ("c", 16), ("d", 32), ("e", 0)] {
            file(name, kib);
        }
        std::os::unix::fs::symlink("/", dir.path().join("loop")).expect("a link");
        let device = rustix::fs::stat(dir.path()).expect("there").st_dev;
        let mut walk = Walk::new(Instant::now() + Duration::from_mins(1));
        let largest = walk.of(dir.path(), device);
        let names: Vec<_> = largest.files.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names, ["/deep/er/b", "/d", "/c"]);
        assert!(largest.whole && largest.sum >= 120 << 10);
        let late = Walk::new(Instant::now()).of(dir.path(), device);
        assert!(!late.whole && late.files.is_empty());
        let elsewhere = walk.of(dir.path(), device + 1);
        assert_eq!(elsewhere.sum, 0);
        assert!(!walk.of(&dir.path().join("none"), device).whole);
    }
}
