//! [`TaskLink`]: programs that the kernel calls for every task or cgroup.

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;

use super::{Program, TRACE_ITER, address, bpf, number, owned};

/// Commands (include/uapi/linux/bpf.h).
const LINK_CREATE: libc::c_int = 28;
const ITER_CREATE: libc::c_int = 33;

/// `BPF_CGROUP_ITER_DESCENDANTS_PRE` (include/uapi/linux/bpf.h): a group before those inside it.
pub(in crate::linux::scan::bpf) const PARENTS_FIRST: u32 = 2;

#[derive(Default)]
#[repr(C)]
struct LinkCreate {
    prog_fd: u32,
    target_fd: u32,
    attach_type: u32,
    flags: u32,
}

/// As [`LinkCreate`], for an iterator that is told where to walk.
#[derive(Default)]
#[repr(C)]
struct IterLinkCreate {
    prog_fd: u32,
    target_fd: u32,
    attach_type: u32,
    flags: u32,
    info: u64,
    info_size: u32,
    padding: u32,
}

/// `union bpf_iter_link_info` for cgroups (include/uapi/linux/bpf.h).
#[derive(Default)]
#[repr(C)]
struct GroupIterInfo {
    order: u32,
    descriptor: u32,
    id: u64,
}

#[derive(Default)]
#[repr(C)]
struct IterCreate {
    link_fd: u32,
    flags: u32,
}

/// A program that the kernel calls for every task or cgroup, on request.
#[derive(Debug)]
pub(in crate::linux::scan::bpf) struct TaskLink(OwnedFd);

impl TaskLink {
    /// # Errors
    /// The error of the system call.
    pub(in crate::linux::scan::bpf) fn new(program: &Program) -> Result<Self, Errno> {
        let mut attributes = LinkCreate {
            prog_fd: number(&program.0)?,
            attach_type: TRACE_ITER,
            ..LinkCreate::default()
        };
        // The link keeps the program loaded.
        bpf(LINK_CREATE, &mut attributes).map(|descriptor| Self(owned(descriptor)))
    }

    /// A program that is called for this cgroup and all below it, parents first.
    ///
    /// # Errors
    /// The error of the system call: `EBADF` where the kernel takes no directory of v1.
    pub(in crate::linux::scan::bpf) fn of_groups(
        program: &Program,
        top: BorrowedFd<'_>,
    ) -> Result<Self, Errno> {
        let info = GroupIterInfo {
            order: PARENTS_FIRST,
            descriptor: u32::try_from(top.as_raw_fd()).map_err(|_| Errno::BADF)?,
            id: 0,
        };
        let mut attributes = IterLinkCreate {
            prog_fd: number(&program.0)?,
            attach_type: TRACE_ITER,
            // The kernel only reads it.
            info: address(&raw const info),
            info_size: u32::try_from(size_of::<GroupIterInfo>()).map_err(|_| Errno::INVAL)?,
            ..IterLinkCreate::default()
        };
        bpf(LINK_CREATE, &mut attributes).map(|descriptor| Self(owned(descriptor)))
    }

    /// Starts a walk and stops it after the first task or group. By then the kernel has allocated the 32 KiB that each
    /// walk takes, which can cost it a second while memory is short (kernel/bpf/bpf_iter.c `bpf_seq_read`).
    ///
    /// # Errors
    /// The error of the system call.
    pub(in crate::linux::scan::bpf) fn begin(&self) -> Result<Begun, Errno> {
        let walk = self.start()?;
        // No room for output is enough output: the kernel stops there.
        rustix::io::read(&walk, &mut [0_u8; 0])?;
        Ok(Begun(walk))
    }

    /// Lets the kernel call the program once for every task or group; for those that are left, if the walk has begun.
    ///
    /// # Errors
    /// The error of the system call.
    pub(in crate::linux::scan::bpf) fn run(&self, begun: Option<Begun>) -> Result<(), Errno> {
        let walk = match begun {
            Some(Begun(walk)) => walk,
            None => self.start()?,
        };
        let mut nothing = [0_u8; 64];
        loop {
            // The program prints nothing, so the read returns 0 when all have been visited. After very
            // many tasks without output the kernel returns EAGAIN (kernel/bpf/bpf_iter.c).
            match rustix::io::read(&walk, &mut nothing) {
                Ok(0) => return Ok(()),
                Ok(_) | Err(Errno::AGAIN | Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
    }

    fn start(&self) -> Result<OwnedFd, Errno> {
        let mut attributes = IterCreate {
            link_fd: number(&self.0)?,
            ..IterCreate::default()
        };
        bpf(ITER_CREATE, &mut attributes).map(owned)
    }
}

/// A walk that has visited the first task or group.
#[derive(Debug)]
pub(in crate::linux::scan::bpf) struct Begun(OwnedFd);
