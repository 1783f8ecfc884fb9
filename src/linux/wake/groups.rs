//! [`GroupEvents`]: tells when a group comes to its limit or is out of memory.
//!
//! v2: inotify on `memory.events`, which the kernel modifies at each event of the group and of all below it
//! (mm/memcontrol.c `memcg_memory_event`, `cgroup_file_notify`). One descriptor serves all groups. The counters decide
//! whether the event is worth a sample. v1: an eventfd registered for `memory.oom_control` (mm/memcontrol-v1.c
//! `memcg_write_event_control`), one for each group, because closing the descriptor is the only way to end it.

use std::ffi::OsString;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::kernel_file::FileBuffer;
use crate::model::cgroup::limits::LimitFile;
use crate::model::cgroup::{CgroupPath, CgroupVersion};
use crate::model::wake::WakeSource;

/// Groups whose events are followed; on v1 each takes a descriptor.
pub const MOST_GROUPS: usize = 16;

/// `CGROUP_SUPER_MAGIC` (include/uapi/linux/magic.h): what is not cgroup v1 takes no registration.
const CGROUP_V1: u32 = 0x0027_e0eb;

/// A group that has not been at its limit for so long is news again.
const QUIET: Duration = Duration::from_secs(10);

/// A group that is followed.
#[derive(Debug)]
struct Followed {
    path: CgroupPath,
    file: PathBuf,
    /// Its inode: a group that is made again under this path has another, and tells the watch nothing.
    inode: u64,
    handle: Handle,
    seen: Counts,
    /// When it was last seen at its limit.
    at_limit: Option<Instant>,
}

#[derive(Debug)]
enum Handle {
    /// Number of the watch.
    Inotify(i32),
    Eventfd(OwnedFd),
}

/// Counters of `memory.events`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Counts {
    /// Throttled at `memory.high`, or stopped at `memory.max`.
    limit: u64,
    /// Out of memory, and kills.
    oom: u64,
}

/// The groups that are followed.
#[derive(Debug)]
pub(super) struct GroupEvents {
    hierarchy: Hierarchy,
    /// v2.
    inotify: Option<OwnedFd>,
    followed: Vec<Followed>,
    buffer: FileBuffer,
    /// Why no event comes.
    off: Option<String>,
}

impl GroupEvents {
    pub(super) fn new(hierarchy: Hierarchy) -> Self {
        let mut events = Self {
            hierarchy,
            inotify: None,
            followed: Vec::new(),
            buffer: FileBuffer::default(),
            off: None,
        };
        match events.hierarchy.version {
            CgroupVersion::None => {
                events.off = Some("no cgroup hierarchy has the memory controller".to_owned());
            }
            CgroupVersion::V2 => {
                match inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK) {
                    Ok(fd) => events.inotify = Some(fd),
                    Err(errno) => events.off = Some(format!("inotify: {}", why(errno))),
                }
            }
            _ => {}
        }
        events
    }

    /// Follows these and no others. A group that was made again is followed anew.
    pub(super) fn follow(&mut self, groups: &[CgroupPath]) {
        let groups = groups.get(..MOST_GROUPS).unwrap_or(groups);
        let (kept, gone) = std::mem::take(&mut self.followed)
            .into_iter()
            .partition(|one: &Followed| groups.contains(&one.path) && one.is_there());
        self.followed = kept;
        for one in gone {
            if let (Handle::Inotify(watch), Some(fd)) = (one.handle, &self.inotify) {
                // The kernel has removed the watch if the group is gone.
                let _ = inotify::remove_watch(fd, watch);
            }
        }
        if self.hierarchy.version == CgroupVersion::None {
            return;
        }
        for path in groups {
            if self.followed.iter().any(|one| one.path == *path) {
                continue;
            }
            match self.begin(path) {
                Ok(Some(one)) => {
                    self.off = None;
                    self.followed.push(one);
                }
                Ok(None) | Err(Errno::NOENT | Errno::NODEV) => {}
                Err(errno) => self.off = Some(why(errno)),
            }
        }
    }

    /// `None` where the group is out of reach.
    fn begin(&mut self, path: &CgroupPath) -> Result<Option<Followed>, Errno> {
        let name = self.file_name();
        let Some(relative) = self.hierarchy.file(path, name) else {
            return Ok(None);
        };
        let file = self.hierarchy.mount.join(OsString::from_vec(relative));
        let inode = inode(&file)?;
        let handle = match &self.inotify {
            Some(fd) => {
                let watch = inotify::add_watch(fd, &file, WatchFlags::MODIFY)?;
                Handle::Inotify(watch)
            }
            None => Handle::Eventfd(register(&file)?),
        };
        let seen = self.counts(&file);
        Ok(Some(Followed {
            path: path.clone(),
            file,
            inode,
            handle,
            seen,
            at_limit: None,
        }))
    }

    /// Whose events are told.
    fn file_name(&self) -> &'static str {
        if self.hierarchy.version.is_v1() {
            LimitFile::V1OomControl.name()
        } else {
            "memory.events"
        }
    }

    fn counts(&mut self, file: &std::path::Path) -> Counts {
        let text = self.buffer.read_whole(rustix::fs::CWD, file);
        text.map(counts).unwrap_or_default()
    }

    /// In words for the screen.
    pub(super) fn source(&self) -> WakeSource {
        match (&self.off, self.followed.len()) {
            (Some(reason), 0) => WakeSource::Off(reason.clone()),
            (_, 0) => WakeSource::NotYet,
            (_, count) => {
                let file = self.file_name();
                let groups = if count == 1 { "group" } else { "groups" };
                WakeSource::Live(format!(
                    "{file} of the {count} {groups} that matter most: an OOM, or its limit"
                ))
            }
        }
    }

    /// The descriptors that become readable.
    pub(super) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let own = self.followed.iter().filter_map(|one| match &one.handle {
            Handle::Eventfd(fd) => Some(fd.as_fd()),
            Handle::Inotify(_) => None,
        });
        self.inotify.iter().map(AsFd::as_fd).chain(own)
    }

    /// Reads what is ready, by place in [`Self::fds`]; true if it is worth a sample.
    pub(super) fn take(&mut self, ready: &[usize]) -> bool {
        if self.inotify.is_some() {
            return self.take_inotify();
        }
        for at in ready {
            if let Some(Followed {
                handle: Handle::Eventfd(fd),
                ..
            }) = self.followed.get(*at)
            {
                let mut count = [0; 8];
                // Without O_NONBLOCK it would block if another reader had been here: there is none.
                let _ = rustix::io::read(fd, &mut count);
            }
        }
        !ready.is_empty()
    }

    fn take_inotify(&mut self) -> bool {
        let mut changed = Vec::new();
        if let Some(fd) = &self.inotify {
            let mut room = [MaybeUninit::uninit(); 1024];
            let mut reader = inotify::Reader::new(fd, &mut room);
            // Until EAGAIN: nothing is left. An overflow says that something was.
            while let Ok(event) = reader.next() {
                if !changed.contains(&event.wd()) {
                    changed.push(event.wd());
                }
            }
        }
        let all = changed.contains(&-1);
        let mut told = false;
        for at in 0..self.followed.len() {
            let Some(one) = self.followed.get(at) else {
                break;
            };
            let is_it = matches!(one.handle, Handle::Inotify(watch) if changed.contains(&watch));
            if !is_it && !all {
                continue;
            }
            let file = one.file.clone();
            let now = self.counts(&file);
            if let Some(one) = self.followed.get_mut(at) {
                told |= one.accept(now, Instant::now());
            }
        }
        told
    }
}

