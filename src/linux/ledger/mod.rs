//! Reads where the memory of the host or of a cgroup is: slow files, only when somebody looks.
//!
//! [`quick`] reads counters. [`with_files`] lists mounts, files and descriptors until a deadline; it can block on a
//! mount that does not answer, so it belongs on a thread that nobody waits for.

mod devices;
mod dir;
mod group;
mod meminfo;
mod open_files;
mod slab;
mod sysv;
mod tmpfs;
mod walk;

use std::time::Instant;

use crate::linux::SysRoot;
use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::kernel_file::{FileBuffer, open_dir};
use crate::model::ledger::{Account, Place};
use crate::model::process::Pid;

/// The counters, the segments and the slab caches.
///
/// # Errors
/// A sentence if the counters cannot be read.
pub fn quick(root: &SysRoot, place: &Place) -> Result<Account, String> {
    let mut buffer = FileBuffer::default();
    let proc = open_dir(&root.proc)
        .map_err(|errno| format!("{} cannot be opened: {errno}", root.proc.display()))?;
    let mut account = Account {
        group: place.group().cloned(),
        ..Account::default()
    };
    match place {
        Place::Host => {
            let counts = meminfo::counts(root, &proc, &mut buffer)?;
            account.ledger = counts.ledger();
            slab::read(root, &proc, &mut buffer, &mut account);
        }
        Place::Group { path, needs, .. } => {
            let hierarchy = Hierarchy::detect(root);
            let ledger = group::ledger(&hierarchy, path, &mut buffer)?;
            account.ledger = ledger.with_member_kernel(needs.page_tables, needs.stacks);
        }
    }
    sysv::read(&proc, &mut buffer, &mut account);
    Ok(account)
}

/// Adds mounts with their largest files, and shared memory that is open without a name; stops at `until`.
pub fn with_files(root: &SysRoot, place: &Place, mut account: Account, until: Instant) -> Account {
    let members: Option<&[Pid]> = match place {
        Place::Host => None,
        Place::Group { members, .. } => Some(members),
    };
    let pids = dir::pids(root, members, until);
    let devices = tmpfs::read(root, &pids, until, &mut account);
    open_files::read(root, &pids, &devices, until, &mut account);
    account.looked_at_files = true;
    account.divide_shared();
    account
}
