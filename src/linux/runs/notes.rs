//! Notes about groups that were made for commands, so that a `kill -9` leaves none that nobody knows of.
//!
//! A note is a symbolic link: it comes into being whole, in one system call, and its target is the path of the group. It is
//! there before the group is, and it goes after the group has gone. A second one, `…-memory`, tells of the parent for whose
//! groups the run has switched memory control on, by inode and path.

mod unfinished;

use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, symlink};
use std::path::{Path, PathBuf};

use super::group::clear;
use super::memory::put_back;
use super::place::own_group;
use rustix::io::Errno;

use crate::linux::SysRoot;
use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::cgroup::members::members;
use crate::linux::kernel_file;
use crate::linux::write::executor::KernelWriter;
use crate::linux::write::pinned::PinnedProcess;
use crate::model::cgroup::CgroupPath;
use crate::model::plan::receipt::FailureKind;
use crate::model::process::{Pid, ProcessId};
use crate::model::run::{MEMORY, SELF, group_name, owner};
use crate::model::shell::quoted;

/// Write permission of the group and of all others.
const OTHERS_WRITE: u32 = 0o022;

/// Most notes that are looked at: each is of a run that was killed.
const MOST: usize = 1000;

pub use unfinished::{Left, Making};

/// Where notes are.
#[derive(Debug, Clone)]
pub struct Notes {
    /// The directory of new ones.
    own: PathBuf,
    /// All in which this user may have left some, with and without `XDG_RUNTIME_DIR`.
    all: Vec<PathBuf>,
}

/// What was found of a run that was killed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Its group was empty, and was removed.
    Removed(CgroupPath),
    /// Processes are in it. They are not touched; the text is a command that ends them.
    Held(CgroupPath, usize, String),
    /// It was being made by a dashboard or by `oomtop protect`, which was killed; so many processes are in it. Its directory.
    Unfinished(CgroupPath, usize, String),
    /// It could not be looked at, or it is empty and could not be removed.
    Stuck(CgroupPath),
}

impl Notes {
    /// The directory, made if it is not there: below `runtime` (`$XDG_RUNTIME_DIR`) if that is this user's, else below
    /// `/run` for root and `/tmp` for others.
    ///
    /// # Errors
    /// A sentence, if nothing there can be trusted.
    pub fn open(runtime: Option<&Path>) -> Result<Self, String> {
        let dir = directory(runtime);
        let others = find(runtime).into_iter().filter(|found| *found != dir);
        let made = fs::DirBuilder::new().mode(0o700).create(&dir);
        match made {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(format!("{} cannot be made: {error}", dir.display()));
            }
            _ => {}
        }
        let found = fs::symlink_metadata(&dir)
            .map_err(|error| format!("{} cannot be looked at: {error}", dir.display()))?;
        if !is_private(&found) {
            return Err(format!(
                "{} is another user's, or others can write it: remove it, or set XDG_RUNTIME_DIR",
                dir.display()
            ));
        }
        let all = std::iter::once(dir.clone()).chain(others).collect();
        Ok(Self { own: dir, all })
    }

    /// The directories that are there and can be trusted; `None` if none is.
    #[must_use]
    pub fn find(runtime: Option<&Path>) -> Option<Self> {
        let all = find(runtime);
        let own = all.first()?.clone();
        Some(Self { own, all })
    }

    /// Notes that a group is about to be made.
    ///
    /// # Errors
    /// A sentence.
    pub fn add(&self, own: ProcessId, group: &CgroupPath) -> Result<(), String> {
        let target = CgroupPath::bytes_of(group.as_str());
        self.write(&group_name(own), &target)
    }

    /// Notes that the groups below `parent` are about to get memory control.
    ///
    /// # Errors
    /// A sentence.
    pub fn add_memory(
        &self,
        root: &SysRoot,
        own: ProcessId,
        parent: &CgroupPath,
    ) -> Result<(), String> {
        let inode = inode(&Hierarchy::detect(root), parent);
        let inode = inode.map_err(|errno| format!("{parent} cannot be looked at: {errno}"))?;
        let mut target = format!("{inode}:").into_bytes();
        target.extend_from_slice(&CgroupPath::bytes_of(parent.as_str()));
        self.write(&format!("{}{MEMORY}", group_name(own)), &target)
    }

    fn write(&self, name: &str, target: &[u8]) -> Result<(), String> {
        let note = self.own.join(name);
        symlink(std::ffi::OsStr::from_bytes(target), &note)
            .map_err(|error| format!("{} cannot be made: {error}", note.display()))
    }

    /// The group is gone.
    pub fn remove(&self, own: ProcessId) {
        // Without it the next start finds a note of a group that is not there, and removes the note.
        let _ = fs::remove_file(self.own.join(group_name(own)));
    }

    /// Takes memory control back where runs that have ended, or the own one, have switched it on and nobody uses it any more.
    pub fn put_back(&self, root: &SysRoot, own: Option<ProcessId>) {
        let mut tools = None;
        for (name, path) in self.entries() {
            let maker = name.strip_suffix(MEMORY).and_then(owner);
            let Some((id, (inode_then, parent))) = maker.zip(parent_of(&path)) else {
                continue;
            };
            if own != Some(id) && !has_ended(root, id) {
                continue;
            }
            let (hierarchy, writer) = tools.get_or_insert_with(|| {
                let hierarchy = Hierarchy::detect(root);
                let writer = KernelWriter::new(root.clone(), hierarchy.version);
                (hierarchy, writer)
            });
            // Another group of that name is somebody else's.
            let is_done = match inode(hierarchy, &parent) {
                Ok(inode) if inode == inode_then => {
                    let own = own_group(root, hierarchy);
                    put_back(hierarchy, writer, &parent, own.as_ref())
                }
                Ok(_) | Err(Errno::NOENT) => true,
                // It may be there, and the note is all that tells of it.
                Err(_) => false,
            };
            if is_done {
                let _ = fs::remove_file(&path);
            }
        }
    }

    /// The names in all directories, and where they are.
    fn entries(&self) -> impl Iterator<Item = (String, PathBuf)> {
        self.all.iter().flat_map(|dir| {
            let entries = fs::read_dir(dir).into_iter().flatten().flatten();
            entries.take(MOST).filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                Some((name, entry.path()))
            })
        })
    }

    /// Looks after runs that ended without a word: removes their groups where they are empty.
    pub fn sweep(&self, root: &SysRoot) -> Vec<Found> {
        let mut found = Vec::new();
        let hierarchy = Hierarchy::detect(root);
        let mut writer = KernelWriter::new(root.clone(), hierarchy.version);
        for (name, path) in self.entries() {
            let named = owner(&name).and_then(|id| Some((id, target(&path, id)?)));
            let Some((id, group)) = named else {
                continue;
            };
            if !has_ended(root, id) {
                continue;
            }
            let left = look(&hierarchy, &mut writer, &group);
            if !matches!(left, Some(Found::Held(..) | Found::Stuck(_))) {
                let _ = fs::remove_file(&path);
            }
            found.extend(left);
        }
        found.extend(self.unfinished(root, &hierarchy));
        // After the groups: an empty one of a run that was killed uses nothing.
        self.put_back(root, None);
        found
    }
}