impl Followed {
    /// The group is still the one that is followed.
    fn is_there(&self) -> bool {
        inode(&self.file) == Ok(self.inode)
    }

    /// Takes the counters; true if it is out of memory, or has come to its limit after a while without.
    fn accept(&mut self, now: Counts, at: Instant) -> bool {
        let before = std::mem::replace(&mut self.seen, now);
        let mut told = now.oom > before.oom;
        if now.limit > before.limit {
            let last = self.at_limit.replace(at);
            told |= last.is_none_or(|last| at.duration_since(last) >= QUIET);
        }
        told
    }
}

fn inode(file: &std::path::Path) -> Result<u64, Errno> {
    rustix::fs::stat(file).map(|stat| stat.st_ino)
}

fn counts(text: &[u8]) -> Counts {
    let mut found = Counts::default();
    for line in text.split(|byte| *byte == b'\n') {
        let mut words = line.split(|byte| *byte == b' ');
        let (Some(name), Some(value)) = (words.next(), words.next()) else {
            continue;
        };
        let value = std::str::from_utf8(value).ok().and_then(|v| v.parse().ok());
        let value: u64 = value.unwrap_or(0);
        match name {
            b"high" | b"max" => found.limit += value,
            b"oom" | b"oom_kill" | b"oom_group_kill" => found.oom += value,
            _ => {}
        }
    }
    found
}

/// An eventfd that counts the OOMs of the group with this `memory.oom_control`.
fn register(control: &std::path::Path) -> Result<OwnedFd, Errno> {
    let read = OFlags::RDONLY | OFlags::CLOEXEC;
    let control_file = rustix::fs::open(control, read, Mode::empty())?;
    let kind = rustix::fs::fstatfs(&control_file)?.f_type;
    if u32::try_from(kind) != Ok(CGROUP_V1) {
        return Err(Errno::OPNOTSUPP);
    }
    let events = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
    let line = format!("{} {}", events.as_raw_fd(), control_file.as_raw_fd());
    let to = control.with_file_name("cgroup.event_control");
    let to = rustix::fs::open(&to, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(&to, line.as_bytes())?;
    Ok(events)
}

fn why(errno: Errno) -> String {
    match errno {
        Errno::ACCESS | Errno::PERM => {
            "only root may ask for the OOM events of a v1 group".to_owned()
        }
        Errno::MFILE | Errno::NFILE => "no descriptor is left for events of groups".to_owned(),
        Errno::NOSPC => "no inotify watch is left (fs.inotify.max_user_watches)".to_owned(),
        Errno::OPNOTSUPP | Errno::INVAL => "the files here tell of no events".to_owned(),
        other => other.to_string(),
    }
}
