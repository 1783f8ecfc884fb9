//! The ledger of a live host or cgroup: the kinds of memory ([`Ledger`]) and who or what holds the shared ones.

pub mod prospect;

use super::cgroup::CgroupPath;
use super::cgroup::kernel_memory::MemberKernel;
use super::oom_domain::enclosing::is_member;
use super::oom_domain::victim::Scope;
use super::process::Pid;
use super::snapshot::Snapshot;

pub use crate::oomlog::analysis::ledger::{Entry, FreedBy, Kind, Ledger, Outlook, Prospect};

/// Whose ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The whole machine.
    Host,
    /// A memory cgroup with all below it.
    Group {
        /// Its path.
        path: CgroupPath,
        /// Processes in it, as far as they are looked at.
        members: Vec<Pid>,
        /// What they need of its kernel memory, of which v1 tells the sum alone.
        needs: MemberKernel,
    },
}

/// Most members that are asked for what they have open.
const MEMBERS: usize = 4096;

impl Place {
    /// A group of the sample and who is in it. `page_size` is in bytes. `None` if the scope is no group.
    #[must_use]
    pub fn of_group(scope: Scope, snapshot: &Snapshot, page_size: u64) -> Option<Self> {
        let group = snapshot.cgroup(scope.memcg()?)?;
        let all = snapshot.processes.iter();
        let (mut members, mut needs) = (Vec::new(), MemberKernel::default());
        for process in all.filter(|process| is_member(process, scope, snapshot)) {
            needs.add(process, page_size);
            if members.len() < MEMBERS {
                members.push(process.id.pid);
            }
        }
        Some(Self::Group {
            path: group.path.clone(),
            members,
            needs,
        })
    }

    /// The group; `None` for the host.
    #[must_use]
    pub fn group(&self) -> Option<&CgroupPath> {
        match self {
            Self::Host => None,
            Self::Group { path, .. } => Some(path),
        }
    }
}

/// A file of a tmpfs mount with its size.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct StoredFile {
    /// Path below the mount point.
    pub name: String,
    /// Allocated bytes, swapped out ones included.
    pub bytes: u64,
}

/// A memfd, or a deleted file of a tmpfs mount.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct OpenFile {
    /// Name of the memfd, or the path that the file had.
    pub name: String,
    /// Allocated bytes, swapped out ones included.
    pub bytes: u64,
    /// A process that has it open.
    pub held_by: Pid,
}

/// A tmpfs mount.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct TmpfsMount {
    /// Mount point, as the processes of its mount namespace see it.
    pub point: String,
    /// A process of another mount namespace that has it; `None` where oomtop sees it too.
    pub seen_by: Option<Pid>,
    /// Used bytes, swapped out ones included. Files that are deleted but open count.
    pub used: u64,
    /// Its `size=` in bytes; `None` if it has none.
    pub limit: Option<u64>,
    /// Its largest files, the largest first.
    pub files: Vec<StoredFile>,
}

/// A System V shared memory segment.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Segment {
    /// `shmid`, as `ipcrm -m` takes it.
    pub id: i64,
    /// Resident bytes.
    pub resident: u64,
    /// Swapped out bytes.
    pub swapped: u64,
    /// Attached mappings; 0: nobody uses it.
    pub attached: u64,
    /// Owner.
    pub uid: u32,
    /// Who made it.
    pub creator: Pid,
    /// It goes away with its last mapping (`IPC_RMID` was called: mode bit `SHM_DEST`).
    pub doomed: bool,
}

/// A slab cache.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Cache {
    /// Its name.
    pub name: String,
    /// Bytes of its pages.
    pub bytes: u64,
    /// It can shrink; `None` if that could not be read.
    pub reclaimable: Option<bool>,
}

/// The ledger of one place with what it is made of.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Account {
    /// Path of the cgroup; `None` for the host.
    pub group: Option<CgroupPath>,
    /// The kinds.
    pub ledger: Ledger,
    /// tmpfs mounts, the fullest first; all that can be seen, whoever filled them.
    pub mounts: Vec<TmpfsMount>,
    /// Segments of oomtop's IPC namespace: those that nobody uses first, then the largest first.
    pub segments: Vec<Segment>,
    /// Open memfds and deleted files of tmpfs mounts, the largest first.
    pub open: Vec<OpenFile>,
    /// Slab caches of the host, the largest first.
    pub caches: Vec<Cache>,
    /// What could not be read, each a sentence without a full stop.
    pub gaps: Vec<String>,
    /// Mounts and open files have been looked at.
    pub looked_at_files: bool,
}

impl Account {
    /// Sorts the shared memory by who holds it, as far as that is known: of the host only. Which cgroup a file is
    /// charged to is nowhere told.
    pub fn divide_shared(&mut self) {
        if self.group.is_some() {
            return;
        }
        let tmpfs = self.mounts.iter().map(|mount| mount.used);
        // A deleted file goes with its last user.
        let deleted = self.open.iter().filter(|file| file.name.starts_with('/'));
        let deleted = deleted.map(|file| file.bytes).fold(0, u64::saturating_add);
        let tmpfs = tmpfs.fold(0, u64::saturating_add).saturating_sub(deleted);
        let sysv = self.segments.iter().filter(|segment| !segment.doomed);
        let sysv = sysv
            .map(|segment| segment.resident)
            .fold(0, u64::saturating_add);
        let ledger = std::mem::take(&mut self.ledger);
        self.ledger = ledger.with_shared(tmpfs, sysv);
    }
}