/// True if that process is gone. One that runs looks after its own, and so does one of which this cannot be said.
fn has_ended(root: &SysRoot, id: ProcessId) -> bool {
    let opened = PinnedProcess::open(root, id).map_err(|failure| failure.kind);
    matches!(opened, Err(FailureKind::Gone | FailureKind::Reused))
}

/// Where new notes go.
fn directory(runtime: Option<&Path>) -> PathBuf {
    let is_own = |dir: &&Path| fs::metadata(dir).is_ok_and(|found| is_private(&found));
    let uid = rustix::process::geteuid().as_raw();
    match runtime.filter(is_own) {
        Some(runtime) => runtime.join("oomtop"),
        None if uid == 0 => PathBuf::from("/run/oomtop"),
        None => PathBuf::from(format!("/tmp/oomtop-{uid}")),
    }
}

/// The directories of this user that are there: `XDG_RUNTIME_DIR` may be set in one shell and not in the next.
fn find(runtime: Option<&Path>) -> Vec<PathBuf> {
    let is_own = |dir: &PathBuf| fs::symlink_metadata(dir).is_ok_and(|found| is_private(&found));
    let mut found = candidates(runtime, rustix::process::geteuid().as_raw());
    found.retain(is_own);
    found
}

fn candidates(runtime: Option<&Path>, uid: u32) -> Vec<PathBuf> {
    let mut all: Vec<_> = runtime.map(|dir| dir.join("oomtop")).into_iter().collect();
    all.push(PathBuf::from(format!("/run/user/{uid}/oomtop")));
    if uid == 0 {
        all.push(PathBuf::from("/run/oomtop"));
    }
    all.push(PathBuf::from(format!("/tmp/oomtop-{uid}")));
    let mut seen = Vec::new();
    all.retain(|dir| {
        let is_new = !seen.contains(dir);
        seen.push(dir.clone());
        is_new
    });
    all
}

fn inode(hierarchy: &Hierarchy, group: &CgroupPath) -> Result<u64, Errno> {
    // Outside what is mounted: it may be there, and cannot be reached.
    let relative = hierarchy.relative(group).ok_or(Errno::XDEV)?;
    let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
    let found = rustix::fs::statat(hierarchy.dir()?, relative.as_ref(), flags);
    Ok(found?.st_ino)
}

