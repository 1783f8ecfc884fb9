//! The counters of a memory cgroup.

use rustix::io::Errno;

use crate::linux::cgroup::files::usage_file;
use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::kernel_file::{FileBuffer, MOST_BYTES, keyed, number};
use crate::model::cgroup::CgroupPath;
use crate::model::ledger::Ledger;
use crate::oomlog::analysis::ledger::group::GroupCounts;

/// Reads usage and `memory.stat`.
///
/// # Errors
/// A sentence if one of them cannot be read.
pub(super) fn ledger(
    hierarchy: &Hierarchy,
    path: &CgroupPath,
    buffer: &mut FileBuffer,
) -> Result<Ledger, String> {
    let mut read = |file: &str| -> Result<Vec<u8>, String> {
        let place = hierarchy.file(path, file);
        let place = place.ok_or_else(|| format!("{path} is outside the mounted cgroup tree"))?;
        let text = match hierarchy.dir() {
            Ok(dir) => buffer.read_whole(dir, place.as_slice()),
            Err(errno) => Err(errno),
        };
        match text {
            Ok(text) => Ok(text.to_vec()),
            Err(Errno::NOENT | Errno::NODEV) => Err(format!(
                "{path} has no {file}: it is gone, or memory is not controlled in it"
            )),
            Err(errno) => Err(format!("{file} of {path} cannot be read: {errno}")),
        }
    };
    let is_v1 = hierarchy.version.is_v1();
    let file = usage_file(hierarchy.version);
    let stat = read("memory.stat")?;
    let usage = number(&read(file)?).ok_or_else(|| format!("{file} of {path} holds no number"))?;
    let kmem = read("memory.kmem.usage_in_bytes").ok();
    let counts = GroupCounts {
        usage: usage.min(MOST_BYTES),
        kmem: kmem.filter(|_| is_v1).and_then(|text| number(&text)),
    };
    Ok(counts.ledger(|key| {
        let value = if is_v1 {
            keyed(&stat, &format!("total_{key}"))
        } else {
            keyed(&stat, key)
        };
        value.map(|value| value.min(MOST_BYTES))
    }))
}
