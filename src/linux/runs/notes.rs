//! Notes about groups that were made for commands, so that a `kill -9` leaves none that nobody knows of.
//!
//! A note is a symbolic link: it comes into being whole, in one system call, and its target is the path of the group. It is
//! there before the group is, and it goes after the group has gone.

use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, symlink};
use std::path::{Path, PathBuf};

use super::group::is_gone;
use crate::linux::SysRoot;
use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::cgroup::members::members;
use crate::linux::kernel_file;
use crate::linux::write::executor::KernelWriter;
use crate::linux::write::pinned::PinnedProcess;
use crate::model::cgroup::CgroupPath;
use crate::model::plan::receipt::FailureKind;
use crate::model::plan::step::CgroupStep;
use crate::model::process::{Pid, ProcessId};
use crate::model::run::{SELF, group_name, owner};
use crate::model::shell::quoted;

/// Write permission of the group and of all others.
const OTHERS_WRITE: u32 = 0o022;

/// Most notes that are looked at: each is of a run that was killed.
const MOST: usize = 1000;

/// The directory of the notes.
#[derive(Debug, Clone)]
pub struct Notes(PathBuf);

/// What was found of a run that was killed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Its group was empty, and was removed.
    Removed(CgroupPath),
    /// Processes are in it. They are not touched; the text is a command that ends them.
    Held(CgroupPath, usize, String),
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
        Ok(Self(dir))
    }

    /// The same directory, if it is there and can be trusted.
    #[must_use]
    pub fn find(runtime: Option<&Path>) -> Option<Self> {
        let dir = directory(runtime);
        let is_own = fs::symlink_metadata(&dir).is_ok_and(|found| is_private(&found));
        is_own.then_some(Self(dir))
    }

    /// Notes that a group is about to be made.
    ///
    /// # Errors
    /// A sentence.
    pub fn add(&self, own: ProcessId, group: &CgroupPath) -> Result<(), String> {
        let target = CgroupPath::bytes_of(group.as_str());
        let note = self.0.join(group_name(own));
        symlink(std::ffi::OsStr::from_bytes(&target), &note)
            .map_err(|error| format!("{} cannot be made: {error}", note.display()))
    }

    /// The group is gone.
    pub fn remove(&self, own: ProcessId) {
        // Without it the next start finds a note of a group that is not there, and removes the note.
        let _ = fs::remove_file(self.0.join(group_name(own)));
    }

    /// Looks after runs that ended without a word: removes their groups where they are empty.
    pub fn sweep(&self, root: &SysRoot) -> Vec<Found> {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten();
        let mut found = Vec::new();
        let hierarchy = Hierarchy::detect(root);
        let mut writer = KernelWriter::new(root.clone(), hierarchy.version);
        for entry in entries.take(MOST) {
            let (name, path) = (entry.file_name(), entry.path());
            let Some((id, group)) = name
                .to_str()
                .and_then(owner)
                .and_then(|id| Some((id, target(&path, id)?)))
            else {
                continue;
            };
            // One that runs looks after its own, and so does one of which this cannot be said.
            match PinnedProcess::open(root, id).map_err(|failure| failure.kind) {
                Err(FailureKind::Gone | FailureKind::Reused) => {}
                _ => continue,
            }
            let left = look(&hierarchy, &mut writer, &group);
            if !matches!(left, Some(Found::Held(..) | Found::Stuck(_))) {
                let _ = fs::remove_file(&path);
            }
            found.extend(left);
        }
        found
    }
}

fn directory(runtime: Option<&Path>) -> PathBuf {
    let euid = rustix::process::geteuid();
    let is_own = |dir: &&Path| fs::metadata(dir).is_ok_and(|found| is_private(&found));
    match runtime.filter(is_own) {
        Some(runtime) => runtime.join("oomtop"),
        None if euid.is_root() => PathBuf::from("/run/oomtop"),
        None => PathBuf::from(format!("/tmp/oomtop-{}", euid.as_raw())),
    }
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
    let gone = both.map(|group| is_gone(writer, CgroupStep::Remove(group.clone())));
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

    use super::{Notes, target};
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
