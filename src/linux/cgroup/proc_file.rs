//! The memory cgroup in the text of `/proc/PID/cgroup`.

use crate::linux::kernel_file::lines;
use crate::model::cgroup::CgroupVersion;

/// Longer paths are rejected (`PATH_MAX`, include/uapi/linux/limits.h): each level adds a group to the table.
const PATH_MOST: usize = 4096;

/// The path of the memory cgroup in the text of `/proc/PID/cgroup` (cgroups(7)): the line of the
/// `memory` controller on v1, the line `0::` on v2.
pub(crate) fn memory_path(text: &[u8], version: CgroupVersion) -> Option<&[u8]> {
    lines(text).find_map(|line| {
        let mut fields = line.splitn(3, |b| *b == b':');
        let (number, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        let wanted = if version.is_v1() {
            controllers.split(|b| *b == b',').any(|c| c == b"memory")
        } else {
            number == b"0" && controllers.is_empty()
        };
        (wanted && version != CgroupVersion::None && path.len() <= PATH_MOST).then_some(path)
    })
}

#[cfg(test)]
mod tests {
    use super::memory_path;
    use crate::model::cgroup::CgroupVersion;

    #[test]
    fn the_memory_line_by_version() {
        let hybrid = b"9:name=systemd:/\n4:cpu,memory:/a:b/c\n0::/u\n";
        assert_eq!(
            memory_path(hybrid, CgroupVersion::Hybrid),
            Some(&b"/a:b/c"[..])
        );
        assert_eq!(memory_path(hybrid, CgroupVersion::V2), Some(&b"/u"[..]));
        assert_eq!(memory_path(hybrid, CgroupVersion::None), None);
        assert_eq!(memory_path(b"junk\n4:memory\n", CgroupVersion::V1), None);
    }
}
