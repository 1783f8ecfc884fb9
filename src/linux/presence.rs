//! What is still there of a process or a unit, and the counters that outlive both.

use rustix::fs::{Mode, OFlags};

use crate::linux::SysRoot;
use crate::linux::cgroup::list::list_groups;
use crate::linux::kernel_file::{FileBuffer, keyed, number};
use crate::linux::scan::proc::stat_line;
use crate::model::process::Pid;
use crate::model::time::BootTime;

/// A process that `/proc` has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// Its short name.
    pub comm: String,
    /// Its start in microseconds after boot.
    pub started: BootTime,
    /// It has ended and its parent has not asked how (a zombie).
    pub is_zombie: bool,
    /// How a zombie ended, as wait(2) has it (field 52 of `stat`); `None` where the kernel does not tell.
    pub status: Option<u32>,
}

/// A group of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitGroup {
    /// Its path.
    pub path: String,
    /// Processes that the kernel's OOM killer killed in it (`oom_kill`).
    pub oom_kill: Option<u64>,
    /// How often its own limit ran out (`oom` of `memory.events.local`).
    pub own_oom: Option<u64>,
    /// A process is in it.
    pub is_alive: bool,
}

/// The process with this number, if there is one.
#[must_use]
pub fn process(root: &SysRoot, pid: Pid) -> Option<Present> {
    let proc = open(&root.proc)?;
    let mut buffer = FileBuffer::default();
    let line = buffer.read_single(&proc, format!("{pid}/stat")).ok()?;
    let stat = stat_line::parse(line)?;
    let is_zombie = matches!(stat.state.0, 'Z' | 'X');
    let behind = line.iter().rposition(|byte| *byte == b')')?;
    // Field 52; the field behind the name is number 3.
    let status = line
        .get(behind + 1..)?
        .trim_ascii()
        .split(|byte| *byte == b' ')
        .nth(49)
        .and_then(number)
        .and_then(|status| u32::try_from(status).ok());
    let ticks = rustix::param::clock_ticks_per_second().max(1);
    Some(Present {
        comm: stat.comm.text().into_owned(),
        started: BootTime::from_ticks(stat.start_ticks, ticks),
        is_zombie,
        // Without the right to look into the process the kernel prints 0.
        status: status.filter(|status| is_zombie && *status != 0),
    })
}

/// How many processes the OOM killer has killed since the boot (`oom_kill` of `/proc/vmstat`, 4.13 and later).
#[must_use]
pub fn kernel_kills(root: &SysRoot) -> Option<u64> {
    let proc = open(&root.proc)?;
    let mut buffer = FileBuffer::default();
    keyed(buffer.read_whole(&proc, "vmstat").ok()?, "oom_kill")
}

/// The groups that have this name, at most a few.
#[must_use]
pub fn unit_groups(root: &SysRoot, unit: &str) -> Vec<UnitGroup> {
    /// A template's instances have names of their own: more than one is rare.
    const MOST: usize = 4;
    let Ok(list) = list_groups(root) else {
        return Vec::new();
    };
    let named = list.groups.iter().filter(|group| group.path.name() == unit);
    let mount = open(&list.mount);
    let mut buffer = FileBuffer::default();
    named
        .take(MOST)
        .map(|group| {
            let path = group.path.to_string();
            let procs = format!("{}/cgroup.procs", path.trim_start_matches('/'));
            let members = mount
                .as_ref()
                .and_then(|mount| buffer.read_whole(mount, procs).ok());
            UnitGroup {
                is_alive: members.is_some_and(|members| !members.trim_ascii().is_empty()),
                oom_kill: group.events.oom_kill,
                own_oom: group.events.own_oom,
                path,
            }
        })
        .collect()
}

/// The id of the running boot, as the journal has it: 32 digits.
#[must_use]
pub fn boot_id(root: &SysRoot) -> Option<String> {
    let proc = open(&root.proc)?;
    let mut buffer = FileBuffer::default();
    let text = buffer
        .read_setting(&proc, "sys/kernel/random/boot_id")
        .ok()?;
    let digits = String::from_utf8_lossy(text).replace('-', "");
    Some(digits.trim().to_owned())
}

fn open(dir: &std::path::Path) -> Option<std::os::fd::OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(dir, flags, Mode::empty()).ok()
}
