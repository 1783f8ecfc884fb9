//! What decides where the group of a command is made.

use rustix::fs::{Access, AtFlags};

use crate::linux::SysRoot;
use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::cgroup::proc_file::memory_path;
use crate::linux::host::own_user;
use crate::linux::kernel_file::{FileBuffer, lines, number, open_dir};
use crate::model::cgroup::limits::{LimitFile, LimitValue};
use crate::model::cgroup::{CgroupPath, CgroupVersion};
use crate::model::run::place::{Level, Surroundings, unit_around};

/// Extended attributes by which systemd says that a unit's groups are not its own any more: for root, and since 251 for
/// everybody.
const DELEGATED: [&str; 2] = ["trusted.delegate", "user.delegate"];

/// Looks at oomtop's own group and all around it.
pub(super) fn surroundings(root: &SysRoot, hierarchy: &Hierarchy) -> Surroundings {
    let own = own_group(root, hierarchy);
    let up = std::iter::successors(own.clone(), CgroupPath::parent);
    let levels = up.map_while(|path| {
        let level = level(hierarchy, &path)?;
        Some((path, level))
    });
    let levels: Vec<_> = levels.collect();
    let unit = own.as_ref().and_then(unit_around);
    Surroundings {
        version: hierarchy.version,
        levels,
        systemd: root.base.join("run/systemd/system").is_dir(),
        delegated: unit.filter(|unit| is_delegated(hierarchy, unit)),
        user: own_user(),
    }
}

/// oomtop's own group; `None` if that cannot be read.
pub(super) fn own_group(root: &SysRoot, hierarchy: &Hierarchy) -> Option<CgroupPath> {
    let proc = open_dir(&root.proc).ok()?;
    let mut buffer = FileBuffer::default();
    let text = buffer.read_whole(&proc, "self/cgroup").ok()?;
    Some(hierarchy.group(memory_path(text, hierarchy.version)?))
}

/// `None` if the group cannot be reached.
fn level(hierarchy: &Hierarchy, path: &CgroupPath) -> Option<Level> {
    let dir = hierarchy.dir().ok()?;
    let relative = hierarchy.relative(path)?;
    let mut buffer = FileBuffer::default();
    let mut read = |file: &str| {
        let file = hierarchy.file(path, file)?;
        Some(buffer.read_whole(dir, file.as_slice()).ok()?.to_vec())
    };
    let procs = read("cgroup.procs")?;
    let own = u64::from(std::process::id());
    // 0 is a process of another pid namespace.
    let has_others = lines(&procs).any(|line| number(line) != Some(own));
    let shares = read("cgroup.subtree_control").unwrap_or_default();
    let hard = LimitFile::hard_limit(hierarchy.version);
    let limits = [hard, LimitFile::High, LimitFile::SwapMax];
    let count = if hierarchy.version == CgroupVersion::V2 {
        3
    } else {
        1
    };
    let is_limited = limits.iter().take(count).any(|file| {
        let limit = read(file.name()).and_then(|text| file.shown(&text, page_size()));
        matches!(limit, Some(LimitValue::Amount(_)))
    });
    let is_writable =
        |file: &[u8]| rustix::fs::accessat(dir, file, Access::WRITE_OK, AtFlags::EACCESS).is_ok();
    let procs = hierarchy.file(path, "cgroup.procs")?;
    Some(Level {
        // v2: the root alone has none (4.14).
        is_root: hierarchy.version == CgroupVersion::V2 && read("cgroup.type").is_none(),
        shares_memory: shares
            .split(u8::is_ascii_whitespace)
            .any(|name| name == b"memory"),
        has_others,
        is_limited,
        is_writable: is_writable(&relative) && is_writable(&procs),
    })
}

fn is_delegated(hierarchy: &Hierarchy, unit: &CgroupPath) -> bool {
    let dir = hierarchy.display(unit);
    DELEGATED.iter().any(|name| {
        let mut value = [0_u8; 8];
        let got = rustix::fs::getxattr(dir.as_str(), *name, &mut value);
        got.is_ok_and(|got| value.get(..got) == Some(b"1"))
    })
}

fn page_size() -> u64 {
    rustix::param::page_size() as u64
}
