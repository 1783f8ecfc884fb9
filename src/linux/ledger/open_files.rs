//! Shared memory without a name in any directory, as far as a process has it open: memfds, and deleted files of tmpfs
//! mounts.
//!
//! Only links that say so are followed: a look at a file of another file system could block.

use std::collections::HashMap;
use std::time::Instant;

use super::dir;
use crate::linux::SysRoot;
use crate::model::ledger::{Account, OpenFile};
use crate::model::process::Pid;

/// Most descriptors looked at.
const LINKS: usize = 100_000;

/// Files kept.
const KEPT: usize = 64;

/// A link of a deleted file ends so (fs/d_path.c).
const DELETED: &[u8] = b" (deleted)";

const MEMFD: &[u8] = b"/memfd:";

/// Fills in the open files. `devices` are those of the tmpfs mounts.
pub(super) fn read(
    root: &SysRoot,
    pids: &[Pid],
    devices: &[u64],
    until: Instant,
    account: &mut Account,
) {
    let mut files: HashMap<(u64, u64), OpenFile> = HashMap::new();
    let mut left = LINKS;
    for pid in pids {
        let Some(fds) = dir::open(&root.proc.join(pid.to_string()).join("fd")) else {
            continue;
        };
        for name in dir::names(&fds) {
            if left == 0 || Instant::now() >= until {
                account
                    .gaps
                    .push("some open memfds (too many descriptors)".to_owned());
                keep(files, account);
                return;
            }
            left -= 1;
            let Ok(link) = rustix::fs::readlinkat(&fds, name.as_slice(), Vec::new()) else {
                continue;
            };
            let Some((shown, is_memfd)) = nameless(link.as_bytes()) else {
                continue;
            };
            let flags = rustix::fs::AtFlags::empty();
            let Ok(stat) = rustix::fs::statat(&fds, name.as_slice(), flags) else {
                continue;
            };
            if !is_memfd && !devices.contains(&stat.st_dev) {
                continue;
            }
            let blocks = u64::try_from(stat.st_blocks).unwrap_or(0);
            files
                .entry((stat.st_dev, stat.st_ino))
                .or_insert_with(|| OpenFile {
                    name: shown,
                    bytes: blocks.saturating_mul(512),
                    held_by: *pid,
                });
        }
    }
    keep(files, account);
}

fn keep(files: HashMap<(u64, u64), OpenFile>, account: &mut Account) {
    let mut files: Vec<OpenFile> = files.into_values().filter(|file| file.bytes > 0).collect();
    files.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
    files.truncate(KEPT);
    account.open = files;
}

/// The name of what has none in any directory; true for a memfd. A deleted file keeps its slash, a memfd has none.
fn nameless(link: &[u8]) -> Option<(String, bool)> {
    let path = link.strip_suffix(DELETED)?;
    let memfd = path.strip_prefix(MEMFD);
    // Shared memory of the kernel's own mount: /dev/zero, /SYSV…, /drm mm object. Only memfds are files of programs.
    path.starts_with(b"/").then_some(())?;
    let name = String::from_utf8_lossy(memfd.unwrap_or(path)).into_owned();
    let name = if memfd.is_some() {
        name.trim_start_matches('/').to_owned()
    } else {
        name
    };
    Some((name, memfd.is_some()))
}

#[cfg(test)]
mod tests {
    use super::nameless;

    #[test]
    fn only_what_has_no_name_left() {
        let of = |link: &str| nameless(link.as_bytes());
        assert_eq!(
            of("/memfd:cache (deleted)"),
            Some(("cache".to_owned(), true))
        );
        let deleted = Some(("/dev/shm/x".to_owned(), false));
        assert_eq!(of("/dev/shm/x (deleted)"), deleted);
        for other in ["/dev/shm/x", "socket:[5]", "pipe:[7] (deleted)", "/memfd:x"] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
