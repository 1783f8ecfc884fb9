//! tmpfs mounts of all mount namespaces that can be seen: who looks for a full `/dev/shm` of a container does not find
//! it among the mounts of the host.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::fs::{Mode, OFlags};

use super::walk::{Largest, Walk};
use crate::linux::SysRoot;
use crate::linux::kernel_file::{FileBuffer, lines, number, open_dir};
use crate::model::ledger::{Account, TmpfsMount};
use crate::model::process::Pid;

/// Most mount namespaces looked at.
const NAMESPACES: usize = 256;

/// Most mounts kept.
const MOUNTS: usize = 512;

/// Mounts whose files are listed.
const LISTED: usize = 8;

/// A mount with less is not listed.
const LEAST: u64 = 1 << 20;

/// A line of mountinfo.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    device: (u32, u32),
    point: Vec<u8>,
}

/// A mount, and where it can be opened.
struct Found {
    mount: TmpfsMount,
    path: PathBuf,
    device: u64,
}

/// Fills in the mounts; returns the device numbers of their file systems.
pub(super) fn read(
    root: &SysRoot,
    pids: &[Pid],
    until: Instant,
    account: &mut Account,
) -> Vec<u64> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut namespaces = HashSet::new();
    let mut ipc = HashSet::new();
    let mut unreadable = 0;
    let own = namespace(root, "self", "mnt");
    if own.is_some() {
        namespaces.extend(own);
        collect(root, "self", None, &mut seen, &mut found);
    }
    ipc.extend(namespace(root, "self", "ipc"));
    let own_ipc = ipc.len();
    for pid in pids {
        if Instant::now() >= until || namespaces.len() > NAMESPACES {
            account
                .gaps
                .push("mounts of some containers (too many)".to_owned());
            break;
        }
        let name = pid.to_string();
        ipc.extend(namespace(root, &name, "ipc"));
        match namespace(root, &name, "mnt") {
            Some(new) => {
                if namespaces.insert(new) {
                    collect(root, &name, Some(*pid), &mut seen, &mut found);
                }
            }
            None => unreadable += 1,
        }
    }
    // Kernel threads have no namespace of their own, and those that have ended none at all.
    if unreadable > pids.len() / 2 {
        account
            .gaps
            .push("mounts and open files of other users' processes (root may look)".to_owned());
    }
    if ipc.len() > own_ipc {
        let others = ipc.len() - own_ipc;
        account.gaps.push(format!(
            "SysV segments of {others} other IPC namespaces: they are in the memory without a name"
        ));
    }
    found.sort_by(|a, b| {
        let size = b.mount.used.cmp(&a.mount.used);
        size.then_with(|| a.mount.point.cmp(&b.mount.point))
    });
    found.truncate(MOUNTS);
    list_files(&mut found, until, account);
    let devices = found.iter().map(|found| found.device).collect();
    account.mounts = found.into_iter().map(|found| found.mount).collect();
    devices
}

/// The namespace of a process, by its number.
fn namespace(root: &SysRoot, pid: &str, kind: &str) -> Option<Vec<u8>> {
    let link = root.proc.join(pid).join("ns").join(kind);
    let target = rustix::fs::readlink(link, Vec::new()).ok()?;
    Some(target.into_bytes())
}

/// Adds the mounts that this process sees.
fn collect(
    root: &SysRoot,
    pid: &str,
    seen_by: Option<Pid>,
    seen: &mut HashSet<(u32, u32)>,
    found: &mut Vec<Found>,
) {
    let dir = root.proc.join(pid);
    let Ok(opened) = open_dir(&dir) else { return };
    let mut buffer = FileBuffer::default();
    let Ok(text) = buffer.read_whole(&opened, "mountinfo") else {
        return;
    };
    for line in lines(text).filter_map(parse) {
        if seen.contains(&line.device) {
            continue;
        }
        let below = line.point.strip_prefix(b"/").unwrap_or(&line.point);
        let path = dir.join("root").join(OsStr::from_bytes(below));
        if let Some(size) = look(&path, line.device) {
            seen.insert(line.device);
            found.push(Found {
                mount: TmpfsMount {
                    point: String::from_utf8_lossy(&line.point).into_owned(),
                    seen_by,
                    used: size.used,
                    limit: size.limit,
                    files: Vec::new(),
                },
                path,
                device: size.device,
            });
        }
    }
}

