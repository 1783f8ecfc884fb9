//! [`GroupFreezer`]: what freezes a group: its own `cgroup.freeze` on v2, on v1 the group of another hierarchy that has
//! the same processes.
//!
//! Sources: Documentation/admin-guide/cgroup-v2.rst `cgroup.freeze` (5.2), cgroup-v1/freezer-subsystem.rst.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use crate::linux::SysRoot;
use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::cgroup::members::members;
use crate::linux::cgroup::mounts::mounts;
use crate::linux::kernel_file::{self, FileBuffer, keyed, text};
use crate::model::cgroup::CgroupPath;
use crate::model::freezer::FreezerState;
use crate::model::shell::quoted;

/// Which files freeze.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `cgroup.freeze`, told by `cgroup.events`.
    V2,
    /// `freezer.state`.
    V1,
}

/// The freezer of one group.
#[derive(Debug)]
pub(crate) struct GroupFreezer {
    kind: Kind,
    dir: OwnedFd,
    /// Its directory as text.
    place: PathBuf,
    /// It is the group itself, not one of the same path in another hierarchy.
    is_own: bool,
}

impl GroupFreezer {
    /// The freezer of this group; `None` where nothing freezes exactly its processes.
    pub(crate) fn find(root: &SysRoot, hierarchy: &Hierarchy, group: &CgroupPath) -> Option<Self> {
        let own = members(hierarchy.dir().ok()?, &hierarchy.relative(group)?).ok()?;
        // The hierarchies of v1 know nothing of each other: a group of the same path may hold others.
        let is_same = |freezer: &Self| {
            freezer.is_own || members(freezer.dir.as_fd(), b".").is_ok_and(|there| there == own)
        };
        Self::all(root, hierarchy, group).into_iter().find(is_same)
    }

    /// The freezer that holds this group now, or that could, whoever else is in it: to thaw them harms nobody.
    pub(crate) fn holding(
        root: &SysRoot,
        hierarchy: &Hierarchy,
        group: &CgroupPath,
    ) -> Option<Self> {
        let mut all = Self::all(root, hierarchy, group);
        let holds = |freezer: &Self| freezer.state().is_ok_and(FreezerState::is_stopped);
        let at = all.iter().position(holds).unwrap_or(0);
        (at < all.len()).then(|| all.swap_remove(at))
    }

    fn all(root: &SysRoot, hierarchy: &Hierarchy, group: &CgroupPath) -> Vec<Self> {
        let Some(relative) = hierarchy
            .relative(group)
            .filter(|path| path.as_ref() != b".")
        else {
            return Vec::new();
        };
        if !hierarchy.version.is_v1() {
            let dir = hierarchy.dir().ok();
            let own = dir.and_then(|dir| Self::open(Kind::V2, &hierarchy.mount, dir, &relative));
            let own = own.map(|own| Self {
                is_own: true,
                ..own
            });
            return own.into_iter().collect();
        }
        let open = |(kind, mount): (Kind, PathBuf)| {
            let dir = kernel_file::open_dir(&mount).ok()?;
            Self::open(kind, &mount, &dir, &relative)
        };
        others(root).into_iter().filter_map(open).collect()
    }

    fn open(kind: Kind, mount: &Path, dir: impl AsFd, relative: &[u8]) -> Option<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let dir = rustix::fs::openat(dir, relative, flags, Mode::empty()).ok()?;
        let freezer = Self {
            kind,
            dir,
            place: mount.join(OsStr::from_bytes(relative)),
            is_own: false,
        };
        freezer.read(freezer.file()).ok()?;
        Some(freezer)
    }

    /// On v1 a signal does not reach a frozen process before it is thawed; on v2 SIGKILL does.
    pub(crate) fn holds_back_signals(&self) -> bool {
        self.kind == Kind::V1
    }

    fn file(&self) -> &'static str {
        match self.kind {
            Kind::V2 => "cgroup.freeze",
            Kind::V1 => "freezer.state",
        }
    }

    fn order(&self, frozen: bool) -> &'static str {
        match (self.kind, frozen) {
            (Kind::V2, true) => "1",
            (Kind::V2, false) => "0",
            (Kind::V1, true) => "FROZEN",
            (Kind::V1, false) => "THAWED",
        }
    }

    /// The command that freezes or thaws, for a shell.
    pub(crate) fn command(&self, frozen: bool) -> String {
        let file = self.place.join(self.file());
        format!(
            "echo {} > {}",
            self.order(frozen),
            quoted(&file.to_string_lossy())
        )
    }

    /// What its own switch says, and how far that has come.
    ///
    /// # Errors
    /// The error of the read; `ENODEV` or `ENOENT` once the group is gone.
    pub(crate) fn state(&self) -> Result<FreezerState, Errno> {
        let (asked, done) = match self.kind {
            Kind::V2 => {
                let asked = self.read("cgroup.freeze")? == "1";
                let events = self.read("cgroup.events")?;
                (asked, keyed(events.as_bytes(), "frozen") == Some(1))
            }
            Kind::V1 => {
                let asked = self.read("freezer.self_freezing")? == "1";
                (asked, self.read("freezer.state")? == "FROZEN")
            }
        };
        Ok(match (asked, done) {
            (false, _) => FreezerState::Thawed,
            (true, false) => FreezerState::Freezing,
            (true, true) => FreezerState::Frozen,
        })
    }

    /// A group around it is frozen.
    pub(crate) fn is_held_from_above(&self) -> bool {
        match self.kind {
            Kind::V2 => {
                let events = self.read("cgroup.events").unwrap_or_default();
                let frozen = keyed(events.as_bytes(), "frozen") == Some(1);
                frozen && self.state() == Ok(FreezerState::Thawed)
            }
            Kind::V1 => self
                .read("freezer.parent_freezing")
                .is_ok_and(|held| held == "1"),
        }
    }

    /// Throws the switch.
    ///
    /// # Errors
    /// The error of the write.
    pub(crate) fn set(&self, frozen: bool) -> Result<(), Errno> {
        let flags = OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = rustix::fs::openat(&self.dir, self.file(), flags, Mode::empty())?;
        let order = self.order(frozen).as_bytes();
        retry_on_intr(|| rustix::io::write(&file, order)).map(|_| ())
    }

    fn read(&self, file: &str) -> Result<String, Errno> {
        FileBuffer::default().read_whole(&self.dir, file).map(text)
    }
}

/// Where else groups of the same path may be: the freezer hierarchy of v1, and v2 beside it.
fn others(root: &SysRoot) -> Vec<(Kind, PathBuf)> {
    let mut found = vec![
        (Kind::V1, root.cgroup.join("freezer")),
        (Kind::V2, root.cgroup.join("unified")),
    ];
    if *root == SysRoot::default() {
        for mount in mounts(root) {
            if mount.info.fs_type == "cgroup2" {
                found.push((Kind::V2, mount.point));
            } else if mount.is_cgroup() && mount.info.super_options.contains_key("freezer") {
                found.push((Kind::V1, mount.point));
            }
        }
    }
    found
}
