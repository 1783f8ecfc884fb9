//! System V shared memory segments: `/proc/sysvipc/shm` (sysvipc(7)), of oomtop's IPC namespace.

use std::os::fd::OwnedFd;

use crate::linux::kernel_file::{FileBuffer, MOST_BYTES, lines, number, signed};
use crate::model::ledger::{Account, Segment};

/// Segments kept.
const MOST: usize = 4096;

/// Mode bit of a segment that goes away with its last mapping (include/linux/shm.h).
const SHM_DEST: u64 = 0o1000;

/// Fills in the segments; a kernel without them has none.
pub(super) fn read(proc: &OwnedFd, buffer: &mut FileBuffer, account: &mut Account) {
    if let Ok(text) = buffer.read_whole(proc, "sysvipc/shm") {
        account.segments = parse(text);
    }
}

/// Columns by their names in the first line.
fn parse(text: &[u8]) -> Vec<Segment> {
    let words = |line: &[u8]| -> Vec<Vec<u8>> {
        let words = line.split(u8::is_ascii_whitespace);
        words
            .filter(|w| !w.is_empty())
            .map(<[u8]>::to_vec)
            .collect()
    };
    let mut rows = lines(text).map(words);
    let Some(names) = rows.next() else {
        return Vec::new();
    };
    let column = |name: &str| names.iter().position(|own| own == name.as_bytes());
    let segment = |row: Vec<Vec<u8>>| {
        let value = |name: &str| number(row.get(column(name)?)?);
        // The mode is octal.
        let mode = column("perms").and_then(|at| {
            let text = std::str::from_utf8(row.get(at)?).ok()?;
            u64::from_str_radix(text, 8).ok()
        });
        Some(Segment {
            id: signed(row.get(column("shmid")?)?)?,
            resident: value("rss").or_else(|| value("size"))?.min(MOST_BYTES),
            swapped: value("swap").unwrap_or(0).min(MOST_BYTES),
            attached: value("nattch")?,
            uid: u32::try_from(value("uid")?).ok()?,
            creator: u32::try_from(value("cpid")?).ok()?,
            doomed: mode.is_some_and(|mode| mode & SHM_DEST != 0),
        })
    };
    let mut segments: Vec<Segment> = rows.filter_map(segment).collect();
    segments.sort_by_key(|s| (s.attached > 0, std::cmp::Reverse(s.resident), s.id));
    segments.truncate(MOST);
    segments
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn segments_without_users_come_first() {
        let text = b"       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime                   rss                  swap\n\
            0          4  1600               1048576    77    78      2  1000  1000  1000  1000 0 0 0               1048576                     0\n\
            0          7   600               8388608    79     0      0  1000  1000  1000  1000 0 0 0               4194304               8192\n\
            0          9   600               4096    79     0      0  1000  1000  1000  1000 0 0 0               4096               0\n\
            odd\n";
        let segments = parse(text);
        let ids: Vec<_> = segments.iter().map(|s| (s.id, s.attached)).collect();
        assert_eq!(ids, [(7, 0), (9, 0), (4, 2)]);
        assert_eq!((segments[0].resident, segments[0].swapped), (4 << 20, 8192));
        assert!(segments[2].doomed && !segments[0].doomed);
        assert_eq!(parse(b""), []);
    }
}