/// The inode and the path that a note about memory control names.
fn parent_of(note: &Path) -> Option<(u64, CgroupPath)> {
    let target = fs::read_link(note).ok()?.into_os_string().into_vec();
    let colon = target.iter().position(|byte| *byte == b':')?;
    let (inode, path) = target.split_at_checked(colon)?;
    let inode = std::str::from_utf8(inode).ok()?.parse().ok()?;
    Some((inode, CgroupPath::from_bytes(path.get(1..)?)))
}

/// A directory that belongs to this user, and that nobody else can put anything into.
fn is_private(found: &fs::Metadata) -> bool {
    let euid = rustix::process::geteuid().as_raw();
    found.is_dir() && found.uid() == euid && found.mode() & OTHERS_WRITE == 0
}

/// The group that a note tells of: one that is called as its maker called it.
fn target(note: &Path, id: ProcessId) -> Option<CgroupPath> {
    let target = fs::read_link(note).ok()?;
    let group = CgroupPath::from_bytes(&target.into_os_string().into_vec());
    (group.name() == group_name(id)).then_some(group)
}

/// Removes the group and its leaf if they are empty; `None` if they are not there.
fn look(hierarchy: &Hierarchy, writer: &mut KernelWriter, group: &CgroupPath) -> Option<Found> {
    let leaf = group.parent()?.join(format!("{}{SELF}", group.name()));
    let both = [group, &leaf];
    let (mut inside, mut are_gone) = (Vec::new(), true);
    for group in both {
        let relative = hierarchy.relative(group);
        let found = hierarchy.dir().ok().zip(relative);
        match found.map(|(dir, relative)| members(dir, &relative)) {
            Some(Ok(pids)) => {
                inside.extend(pids);
                are_gone = false;
            }
            Some(Err(errno)) if kernel_file::is_gone(errno) => {}
            // Without the hierarchy, or without the right to look, the group may be there.
            None | Some(Err(_)) => return Some(Found::Stuck(group.clone())),
        }
    }
    if are_gone {
        return None;
    }
    if !inside.is_empty() {
        return Some(Found::Held(
            group.clone(),
            inside.len(),
            ending(hierarchy, group, &inside),
        ));
    }
    let gone = both.map(|group| clear(hierarchy, writer, group));
    Some(if gone == [true, true] {
        Found::Removed(group.clone())
    } else {
        Found::Stuck(group.clone())
    })
}

/// A command that ends what is in the group.
fn ending(hierarchy: &Hierarchy, group: &CgroupPath, inside: &[Pid]) -> String {
    let kill = format!("{}/cgroup.kill", hierarchy.display(group));
    if Path::new(&kill).exists() {
        return format!("echo 1 > {}", quoted(&kill));
    }
    let pids: Vec<_> = inside.iter().take(20).map(Pid::to_string).collect();
    format!("kill {}", pids.join(" "))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use std::path::Path;

    use super::{Notes, candidates, target};
    use crate::model::cgroup::CgroupPath;
    use crate::model::process::ProcessId;

    #[test]
    fn a_note_is_whole_or_not_there_and_names_its_group() {
        let dir = tempfile::tempdir().expect("a directory");
        let notes = Notes::open(Some(dir.path())).expect("notes");
        let id = ProcessId {
            pid: 7,
            start_ticks: 99,
        };
        let group = CgroupPath::from_bytes(b"/a \xff/oomtop-run-7-99");
        notes.add(id, &group).expect("noted");
        let note = dir.path().join("oomtop/oomtop-run-7-99");
        assert_eq!(target(&note, id), Some(group));
        notes.remove(id);
        assert!(fs::symlink_metadata(&note).is_err());
        // A note of another group than its name says removes nothing.
        symlink("/system.slice", &note).expect("a link");
        assert_eq!(target(&note, id), None);
    }

    #[test]
    fn notes_are_looked_for_wherever_this_user_may_have_left_them() {
        let names = |runtime: Option<&str>, uid| {
            let all = candidates(runtime.map(Path::new), uid);
            let all: Vec<_> = all.iter().map(|dir| dir.display().to_string()).collect();
            all.join(" ")
        };
        assert_eq!(names(None, 7), "/run/user/7/oomtop /tmp/oomtop-7");
        assert_eq!(
            names(Some("/run/user/7"), 7),
            "/run/user/7/oomtop /tmp/oomtop-7"
        );
        assert_eq!(
            names(Some("/x"), 0),
            "/x/oomtop /run/user/0/oomtop /run/oomtop /tmp/oomtop-0"
        );
    }

    #[test]
    fn a_directory_of_others_is_not_trusted() {
        let dir = tempfile::tempdir().expect("a directory");
        let own = dir.path().join("oomtop");
        fs::create_dir(&own).expect("a directory");
        fs::set_permissions(&own, fs::Permissions::from_mode(0o777)).expect("its mode");
        assert!(Notes::open(Some(dir.path())).is_err());
        fs::remove_dir(&own).expect("removed");
        symlink("/etc", &own).expect("a link");
        assert!(Notes::open(Some(dir.path())).is_err());
    }
}