struct Size {
    used: u64,
    limit: Option<u64>,
    device: u64,
}

/// Size of the file system there, if it is the one that mountinfo names: another mount may lie on top.
fn look(path: &Path, device: (u32, u32)) -> Option<Size> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = rustix::fs::open(path, flags, Mode::empty()).ok()?;
    let stat = rustix::fs::fstat(&opened).ok()?;
    let is_it = (
        rustix::fs::major(stat.st_dev),
        rustix::fs::minor(stat.st_dev),
    );
    (is_it == device).then_some(())?;
    let size = rustix::fs::fstatfs(&opened).ok()?;
    let block = u64::try_from(size.f_bsize).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(block);
    // Without a limit it counts no blocks (mm/shmem.c `shmem_statfs`): then its files are.
    Some(Size {
        used: bytes(size.f_blocks.saturating_sub(size.f_bfree)),
        limit: Some(bytes(size.f_blocks)).filter(|limit| *limit > 0),
        device: stat.st_dev,
    })
}

/// `id parent major:minor root point options … - type source options`.
fn parse(line: &[u8]) -> Option<Line> {
    let mut words = line.split(|b| *b == b' ');
    let device = words.nth(2)?;
    let point = unescaped(words.nth(1)?);
    words.find(|word| *word == b"-")?;
    matches!(words.next()?, b"tmpfs" | b"devtmpfs").then_some(())?;
    let colon = device.iter().position(|b| *b == b':')?;
    let half = |part: &[u8]| u32::try_from(number(part)?).ok();
    Some(Line {
        device: (half(device.get(..colon)?)?, half(device.get(colon + 1..)?)?),
        point,
    })
}

/// Blanks and backslashes are octal: `\040`.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, more)) = rest.split_first() {
        let digits = more.get(..3).filter(|_| *first == b'\\');
        let code = digits.and_then(|digits| {
            let text = std::str::from_utf8(digits).ok()?;
            u8::from_str_radix(text, 8).ok()
        });
        if let Some(code) = code {
            out.push(code);
            rest = more.get(3..).unwrap_or_default();
        } else {
            out.push(*first);
            rest = more;
        }
    }
    out
}

/// Names the largest files of the fullest mounts. What is listed whole has its size by that, where it has no limit.
fn list_files(found: &mut [Found], until: Instant, account: &mut Account) {
    let mut walk = Walk::new(until);
    let mut cut = false;
    let mut order: Vec<usize> = (0..found.len()).collect();
    // Those without a limit do not tell how full they are.
    order.sort_by_key(|at| {
        let mount = found.get(*at).map(|found| &found.mount);
        mount.is_none_or(|mount| mount.limit.is_some())
    });
    let mut listed = 0;
    for at in order {
        let Some(found) = found.get_mut(at) else {
            continue;
        };
        let unknown = found.mount.limit.is_none();
        if listed >= LISTED || (!unknown && found.mount.used < LEAST) {
            continue;
        }
        listed += 1;
        let Largest { files, sum, whole } = walk.of(&found.path, found.device);
        cut |= !whole;
        found.mount.files = files;
        if unknown {
            found.mount.used = sum;
        }
    }
    if cut {
        account
            .gaps
            .push("some files of tmpfs mounts (too many to list them all)".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, parse};

    #[test]
    fn lines_of_mountinfo() {
        let text = b"25 30 0:22 / /dev/shm rw,nosuid shared:4 - tmpfs tmpfs rw,size=1g";
        let line = Line {
            device: (0, 22),
            point: b"/dev/shm".to_vec(),
        };
        assert_eq!(parse(text), Some(line));
        let text = b"25 30 0:99 / /mnt/a\\040b\\134 rw - tmpfs none rw";
        assert_eq!(parse(text).expect("a mount").point, b"/mnt/a b\\");
        for other in [
            &b"25 30 8:1 / / rw - ext4 /dev/sda rw"[..],
            b"25 30 0:x / /a rw - tmpfs a rw",
            b"25 30 0:1 / /a rw",
            b"",
        ] {
            assert_eq!(parse(other), None);
        }
    }
}
