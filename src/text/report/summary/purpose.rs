//! What a request was for, in words.

use crate::oomlog::analysis::purpose::Purpose;

/// In words behind "for"; `None` where the asker's own words say it.
pub(super) fn words(purpose: Purpose) -> Option<&'static str> {
    Some(match purpose {
        Purpose::Anonymous => "a page of its own memory",
        Purpose::SwapIn => "a page that comes back from swap",
        Purpose::Shmem => "a page of tmpfs or shared memory",
        Purpose::FileCache => "a page of a file",
        Purpose::HugePage => "a huge page",
        Purpose::Pipe => "the buffer of a pipe",
        Purpose::Socket => "the buffer of a socket",
        Purpose::PageTable => "a page table",
        Purpose::NewProcess => "a new process or thread",
        Purpose::Mapping => "the record of a mapping",
        Purpose::Exec => "a program to be executed, or its arguments",
        Purpose::KernelFile => "the text of a file of the kernel (/proc, /sys)",
        Purpose::FileName => "the name of a file",
        Purpose::FileSystem => "a record of a file system",
        Purpose::Vmalloc => "a large buffer of the kernel (vmalloc)",
        Purpose::Slab => "an object of the kernel (slab)",
        Purpose::UserPage => "a page of a process or of a file",
        Purpose::Kernel => "memory of the kernel itself",
        Purpose::KernelAccounted => "kernel memory on behalf of a process",
        Purpose::PageFault => "a page fault that had failed",
        Purpose::Bpf | Purpose::None => return None,
    })
}
